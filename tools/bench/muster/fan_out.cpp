/// Cases fan_out, fan_out_timeout, fan_out_quiet (recorder off, for `trace`) and fan_out_repeated (for `growth`): n
/// trivial tasks in one scope; every outcome is kept until the scope has ended, then looked at and added up.
///
/// Nanoseconds a task, from the opening of the scope until the last outcome has been freed; of the first n tasks of the
/// process too (fan_out.first).
#include "site.hpp"

#include <algorithm>
#include <vector>

using namespace std::chrono_literals;

namespace {

void fan_out(muster::manager& site, std::uint64_t n, muster::duration timeout) {
  auto crew = site.create_scope("fan_out");
  std::vector<muster::task<std::uint64_t>> tasks;
  tasks.reserve(n);
  if (timeout == muster::no_timeout)
    for (std::uint64_t i = 0; i < n; ++i)
      tasks.push_back(crew.execute("task", [i] { return i; }));
  else
    for (std::uint64_t i = 0; i < n; ++i)
      tasks.push_back(crew.execute({.name = "task", .timeout = timeout}, [i] { return i; }));
  bench::expect(crew.wait().has_value(), "the scope failed");
  std::uint64_t sum = 0;
  for (const auto& task : tasks) {
    bench::expect(task.get().ok(), "a task did not end ok");
    sum += task.get().value();
  }
  bench::expect(sum == n * (n - 1) / 2, "the values of the tasks do not add up");
}

void measure(std::string_view name, std::uint64_t n, muster::trace_mode trace = muster::trace_mode::ring,
             muster::duration timeout = muster::no_timeout, std::uint64_t repeats = 1) {
  muster::manager site{bench::two_workers(trace)};
  const bench::stopwatch first;
  fan_out(site, n, timeout);
  if (name == "fan_out")
    bench::report("fan_out.first", first.ns() / static_cast<double>(n), "ns/task");
  const bench::stopwatch watch;
  for (std::uint64_t r = 0; r < repeats; ++r)
    fan_out(site, n, timeout);
  bench::report(name, watch.ns() / static_cast<double>(n * repeats), "ns/task");
}

const bench::entry plain{"fan_out", [](std::uint64_t n) { measure("fan_out", n); }};
const bench::entry timed{"fan_out_timeout",
                         [](std::uint64_t n) { measure("fan_out_timeout", n, muster::trace_mode::ring, 5s); }};
const bench::entry quiet{"fan_out_quiet",
                         [](std::uint64_t n) { measure("fan_out_quiet", n, muster::trace_mode::off); }};
// Small scopes are opened often enough that the measure lasts.
const bench::entry repeated{"fan_out_repeated", [](std::uint64_t n) {
                              measure("fan_out_repeated", n, muster::trace_mode::ring, muster::no_timeout,
                                      std::max<std::uint64_t>(1, std::min(n, 500'000 / n)));
                            }};

} // namespace
