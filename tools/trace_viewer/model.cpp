/// Building the model: one pass over what was alive and one over the events, then the indexes.
#include "model.hpp"

#include "text.hpp"

#include <algorithm>
#include <bit>
#include <numeric>

namespace muster::trace_viewer {

namespace {

using kind = event_kind;

/// Sixteen ids that follow each other share a line of the cache; the lines are scattered.
[[nodiscard]] std::uint64_t place_of(std::uint64_t id) noexcept {
  return ((id >> 4U) * 0x9E37'79B9'7F4A'7C15U >> 32U) << 4U | (id & 15U);
}

[[nodiscard]] bool makes_node(kind k) noexcept {
  return k == kind::task_created || k == kind::scope_created || k == kind::manager_created ||
         k == kind::actor_started || k == kind::resource_registered || k == kind::pool_created ||
         k == kind::breaker_created;
}

/// What kind of node such an event happens to; unknown for those that happen to several.
[[nodiscard]] node_kind kind_by(kind k) noexcept {
  const auto number = static_cast<unsigned>(k);
  if (k == kind::cancel_observed || k == kind::progress || k == kind::retry_scheduled || k == kind::retry_gave_up ||
      k == kind::dependency || k == kind::spawn_refused)
    return node_kind::task;
  switch (number >> 4U) {
    case 0x1:
      return node_kind::manager;
    case 0x2:
      return node_kind::scope;
    case 0x3:
      return node_kind::task;
    case 0x4:
      return node_kind::actor;
    case 0x5:
      return node_kind::resource;
    case 0xA:
      return k == kind::intensity_exceeded ? node_kind::scope : node_kind::actor;
    case 0xB:
      return node_kind::pool;
    case 0xC:
      return node_kind::breaker;
    default:
      return node_kind::unknown;
  }
}

[[nodiscard]] state from_snapshot(const alive_entry& a) noexcept {
  switch (a.kind) {
    case node_kind::task:
      // muster::task_state: waiting, held, ready, running, ending, ended
      return a.state <= 1 ? state::waiting : a.state == 2 ? state::ready : state::running;
    case node_kind::actor:
      return state::running;
    case node_kind::resource:
      return state::held;
    case node_kind::unknown:
      return state::unknown;
    default:
      return state::open;
  }
}

/// The far ends of time: no clock shows them (73 years from its start), a damaged record may. Within them any moment
/// less any other is a number, so that nobody else has to think of that.
constexpr std::int64_t far_end = std::int64_t{1} << 61;

trace_data within_reach(trace_data data) {
  const auto pull_in = [](std::int64_t& t) { t = std::clamp(t, -far_end, far_end); };
  pull_in(data.clock_anchor_ns);
  pull_in(data.snapshot_ns);
  data.wall_anchor_ns = std::clamp(data.wall_anchor_ns, -2 * far_end + 1, 2 * far_end - 1); // until the year 2116
  for (auto& e : data.events)
    pull_in(e.time_ns);
  for (auto& a : data.alive)
    pull_in(a.since_ns);
  return data;
}

} // namespace

trace_model::trace_model(trace_data data, std::int64_t now) : data_{within_reach(std::move(data))} {
  begin_ = data_.clock_anchor_ns != 0 ? data_.clock_anchor_ns : INT64_MAX;
  end_ = data_.snapshot_ns != 0 ? data_.snapshot_ns : INT64_MIN;
  for (const auto& e : data_.events) {
    begin_ = std::min(begin_, e.time_ns);
    end_ = std::max(end_, e.time_ns);
  }
  for (const auto& a : data_.alive)
    begin_ = std::min(begin_, a.since_ns);
  if (begin_ == INT64_MAX)
    begin_ = 0;
  end_ = std::max({end_, begin_, now == unset ? begin_ : now});

  collect_nodes();
  tell_lives();
  settle_parents();
  index_events();
}

node_index trace_model::enter(std::uint64_t id) {
  if (nodes_.size() * 2 >= slots_.size()) {
    std::vector<node_index> wider(std::max<std::size_t>(64, slots_.size() * 2), none_found);
    slots_.swap(wider);
    const auto mask = slots_.size() - 1;
    for (node_index n = 0; n < nodes_.size(); ++n) {
      auto at = place_of(nodes_[n].id) & mask;
      while (slots_[at] != none_found)
        at = (at + 1) & mask;
      slots_[at] = n;
    }
  }
  const auto mask = slots_.size() - 1;
  auto at = place_of(id) & mask;
  for (; slots_[at] != none_found; at = (at + 1) & mask)
    if (nodes_[slots_[at]].id == id)
      return slots_[at];
  slots_[at] = static_cast<node_index>(nodes_.size());
  nodes_.push_back({.id = id});
  return slots_[at];
}

node_index trace_model::find(std::uint64_t id) const noexcept {
  if (slots_.empty() || id == 0)
    return none_found;
  const auto mask = slots_.size() - 1;
  for (auto at = place_of(id) & mask; slots_[at] != none_found; at = (at + 1) & mask)
    if (nodes_[slots_[at]].id == id)
      return slots_[at];
  return none_found;
}

void trace_model::collect_nodes() {
  std::size_t made = data_.alive.size();
  for (const auto& e : data_.events)
    made += makes_node(e.kind);
  nodes_.reserve(made + made / 64 + 16);
  slots_.assign(std::bit_ceil(made * 2 + 64), none_found);
  for (const auto& a : data_.alive) {
    if (a.id == 0)
      continue;
    const auto above = a.parent != 0 ? enter(a.parent) : none_found;
    auto& n = nodes_[enter(a.id)];
    n.parent = above;
    n.kind = a.kind;
    n.name = a.text;
    n.created = a.since_ns;
    n.restarts = a.restarts;
    n.last = from_snapshot(a);
    if (a.kind == node_kind::task && n.last == state::running)
      n.started = a.since_ns;
  }
}

void trace_model::tell_lives() {
  for (event_index e = 0; e < data_.events.size(); ++e)
    tell(e);
}

void trace_model::tell(event_index index) {
  const event& e = data_.events[index];
  if (e.kind == kind::wait_began) {
    waits_.push_back({.who = e.subject != 0 ? enter(e.subject) : none_found,
                      .target = e.value != 0 ? enter(static_cast<std::uint64_t>(e.value)) : none_found,
                      .began = index});
    return;
  }
  if (e.kind == kind::wait_ended) {
    if (const auto* w = wait_at(find_event(e.cause)); w != nullptr)
      waits_[static_cast<std::size_t>(w - waits_.data())].ended = index;
    return;
  }
  if (e.subject == 0)
    return;
  const auto who = enter(e.subject);
  if (const auto guess = kind_by(e.kind); nodes_[who].kind == node_kind::unknown)
    nodes_[who].kind = guess;
  const auto born = [&](node_kind what, state first) {
    const auto above = e.value != 0 ? enter(static_cast<std::uint64_t>(e.value)) : none_found;
    auto& n = nodes_[who];
    if (!(what == node_kind::resource && n.kind == node_kind::pool))
      n.kind = what;
    n.parent = above;
    n.created = n.created == unset ? e.time_ns : n.created;
    n.name = e.text != 0 ? e.text : n.name;
    n.last = first;
  };
  auto& n = nodes_[who];
  const auto ends = [&](state how) {
    n.ended = e.time_ns;
    n.end_event = index;
    n.last = how;
  };
  const auto scope_end = [&] {
    if (e.value == 0)
      return state::ok;
    // muster::cancel_kind: user, timeout, sibling_failed, parent_cancelled, shutdown
    if (n.asked == unset || n.asked_kind == 2)
      return state::failed;
    return n.asked_kind == 1 ? state::timed_out : state::cancelled;
  };
  switch (e.kind) {
    case kind::manager_created:
      return born(node_kind::manager, state::open);
    case kind::scope_created:
      return born(node_kind::scope, state::open);
    case kind::task_created:
      return born(node_kind::task, state::waiting);
    case kind::resource_registered:
      return born(node_kind::resource, nodes_[who].kind == node_kind::pool ? state::open : state::held);
    case kind::pool_created:
      return born(node_kind::pool, state::open);
    case kind::breaker_created:
      return born(node_kind::breaker, state::open);
    case kind::actor_started:
      born(node_kind::actor, state::running);
      nodes_[who].started = e.time_ns;
      return;
    case kind::actor_start_failed: {
      const auto above = e.value != 0 ? enter(static_cast<std::uint64_t>(e.value)) : none_found;
      auto& failed = nodes_[who];
      failed.parent = failed.parent == none_found ? above : failed.parent;
      failed.created = failed.created == unset ? e.time_ns : failed.created;
      failed.ended = e.time_ns;
      failed.end_event = index;
      failed.last = state::failed;
      return;
    }
    case kind::task_ready:
      n.ready = e.time_ns;
      n.last = n.last == state::stopping ? n.last : state::ready;
      return;
    case kind::task_started:
      n.started = e.time_ns;
      n.thread = static_cast<std::int32_t>(e.value);
      n.last = n.last == state::stopping ? n.last : state::running;
      return;
    case kind::task_resumed:
      n.thread = static_cast<std::int32_t>(e.value);
      return;
    case kind::task_ended:
      return ends(e.value >= 0 && e.value <= 4 ? static_cast<state>(static_cast<int>(state::ok) + e.value)
                                               : state::failed);
    case kind::spawn_refused:
      return ends(e.value == 1 ? state::timed_out : state::cancelled);
    case kind::scope_joined:
      n.ready = e.time_ns;
      n.last = state::releasing;
      return;
    case kind::scope_ended:
    case kind::manager_ended:
      return ends(scope_end());
    case kind::manager_shutdown_began:
      if (n.asked == unset) {
        n.asked = e.time_ns;
        n.asked_kind = 4;
      }
      n.last = state::stopping;
      return;
    case kind::cancel_asked:
      if (n.asked == unset || n.kind == node_kind::manager) {
        n.asked = n.asked == unset ? e.time_ns : n.asked;
        n.asked_kind = static_cast<std::uint8_t>(e.value);
      }
      if (!has_ended(n.last))
        n.last = n.last == state::releasing ? n.last : state::stopping;
      return;
    case kind::actor_stop_asked:
      n.asked = e.time_ns;
      n.last = state::stopping;
      return;
    case kind::actor_ended:
      return ends(e.value != 0 || e.text != 0 ? state::failed : state::ok);
    case kind::restart_decided:
      n.last = state::down;
      n.ended = unset;
      return;
    case kind::restart_done:
      n.last = state::running;
      n.name = n.name == 0 ? e.text : n.name;
      n.started = e.time_ns;
      n.ended = unset;
      n.asked = unset;
      n.end_event = none_found;
      if (e.sequence > data_.snapshot_sequence && n.restarts < UINT16_MAX)
        ++n.restarts;
      return;
    case kind::restart_abandoned:
      return ends(state::cancelled);
    case kind::release_started:
      n.started = e.time_ns;
      n.asked = n.asked == unset ? e.time_ns : n.asked;
      n.last = state::releasing;
      return;
    case kind::release_ended:
    case kind::pool_ended:
      return ends(n.last == state::failed ? state::failed : state::ok);
    case kind::release_failed:
      return ends(state::failed);
    case kind::release_overdue:
    case kind::unresponsive:
      n.unresponsive = true;
      return;
    case kind::breaker_opened:
      n.last = state::down;
      return;
    case kind::breaker_half_opened:
      n.last = state::half_open;
      return;
    case kind::breaker_closed:
    case kind::breaker_reset:
      n.last = state::open;
      return;
    default:
      return;
  }
}

void trace_model::settle_parents() {
  // A damaged trace may hang nodes below each other in a circle; whoever closes it becomes a root.
  std::vector<std::uint8_t> seen(nodes_.size(), 0); // 0: not yet, 1: on the way up, 2: leads to a root
  std::vector<node_index> way;
  for (node_index n = 0; n < nodes_.size(); ++n) {
    node_index at = n;
    while (at != none_found && seen[at] == 0) {
      seen[at] = 1;
      way.push_back(at);
      at = nodes_[at].parent;
    }
    if (at != none_found && seen[at] == 1)
      nodes_[way.back()].parent = none_found;
    for (const auto passed : way)
      seen[passed] = 2;
    way.clear();
  }
  children_from_.assign(nodes_.size() + 1, 0);
  for (const auto& n : nodes_)
    if (n.parent != none_found)
      ++children_from_[n.parent + std::size_t{1}];
  std::partial_sum(children_from_.begin(), children_from_.end(), children_from_.begin());
  children_.resize(children_from_.back());
  auto next = children_from_;
  for (node_index n = 0; n < nodes_.size(); ++n) {
    if (nodes_[n].parent == none_found)
      roots_.push_back(n);
    else
      children_[next[nodes_[n].parent]++] = n;
  }
}

void trace_model::index_events() {
  events_from_.assign(nodes_.size() + 1, 0);
  std::vector<node_index> whose(data_.events.size());
  for (event_index e = 0; e < whose.size(); ++e) {
    whose[e] = find(data_.events[e].subject);
    if (whose[e] != none_found)
      ++events_from_[whose[e] + std::size_t{1}];
  }
  std::partial_sum(events_from_.begin(), events_from_.end(), events_from_.begin());
  events_.resize(events_from_.back());
  auto next = events_from_;
  for (event_index e = 0; e < whose.size(); ++e)
    if (whose[e] != none_found)
      events_[next[whose[e]]++] = e;
}

// -- looking up -------------------------------------------------------------------------------------------------------

std::string trace_model::name(node_index n) const {
  const auto raw = text(nodes_[n].name);
  if (!raw.empty())
    return escaped(raw);
  const auto kind = nodes_[n].kind == node_kind::unknown ? std::string_view{} : to_string(nodes_[n].kind);
  return "?" + std::string{kind} + ":" + std::to_string(nodes_[n].id);
}

event_index trace_model::find_event(std::uint64_t sequence) const noexcept {
  const auto& all = data_.events;
  const auto found = std::ranges::lower_bound(all, sequence, {}, &event::sequence);
  if (sequence == 0 || found == all.end() || found->sequence != sequence)
    return none_found;
  return static_cast<event_index>(found - all.begin());
}

std::span<const node_index> trace_model::children(node_index n) const noexcept {
  return std::span{children_}.subspan(children_from_[n], children_from_[n + std::size_t{1}] - children_from_[n]);
}

std::span<const event_index> trace_model::events_of(node_index n) const noexcept {
  return std::span{events_}.subspan(events_from_[n], events_from_[n + std::size_t{1}] - events_from_[n]);
}

const wait* trace_model::wait_at(event_index began) const noexcept {
  const auto found = std::ranges::lower_bound(waits_, began, {}, &wait::began);
  return began == none_found || found == waits_.end() || found->began != began ? nullptr : &*found;
}

} // namespace muster::trace_viewer
