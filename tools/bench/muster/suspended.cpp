/// Case suspended: n coroutines that sleep for an hour; then the scope is cancelled and joined.
///
/// Two figures: the bytes that each takes while it sleeps (growth of the resident set, divided by n), and the
/// nanoseconds a task from the cancel until the scope has been joined. No warm-up, which would leave memory to be used
/// again.
#include "site.hpp"

#include <atomic>
#include <thread>

#include <muster/async_context.hpp>
#include <muster/coro.hpp>

using namespace std::chrono_literals;

namespace {

muster::coro<muster::result<void>> sleep_long(muster::async_context& ctx, std::atomic<std::uint64_t>& sleeping) {
  ++sleeping;
  auto nap = ctx.sleep_for(1h);
  auto slept = co_await nap;
  co_return slept;
}

const bench::entry here{"suspended", [](std::uint64_t n) {
                          muster::manager site{bench::two_workers()};
                          std::atomic<std::uint64_t> sleeping{0};
                          auto crew = site.create_scope("suspended");
                          const auto before = bench::resident_bytes();
                          for (std::uint64_t i = 0; i < n; ++i)
                            crew.execute("sleeper",
                                         [&](muster::async_context& ctx) { return sleep_long(ctx, sleeping); });
                          while (sleeping != n)
                            std::this_thread::sleep_for(1ms);
                          std::this_thread::sleep_for(2ms); // those who counted themselves have gone to sleep
                          const auto grown = static_cast<double>(bench::resident_bytes()) - static_cast<double>(before);
                          bench::report("suspended", grown / static_cast<double>(n), "bytes/task");

                          const bench::stopwatch watch;
                          crew.cancel();
                          const auto done = crew.wait();
                          bench::report("suspended.stop", watch.ns() / static_cast<double>(n), "ns/task");
                          bench::expect(!done && crew.stats().tasks_cancelled == n, "not every sleeper was cancelled");
                        }};

} // namespace
