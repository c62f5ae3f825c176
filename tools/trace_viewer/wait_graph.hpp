/// Who waits for whom at a moment, circles among them, and who holds up a shutdown.
///
/// Owner: the command. Threads: one. Invariant: every edge is in the trace: a wait that had begun and not ended, a
/// dependency that had not ended, a resource lent and not returned, a scope that has to wait for those in it.
#pragma once

#include "model.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace muster::trace_viewer {

enum class wait_kind : std::uint8_t {
  wait,       ///< a body, or a thread outside, waits
  dependency, ///< a task waits for another to end
  holder,     ///< a pool waits for whoever holds a resource of it
  child,      ///< a scope or task that is waited for ends only after this child
};

struct wait_edge {
  node_index from = none_found; ///< none: a thread outside
  node_index to = none_found;   ///< none: see text
  std::string text{};           ///< what is waited for, if it is no node: "sleep"
  std::int64_t since = 0;
  wait_kind kind = wait_kind::wait;
  std::uint32_t circle = 0; ///< 0: in none; else the number of the circle
};

struct blocker {
  node_index node = none_found;
  std::int64_t since = 0; ///< when it was asked to stop, or began what it does
  std::string why{};
};

struct wait_graph {
  std::vector<wait_edge> edges{};                ///< the longest wait first; children are not listed
  std::vector<std::vector<node_index>> circles{};
  node_index shutting_down = none_found; ///< the manager that is being shut down
  std::vector<blocker> blockers{};       ///< who keeps it, or the scopes that were asked to stop, from ending
};

[[nodiscard]] wait_graph waits_at(const trace_model& model, std::int64_t at);
/// What a node has been doing since when, for those that hold others up: "runs, asked to stop", "is being released".
[[nodiscard]] blocker why_still_here(const trace_model& model, node_index n, std::int64_t at);

} // namespace muster::trace_viewer
