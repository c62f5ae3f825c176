/// A counted reference to an actor whose class is known, and the way to let go of a long chain of them.
///
/// Threads: counting is atomic; one object belongs to one thread at a time.
#pragma once

#include "caf_port.hpp"

#include <utility>
#include <vector>

namespace muster {

template <class Actor>
class actor_ref {
public:
  actor_ref() = default;
  explicit actor_ref(Actor* actor) noexcept : actor_(actor) {
    if (actor_)
      runtime::retain_actor(*actor_);
  }
  actor_ref(const actor_ref& other) noexcept : actor_ref(other.actor_) {}
  actor_ref(actor_ref&& other) noexcept : actor_(std::exchange(other.actor_, nullptr)) {}
  actor_ref& operator=(actor_ref other) noexcept {
    std::swap(actor_, other.actor_);
    return *this;
  }
  ~actor_ref() {
    if (actor_)
      runtime::release_actor(*actor_);
  }
  /// Takes over a reference that is already counted.
  [[nodiscard]] static actor_ref adopt(Actor* actor) noexcept {
    actor_ref r;
    r.actor_ = actor;
    return r;
  }

  [[nodiscard]] Actor* get() const noexcept { return actor_; }
  Actor& operator*() const noexcept { return *actor_; }
  Actor* operator->() const noexcept { return actor_; }
  explicit operator bool() const noexcept { return actor_ != nullptr; }

private:
  Actor* actor_ = nullptr;
};

/// Lets go of references whose targets hold further ones (a scope the one above it), in a loop instead of a recursion
/// as deep as the tree.
template <class Ref>
void release_in_a_loop(Ref ref) noexcept {
  thread_local std::vector<Ref>* waiting = nullptr;
  if (waiting) {
    waiting->push_back(std::move(ref));
    return;
  }
  std::vector<Ref> mine;
  waiting = &mine;
  mine.push_back(std::move(ref));
  while (!mine.empty()) {
    Ref next = std::move(mine.back());
    mine.pop_back();
    next = {};
  }
  waiting = nullptr;
}

} // namespace muster
