/// Case breaker: n calls of a function through a closed circuit breaker, by one task.
///
/// Nanoseconds a call.
#include "site.hpp"

using namespace std::chrono_literals;

namespace {

void breaker(std::uint64_t n) {
  muster::manager site{bench::two_workers()};
  muster::circuit_breaker guard{site, 5, 30s};
  auto crew = site.create_scope("breaker");
  auto took = crew.execute("caller", [&](muster::context& ctx) -> muster::result<double> {
    std::uint64_t calls = 0;
    const auto call = [&](std::uint64_t times) -> muster::result<void> {
      for (std::uint64_t i = 0; i < times; ++i)
        if (auto done = guard.execute(ctx, [&]() -> muster::result<std::uint64_t> { return ++calls; }); !done)
          return std::unexpected{done.error()};
      return {};
    };
    if (auto warm = call(n / 10 + 1); !warm)
      return std::unexpected{warm.error()};
    const bench::stopwatch watch;
    if (auto called = call(n); !called)
      return std::unexpected{called.error()};
    const auto ns = watch.ns();
    bench::expect(calls == n + n / 10 + 1, "not every call was made");
    return ns;
  });
  bench::expect(crew.wait().has_value(), "the scope failed");
  bench::expect(guard.stats().succeeded == n + n / 10 + 1, "the breaker did not count every call");
  bench::report("breaker", took.get().value() / static_cast<double>(n), "ns/call");
}

const bench::entry here{"breaker", breaker};

} // namespace
