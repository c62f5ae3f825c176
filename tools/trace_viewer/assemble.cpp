/// From the parts of a trace to its events in order and to the snapshot that they follow. See trace_file.hpp.
///
/// The directory of the living is as of the moment of reading; what is wanted is who was alive when the oldest event
/// that is kept was recorded. Those are the ones whose making is not among the events kept: what is alive now, and what
/// has ended since by an event that is kept.
#include "trace_file.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <unordered_map>

namespace muster::trace_viewer {

using trace_format::living_facts;
using trace_format::node;

static_assert(static_cast<int>(node_kind::breaker) == static_cast<int>(node::breaker) &&
              static_cast<int>(node_kind::task) == static_cast<int>(node::task));

namespace {

// The states of a task, as muster::task_state numbers them.
constexpr std::uint8_t waiting = 0;
constexpr std::uint8_t held = 1;
constexpr std::uint8_t ready = 2;
constexpr std::uint8_t running = 3;
constexpr std::uint8_t suspended = trace_format::suspended_task;
constexpr std::uint8_t gone = 5;

struct task_at_end {
  std::uint64_t scope = 0;
  std::uint8_t state = waiting;
};

void sort_events(std::vector<event>& events, problem_list& problems) {
  if (!std::ranges::is_sorted(events, {}, &event::sequence))
    std::ranges::sort(events, {}, &event::sequence);
  const auto again = std::ranges::unique(events, [](const event& a, const event& b) {
    return a.sequence == b.sequence && std::memcmp(&a, &b, sizeof a) == 0;
  });
  events.erase(again.begin(), again.end()); // a ring and the files that it was kept in hold the same
  const auto twice = std::ranges::unique(events, {}, &event::sequence);
  if (!twice.empty())
    problems.add(0, std::to_string(twice.size()) + " events have numbers that others have too, and are left out");
  events.erase(twice.begin(), twice.end());
}

[[nodiscard]] const event* find(const std::vector<event>& events, std::uint64_t sequence) {
  const auto at = std::ranges::lower_bound(events, sequence, {}, &event::sequence);
  return at != events.end() && at->sequence == sequence ? &*at : nullptr;
}

/// The state before an event of this kind; `now` if that says nothing.
[[nodiscard]] std::uint8_t state_before(event_kind first, std::uint8_t now) {
  switch (first) {
    case event_kind::task_held: return waiting;
    case event_kind::task_ready: return now == held ? held : waiting;
    case event_kind::task_started: return ready;
    case event_kind::task_suspended: return running;
    case event_kind::task_resumed: return suspended;
    default: return now;
  }
}

[[nodiscard]] bool moves_a_task(event_kind kind) {
  using enum event_kind;
  return kind == task_created || kind == task_held || kind == task_ready || kind == task_started ||
         kind == task_suspended || kind == task_resumed || kind == task_ended || kind == task_skipped;
}

/// Puts those that were alive before the first event into the snapshot. Returns where each task stands there.
std::unordered_map<std::uint64_t, std::size_t> take_living(gathered& all) {
  auto& data = all.into;
  std::unordered_map<std::uint64_t, std::size_t> tasks;
  for (const auto& one : all.living) {
    if (one.created > all.last_sequence)
      continue; // later than what is read here
    if (const auto* made = find(data.events, one.created); made != nullptr && made->subject == one.id)
      continue;
    if (one.ended != 0 && one.ended <= all.last_sequence && find(data.events, one.ended) == nullptr)
      continue;
    if (one.kind == node::task)
      tasks.emplace(one.id, data.alive.size());
    data.alive.push_back({.id = one.id,
                          .parent = one.parent,
                          .since_ns = one.since_ns,
                          .text = one.text,
                          .kind = one.kind <= node::breaker ? static_cast<node_kind>(one.kind) : node_kind::unknown,
                          .state = one.state,
                          .restarts = one.restarts});
  }
  return tasks;
}

/// Tasks that are told of without having been made in what is kept, and are not in the directory: known by their scope.
void take_strangers(gathered& all, std::unordered_map<std::uint64_t, std::size_t>& tasks) {
  auto& data = all.into;
  std::vector<std::uint64_t> made;
  for (const auto& e : data.events)
    if (e.kind == event_kind::task_created)
      made.push_back(e.subject);
  std::ranges::sort(made);
  for (const auto& e : data.events) {
    if (e.kind != event_kind::task_started && e.kind != event_kind::task_ended)
      continue;
    if (std::ranges::binary_search(made, e.subject) || tasks.contains(e.subject))
      continue;
    const bool starts = e.kind == event_kind::task_started;
    tasks.emplace(e.subject, data.alive.size());
    data.alive.push_back({.id = e.subject,
                          .parent = trace_format::scope_in(e.value),
                          .since_ns = data.snapshot_ns,
                          .text = starts ? e.text : 0,
                          .kind = node_kind::task,
                          .state = starts ? ready : waiting});
  }
}

void rewind_states(trace_data& data, std::unordered_map<std::uint64_t, std::size_t> tasks) {
  if (tasks.empty())
    return;
  for (const auto& e : data.events) {
    if (!moves_a_task(e.kind))
      continue;
    if (const auto found = tasks.find(e.subject); found != tasks.end()) {
      auto& entry = data.alive[found->second];
      entry.state = state_before(e.kind, entry.state);
      tasks.erase(found);
    }
  }
}

/// What is left of the scopes' counts when every task that is known by itself has been taken off.
void fold(gathered& all) {
  auto& data = all.into;
  std::unordered_map<std::uint64_t, std::array<std::int64_t, 4>> left;
  for (const auto& one : all.living)
    if ((one.kind == node::scope || one.kind == node::manager) && one.ended == 0)
      for (std::size_t s = 0; s < 4; ++s)
        if (one.tasks[s] != 0)
          left[one.id][s] += one.tasks[s];
  if (left.empty())
    return;
  std::unordered_map<std::uint64_t, task_at_end> known;
  for (const auto& entry : data.alive)
    if (entry.kind == node_kind::task)
      known[entry.id] = {entry.parent, entry.state == suspended ? running : entry.state};
  for (const auto& e : data.events) {
    if (e.kind == event_kind::task_created)
      known[e.subject] = {static_cast<std::uint64_t>(e.value), waiting};
    else if (moves_a_task(e.kind))
      if (const auto found = known.find(e.subject); found != known.end())
        found->second.state = e.kind == event_kind::task_held     ? held
                              : e.kind == event_kind::task_ready  ? ready
                              : e.kind == event_kind::task_ended  ? gone
                              : e.kind == event_kind::task_skipped ? found->second.state
                                                                   : running;
  }
  for (const auto& [id, task] : known)
    if (task.state < 4)
      if (const auto found = left.find(task.scope); found != left.end())
        --found->second[task.state];
  for (const auto& [scope, counts] : left)
    for (std::size_t s = 0; s < counts.size(); ++s)
      if (counts[s] > 0)
        data.folded.push_back({scope, static_cast<std::uint8_t>(s), static_cast<std::uint64_t>(counts[s])});
  std::ranges::sort(data.folded, {}, [](const folded_tasks& f) { return std::pair{f.scope, f.state}; });
}

void check_texts(trace_data& data, problem_list& problems) {
  if (data.texts.empty())
    data.texts.emplace_back();
  std::uint64_t missing = 0;
  const auto check = [&](std::uint32_t& text) {
    if (text < data.texts.size())
      return;
    text = 0;
    ++missing;
  };
  for (auto& e : data.events)
    check(e.text);
  for (auto& one : data.alive)
    check(one.text);
  if (missing > 0)
    problems.add(0, std::to_string(missing) + " texts are not in the string table");
}

} // namespace

void assemble(gathered& all) {
  auto& data = all.into;
  sort_events(data.events, all.problems);
  if (!data.events.empty())
    all.last_sequence = std::max(all.last_sequence, data.events.back().sequence);
  const auto kept = data.events.size() + data.unknown_kinds;
  data.events_dropped = all.last_sequence > kept + data.torn ? all.last_sequence - kept - data.torn : 0;
  if (!data.events.empty()) {
    data.snapshot_ns = data.events.front().time_ns;
    data.snapshot_sequence = data.events.front().sequence - 1;
  } else {
    data.snapshot_sequence = all.last_sequence;
    data.snapshot_ns = data.clock_anchor_ns;
    for (const auto& one : all.living)
      data.snapshot_ns = std::max(data.snapshot_ns, one.since_ns);
  }
  auto tasks = take_living(all);
  take_strangers(all, tasks);
  rewind_states(data, std::move(tasks));
  for (auto& e : data.events)
    if (e.kind == event_kind::task_started || e.kind == event_kind::task_ended)
      e.value = trace_format::value_in(e.value);
  fold(all);
  check_texts(data, all.problems);
  all.problems.finish();
}

} // namespace muster::trace_viewer
