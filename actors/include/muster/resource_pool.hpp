/// A pool: at most N resources of one kind, lent to tasks one at a time, and never lost.
///
/// Owner: the application; a pool of a scope is also a resource of that scope, released in its turn. Threads: any
/// thread may call any function (the destructor: one, last); a lease belongs to one thread at a time. Invariants: there
/// are never more than `max` objects, those being made and destroyed included (after a `resize` downwards: once enough
/// leases are back); callers are served in the order in which they came; a lease whose task has ended without giving it
/// back is revoked, its object destroyed and given to nobody. The factory, the health check, the release function and
/// the destructor of `T` run on service workers, under no lock, several at the same time, never for the same object.
#pragma once

#include <muster/api.hpp>
#include <muster/assert.hpp>
#include <muster/context.hpp>
#include <muster/detail/pool_support.hpp>
#include <muster/manager.hpp>

MUSTER_API_BEGIN

namespace muster {

/// A callable on a `T&` that returns nothing, a bool (false: no), a result, or throws. Or none.
template <class T>
class pool_function {
public:
  pool_function() = default;
  /// Takes `fn` over.
  template <class Fn>
    requires(!std::same_as<std::remove_cvref_t<Fn>, pool_function> && std::invocable<Fn&, T&>)
  pool_function(Fn fn) : call_(detail::as_pool_call<T>(std::move(fn))) {} // NOLINT: implicit on purpose

private:
  template <class>
  friend class resource_pool;
  detail::pool_call<T> call_;
};

/// Times are on the manager's clock. `max` 0, `min_idle` above `max`, a lifetime or idle timeout that is not above zero
/// and a negative acquire timeout are misuse (the constructor asserts).
template <class T>
struct pool_options {
  std::string name = "pool";                   ///< last part of its path
  std::size_t max = 10;                        ///< objects at the same time
  std::size_t min_idle = 0;                    ///< kept ready beside those in use, from the start, if `max` allows
  pool_function<T> healthy{};                  ///< asked before one that was used is lent again; no, an error or an
                                               ///< exception: it is destroyed and the next one tried
  pool_function<T> release{};                  ///< called before an object is destroyed, however it came to that
  duration max_lifetime = no_timeout;          ///< older ones are destroyed when they are free
  duration idle_timeout = no_timeout;          ///< those unused for so long are destroyed, but for `min_idle`
  duration acquire_timeout = no_timeout;       ///< of an `acquire` that names none
  std::optional<duration> release_timeout{};   ///< for the pool's end, before it is reported; default: the scope's
};

/// The right to use one resource, and the duty to give it back: the destructor does. Moves; belongs to the task that
/// acquired it, whatever thread it is on. When that task ends, the lease is revoked: using it asserts, and its
/// destructor does nothing.
template <class T>
class [[nodiscard]] lease {
public:
  /// The other one is empty afterwards.
  lease(lease&&) noexcept = default;
  /// The same; what this one held is given back.
  lease& operator=(lease&& other) noexcept {
    if (this != &other) {
      end(false);
      granted_ = std::move(other.granted_);
    }
    return *this;
  }
  /// Gives it back. Does not block.
  ~lease() { end(false); }

  /// @{
  /// The object. Asserts if the lease was revoked, given back or moved from.
  [[nodiscard]] T& operator*() const noexcept { return *object(); }
  [[nodiscard]] T* operator->() const noexcept { return object(); }
  /// @}
  /// False once the lease was revoked, given back or moved from.
  [[nodiscard]] bool valid() const noexcept {
    return granted_.core && granted_.core->live.load(std::memory_order_acquire);
  }

  /// Gives it back now: `std::move(l).give_back()`. The next waiter has it on return (or its health check has begun). A
  /// revoked one: nothing. One given back before, or moved from: asserts. Does not block.
  void give_back() && noexcept { end_now(false); }
  /// The same, and the object is destroyed (by a service worker) instead of being lent again: for a broken one.
  void discard() && noexcept { end_now(true); }

private:
  template <class>
  friend class resource_pool;
  explicit lease(detail::granted_lease granted) noexcept : granted_(std::move(granted)) {}

  [[nodiscard]] T* object() const noexcept {
    if (!valid())
      detail::lease_misused(!granted_.core);
    return static_cast<T*>(granted_.object);
  }
  void end(bool discard) noexcept {
    if (auto core = std::exchange(granted_.core, nullptr))
      core->end(discard);
  }
  void end_now(bool discard) noexcept {
    if (!granted_.core)
      detail::lease_misused(true);
    end(discard);
  }

  detail::granted_lease granted_;
};

/// A coroutine's wait for a lease: `co_await` gives it, or why not.
template <class T>
class lease_wait final : public detail::pool_wait_base {
public:
  /// What `co_await` gives; see resource_pool::acquire.
  [[nodiscard]] result<lease<T>> await_resume();

private:
  template <class>
  friend class resource_pool;
  using detail::pool_wait_base::pool_wait_base;
};

/// A pool. See the top of this file.
template <class T>
class resource_pool {
public:
  static_assert(std::is_object_v<T>, "a resource_pool<T> is a pool of objects");

