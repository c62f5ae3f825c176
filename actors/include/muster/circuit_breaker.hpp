/// A circuit breaker: refuses calls at once while what they depend on is down, and tries it again from time to time.
///
///     muster::circuit_breaker payments{site, 5, 30s};  // 5 failures in a row open it; after 30 s one probe decides
///     auto paid = payments.execute(ctx, [&] { return charge_card(ctx, order); });
///
/// and in a coroutine:
///
///     auto call = payments.execute(ctx, [&] { return charge_card(ctx, order); });
///     auto paid = co_await call;
///
/// Owner: the application; it belongs to no scope, but takes clock, timers, trace and its place in the path from one.
/// Threads: any thread may call any function (constructor and destructor: one). Invariants: half-open never lets more
/// than `probes` calls pass at the same time; a call that ends in whatever way gives its place back, also one whose
/// task was cancelled or ended without a report; a result counts only in the state in which its call was let through.
///
/// Locks: while it is closed, letting a call pass takes none, and with `consecutive_failures` reporting a success takes
/// none either. A short one is taken by failures and slow calls, by every result under a window (`count_window`,
/// `time_window`), by everything while it is open or half-open, and by every call if there is an `overdue_after`.
#pragma once

#include <muster/api.hpp>
#include <muster/assert.hpp>
#include <muster/async_context.hpp>
#include <muster/breaker_options.hpp>
#include <muster/detail/awaited_call.hpp>
#include <muster/detail/breaker_gate.hpp>
#include <muster/detail/call.hpp>
#include <muster/detail/owned.hpp>
#include <muster/detail/ref.hpp>
#include <muster/manager.hpp>

#include <concepts>
#include <memory>
#include <string>

MUSTER_API_BEGIN

namespace muster {

namespace detail {
class MUSTER_INSIDE breaker_core;
void retain(breaker_core*) noexcept;
void release(breaker_core*) noexcept;
} // namespace detail

/// The right to make one call and the duty to say how it went. Moves; one thread at a time. Destroyed without a report:
/// `ignore`. If the task that acquired it ends before that, it is taken back, and reporting later changes nothing.
class breaker_permit {
public:
  /// The other one is empty afterwards: it reports nothing.
  breaker_permit(breaker_permit&& other) noexcept;
  /// The same; what this one held is ignored, as if it had been destroyed.
  breaker_permit& operator=(breaker_permit&& other) noexcept;
  ~breaker_permit();

  /// The call succeeded (as a slow one, if it took `slow_after`). Each permit reports once: again, or on a moved-from
  /// one, is misuse (it asserts).
  void success();
  /// The call failed. It counts, whatever `counts_as_failure` would say.
  void failure(const error& why);
  /// The call says nothing about the dependency.
  void ignore();

private:
  friend class circuit_breaker;
  class MUSTER_INSIDE held;
  explicit breaker_permit(detail::owned<held> mine) noexcept;
  [[nodiscard]] detail::owned<held> take();
  detail::owned<held> held_;
};

/// A breaker. See the top of this file.
class circuit_breaker {
public:
  /// Closed. Opens after `failures` failures in a row, and lets one probe through after `open_for`.
  circuit_breaker(manager& site, std::size_t failures, duration open_for);
  /// The same, placed below a scope.
  circuit_breaker(scope& crew, std::size_t failures, duration open_for);
  /// Closed, with everything there is to choose.
  circuit_breaker(manager& site, breaker_options options);
  /// The same, placed below a scope.
  circuit_breaker(scope& crew, breaker_options options);
  circuit_breaker(const circuit_breaker&) = delete;
  circuit_breaker& operator=(const circuit_breaker&) = delete;
  /// No call may be inside `execute`, nor awaited; permits may live on. On return `on_state_change` does not run and
  /// will not (on its own thread the destructor does not wait for it). Blocks for as long as that takes.
  ~circuit_breaker();

  /// Calls `fn` (taking context& or nothing) if the state permits and returns what it returns: its value, its error, or
  /// its exception as an error. Otherwise `fn` is not called: errc::breaker_open, whose text says why and when to try
  /// again, as `retry_after(error)` does (nothing there: not known, for it is half-open with all probes on their way,
  /// or was forced open). What `fn` gives is reported: a value is a success; an error a failure, unless
  /// `counts_as_failure` says otherwise; if the task has been asked to stop and the error is a cancellation
  /// (operation_canceled) it counts as neither. The task's own timeout (timed_out) is a failure: a dependency that
  /// hangs is down. Blocks no longer than `fn`. Throws only std::bad_alloc. An empty function is misuse (it asserts).
  template <class F>
    requires task_body<std::remove_reference_t<F>>
  [[nodiscard]] auto execute(context& ctx, F&& fn)
    -> result<detail::call_value<decltype(detail::invoke_body(fn, ctx))>> {
    return run<decltype(detail::invoke_body(fn, ctx))>(
      &ctx, fn, [&]() -> decltype(auto) { return detail::invoke_body(fn, ctx); });
  }
  /// The same for a coroutine: gives a coroutine that does it when it is awaited, with `fn` (taking async_context& or
  /// nothing; a coroutine or a plain function) kept in it. What `fn` awaits holds no thread, and belongs to the call.
  /// The breaker outlives the awaiting.
  template <class F>
    requires std::invocable<std::decay_t<F>&, async_context&> || std::invocable<std::decay_t<F>&>
  [[nodiscard]] auto execute(async_context& ctx, F&& fn) {
    MUSTER_ASSERT(!detail::is_empty_function(fn), "a circuit breaker was given an empty function to call");
    return run_suspended<std::decay_t<F>>(core_, gate_, ctx, std::forward<F>(fn));
  }
  /// The same outside a task. Every operation_canceled counts as neither: nobody can tell who was cancelled.
  template <class F>
    requires std::invocable<std::remove_reference_t<F>&>
  [[nodiscard]] auto execute(F&& fn) -> result<detail::call_value<std::invoke_result_t<std::remove_reference_t<F>&>>> {
    return run<std::invoke_result_t<std::remove_reference_t<F>&>>(nullptr, fn,
                                                                  [&]() -> decltype(auto) { return fn(); });
  }

