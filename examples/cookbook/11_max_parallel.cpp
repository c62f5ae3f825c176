// Not too many at once: `max_parallel` admits so many bodies of a scope, in the order in which they were started.
//
// A task that waits for a sibling, a pool or a channel lends its permit meanwhile, so that this cannot come to a halt.
// A task's own timeout begins when it is admitted: standing in the queue does not use it up.
#include <muster/muster.hpp>

#include <atomic>
#include <cstdio>
#include <string>

using namespace std::chrono_literals;

int main() {
  std::atomic<int> inside = 0; // declared first: they outlive the tasks that use them
  std::atomic<int> most = 0;
  muster::manager site{{.name = "site"}};

  auto crew = site.create_scope("crew", {.max_parallel = 3});
  for (int n = 1; n <= 30; ++n)
    crew.execute({.name = "download " + std::to_string(n), .timeout = 1min}, [&](muster::context& ctx) {
      const int now = ++inside;
      for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {}
      auto slept = ctx.sleep_for(1ms);
      --inside;
      return slept;
    });
  if (const auto done = crew.wait(); !done)
    return std::fprintf(stderr, "%s\n", to_string(done.error()).c_str()), 1;
  std::printf("more than three at once: %s\n", most > 3 ? "yes" : "no");
  std::printf("ended well: %d\n", static_cast<int>(crew.stats().tasks_completed));

  // One at a time, and one waits for another: that one is given the permit.
  auto narrow = site.create_scope("narrow", {.max_parallel = 1});
  const auto answer = narrow.execute("asks", [&narrow] {
    const auto other = narrow.execute("answers", [] { return 42; });
    return other.get().value();
  });
  std::printf("one at a time: %d\n", answer.get().value());
  return narrow.wait() ? 0 : 1;
}
