/// A snapshot of the supervision tree: who is there, in what state, for how long, waiting for what.
///
/// Plain values; copies, valid for ever. Each node was true at the moment it was looked at; the tree as a whole is not
/// one instant, since taking it stops nobody.
#pragma once

#include <muster/api.hpp>
#include <muster/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

MUSTER_API_BEGIN

namespace muster {

/// What a node of the tree is.
enum class node_kind : std::uint8_t { manager, scope, task, actor, resource };
/// "manager", "scope", "task", "actor" or "resource".
[[nodiscard]] std::string_view to_string(node_kind kind) noexcept;

/// One manager, scope, task, actor or resource.
struct tree_node {
  node_kind kind = node_kind::scope;  ///< what it is
  std::string name;                   ///< the last part of its path
  std::string state;                  ///< "open", "running", "releasing", "cancelled: sibling failed", …
  std::size_t depth = 0;              ///< the root has 0
  std::size_t parent = 0;             ///< index in `supervision_tree::nodes`; the root's is its own
  duration age{};                     ///< since it was made; for a running body, since it started
  std::optional<duration> time_left;  ///< until its deadline, if it has one; may be negative
  std::string waits_for;              ///< e.g. "task site/checkout/charge"; empty: it does not wait
  duration waiting_since{};           ///< how long it has waited
  std::int64_t thread = 0;            ///< the kernel's id of the thread that runs the body; 0: none does
  std::uint64_t done = 0;             ///< progress, as last reported
  std::uint64_t total = 0;            ///< of so much; 0: not known
  std::string note;                   ///< the last note of the body
  std::uint64_t restarts = 0;         ///< of an actor or supervisor in a scope that restarts
  std::string last_error;             ///< how its last incarnation ended, if that was no normal end
};

/// In preorder, the root first. Flat, so that a tree of any depth is copied and destroyed without recursion.
struct supervision_tree {
  std::vector<tree_node> nodes; ///< a parent comes before its children

  /// "manager/scope/task" for the node at `index`.
  [[nodiscard]] std::string path_of(std::size_t index) const;
};

/// One line a node, indented by depth.
[[nodiscard]] std::string to_string(const supervision_tree& tree);

} // namespace muster

MUSTER_API_END
