/// Case blocking: n tasks of which each blocks its thread for 50 ms in a system call, and none says that it will.
///
/// Milliseconds until the scope has ended, from a lane that has only its two workers.
#include "site.hpp"

#include <atomic>
#include <ctime>

namespace {

void blocking(std::uint64_t n) {
  muster::manager site{bench::two_workers()};
  std::atomic<std::uint64_t> slept{0};
  const bench::stopwatch watch;
  {
    auto crew = site.create_scope("blocking");
    for (std::uint64_t i = 0; i < n; ++i)
      crew.execute("blocker", [&] {
        const timespec t{.tv_sec = 0, .tv_nsec = 50'000'000};
        if (::nanosleep(&t, nullptr) == 0)
          ++slept;
      });
    bench::expect(crew.wait().has_value(), "the scope failed");
  }
  const auto ms = watch.ns() / 1e6;
  bench::expect(slept == n, "not every task slept to the end");
  bench::report("blocking", ms, "ms");
}

const bench::entry here{"blocking", blocking};

} // namespace
