/// Snapshots of the tree below a supervisor.
#pragma once

#include "supervisor.hpp"

namespace muster {

/// Threads: any; locks one supervisor at a time. No recursion, however deep the tree.
[[nodiscard]] supervision_tree tree_of(supervisor& root);
/// The direct members only.
[[nodiscard]] std::vector<tree_node> children_of(supervisor& of);

} // namespace muster
