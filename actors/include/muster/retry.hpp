/// Trying again: `retry(ctx, policy, fn)` calls `fn` until it succeeds or the policy gives up, sleeping in between.
///
///     auto page = muster::retry(ctx, {.attempts = 5, .first_delay = 50ms}, [&] { return fetch(url); });
///
/// and in a coroutine, where no thread is held by the attempts or between them:
///
///     auto tries = muster::retry(ctx, {.attempts = 5, .first_delay = 50ms}, [&] { return fetch(ctx, url); });
///     auto page = co_await tries;
///
/// Owner: the policy is the caller's and is not kept (a coroutine keeps it, and `fn`); a budget may be shared and must
/// outlive the calls. Threads: everything runs on the body's own thread; `retry_budget` may be used from any.
/// Invariants: never more attempts than allowed, never a sleep that would end after the deadline, never another attempt
/// once the task was asked to stop.
#pragma once

#include <muster/api.hpp>
#include <muster/assert.hpp>
#include <muster/async_context.hpp>
#include <muster/context.hpp>
#include <muster/detail/awaited_call.hpp>
#include <muster/detail/call.hpp>
#include <muster/detail/owned.hpp>

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>

MUSTER_API_BEGIN

namespace muster {

/// Limits retries to a part of the calls, so that a service that is in trouble is not kept there by retries (the idea
/// of Finagle's RetryBudget; here the bucket is limited by its size and not by time). A bucket of tokens: each call
/// puts in `ratio`, each retry takes 1, and without a whole token there is no retry. Threads: any; lock-free.
class retry_budget {
public:
  /// `ratio`: retries for each call in the long run, in (0, 1]. `reserve`: tokens at first, and the most it ever holds;
  /// at least 1. Anything else is misuse (it asserts).
  explicit retry_budget(double ratio = 0.2, double reserve = 10);
  retry_budget(const retry_budget&) = delete;
  retry_budget& operator=(const retry_budget&) = delete;

