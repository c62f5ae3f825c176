/// The typed part of a task: the callable and the place for its outcome. It lives inside the task's one allocation.
///
/// Owner: the task actor. Threads: `run` and `drop_callable` on one worker each, never at the same time; the outcome is
/// written there, before it is published, and read-only from then on. Invariant: when the outcome is published the
/// callable is already destroyed.
#pragma once

#include <muster/api.hpp>
#include <muster/outcome.hpp>

#include <concepts>
#include <cstddef>
#include <exception>
#include <expected>
#include <functional>
#include <memory>
#include <new>

MUSTER_API_BEGIN

namespace muster {

class context;
class async_context;
template <class T>
class coro;

/// What a task can run: a callable that takes `context&`, or nothing; or a coroutine (it returns a `muster::coro`, see
/// muster/coro.hpp) that takes `async_context&`, or nothing.
template <class F>
concept task_body = std::invocable<F&, context&> || std::invocable<F&> || std::invocable<F&, async_context&>;

} // namespace muster

namespace muster::detail {

template <class R>
inline constexpr bool is_coro = false;
template <class T>
inline constexpr bool is_coro<coro<T>> = true;

/// The value of a coroutine, or the type itself.
template <class R>
struct without_coro {
  using type = R;
};
template <class T>
struct without_coro<coro<T>> {
  using type = T;
};

template <class F, class Context>
decltype(auto) invoke_body(F& fn, Context& ctx) {
  if constexpr (std::invocable<F&, Context&>)
    return fn(ctx);
  else
    return fn();
}

/// Whether `F` is to be given an async_context&. A generic lambda takes either; that it is a coroutine decides.
template <class F>
consteval bool takes_async_context() {
  if constexpr (std::invocable<F&, context&>) {
    if constexpr (is_coro<std::remove_cvref_t<std::invoke_result_t<F&, context&>>>)
      return std::invocable<F&, async_context&>;
    else
      return false;
  } else {
    return !std::invocable<F&>;
  }
}
template <class F>
using body_context = std::conditional_t<takes_async_context<F>(), async_context, context>;

template <class R>
struct body_result {
  static_assert(!std::same_as<R, error>, "a body that returns a bare muster::error would count as a success: return "
                                         "muster::result<T> (std::unexpected{error})");
  static_assert(!std::same_as<R, std::error_code>, "a body that returns a bare std::error_code would count as a "
                                                   "success: return muster::result<T> (std::unexpected{error{code}})");
  using value = R;
  static constexpr bool is_expected = false;
};
template <class T>
struct body_result<outcome<T>> {
  static_assert(sizeof(T*) == 0, "a body that returns an outcome would count as a success whatever the outcome is: "
                                 "return t.get().as_result()");
};
template <class T, class E>
struct body_result<std::expected<T, E>> {
  static_assert(std::constructible_from<error, E>, "the error of the expected that a body returns must convert to "
                                                   "muster::error (a std::error_code or an error enum does)");
  using value = T;
  static constexpr bool is_expected = true;
};

template <class F>
using body_return = std::remove_cvref_t<decltype(invoke_body(std::declval<F&>(), std::declval<body_context<F>&>()))>;
/// True if `F` is a coroutine.
template <class F>
inline constexpr bool suspends = is_coro<body_return<F>>;

template <class F>
struct body_check {
  static_assert(
      !suspends<F> || takes_async_context<F>() || !std::invocable<F&, context&>,
      "a coroutine takes muster::async_context&, whose waits hold no thread; the waits of muster::context& block, "
      "and are for plain functions");
  static_assert(
      suspends<F> || !takes_async_context<F>(),
      "a body that takes muster::async_context& is a coroutine: it returns muster::coro<T> (and has a co_await or "
      "co_return in it); a plain function takes muster::context&");
  using value = typename body_result<typename without_coro<body_return<F>>::type>::value;
};
/// The `T` of the `task<T>` that runs `F`.
template <class F>
using body_value = typename body_check<F>::value;

struct course;

/// What a task actor needs to know of its body.
class job {
public:
  job(const job&) = delete;
  job& operator=(const job&) = delete;
  virtual ~job() = default;

