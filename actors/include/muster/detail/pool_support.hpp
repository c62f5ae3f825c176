/// The untyped half of a resource pool, and what turns the user's factory, check and release into it.
///
/// Owner: the pool. Threads: `pool_work` is called on service workers, several at the same time; `pool_base` by any
/// thread. Invariant: what a factory gave is an object, never null: a null pointer becomes an error here.
#pragma once

#include <muster/api.hpp>
#include <muster/detail/owned.hpp>
#include <muster/detail/ref.hpp>
#include <muster/detail/wait_point.hpp>
#include <muster/error.hpp>
#include <muster/options.hpp>
#include <muster/pool_stats.hpp>

#include <atomic>
#include <concepts>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

MUSTER_API_BEGIN

namespace muster {
class manager;
class scope;
class context;
} // namespace muster

namespace muster::detail {

/// A resource, whatever its type. Destroying it destroys the user's object.
class pooled {
public:
  pooled() = default;
  pooled(const pooled&) = delete;
  pooled& operator=(const pooled&) = delete;
  virtual ~pooled() = default;
  void* object = nullptr; ///< the `T`
};

/// What the user's functions do. Nothing that they throw comes out as an exception.
class pool_work {
public:
  virtual ~pool_work() = default;
  [[nodiscard]] virtual bool checks() const noexcept = 0;
  [[nodiscard]] virtual result<owned<pooled>> create() noexcept = 0;
  [[nodiscard]] virtual result<void> check(pooled& what) noexcept = 0;
  /// Calls the release function and destroys it.
  [[nodiscard]] virtual result<void> release(owned<pooled> what) noexcept = 0;
};

/// The shared part of a lease: what the pool and the task's end see of it.
class lease_core {
public:
  virtual ~lease_core() = default;
  /// Back to the pool, or to be destroyed. Does nothing if it has been revoked.
  virtual void end(bool discard) noexcept = 0;
  std::atomic<bool> live{true}; ///< neither given back nor revoked
};

struct granted_lease {
  std::shared_ptr<lease_core> core;
  void* object = nullptr;
};

/// Asserts: the lease is empty, or (false) was revoked.
[[noreturn]] void lease_misused(bool empty) noexcept;

/// The options without their types.
struct pool_settings {
  std::string name;
  std::size_t max;
  std::size_t min_idle;
  duration max_lifetime;
  duration idle_timeout;
  duration acquire_timeout;
  std::optional<duration> release_timeout;
};

/// The wait of a coroutine for a resource.
class pool_wait_base : public wait_point {
public:
  pool_wait_base(pool_wait_base&&) = default;

protected:
  pool_wait_base(ref<pool_actor> pool, async_context& ctx, std::optional<duration> limit);
  ~pool_wait_base();
  [[nodiscard]] result<granted_lease> finish();

private:
  void begin() override;
  [[nodiscard]] bool ready() noexcept override;
  [[nodiscard]] std::string what() const override;

  ref<pool_actor> pool_;
  std::optional<duration> limit_;
  std::shared_ptr<void> place_; ///< in the line
};

class pool_base {
public:
  pool_base(manager& site, pool_settings settings, owned<pool_work> work);
  pool_base(scope& crew, pool_settings settings, owned<pool_work> work);
  pool_base(const pool_base&) = delete;
  pool_base& operator=(const pool_base&) = delete;
  ~pool_base();