  /// A call begins: puts `ratio` in.
  void deposit() noexcept;
  /// True: a token was taken, retry. False: there is none, and nothing was taken.
  [[nodiscard]] bool withdraw() noexcept;
  /// Retries that could be made now.
  [[nodiscard]] std::size_t available() const noexcept;

private:
  const std::uint64_t each_call_; ///< in millionths of a token, as the others
  const std::uint64_t most_;
  std::atomic<std::uint64_t> tokens_;
};

/// How a delay is spread, so that those who failed together do not come back together (the names are those of AWS's
/// article on exponential backoff and jitter).
enum class jitter : std::uint8_t {
  full,  ///< anything between zero and the delay
  equal, ///< half of the delay and anything up to the other half
  none,  ///< the delay itself
};

/// Options that make no sense (no attempts, a negative time, a factor below 1, a `most_delay` below `first_delay`, a
/// `most_elapsed` of nothing) are misuse: they assert.
struct retry_policy {
  std::size_t attempts = 3;                               ///< in all, the first one included
  duration first_delay = std::chrono::milliseconds{100};  ///< after the first attempt
  double factor = 2;                                      ///< each delay is so many times the one before,
  duration most_delay = std::chrono::seconds{10};         ///< up to this one; then the jitter
  jitter spread = jitter::full;                           ///< of the delays
  std::optional<std::uint64_t> seed{}; ///< of the jitter; equal seeds, equal delays; default: of the task and the
                                       ///< moment
  duration most_elapsed = no_timeout;  ///< no attempt begins later than this after the first
  retry_budget* budget = nullptr;      ///< null: no limit but `attempts`
  std::function<bool(const error&)> retry_if{}; ///< false: this error is final; default: none is, but cancellations are
};

template <class F>
concept retry_body = std::invocable<F&, context&, std::size_t> || task_body<F>;
/// For a coroutine: a plain function or a coroutine.
template <class F>
concept async_retry_body = std::invocable<F&, async_context&, std::size_t> || std::invocable<F&, async_context&> ||
                           std::invocable<F&>;

namespace detail {

template <class F, class Context>
decltype(auto) invoke_attempt(F& fn, Context& ctx, std::size_t attempt) {
  if constexpr (std::invocable<F&, Context&, std::size_t>)
    return fn(ctx, attempt);
  else
    return invoke_body(fn, ctx);
}

class MUSTER_INSIDE retry_schedule;

/// One call of `retry`: what is to happen after each failed attempt.
class retrying {
public:
  retrying(context& ctx, const retry_policy& policy);
  retrying(const retrying&) = delete;
  retrying& operator=(const retrying&) = delete;
  ~retrying();
  /// The number of the attempt that is to be made now, from 1 on.
  [[nodiscard]] std::size_t attempt() const noexcept;
  /// It failed. Nothing: the delay is over, try again. Else the error to return.
  [[nodiscard]] std::optional<error> failed(error why);
  /// The same in two steps, for a coroutine, which sleeps by itself: the delay before the next attempt, or the error.
  [[nodiscard]] std::expected<duration, error> next(const error& why);
  /// The error to return if the sleep was cut short.
  [[nodiscard]] static error cut_short(error asked, error why);

private:
  context& ctx_;
  const retry_policy& policy_;
  owned<retry_schedule> schedule_;
  std::uint64_t last_event_ = 0;
};

} // namespace detail

/// Calls `fn` (taking (context&, attempt), context& or nothing; the attempts are counted from 1) until it succeeds, and
/// returns its value. Between attempts it sleeps as the policy says, or longer if the error says so (`retry_after`, as
/// an open circuit breaker's does). It returns without another attempt:
/// - the error as it is, if it is a cancellation (operation_canceled), the task has been asked to stop, or `retry_if`
///   says no;
/// - the last error wrapped as "gave up after N attempts: …", if there are no attempts left, the next would begin after
///   `most_elapsed`, the task's deadline would come before it or with it, or the budget has no token;
/// - why it was asked to stop, with the last error behind it, if that happens while it sleeps.
/// Exceptions of `fn` are errors as any others. What `retry_if` throws gets out. Each retry and each giving up is an
/// event in the trace. An empty function is misuse (it asserts).
template <class F>
  requires retry_body<std::remove_reference_t<F>>
[[nodiscard]] auto retry(context& ctx, const retry_policy& policy, F&& fn)
  -> result<detail::call_value<decltype(detail::invoke_attempt(fn, ctx, 1))>> {
  using returned = decltype(detail::invoke_attempt(fn, ctx, 1));
  MUSTER_ASSERT(!detail::is_empty_function(fn), "retry was given an empty function to call");
  detail::retrying loop{ctx, policy};
  for (;;) {
    auto got =
      detail::call<returned>([&]() -> decltype(auto) { return detail::invoke_attempt(fn, ctx, loop.attempt()); }, &ctx);
    if (got)
      return got;
    if (auto over = loop.failed(std::move(got).error()))
      return std::unexpected{std::move(*over)};
  }
}

namespace detail {

template <class F>
using attempt_returns = decltype(invoke_attempt(std::declval<F&>(), std::declval<async_context&>(), 1));

template <class F>
coro<result<awaited_value<attempt_returns<F>>>> async_retry(async_context& ctx, retry_policy policy, F fn) {
  context& plain = async_context_access::plain(ctx);
  retrying loop{plain, policy};
  for (;;) {
    auto attempt = awaited_call<attempt_returns<F>>(
      [&]() -> decltype(auto) { return invoke_attempt(fn, ctx, loop.attempt()); }, plain);
    auto got = co_await attempt;
    if (got)
      co_return got;
    const auto delay = loop.next(got.error());
    if (!delay)
      co_return std::unexpected{delay.error()};
    auto sleep = ctx.sleep_for(*delay);
    auto slept = co_await sleep;
    if (!slept)
      co_return std::unexpected{retrying::cut_short(std::move(slept).error(), std::move(got).error())};
  }
}

} // namespace detail

/// The same for a coroutine: gives a coroutine that does it when it is awaited, with `fn` (taking (async_context&,
/// attempt), async_context& or nothing; a coroutine or a plain function) and the policy kept in it. The delays hold no
/// thread, and neither does what `fn` awaits. (On GCC 12 a policy written in the expression of a co_await is destroyed
/// twice: give what this returns a name, and await that.)
template <class F>
  requires async_retry_body<std::decay_t<F>>
[[nodiscard]] auto retry(async_context& ctx, retry_policy policy, F&& fn) {
  MUSTER_ASSERT(!detail::is_empty_function(fn), "retry was given an empty function to call");
  return detail::async_retry<std::decay_t<F>>(ctx, std::move(policy), std::forward<F>(fn));
}

} // namespace muster

MUSTER_API_END