  /// Runs the body once. On return the outcome holds a value or an error; it has not been settled yet.
  virtual void run(context& ctx) noexcept = 0;
  /// Of a coroutine, null for other bodies: `run` has then only made its frame. It is over when nobody is to be resumed
  /// and nothing is waited for; then `collect` puts what it gave, or threw, into the outcome.
  [[nodiscard]] virtual course* coroutine() noexcept { return nullptr; }
  virtual void collect(context&) noexcept {}
  /// Destroys the frame, if there is one, and then the callable with all that it captured.
  virtual void drop_callable() noexcept = 0;
  /// Destroys a value that shall not be kept.
  virtual void drop_value() noexcept = 0;
  /// Identifies the value's type, so that a plan can check what is asked of it.
  [[nodiscard]] virtual const void* value_type() const noexcept = 0;

  outcome_base* const out;

protected:
  explicit job(outcome_base& place) noexcept : out(&place) {}
};

/// An address that is unique to `T`.
template <class T>
inline constexpr char type_mark = 0;

template <class T>
class typed_job : public job {
public:
  void drop_value() noexcept final { outcome_access::drop_value(outcome_); }
  [[nodiscard]] const void* value_type() const noexcept final { return &type_mark<T>; }
  [[nodiscard]] outcome<T>& result() noexcept { return outcome_; }

protected:
  typed_job() noexcept : job(outcome_) {}
  outcome<T> outcome_;
};

/// Puts what a body gave into its outcome.
template <class T, class R>
void store(outcome<T>& into, R&& got) {
  if constexpr (!body_result<std::remove_cvref_t<R>>::is_expected)
    outcome_access::emplace(into, std::forward<R>(got));
  else if (!got.has_value())
    outcome_access::error(into).emplace(std::forward<R>(got).error());
  else if constexpr (std::is_void_v<T>)
    outcome_access::emplace(into);
  else
    outcome_access::emplace(into, *std::forward<R>(got));
}

/// The exception in flight, as an error that arose in the body of `ctx`.
[[nodiscard]] error caught_in(const context& ctx) noexcept;

template <class F, class T = body_value<F>>
class body_job final : public typed_job<T> {
public:
  template <class G>
  explicit body_job(G&& fn) : fn_(std::forward<G>(fn)) {}
  ~body_job() override { drop_callable(); }

  void run(context& ctx) noexcept override {
    try {
      call(ctx);
    } catch (...) {
      outcome_access::drop_value(this->outcome_);
      outcome_access::error(this->outcome_).emplace(caught_in(ctx));
    }
  }

  void drop_callable() noexcept override {
    if (std::exchange(alive_, false))
      std::destroy_at(std::addressof(fn_));
  }

private:
  void call(context& ctx) {
    if constexpr (std::is_void_v<body_return<F>>) {
      invoke_body(fn_, ctx);
      outcome_access::emplace(this->outcome_);
    } else {
      store(this->outcome_, invoke_body(fn_, ctx));
    }
  }

  union {
    F fn_;
  };
  bool alive_ = true;
};

/// The job of a coroutine: see muster/async_context.hpp, which is needed for defining one.
template <class F, class T = body_value<F>>
class coroutine_job;

/// How to build a job in memory that the task actor provides.
struct job_maker {
  std::size_t size;
  std::size_t alignment;
  job* (*construct)(void* where, void* from); ///< may throw what the callable's move or copy throws
  void* from;
  bool suspends = false; ///< it is a coroutine
};

template <class F>
struct job_of {
  using type = body_job<F>;
};
template <class F>
  requires suspends<F>
struct job_of<F> {
  using type = coroutine_job<F>;
};

template <class F>
[[nodiscard]] job_maker make_job(F& fn) noexcept {
  using callable = std::remove_cvref_t<F>;
  using made = typename job_of<callable>::type;
  return {sizeof(made), alignof(made),
          [](void* where, void* from) -> job* {
            // F is an lvalue reference's target for a copied callable, and a plain type for a moved one.
            return ::new (where) made(std::forward<F>(*static_cast<std::remove_reference_t<F>*>(from)));
          },
          const_cast<void*>(static_cast<const void*>(std::addressof(fn))), suspends<callable>};
}

} // namespace muster::detail

MUSTER_API_END
