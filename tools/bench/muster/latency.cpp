/// Case latency: each worker runs a task that only looks whether it has been asked to stop; its timeout comes, and it
/// takes the time. Meanwhile a hundred more tasks are in the queue. n deadlines in all.
///
/// Milliseconds from the deadline until the task has seen it; the 99th percentile. A task whose deadline passed before
/// it could begin, as on a machine that is busy with others, has seen nothing and does not count.
#include "site.hpp"

#include <vector>

using namespace std::chrono_literals;

namespace {

/// How many milliseconds after its deadline the task sees that it has passed.
double spin(muster::context& ctx) {
  while (!ctx.cancelled())
    ;
  return std::chrono::duration<double, std::milli>(ctx.now() - ctx.deadline()).count();
}

void latency(std::uint64_t n) {
  muster::manager site{bench::two_workers()};
  std::vector<double> late_ms;
  for (std::uint64_t tries = 0; late_ms.size() < n; ++tries) {
    bench::expect(tries < 10 * n, "most tasks did not begin before their deadline");
    auto crew = site.create_scope("latency", {.on_failure = muster::isolate});
    std::vector<muster::task<double>> busy;
    for (unsigned w = 0; w < bench::threads; ++w)
      busy.push_back(crew.execute({.name = "busy", .timeout = 10ms + 1ms * static_cast<int>(tries % 7)}, spin));
    for (int i = 0; i < 100; ++i)
      crew.execute("queued", [] {});
    const auto done = crew.wait(); // the values stand although they came late
    for (const auto& task : busy) {
      const auto& how = task.get();
      bench::expect(how.timed_out() || (how.ok() && how.late() && how.value() >= 0), "a deadline was not seen");
      bench::expect(!how.timed_out() || !done, "a task timed out, and the scope did not fail");
      if (how.ok())
        late_ms.push_back(how.value());
    }
  }
  bench::report("latency", bench::quantile(late_ms, 0.99), "ms");
}

const bench::entry here{"latency", latency};

} // namespace
