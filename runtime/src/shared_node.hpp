/// Reference counting for immutable nodes that point to each other, with a destruction that never recurses.
///
/// Owner: the values made of such nodes (`error`, `context_values`). Threads: any; a node is read by many threads and
/// destroyed by the one that lets go of it last. Invariant: destroying a node, on any depth, uses a constant amount of
/// stack and no memory: whatever its destructor lets go of waits in a list of the thread until it has returned.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace muster::runtime {

/// Base of a node. `Node` derives from it and is made by `new`, its first reference being the maker's.
template <class Node>
class shared_node {
public:
  shared_node() = default;
  shared_node(const shared_node&) = delete;
  shared_node& operator=(const shared_node&) = delete;

  /// One reference more. Null is allowed.
  static void retain(const Node* node) noexcept {
    if (node != nullptr)
      counted(*node).references_.fetch_add(1, std::memory_order_relaxed);
  }

  /// One reference less; after the last one the node is destroyed before the outermost `release` of this thread
  /// returns. Null is allowed.
  static void release(const Node* node) noexcept {
    if (node == nullptr || counted(*node).references_.fetch_sub(1, std::memory_order_acq_rel) != 1)
      return;
    counted(*node).next_dying_ = std::exchange(dying_, node);
    if (burying_)
      return;
    burying_ = true;
    while (dying_ != nullptr)
      delete std::exchange(dying_, counted(*dying_).next_dying_);
    burying_ = false;
  }

  /// False if nobody but the caller, who holds a reference, can reach the node.
  [[nodiscard]] bool is_shared() const noexcept { return references_.load(std::memory_order_acquire) != 1; }

protected:
  ~shared_node() = default;

private:
  static const shared_node& counted(const Node& node) noexcept { return node; }

  mutable std::atomic<std::size_t> references_{1};
  mutable const Node* next_dying_ = nullptr; // only while in the list

  static inline thread_local constinit const Node* dying_ = nullptr;
  static inline thread_local constinit bool burying_ = false;
};

} // namespace muster::runtime
