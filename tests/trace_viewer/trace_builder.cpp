// Traces for the tests of the viewer.
#include "trace_builder.hpp"

#include "manager_actor.hpp"

#include <muster/manager.hpp>

namespace trace_tests {

trace_data recorded(const muster::manager& site) {
  auto& recorder = const_cast<muster::manager&>(site).actor()->engine().trace();
  trace_data data;
  data.major = 1;
  data.pid = 42;
  data.program = "site";
  data.wall_anchor_ns = 1'700'000'000 * second;
  data.events = recorder.snapshot();
  data.events_dropped = recorder.dropped();
  if (!data.events.empty())
    data.clock_anchor_ns = data.events.front().time_ns;
  data.texts.emplace_back();
  for (const auto& e : data.events)
    while (data.texts.size() <= e.text)
      data.texts.push_back(recorder.text(static_cast<std::uint32_t>(data.texts.size())));
  return data;
}

trace_builder failed_checkout() {
  using enum event_kind;
  trace_builder t;
  t.manager(0, 1, "site");
  const auto opened = t.scope(0, 2, 1, "checkout");
  const auto charge = t.running(0, 3, 2, "charge");
  t.running(0, 4, 2, "stock", 8);
  t.add(0, task_created, 5, opened, 2, "worker");
  t.add(0, dependency, 5, 0, 3);
  const auto wait = t.add(0, wait_began, 0, 0, 2);
  const auto declined = t.add(second, event_kind::failure, 3, charge, 5, "card declined");
  const auto cancelled = t.add(second, cancel_asked, 2, declined, 2, "site/checkout/charge");
  const auto ended = t.end(second, 3, muster::outcome_kind::failed, declined, "card declined");
  const auto skipped = t.add(second, task_skipped, 5, ended, 3);
  t.end(second, 5, muster::outcome_kind::skipped, skipped, "skipped: site/checkout/charge did not end ok");
  const auto asked = t.add(second, cancel_asked, 4, cancelled, 2, "site/checkout/charge");
  t.add(second + 50 * ms, cancel_observed, 4, asked, 50 * ms);
  t.end(second + 100 * ms, 4, muster::outcome_kind::cancelled, asked, "cancelled: sibling failed");
  t.add(second + 100 * ms, scope_joined, 2, cancelled);
  const auto over = t.add(second + 100 * ms, scope_ended, 2, cancelled, 1, "card declined");
  t.add(second + 100 * ms, wait_ended, 0, wait);
  t.add(second + 200 * ms, manager_ended, 1, over, 0);
  return t;
}

} // namespace trace_tests
