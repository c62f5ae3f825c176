/// What std::unique_ptr is, for the members of public headers.
///
/// Every std::unique_ptr<X> of a class that is no template is made anew by the compiler, with the tuple inside, in each
/// file that includes the header: seven of them were 7 % of what a small program with Muster compiles. This one costs
/// next to nothing, for it can do no more than it must.
///
/// Threads: one object belongs to one thread at a time. Invariant: what it holds is held by nobody else.
#pragma once

#include <muster/api.hpp>

#include <utility>

MUSTER_API_BEGIN

namespace muster::detail {

/// One object that is deleted with it, or none. `T` may be incomplete until it is destroyed, and is polymorphic with a
/// virtual destructor if something derived from it is held.
template <class T>
class owned {
public:
  owned() = default;
  /// Takes the object over; it was made by `new`.
  explicit owned(T* object) noexcept : object_(object) {}
  owned(owned&& other) noexcept : object_(other.release()) {}
  template <class Derived>
  owned(owned<Derived>&& other) noexcept : object_(other.release()) {}
  owned& operator=(owned&& other) noexcept {
    reset(other.release());
    return *this;
  }
  ~owned() {
    static_assert(sizeof(T) > 0, "it must be known by now what is deleted");
    delete object_;
  }

  [[nodiscard]] T* get() const noexcept { return object_; }
  T& operator*() const noexcept { return *object_; }
  T* operator->() const noexcept { return object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }
  /// Gives the object away.
  [[nodiscard]] T* release() noexcept { return std::exchange(object_, nullptr); }
  void reset(T* next = nullptr) noexcept { delete std::exchange(object_, next); }

private:
  T* object_ = nullptr;
};

template <class T, class... Args>
[[nodiscard]] owned<T> make_owned(Args&&... args) {
  return owned<T>{new T(std::forward<Args>(args)...)};
}

} // namespace muster::detail

MUSTER_API_END
