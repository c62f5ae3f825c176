/// The model: what a trace tells, as a tree of nodes with their lives, and an index over its events.
///
/// Owner: whoever built it; it owns the trace. Threads: immutable once built, any. Invariants: nodes are numbered in
/// the order of their first appearance; every `parent` is a node or `no_node`, without cycles, whatever the trace says;
/// lists of events are in order. A node and its events together take less memory than they do in the file: there is
/// nothing on the heap for each of them, and paths are put together when they are asked for.
#pragma once

#include "reader.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace muster::trace_viewer {

using node_index = std::uint32_t;
using event_index = std::uint32_t;
inline constexpr std::uint32_t none_found = UINT32_MAX; ///< no node, no event
inline constexpr std::int64_t unset = INT64_MIN;        ///< a moment that has not come, or is not known

/// What a node is doing, or how it ended.
enum class state : std::uint8_t {
  unborn,    ///< not there yet at that moment
  unknown,   ///< there, but what it did was overwritten
  waiting,   ///< a task with dependencies that have not ended, or held back by max_parallel
  ready,     ///< a task in the queue for a worker
  suspended, ///< a task whose body waits without a thread
  running,   ///< a task in its body; an actor that is up
  open,      ///< a manager, scope, pool, or closed (so passing) breaker
  stopping,  ///< asked to stop and still there: a task, scope, manager, actor
  releasing, ///< a scope that releases what it owns; a resource that is being released
  held,      ///< a resource
  down,      ///< an actor between two incarnations; a breaker that is open
  half_open, ///< a breaker that probes
  ok,        ///< from here on: ended
  failed,
  timed_out,
  cancelled,
  skipped,
};
[[nodiscard]] std::string_view to_string(state s) noexcept;
[[nodiscard]] std::string_view to_string(node_kind kind) noexcept;
[[nodiscard]] constexpr bool has_ended(state s) noexcept { return s >= state::ok; }
[[nodiscard]] constexpr bool is_bad(state s) noexcept { return s == state::failed || s == state::timed_out; }

struct node {
  std::uint64_t id = 0;
  std::int64_t created = unset;
  std::int64_t ready = unset;   ///< of a task: into the queue; of a scope: the last child has ended
  std::int64_t started = unset; ///< of a task: the body; of a resource: the release
  std::int64_t asked = unset;   ///< the first time it was asked to stop
  std::int64_t ended = unset;
  node_index parent = none_found;
  std::uint32_t name = 0;             ///< a text
  event_index end_event = none_found; ///< the one that ended it
  std::int32_t thread = 0;            ///< native id of the thread of a body
  std::uint16_t restarts = 0;
  node_kind kind = node_kind::unknown;
  state last = state::unknown; ///< at the end of the trace
  bool unresponsive = false;   ///< it was found so
  bool suspends = false;       ///< a task whose body has left its thread at some time
  std::uint8_t asked_kind = 0; ///< a muster::cancel_kind, if `asked` is set
};
static_assert(sizeof(node) <= 72);

struct wait {
  node_index who = none_found;    ///< none: a thread from outside
  node_index target = none_found; ///< none: see the text
  event_index began = none_found;
  event_index ended = none_found; ///< none: it still waits
};

class trace_model {
public:
  /// `now`: the present moment on the trace clock, if the process still runs, so that what lasts has its age.
  /// Throws std::bad_alloc alone.
  explicit trace_model(trace_data data, std::int64_t now = unset);

  [[nodiscard]] const trace_data& data() const noexcept { return data_; }
  [[nodiscard]] std::span<const node> nodes() const noexcept { return nodes_; }
  [[nodiscard]] const node& at(node_index n) const noexcept { return nodes_[n]; }
  [[nodiscard]] const event& event_at(event_index e) const noexcept { return data_.events[e]; }
  /// Empty for 0 and for a text that is not there.
  [[nodiscard]] std::string_view text(std::uint32_t id) const noexcept {
    return id < data_.texts.size() ? std::string_view{data_.texts[id]} : std::string_view{};
  }
  /// The node's name as it may be printed; if it was not kept, what is known: "?task:17", with its id.
  [[nodiscard]] std::string name(node_index n) const;

  [[nodiscard]] node_index find(std::uint64_t id) const noexcept;
  [[nodiscard]] node_index find(std::int64_t id) const noexcept { return find(static_cast<std::uint64_t>(id)); }
  [[nodiscard]] event_index find_event(std::uint64_t sequence) const noexcept;
  [[nodiscard]] std::span<const node_index> children(node_index n) const noexcept;
  /// Nodes without a parent, in the order of their appearance.
  [[nodiscard]] std::span<const node_index> roots() const noexcept { return roots_; }
  [[nodiscard]] std::span<const event_index> events_of(node_index n) const noexcept;
  /// By the order of their beginning.
  [[nodiscard]] std::span<const wait> waits() const noexcept { return waits_; }
  /// The wait that began with this event; null if there is none.
  [[nodiscard]] const wait* wait_at(event_index began) const noexcept;
  /// What the node waited for at `t`, null if nothing: the innermost wait.
  [[nodiscard]] const wait* waiting_at(node_index n, std::int64_t t) const noexcept;

  /// The moments at which the trace begins and ends, on the trace clock.
  [[nodiscard]] std::int64_t begin_ns() const noexcept { return begin_; }
  [[nodiscard]] std::int64_t end_ns() const noexcept { return end_; }
  [[nodiscard]] std::int64_t since_begin(std::int64_t t) const noexcept { return t - begin_; }
  /// Nanoseconds since 1970 of a moment on the trace clock.
  [[nodiscard]] std::int64_t wall_ns(std::int64_t t) const noexcept {
    return t - data_.clock_anchor_ns + data_.wall_anchor_ns;
  }
  /// Nothing was kept of what there was before.
  [[nodiscard]] bool begins_in_the_middle() const noexcept {
    return data_.events_dropped > 0 || !data_.alive.empty() || !data_.folded.empty();
  }

  /// What the node was doing at `t`. Constant for scopes and tasks that keep their thread, for the others logarithmic.
  [[nodiscard]] state state_at(node_index n, std::int64_t t) const noexcept;
  /// How often it had been restarted by then.
  [[nodiscard]] std::uint32_t restarts_at(node_index n, std::int64_t t) const noexcept;
  /// How long a task ran, an actor or scope lived, a release took: up to `t` if it goes on. `unset`: it has not begun.
  [[nodiscard]] std::int64_t duration_at(node_index n, std::int64_t t) const noexcept;
  /// The number of the node's events at or before `t`.
  [[nodiscard]] std::size_t events_until(node_index n, std::int64_t t) const noexcept;
  /// The dependencies of a task, in the order in which they were named.
  [[nodiscard]] std::vector<node_index> dependencies(node_index n) const;

private:
  void collect_nodes();
  void tell_lives();
  void tell(event_index e);
  void settle_parents();
  [[nodiscard]] bool suspended_at(node_index n, std::int64_t t) const noexcept;
  void index_events();
  node_index enter(std::uint64_t id);

  trace_data data_;
  std::vector<node> nodes_;
  std::vector<node_index> slots_; ///< an open hash table: id to node
  std::vector<node_index> children_;
  std::vector<std::uint32_t> children_from_; ///< node n's are from [n] up to [n + 1]
  std::vector<node_index> roots_;
  std::vector<event_index> events_;
  std::vector<std::uint32_t> events_from_;
  std::vector<wait> waits_;
  std::int64_t begin_ = 0;
  std::int64_t end_ = 0;
};

} // namespace muster::trace_viewer
