/// The shared chain of names.
#include "path.hpp"

#include <atomic>
#include <cstddef>

namespace muster {

struct path_ref::node {
  std::atomic<std::size_t> references;
  path_ref above;
  std::string name;
};

path_ref::path_ref(path_ref above, std::string name) : node_(new node{1, std::move(above), std::move(name)}) {}

path_ref::path_ref(const path_ref& other) noexcept : node_(other.node_) {
  if (node_)
    node_->references.fetch_add(1, std::memory_order_relaxed);
}

path_ref::~path_ref() {
  // The chain above is taken over link by link, so that its destruction is a loop.
  node* mine = node_;
  while (mine && mine->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    node* next = std::exchange(mine->above.node_, nullptr);
    delete mine;
    mine = next;
  }
}

const std::string& path_ref::name() const noexcept { return node_->name; }

std::string path_ref::text(const std::string* last) const {
  std::size_t length = last ? last->size() + 1 : 0;
  for (const node* n = node_; n; n = n->above.node_)
    length += n->name.size() + 1;
  std::string path(length ? length - 1 : 0, '/');
  std::size_t end = path.size();
  auto put = [&](const std::string& name) {
    end -= name.size();
    path.replace(end, name.size(), name);
    end -= end > 0 ? 1 : 0;
  };
  if (last)
    put(*last);
  for (const node* n = node_; n; n = n->above.node_)
    put(n->name);
  return path;
}

} // namespace muster
