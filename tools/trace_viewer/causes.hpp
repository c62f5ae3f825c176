/// Why something went wrong: the walk back along the causes that the runtime recorded.
///
/// Owner: nobody. Threads: any. Invariant: every step is an edge that is in the trace: the `cause` of an event, or,
/// from a wait that ended to the end of what was waited for. Nothing is guessed; where an event was overwritten the
/// chain says so.
#pragma once

#include "model.hpp"
#include "paths.hpp"

#include <string>
#include <vector>

namespace muster::trace_viewer {

struct cause_chain {
  std::vector<event_index> events{};   ///< the root first, what is asked about last
  std::size_t first_trouble = 0;       ///< the first in `events` that is more than a step of an ordinary life
  std::uint64_t missing_sequence = 0;  ///< the cause of the first event, if it was overwritten; else 0
};

/// An event that tells of something going wrong or being stopped, or of what was done about it.
[[nodiscard]] bool is_trouble(const trace_model& model, event_index e) noexcept;
/// What went wrong with this node: its bad end, else the last trouble in its life. None: nothing did.
[[nodiscard]] event_index trouble_of(const trace_model& model, node_index n) noexcept;
/// The chain that led to `last`.
[[nodiscard]] cause_chain chain_to(const trace_model& model, event_index last);
/// One event as a sentence without its moment: "the deadline of task site/crew/slow passed (limit 1.00 s)".
/// `before`: the event before it in a chain, so that a caller can be named; or none.
[[nodiscard]] std::string sentence_of(const trace_model& model, const paths& where, event_index e,
                                      event_index before = none_found);

} // namespace muster::trace_viewer
