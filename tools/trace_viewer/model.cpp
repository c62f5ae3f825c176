/// Building the model and its indexes, and looking things up in them. What the nodes' lives were is in model_lives.cpp.
#include "model.hpp"

#include "text.hpp"

#include <algorithm>
#include <bit>
#include <numeric>

namespace muster::trace_viewer {

namespace {

/// Sixteen ids that follow each other share a line of the cache; the lines are scattered.
[[nodiscard]] std::uint64_t place_of(std::uint64_t id) noexcept {
  return ((id >> 4U) * 0x9E37'79B9'7F4A'7C15U >> 32U) << 4U | (id & 15U);
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