  /// The same by hand: a permit, or errc::breaker_open. The permit is bound to the task of `ctx`: if that ends without
  /// a report it is taken back, counted in `stats().reclaimed`, and noted in the trace and the log with the task's
  /// path.
  [[nodiscard]] result<breaker_permit> try_acquire(context& ctx);
  /// The same for a coroutine; it does not wait either.
  [[nodiscard]] result<breaker_permit> try_acquire(async_context& ctx) {
    return try_acquire(async_context_access::plain(ctx));
  }

  /// What a call would meet now.
  [[nodiscard]] breaker_state state() const;
  /// Its numbers, all of one moment.
  [[nodiscard]] breaker_stats stats() const;
  /// On return it is open and stays so until `reset`; what is on its way has become late. Idempotent.
  void force_open();
  /// On return it is closed, as if new but for its statistics; what is on its way has become late.
  void reset();

  /// As given in the options.
  [[nodiscard]] const std::string& name() const noexcept;
  /// Of where it was made, and its name.
  [[nodiscard]] std::string path() const;

private:
  /// One call under way; if nothing else is said of it in time, it counts as neither.
  class call_guard {
  public:
    call_guard(detail::breaker_gate& gate, detail::breaker_core& core, context* ctx,
               const detail::breaker_ticket& ticket) noexcept
        : gate_(gate), core_(core), ctx_(ctx), ticket_(ticket) {}
    call_guard(const call_guard&) = delete;
    call_guard& operator=(const call_guard&) = delete;
    ~call_guard() {
      if (open_)
        abandon();
    }
    void succeeded() noexcept {
      open_ = false;
      if (ticket_.number != 0 || ticket_.started != time_point{} || !gate_.passed(ticket_.generation))
        report_success();
    }
    void failed(const error& why) noexcept;
    /// Somebody else reports from now on.
    void hand_over() noexcept { open_ = false; }

  private:
    void abandon() noexcept;
    void report_success() noexcept;

    detail::breaker_gate& gate_;
    detail::breaker_core& core_;
    context* ctx_;
    const detail::breaker_ticket ticket_;
    bool open_ = true;
  };

  [[nodiscard]] static result<detail::breaker_ticket> enter(detail::breaker_core& core, context* ctx);

  template <class R, class F, class Call>
  result<detail::call_value<R>> run(context* ctx, const F& fn, Call&& call) {
    MUSTER_ASSERT(!detail::is_empty_function(fn), "a circuit breaker was given an empty function to call");
    detail::breaker_ticket ticket{.generation = gate_->generation(), .number = 0, .started = {}};
    if (ticket.generation == 0) {
      auto let_through = enter(*core_, ctx);
      if (!let_through)
        return std::unexpected{std::move(let_through).error()};
      ticket = *let_through;
    }
    call_guard guard{*gate_, *core_, ctx, ticket};
    auto got = detail::call<R>(call, ctx);
    if (got)
      guard.succeeded();
    else
      guard.failed(got.error());
    return got;
  }

  template <class F>
  using returned_in_coroutine = decltype(detail::invoke_body(std::declval<F&>(), std::declval<async_context&>()));
  template <class F>
  static coro<result<detail::awaited_value<returned_in_coroutine<F>>>>
  run_suspended(detail::ref<detail::breaker_core> core, detail::breaker_gate* gate, async_context& ctx, F fn) {
    context& plain = async_context_access::plain(ctx);
    auto let_through = enter(*core, &plain);
    if (!let_through)
      co_return std::unexpected{std::move(let_through).error()};
    call_guard guard{*gate, *core, &plain, *let_through};
    auto call = detail::awaited_call<returned_in_coroutine<F>>(
      [&]() -> decltype(auto) { return detail::invoke_body(fn, ctx); }, plain);
    auto got = co_await call;
    if (got)
      guard.succeeded();
    else
      guard.failed(got.error());
    co_return got;
  }

  detail::ref<detail::breaker_core> core_;
  detail::breaker_gate* const gate_; ///< the core's
};

} // namespace muster

MUSTER_API_END
