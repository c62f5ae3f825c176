/// Taking and printing snapshots of the supervision tree.
#include "tree_of.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace muster {

std::string_view to_string(node_kind kind) noexcept {
  switch (kind) {
    case node_kind::manager:
      return "manager";
    case node_kind::scope:
      return "scope";
    case node_kind::task:
      return "task";
    case node_kind::actor:
      return "actor";
    case node_kind::resource:
      return "resource";
  }
  return "unknown";
}

supervision_tree tree_of(supervisor& root) {
  struct pending {
    supervisor::member what;
    std::size_t depth;
    std::size_t parent;
  };
  supervision_tree tree;
  std::vector<pending> stack;
  auto later = [&](actor_ref<supervisor> self, std::size_t depth, std::size_t parent) {
    stack.push_back({supervisor::member{{}, {}, std::move(self)}, depth, parent});
  };
  auto all_later = [&](std::vector<actor_ref<supervisor>>& nested, std::size_t depth, std::size_t parent) {
    for (auto it = nested.rbegin(); it != nested.rend(); ++it)
      later(std::move(*it), depth, parent);
  };
  auto add = [&](tree_node node, const pending& at) {
    node.depth = at.depth;
    node.parent = at.parent;
    tree.nodes.push_back(std::move(node));
    return tree.nodes.size() - 1;
  };
  later(actor_ref<supervisor>{&root}, 0, 0);
  while (!stack.empty()) {
    auto at = std::move(stack.back());
    stack.pop_back();
    if (!at.what.self) {
      const auto index = add(std::move(at.what.node), at);
      all_later(at.what.nested, at.depth + 1, index);
      continue;
    }
    auto picture = at.what.self->look();
    picture.node.restarts = at.what.node.restarts; // known to the one above; nothing where that is a plain scope
    picture.node.last_error = std::move(at.what.node.last_error);
    const auto index = add(std::move(picture.node), at);
    all_later(picture.nested, at.depth + 1, index);
    for (auto it = picture.members.rbegin(); it != picture.members.rend(); ++it)
      stack.push_back({std::move(*it), at.depth + 1, index});
  }
  return tree;
}

std::vector<tree_node> children_of(supervisor& of) {
  auto picture = of.look();
  std::vector<tree_node> children;
  for (auto& m : picture.members)
    children.push_back(std::move(m.node));
  for (auto& nested : picture.nested)
    children.push_back(nested->look().node);
  for (auto& child : children)
    child.depth = 1;
  return children;
}

std::string supervision_tree::path_of(std::size_t index) const {
  std::string path = nodes.at(index).name;
  while (nodes[index].depth > 0) {
    index = nodes[index].parent;
    path.insert(0, nodes[index].name + "/");
  }
  return path;
}

namespace {

std::string ms(duration d) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(d).count()) + " ms";
}

} // namespace

std::string to_string(const supervision_tree& tree) {
  std::string text;
  for (const auto& node : tree.nodes) {
    text.append(2 * node.depth, ' ');
    text += std::string{to_string(node.kind)} + " " + node.name + ": " + node.state + ", " + ms(node.age);
    if (node.time_left)
      text += ", " + ms(*node.time_left) + " left";
    if (node.total > 0 || node.done > 0)
      text += ", " + std::to_string(node.done) + (node.total > 0 ? " of " + std::to_string(node.total) : "") + " done";
    if (!node.waits_for.empty())
      text += ", waits for " + node.waits_for + " since " + ms(node.waiting_since);
    if (node.thread != 0)
      text += ", on thread " + std::to_string(node.thread);
    if (!node.note.empty())
      text += ", \"" + node.note + "\"";
    if (node.restarts > 0)
      text += ", restarted " + std::to_string(node.restarts) + (node.restarts == 1 ? " time" : " times");
    if (!node.last_error.empty())
      text += ", last error: " + node.last_error;
    text += '\n';
  }
  return text;
}

} // namespace muster
