/// The names of a node and of all above it, without the nodes: what is left to say after they are gone.
///
/// Owner: counted; every node holds its own. Threads: immutable, any. Invariant: chains of any length are released
/// without recursion.
#pragma once

#include <string>
#include <utility>

namespace muster {

class path_ref {
public:
  path_ref() = default;
  path_ref(path_ref above, std::string name);
  path_ref(const path_ref& other) noexcept;
  path_ref(path_ref&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  path_ref& operator=(path_ref other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~path_ref();

  [[nodiscard]] const std::string& name() const noexcept;
  /// "a/b/c"; with `last`, "a/b/c/last".
  [[nodiscard]] std::string text(const std::string* last = nullptr) const;

private:
  struct node;
  node* node_ = nullptr;
};

} // namespace muster
