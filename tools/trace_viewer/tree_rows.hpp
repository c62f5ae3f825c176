/// The supervision tree at a moment as rows to be shown: what repeats is folded into one row with counts, what is odd
/// stays a row of its own.
///
/// Owner: the command. Threads: one. Invariant: every node that is there at the moment is in exactly one row (below a
/// folded one: in none), so the counts add up; the work is linear in the number of nodes.
#pragma once

#include "model.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <vector>

namespace muster::trace_viewer {

struct tally {
  std::array<std::uint64_t, static_cast<std::size_t>(state::skipped) + 1> of{}; ///< by state

  void add(state s, std::uint64_t n = 1) noexcept { of[static_cast<std::size_t>(s)] += n; }
  [[nodiscard]] std::uint64_t operator[](state s) const noexcept { return of[static_cast<std::size_t>(s)]; }
  [[nodiscard]] std::uint64_t sum() const noexcept;
  /// "999,998 ok, 2 failed".
  [[nodiscard]] std::string text() const;
};

struct tree_row {
  std::size_t depth = 0;
  bool last = false;            ///< of its siblings
  node_index node = none_found; ///< none: folded
  // A folded row:
  node_kind kind = node_kind::unknown;
  std::string stem{};                 ///< "worker", "request-*"
  tally states{};
  std::uint64_t below = 0;            ///< nodes below those folded
  node_index example = none_found;    ///< the first that is bad, if one is
  node_index parent = none_found;
  bool from_snapshot = false;         ///< tasks known as a number only, as of the snapshot
};

struct tree_options {
  std::int64_t at = 0;
  bool failed = false;  ///< only what is bad and what is above it
  bool all = false;     ///< fold nothing
  node_index root = none_found; ///< only this one and what is below it
};

[[nodiscard]] std::vector<tree_row> tree_rows(const trace_model& model, const tree_options& options);

/// Every node that can be reached from the roots, parents before their children.
[[nodiscard]] std::vector<node_index> preorder(const trace_model& model);

} // namespace muster::trace_viewer
