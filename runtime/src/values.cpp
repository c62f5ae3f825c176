/// Context values as layers that share their parents.
///
/// Owner: the context_values that point to a layer. Threads: any. Invariants: a layer is never written after it
/// was made (setting a value makes a new one); a layer is never empty.
#include "shared_node.hpp"

#include <muster/values.hpp>

#include <memory>
#include <typeindex>
#include <utility>
#include <vector>

namespace muster {

struct detail::values_layer : runtime::shared_node<values_layer> {
  struct entry {
    std::type_index key;
    std::shared_ptr<const void> value;
  };

  /// Adopts one reference to `below`.
  values_layer(std::vector<entry> own, const values_layer* below) noexcept : entries{std::move(own)}, parent{below} {}
  ~values_layer() { release(parent); }

  std::vector<entry> entries; // a handful: a search is faster than a table
  const values_layer* parent; // null: none
};

using detail::values_layer;

context_values::context_values(const context_values& other) noexcept : top_{other.top_} { values_layer::retain(top_); }

context_values& context_values::operator=(const context_values& other) noexcept {
  values_layer::retain(other.top_);
  values_layer::release(std::exchange(top_, other.top_));
  return *this;
}

context_values& context_values::operator=(context_values&& other) noexcept {
  const values_layer* taken = std::exchange(other.top_, nullptr);
  values_layer::release(std::exchange(top_, taken));
  return *this;
}

context_values::~context_values() { values_layer::release(top_); }

void context_values::put(std::type_index key, std::shared_ptr<const void> value) {
  std::vector<values_layer::entry> entries;
  const values_layer* parent = nullptr;
  if (top_ != nullptr) {
    entries = top_->entries;
    parent = top_->parent;
  }
  bool replaced = false;
  for (auto& entry : entries)
    if (entry.key == key) {
      entry.value = std::move(value);
      replaced = true;
      break;
    }
  if (!replaced)
    entries.push_back({key, std::move(value)});
  auto* layer = new values_layer{std::move(entries), parent};
  values_layer::retain(parent);
  values_layer::release(std::exchange(top_, layer));
}

const void* context_values::get(std::type_index key) const noexcept {
  for (const values_layer* layer = top_; layer != nullptr; layer = layer->parent)
    for (const auto& entry : layer->entries)
      if (entry.key == key)
        return entry.value.get();
  return nullptr;
}

context_values context_values::layered(const context_values& parent, const context_values& own) {
  if (own.empty())
    return parent;
  if (parent.empty())
    return own;
  std::vector<const values_layer*> layers; // from the top down
  for (const values_layer* layer = own.top_; layer != nullptr; layer = layer->parent)
    layers.push_back(layer);
  context_values whole{parent};
  for (; !layers.empty(); layers.pop_back())
    whole.top_ = new values_layer{layers.back()->entries, whole.top_};
  return whole;
}

} // namespace muster
