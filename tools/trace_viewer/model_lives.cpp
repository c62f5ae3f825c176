/// The lives of a model's nodes: one pass over what was alive when the trace begins, and one over its events.
#include "model.hpp"

#include <algorithm>
#include <bit>

namespace muster::trace_viewer {

namespace {

using kind = event_kind;

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
      // muster::task_state: waiting, held, ready, running, ending, ended; and suspended
      return a.state <= 1                               ? state::waiting
             : a.state == 2                             ? state::ready
             : a.state == trace_format::suspended_task ? state::suspended
                                                        : state::running;
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

} // namespace

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
    if (a.kind == node_kind::task && (n.last == state::running || n.last == state::suspended))
      n.started = a.since_ns;
    n.suspends = n.last == state::suspended;
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
    case kind::task_suspended:
      n.suspends = true;
      n.thread = 0;
      n.last = n.last == state::stopping ? n.last : state::suspended;
      return;
    case kind::task_resumed:
      n.suspends = true;
      n.thread = static_cast<std::int32_t>(e.value);
      n.last = n.last == state::stopping ? n.last : state::running;
      return;
    case kind::task_ended:
      return ends(e.value >= 0 && e.value <= 4 ? static_cast<state>(static_cast<int>(state::ok) + e.value)
                                               : state::failed);
    case kind::task_skipped:
      return ends(state::skipped);
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
    case kind::restart_abandoned: {
      // Nobody called it off if its own failure was the one too many.
      const auto why = find_event(e.cause);
      const bool by_itself = why != none_found && data_.events[why].kind == kind::restart_decided &&
                             data_.events[why].subject == e.subject;
      return ends(by_itself ? state::failed : state::cancelled);
    }
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

} // namespace muster::trace_viewer
