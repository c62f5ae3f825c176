/// Counted references to the actors behind the public handles, without their definitions (and so without CAF).
///
/// Threads: counting is atomic; one `ref` object belongs to one thread at a time, as a `shared_ptr` does.
#pragma once

#include <muster/api.hpp>

#include <utility>

MUSTER_API_BEGIN

namespace muster {
class MUSTER_INSIDE task_actor;
class MUSTER_INSIDE scope_actor;
class MUSTER_INSIDE manager_actor;
class MUSTER_INSIDE resource_actor;
class MUSTER_INSIDE pool_actor;
} // namespace muster

namespace muster::detail {

void retain(task_actor*) noexcept;
void retain(scope_actor*) noexcept;
void retain(manager_actor*) noexcept;
void retain(resource_actor*) noexcept;
void retain(pool_actor*) noexcept;
void release(task_actor*) noexcept;
void release(scope_actor*) noexcept;
void release(manager_actor*) noexcept;
void release(resource_actor*) noexcept;
void release(pool_actor*) noexcept;

/// One reference, or none.
template <class Actor>
class ref {
public:
  ref() = default;
  ref(const ref& other) noexcept : actor_(other.actor_) {
    if (actor_)
      retain(actor_);
  }
  ref(ref&& other) noexcept : actor_(std::exchange(other.actor_, nullptr)) {}
  ref& operator=(ref other) noexcept {
    std::swap(actor_, other.actor_);
    return *this;
  }
  ~ref() {
    if (actor_)
      release(actor_);
  }

  /// Takes over a reference that is already counted.
  [[nodiscard]] static ref adopt(Actor* actor) noexcept {
    ref r;
    r.actor_ = actor;
    return r;
  }
  /// Counts one more reference to `actor`.
  [[nodiscard]] static ref share(Actor* actor) noexcept {
    if (actor)
      retain(actor);
    return adopt(actor);
  }
  /// Gives the counted reference away.
  [[nodiscard]] Actor* detach() noexcept { return std::exchange(actor_, nullptr); }

  [[nodiscard]] Actor* get() const noexcept { return actor_; }
  Actor& operator*() const noexcept { return *actor_; }
  Actor* operator->() const noexcept { return actor_; }
  explicit operator bool() const noexcept { return actor_ != nullptr; }
  friend bool operator==(const ref&, const ref&) = default;

private:
  Actor* actor_ = nullptr;
};

} // namespace muster::detail

MUSTER_API_END
