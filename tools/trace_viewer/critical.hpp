/// The critical path of a scope: what its end waited for, step by step, along real dependency, join,
/// spawn and cancel edges.
///
/// Owner: the command. Threads: one. Invariant: the steps follow each other without gap or overlap from the moment the
/// scope was opened to its end, so their shares add up to the whole.
#pragma once

#include "model.hpp"

#include <cstdint>
#include <vector>

namespace muster::trace_viewer {

enum class step_kind : std::uint8_t {
  open, ///< the scope was open and nothing that its end depended on was under way: before a spawn, or waited for from
        ///< outside
  held,    ///< a task was held back by max_parallel
  queued,  ///< a task was ready and had no worker
  runs,    ///< a body ran, or waited for something that is no part of the tree
  release, ///< after the last child: what the scope owned was released
  stops,   ///< a body had been asked to stop, for what another did, and was on its way out
  ending,  ///< from a child's end to what came after it
};

struct path_step {
  node_index node = none_found;
  step_kind kind = step_kind::open;
  std::int64_t from = 0;
  std::int64_t to = 0;
};

/// In the order of time. Empty if the scope's beginning is not known or it lasted no time.
[[nodiscard]] std::vector<path_step> critical_path(const trace_model& model, node_index scope);

} // namespace muster::trace_viewer
