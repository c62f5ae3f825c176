/// Paths of nodes, as they are printed and as they are asked for: "site/checkout/charge", "site/crew/worker#3".
///
/// Owner: the command that uses it, not longer than the model. Threads: one. Invariant: the text of a node resolves to
/// that node. Siblings of one name are told apart by #1, #2, … in the order of their creation; names are escaped.
#pragma once

#include "model.hpp"

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace muster::trace_viewer {

class paths {
public:
  explicit paths(const trace_model& of) : model_{of} {}

  /// The path of `n`; "a thread outside" for none.
  [[nodiscard]] std::string text(node_index n) const;
  /// "task site/checkout/charge".
  [[nodiscard]] std::string with_kind(node_index n) const;
  /// The last part of the path.
  [[nodiscard]] std::string component(node_index n) const;
  /// 0: the only one of its name below its parent; else which of them, from 1 on.
  [[nodiscard]] std::uint32_t ordinal(node_index n) const;

  /// The node of this path; also "id:123", and the end of a path if only one node has it. The error is a sentence with
  /// the nearest paths there are.
  [[nodiscard]] std::expected<node_index, std::string> resolve(std::string_view wanted) const;

private:
  void count_siblings() const;
  [[nodiscard]] std::vector<node_index> matching(std::string_view wanted) const;
  [[nodiscard]] std::vector<node_index> nearest(std::string_view wanted) const;
  [[nodiscard]] std::string listed(const std::vector<node_index>& which) const;

  const trace_model& model_;
  mutable std::vector<std::uint32_t> ordinals_; ///< made when first needed
};

} // namespace muster::trace_viewer
