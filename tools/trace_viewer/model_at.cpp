/// The model at a moment: what a node was doing, for how long, waiting for what.
#include "model.hpp"

#include <algorithm>

namespace muster::trace_viewer {

std::string_view to_string(state s) noexcept {
  switch (s) {
    case state::unborn:
      return "not there yet";
    case state::unknown:
      return "unknown";
    case state::waiting:
      return "waiting";
    case state::ready:
      return "ready";
    case state::suspended:
      return "suspended";
    case state::running:
      return "running";
    case state::open:
      return "open";
    case state::stopping:
      return "stopping";
    case state::releasing:
      return "releasing";
    case state::held:
      return "held";
    case state::down:
      return "down";
    case state::half_open:
      return "half open";
    case state::ok:
      return "ok";
    case state::failed:
      return "failed";
    case state::timed_out:
      return "timed out";
    case state::cancelled:
      return "cancelled";
    case state::skipped:
      return "skipped";
  }
  return "unknown";
}

std::string_view to_string(node_kind kind) noexcept {
  switch (kind) {
    case node_kind::unknown:
      return "unknown";
    case node_kind::manager:
      return "manager";
    case node_kind::scope:
      return "scope";
    case node_kind::task:
      return "task";
    case node_kind::actor:
      return "actor";
    case node_kind::resource:
      return "resource";
    case node_kind::pool:
      return "pool";
    case node_kind::breaker:
      return "breaker";
  }
  return "unknown";
}

namespace {

[[nodiscard]] bool by_then(std::int64_t moment, std::int64_t t) noexcept { return moment != unset && moment <= t; }

/// What an actor's, pool's or breaker's event makes of it; unknown: nothing.
[[nodiscard]] state made_by(const event& e) noexcept {
  switch (e.kind) {
    case event_kind::actor_started:
    case event_kind::restart_done:
      return state::running;
    case event_kind::actor_stop_asked:
      return state::stopping;
    case event_kind::actor_ended:
      return e.value != 0 || e.text != 0 ? state::failed : state::ok;
    case event_kind::actor_start_failed:
      return state::failed;
    case event_kind::restart_decided:
    case event_kind::breaker_opened:
      return state::down;
    case event_kind::restart_abandoned:
      return state::cancelled;
    case event_kind::breaker_half_opened:
      return state::half_open;
    case event_kind::breaker_created:
    case event_kind::breaker_closed:
    case event_kind::breaker_reset:
      return state::open;
    default:
      return state::unknown;
  }
}

} // namespace

std::size_t trace_model::events_until(node_index n, std::int64_t t) const noexcept {
  const auto own = events_of(n);
  const auto end = std::ranges::upper_bound(own, t, {}, [&](event_index e) { return data_.events[e].time_ns; });
  return static_cast<std::size_t>(end - own.begin());
}

state trace_model::state_at(node_index index, std::int64_t t) const noexcept {
  const node& n = nodes_[index];
  if (n.created != unset && t < n.created)
    return state::unborn;
  if (t >= end_)
    return n.last;
  switch (n.kind) {
    case node_kind::task:
      return by_then(n.ended, t)     ? n.last
             : by_then(n.asked, t)   ? state::stopping
             : by_then(n.started, t) ? (n.suspends && suspended_at(index, t) ? state::suspended : state::running)
             : by_then(n.ready, t)   ? state::ready
             : n.created == unset    ? state::unknown
                                     : state::waiting;
    case node_kind::manager:
    case node_kind::scope:
      return by_then(n.ended, t)   ? n.last
             : by_then(n.ready, t) ? state::releasing
             : by_then(n.asked, t) ? state::stopping
                                   : state::open;
    case node_kind::resource:
      return by_then(n.ended, t) ? n.last : by_then(n.started, t) ? state::releasing : state::held;
    case node_kind::pool:
      return by_then(n.ended, t) ? n.last : by_then(n.asked, t) ? state::stopping : state::open;
    default: {
      if (by_then(n.ended, t))
        return n.last;
      const auto own = events_of(index);
      for (auto k = events_until(index, t); k > 0; --k)
        if (const auto made = made_by(data_.events[own[k - 1]]); made != state::unknown)
          return made;
      return n.kind == node_kind::actor ? state::running : n.kind == node_kind::breaker ? state::open : state::unknown;
    }
  }
}

bool trace_model::suspended_at(node_index n, std::int64_t t) const noexcept {
  const auto own = events_of(n);
  for (auto k = events_until(n, t); k > 0; --k)
    if (const auto what = data_.events[own[k - 1]].kind; what == event_kind::task_suspended)
      return true;
    else if (what == event_kind::task_resumed || what == event_kind::task_started)
      return false;
  // What it did first tells what it did before.
  for (const auto e : own)
    if (const auto what = data_.events[e].kind; what == event_kind::task_suspended)
      return false;
    else if (what == event_kind::task_resumed)
      return true;
  return nodes_[n].last == state::suspended;
}

std::uint32_t trace_model::restarts_at(node_index n, std::int64_t t) const noexcept {
  std::uint32_t restarts = nodes_[n].restarts;
  const auto own = events_of(n);
  for (auto k = own.size(); k > 0 && data_.events[own[k - 1]].time_ns > t; --k)
    if (data_.events[own[k - 1]].kind == event_kind::restart_done && restarts > 0)
      --restarts;
  return restarts;
}

std::int64_t trace_model::duration_at(node_index index, std::int64_t t) const noexcept {
  const node& n = nodes_[index];
  const auto from = n.kind == node_kind::task || n.kind == node_kind::resource ? n.started : n.created;
  if (!by_then(from, t))
    return unset;
  return (by_then(n.ended, t) ? n.ended : std::min(t, end_)) - from;
}

const wait* trace_model::waiting_at(node_index index, std::int64_t t) const noexcept {
  if (by_then(nodes_[index].ended, t))
    return nullptr;
  const auto own = events_of(index);
  for (auto k = events_until(index, t); k > 0; --k) {
    const auto* w = wait_at(own[k - 1]);
    if (w != nullptr && (w->ended == none_found || data_.events[w->ended].time_ns > t))
      return w;
    // Waits are nested in each other, so behind one that has ended there may be one that lasts; but not before the
    // body.
    if (data_.events[own[k - 1]].kind == event_kind::task_started)
      return nullptr;
  }
  return nullptr;
}

std::vector<node_index> trace_model::dependencies(node_index n) const {
  std::vector<node_index> all;
  for (const auto e : events_of(n)) {
    const auto& what = data_.events[e];
    if (what.kind == event_kind::dependency)
      if (const auto which = find(what.value); which != none_found)
        all.push_back(which);
    if (what.kind == event_kind::task_started)
      break;
  }
  return all;
}

} // namespace muster::trace_viewer
