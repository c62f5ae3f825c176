/// Handles of resources: things that a scope owns and gives back when it ends.
///
/// Owner: the scope's resource actor; a handle shares only the memory. Threads: the object is as thread-safe as its
/// type; the release runs on the callback lane. Invariants: released exactly once, in reverse order of registration,
/// one after another; using a handle after the release is misuse (it asserts).
#pragma once

#include <muster/api.hpp>
#include <muster/detail/job.hpp>
#include <muster/error.hpp>
#include <muster/options.hpp>

#include <atomic>
#include <concepts>
#include <memory>
#include <optional>
#include <utility>

MUSTER_API_BEGIN

namespace muster::detail {

[[noreturn]] void used_after_release();

template <class T>
concept releases_itself = requires(T& object) { object.release(); };
/// A pointer-like whose target releases itself. Looked at first: `unique_ptr::release` would leak.
template <class T>
concept points_to_releasing = requires(T& object) {
  *object;
  (*object).release();
};

/// The type-erased object with the way to give it back.
class resource_holder {
public:
  resource_holder() = default;
  resource_holder(const resource_holder&) = delete;
  resource_holder& operator=(const resource_holder&) = delete;
  virtual ~resource_holder() = default;
  /// Gives the object back and destroys it. Called once; may throw what the user's code throws.
  virtual result<void> release() = 0;
};

template <class T>
class object_holder : public resource_holder {
public:
  explicit object_holder(T&& object) : object_(std::move(object)) {}
  [[nodiscard]] T& object() {
    if (!live_.load(std::memory_order_acquire))
      used_after_release();
    return *object_;
  }

protected:
  std::optional<T> object_;
  std::atomic<bool> live_{true};
};

template <class T, class Release>
class releasing_holder final : public object_holder<T> {
public:
  releasing_holder(T&& object, Release&& release)
      : object_holder<T>(std::move(object)), release_(std::move(release)) {}

  result<void> release() override {
    this->live_.store(false, std::memory_order_release);
    // Destroyed on every way out, also when the release throws.
    struct destroy_at_end {
      std::optional<T>& object;
      ~destroy_at_end() { object.reset(); }
    } guard{this->object_};
    using returned = std::invoke_result_t<Release&, T&>;
    if constexpr (std::is_void_v<returned>) {
      release_(*this->object_);
      return {};
    } else if constexpr (body_result<std::remove_cvref_t<returned>>::is_expected) {
      auto done = release_(*this->object_);
      if (!done.has_value())
        return std::unexpected{error{std::move(done).error()}};
      return {};
    } else {
      static_cast<void>(release_(*this->object_));
      return {};
    }
  }

private:
  Release release_;
};

} // namespace muster::detail

namespace muster {

/// A shared handle of a registered resource. `*` and `->` give the object until it is released.
template <class T>
class resource {
public:
  /// @{
  /// The object. After its release: misuse (it asserts).
  [[nodiscard]] T& operator*() const { return holder_->object(); }
  [[nodiscard]] T* operator->() const { return std::addressof(holder_->object()); }
  /// @}

private:
  friend struct resource_access;
  explicit resource(std::shared_ptr<detail::object_holder<T>> holder) noexcept : holder_(std::move(holder)) {}
  std::shared_ptr<detail::object_holder<T>> holder_;
};

/// How scopes make the handles.
struct resource_access {
  template <class T>
  static resource<T> make(std::shared_ptr<detail::object_holder<T>> holder) noexcept {
    return resource<T>{std::move(holder)};
  }
};

/// Mixed into scope and context; `Self` provides `adopt(options, holder)`.
template <class Self>
class registers_resources {
public:
  /// Gives `object` to the scope, which calls `release(object)` and destroys it when it ends: after all tasks have
  /// ended, in reverse order of registration. `release` may return a result or throw: the error is attached to the
  /// scope's. On an ended scope: errc::scope_closed, and the object is released at once, on this thread.
  template <class T, class Release>
    requires std::invocable<Release&, T&>
  result<resource<T>> register_resource(resource_options options, T object, Release release) {
    auto holder = std::make_shared<detail::releasing_holder<T, Release>>(std::move(object), std::move(release));
    if (auto refused = static_cast<Self&>(*this).adopt(std::move(options), holder))
      return std::unexpected{std::move(*refused)};
    return resource_access::make<T>(std::move(holder));
  }
  /// The same with nothing but a name.
  template <class T, class Release>
    requires std::invocable<Release&, T&>
  result<resource<T>> register_resource(std::string name, T object, Release release) {
    return register_resource(resource_options{.name = std::move(name)}, std::move(object), std::move(release));
  }
  /// The same for an object (or what a pointer points to) with a member `release()`.
  template <class T>
    requires detail::releases_itself<T> || detail::points_to_releasing<T>
  result<resource<T>> register_resource(resource_options options, T object) {
    return register_resource(std::move(options), std::move(object), [](T& held) {
      if constexpr (detail::points_to_releasing<T>)
        return (*held).release();
      else
        return held.release();
    });
  }
  /// The same with nothing but a name.
  template <class T>
    requires detail::releases_itself<T> || detail::points_to_releasing<T>
  result<resource<T>> register_resource(std::string name, T object) {
    return register_resource(resource_options{.name = std::move(name)}, std::move(object));
  }

private:
  friend Self;
  registers_resources() = default;
};

} // namespace muster

MUSTER_API_END
