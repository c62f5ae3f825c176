/// Cases trace_event and trace_event_off: one thread records n events, with the recorder on and off.
///
/// Nanoseconds an event, the best of thirty parts, so that a busy machine does not count. recorder_bench measures the
/// same with several threads.
#include "site.hpp"

#include <muster/trace.hpp>

#include <algorithm>

namespace {

void record(std::string_view name, std::uint64_t n, muster::trace_mode mode) {
  constexpr std::uint64_t parts = 30;
  muster::recorder recorder{{.mode = mode}};
  auto best = 1e9;
  const auto each = n / parts + 1;
  std::uint64_t cause = 0;
  for (std::uint64_t p = 0; p < parts; ++p) {
    const bench::stopwatch watch;
    for (std::uint64_t i = 0; i < each; ++i) {
      cause = recorder.record(muster::event_kind::note, p, static_cast<std::int64_t>(i), cause, 1, 2);
      asm volatile("" : : : "memory"); // the off branch must be taken each time, as it is between other work
    }
    best = std::min(best, watch.ns() / static_cast<double>(each));
  }
  const auto kept = recorder.snapshot().size();
  bench::expect(recorder.enabled() ? kept > 0 && kept + recorder.dropped() == parts * each : kept == 0,
                "the recorder did not keep or count every event");
  bench::report(name, best, "ns/event");
}

const bench::entry on{"trace_event", [](std::uint64_t n) { record("trace.event", n, muster::trace_mode::ring); }};
const bench::entry off{"trace_event_off",
                       [](std::uint64_t n) { record("trace.event_off", n, muster::trace_mode::off); }};

} // namespace
