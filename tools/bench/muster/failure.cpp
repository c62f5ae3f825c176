/// Case failure: a thousand siblings wait until they are asked to stop; then one more fails. n times.
///
/// Microseconds from the moment in which that one returns its error until `wait()` has given it; the median of the n.
/// The siblings are plain bodies, which hold a thread each while they wait, until coroutines are there; see README.md.
#include "site.hpp"

#include <atomic>
#include <latch>
#include <thread>
#include <vector>

#ifdef MUSTER_BENCH_COROUTINES
#include <muster/async_context.hpp>
#include <muster/coro.hpp>
#endif

using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t siblings = 1'000;

#ifdef MUSTER_BENCH_COROUTINES
muster::coro<muster::result<void>> wait_here(muster::async_context& ctx, std::atomic<std::uint64_t>& waiting) {
  ++waiting;
  auto nap = ctx.sleep_for(1h);
  auto slept = co_await nap;
  co_return slept;
}
#endif

double once(muster::manager& site) {
  std::atomic<std::uint64_t> waiting{0};
  std::latch go{1};
  bench::stopwatch since_failure;
  auto crew = site.create_scope("failure");
  std::vector<muster::task<void>> tasks;
  tasks.reserve(siblings);
  for (std::uint64_t i = 0; i < siblings; ++i)
#ifdef MUSTER_BENCH_COROUTINES
    tasks.push_back(crew.execute("sibling", [&](muster::async_context& ctx) { return wait_here(ctx, waiting); }));
#else
    tasks.push_back(crew.execute("sibling", [&](muster::context& ctx) {
      ++waiting;
      return ctx.sleep_for(1h);
    }));
#endif
  auto bad = crew.execute({.name = "bad", .blocking = true}, [&]() -> muster::result<void> {
    go.wait();
    since_failure = bench::stopwatch{};
    return std::unexpected{muster::error{std::make_error_code(std::errc::io_error), "on purpose"}};
  });
  while (waiting != siblings)
    std::this_thread::sleep_for(1ms);
  std::this_thread::sleep_for(2ms); // those who counted themselves have gone to sleep
  go.count_down();
  const auto done = crew.wait();
  const auto us = since_failure.ns() / 1000;
  bench::expect(!done && done.error().code() == std::errc::io_error, "the scope did not fail with the failure");
  bench::expect(bad.get().failed(), "the failing task did not fail");
  for (const auto& task : tasks)
    bench::expect(task.get().cancelled(), "a sibling was not cancelled");
  return us;
}

const bench::entry here{"failure", [](std::uint64_t n) {
                          muster::manager site{bench::two_workers()};
                          (void)once(site);
                          std::vector<double> took;
                          for (std::uint64_t i = 0; i < n; ++i)
                            took.push_back(once(site));
                          bench::report("failure", bench::quantile(took, 0.5), "us");
                        }};

} // namespace
