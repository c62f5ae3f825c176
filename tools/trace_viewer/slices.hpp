/// What a node did when, as spans that lie within each other, and the arrows between them: the common ground of the
/// exports.
///
/// Owner: the exporter. Threads: any. Invariant: the spans of one node are in the order of their beginning, and of two
/// that overlap one lies within the other; `to` is never before `from`, nor unset unless the span is open at the end.
#pragma once

#include "model.hpp"
#include "paths.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace muster::trace_viewer {

struct span_of_life {
  std::string name;
  std::int64_t from = 0;
  std::int64_t to = unset; ///< unset: open at the end of the trace
  bool body = false;       ///< on a thread
};

/// The life of a node as spans. A node of which no moment is known has none.
[[nodiscard]] std::vector<span_of_life> spans_of(const trace_model& model, const paths& where, node_index n);
/// Events that an export shows as points: what went wrong, notes.
[[nodiscard]] bool is_point(const trace_model& model, event_index e) noexcept;
/// The event that caused `e`, if it is a point too; nearer ones that are no points are passed over.
[[nodiscard]] event_index point_before(const trace_model& model, event_index e) noexcept;

} // namespace muster::trace_viewer