  [[nodiscard]] result<granted_lease> acquire(context& ctx, std::optional<duration> limit);
  [[nodiscard]] const ref<pool_actor>& actor() const noexcept { return actor_; }
  [[nodiscard]] result<void> resize(std::size_t max);
  void reset();
  [[nodiscard]] result<void> close(duration limit);
  [[nodiscard]] bool closed() const noexcept;
  [[nodiscard]] pool_stats stats() const;
  [[nodiscard]] const std::string& name() const noexcept;
  [[nodiscard]] std::string path() const;

private:
  const ref<pool_actor> actor_;
};

// -- the user's functions --------------------------------------------------------------------------------------------

/// Something that may be null, and refers to an object otherwise.
template <class P>
concept nullable = requires(P& p) {
  static_cast<bool>(p);
  *p;
};
/// Something that owns, or is, what a pool of `T` can hand out. A bare pointer owns nothing.
template <class P, class T>
concept points_to = nullable<P> && !std::is_pointer_v<P> && requires(P& p) {
  { *p } -> std::convertible_to<T&>;
};

template <class R>
inline constexpr bool is_expected = false;
template <class V, class E>
inline constexpr bool is_expected<std::expected<V, E>> = true;

/// `Made` is the `T` itself, or owns one.
template <class T, class Made>
class pooled_as final : public pooled {
public:
  template <class Make>
  explicit pooled_as(Make&& make) : made_(std::forward<Make>(make)()) {
    if constexpr (std::same_as<Made, T>)
      object = std::addressof(made_);
    else if (made_)
      object = std::addressof(static_cast<T&>(*made_));
  }
  [[nodiscard]] bool null() const {
    if constexpr (!std::same_as<Made, T>)
      return object == nullptr;
    else if constexpr (nullable<T>)
      return !static_cast<bool>(made_);
    else
      return false;
  }

private:
  Made made_;
};

template <class T>
using pool_call = std::move_only_function<result<void>(T&)>;

/// A function of the user's on a `T`, whatever it returns: nothing, a bool, a result, or something that means nothing.
template <class T, class Fn>
[[nodiscard]] pool_call<T> as_pool_call(Fn fn) {
  using returned = std::remove_cvref_t<std::invoke_result_t<Fn&, T&>>;
  return [fn = std::move(fn)](T& object) mutable -> result<void> {
    if constexpr (is_expected<returned>) {
      if (auto done = fn(object); !done)
        return std::unexpected{error{std::move(done).error()}};
    } else if constexpr (std::same_as<returned, bool>) {
      if (!fn(object))
        return std::unexpected{error{std::errc::not_connected, "it said no"}};
    } else {
      static_cast<void>(fn(object));
    }
    return {};
  };
}

/// True for a function object that holds none.
template <class Factory>
[[nodiscard]] bool is_empty(const Factory& factory) {
  if constexpr (std::is_pointer_v<Factory>)
    return factory == nullptr;
  else if constexpr (requires { factory.operator bool(); })
    return !static_cast<bool>(factory);
  else
    return false;
}

template <class T, class Factory>
class pool_work_of final : public pool_work {
public:
  pool_work_of(Factory factory, pool_call<T> check, pool_call<T> release)
      : factory_(std::move(factory)), check_(std::move(check)), release_(std::move(release)) {}

  result<owned<pooled>> create() noexcept override {
    try {
      using returned = std::remove_cvref_t<std::invoke_result_t<Factory&>>;
      if constexpr (is_expected<returned>) {
        auto made = factory_();
        if (!made)
          return std::unexpected{error{std::move(made).error()}};
        return keep<typename returned::value_type>([&]() -> decltype(auto) { return std::move(*made); });
      } else {
        return keep<returned>([&]() -> decltype(auto) { return factory_(); });
      }
    } catch (...) {
      return std::unexpected{error::from_exception(std::current_exception())};
    }
  }

  bool checks() const noexcept override { return static_cast<bool>(check_); }
  result<void> check(pooled& what) noexcept override { return call(check_, what); }

  result<void> release(owned<pooled> what) noexcept override {
    auto done = release_ ? call(release_, *what) : result<void>{};
    what.reset();
    return done;
  }

private:
  template <class Made, class Make>
  static result<owned<pooled>> keep(Make&& make) {
    static_assert(
        std::same_as<Made, T> || points_to<Made, T> || std::convertible_to<Made, T>,
        "the factory of a resource_pool<T> returns T, something that owns a T (std::unique_ptr<T>), or a result "
        "of one of these; a T* owns nothing");
    using kept = std::conditional_t<std::same_as<Made, T> || !points_to<Made, T>, T, Made>;
    auto made = make_owned<pooled_as<T, kept>>(std::forward<Make>(make));
    if (made->null())
      return std::unexpected{error{errc::start_failed, "the factory returned null"}};
    return made;
  }
  static result<void> call(pool_call<T>& fn, pooled& what) noexcept {
    try {
      return fn(*static_cast<T*>(what.object));
    } catch (...) {
      return std::unexpected{error::from_exception(std::current_exception())};
    }
  }

  Factory factory_;
  pool_call<T> check_;
  pool_call<T> release_;
};

} // namespace muster::detail

MUSTER_API_END