  /// A pool of at most `max` objects that `factory` makes, when they are needed. `site` is the manager or scope that
  /// the pool belongs to: it ends after everything that runs there, and the pool with it. `factory` takes nothing and
  /// returns T, something that owns a T (std::unique_ptr<T>; null: it failed), or a result of one of these; it may
  /// throw. It may not wait for this pool (errc::would_deadlock), nor for a task that does: that circle is not
  /// detected, only that task's limit ends it. A scope that is over already gives a closed pool.
  template <class Site, std::invocable Factory>
    requires(std::derived_from<Site, manager> || std::derived_from<Site, scope>)
  resource_pool(Site& site, std::size_t max, Factory factory)
      : resource_pool(site, pool_options<T>{.max = max}, std::move(factory)) {}
  /// The same with everything that can be said about it. An empty std::function as factory is misuse (it asserts).
  template <class Site, std::invocable Factory>
    requires(std::derived_from<Site, manager> || std::derived_from<Site, scope>)
  resource_pool(Site& site, pool_options<T> options, Factory factory)
      : base_(site, settings_of(options), work_of(options, std::move(factory))) {}
  resource_pool(const resource_pool&) = delete;
  resource_pool& operator=(const resource_pool&) = delete;
  /// Closes it and waits until all leases are back and everything is destroyed, for as long as that takes (the log hook
  /// hears who holds what). From a body that holds a lease of it, or from its own factory, it asserts.
  ~resource_pool() = default;

  /// A resource for the task of `ctx`, on the body's own thread. Blocks while all are lent, behind those who came
  /// before, for at most `limit` (default: options.acquire_timeout; zero or negative: takes what is free at once, which
  /// nothing is that must be made or checked first).
  /// Meanwhile the task shows in `tree()` what it waits for, and its `max_parallel` permit is lent. Fails with
  ///  - errc::cancelled or errc::timed_out, if the task is (or has been) asked to stop: the reason, as from
  ///    checkpoint();
  ///  - errc::timed_out, if `limit` passed first;
  ///  - errc::start_failed, if the factory failed for this caller (the cause says how; the next in line tries again);
  ///  - errc::pool_closed; errc::no_threads, if no thread could be had while it waits;
  ///  - errc::would_deadlock, from the pool's own factory, health check or release.
  /// A resource that was on its way to a caller who gives up goes to the next. A task may hold several leases; that all
  /// of a pool's are held by those who wait for more is not detected: their time limits end it.
  [[nodiscard]] result<lease<T>> acquire(context& ctx) { return wrap(base_.acquire(ctx, std::nullopt)); }
  /// The same with a limit of its own.
  [[nodiscard]] result<lease<T>> acquire(context& ctx, duration limit) { return wrap(base_.acquire(ctx, limit)); }
  /// The same for a coroutine, which awaits it and holds no thread meanwhile. The time limit counts from there on.
  [[nodiscard]] lease_wait<T> acquire(async_context& ctx) { return {base_.actor(), ctx, std::nullopt}; }
  /// The same with a limit of its own.
  [[nodiscard]] lease_wait<T> acquire(async_context& ctx, duration limit) { return {base_.actor(), ctx, limit}; }

  /// Changes how many there may be. Upwards: waiters get theirs at once. Downwards: free ones are destroyed now, others
  /// when they come back. Zero: errc::bad_argument; on a closed pool: errc::pool_closed. Does not block.
  [[nodiscard]] result<void> resize(std::size_t max) { return base_.resize(max); }
  /// Replaces all that exist: free ones are destroyed now, lent ones when they come back (their leases stay good). Does
  /// not block.
  void reset() { base_.reset(); }
  /// No more leases from now on: those who wait are refused with errc::pool_closed. Blocks until all leases are back
  /// and everything is destroyed; nothing, or after `limit` errc::survivors with the paths of the tasks that hold
  /// leases (the closing goes on). From a body that holds one itself, or the pool's own functions:
  /// errc::would_deadlock, and nothing has happened. Idempotent.
  [[nodiscard]] result<void> close(duration limit = no_timeout) { return base_.close(limit); }
  /// True once it lends nothing any more.
  [[nodiscard]] bool closed() const noexcept { return base_.closed(); }

  /// Its numbers, all of one moment.
  [[nodiscard]] pool_stats stats() const { return base_.stats(); }
  /// As given in the options.
  [[nodiscard]] const std::string& name() const noexcept { return base_.name(); }
  /// Of the manager or scope it belongs to, and its name.
  [[nodiscard]] std::string path() const { return base_.path(); }

private:
  friend class lease_wait<T>;
  static detail::pool_settings settings_of(pool_options<T>& o) {
    return {std::move(o.name), o.max,          o.min_idle,        o.max_lifetime,
            o.idle_timeout,    o.acquire_timeout, o.release_timeout};
  }
  template <class Factory>
  static detail::owned<detail::pool_work> work_of(pool_options<T>& o, Factory factory) {
    MUSTER_ASSERT(!detail::is_empty(factory),
                  "a resource_pool was given an empty factory: it needs a function that makes one");
    return detail::make_owned<detail::pool_work_of<T, Factory>>(std::move(factory), std::move(o.healthy.call_),
                                                              std::move(o.release.call_));
  }
  static result<lease<T>> wrap(result<detail::granted_lease> got) {
    if (!got)
      return std::unexpected{std::move(got).error()};
    return lease<T>{std::move(*got)};
  }

  detail::pool_base base_;
};

template <class T>
result<lease<T>> lease_wait<T>::await_resume() {
  return resource_pool<T>::wrap(finish());
}

} // namespace muster

MUSTER_API_END
