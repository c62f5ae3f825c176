/// The coroutines in which task bodies are written that hold no thread while they wait: `muster::coro<T>`.
///
/// Owner: whoever awaits it, or the task whose body it is; the frame goes when the await is over. Threads: a worker,
/// and after each suspension perhaps another one. Invariants: it is lazy: nothing runs until it is awaited, which
/// happens at most once; it uses no stack of the one that awaits it, in any kind of build, so a million may await each
/// other; frames are destroyed on a worker, under no lock.
///
/// Of what is awaited, an error is a value by default, as everywhere in Muster: what stops a task is expected and
/// belongs to the control flow that one reads. `co_await or_throw(x)` throws it instead.
///
/// What to avoid on GCC 12, which destroys some temporaries of an expression twice if there is a `co_await` in it:
/// those of aggregates that hold a string or the like (options, with or without designated initialisers), lambdas that
/// capture such a thing by value, and such values in the branches of `?:`. So give what is awaited a name first, and
/// await it in a statement of its own: `auto job = ctx.blocking([text] { … }); auto got = co_await job;`.
///
/// What to avoid in any compiler: a coroutine that outlives what it refers to. The callable of a task is kept until its
/// frame is gone; that of a coroutine lambda that is called by hand is not (`auto c = [x]() -> coro<int> { … }();`
/// leaves it with captures that are no more): give such a coroutine its data as parameters, by value.
#pragma once

#include <muster/api.hpp>
#include <muster/assert.hpp>
#include <muster/detail/wait_point.hpp>
#include <muster/error.hpp>

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

MUSTER_API_BEGIN

namespace muster {

template <class T>
class outcome;

namespace detail {

template <class T>
class coro_await;
template <class F, class T>
class coroutine_job;

/// What may be awaited in a coroutine of ours: wait points, and what makes one (or a coro's) by `operator co_await`.
template <class A>
concept declares_itself_ours = requires { typename std::remove_cvref_t<A>::muster_awaitable; };
template <class A>
concept ours_to_await = std::derived_from<std::remove_cvref_t<A>, wait_point> || declares_itself_ours<A>;

/// What a compiler makes of `co_await x`: GCC 12 would copy an `x` that is a variable, or move one that is not.
template <class A>
class by_reference {
public:
  explicit by_reference(A& what) noexcept : what_(&what) {}
  [[nodiscard]] bool await_ready() const { return what_->await_ready(); }
  template <class Promise>
  decltype(auto) await_suspend(std::coroutine_handle<Promise> by) const {
    return what_->await_suspend(by);
  }
  decltype(auto) await_resume() const { return what_->await_resume(); }

private:
  A* what_; ///< it lives in the awaiting frame, at least until the expression is over
};

/// Destroys a frame that was never started. What it destroys in turn (coroutines among its parameters) waits until it
/// has returned, so that a long chain of them needs no deep stack.
void destroy_unstarted(std::coroutine_handle<> frame) noexcept;

class coro_promise : public coro_promise_base {
public:
  struct at_the_end {
    [[nodiscard]] static constexpr bool await_ready() noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) const noexcept {
      coro_promise& ended = frame.promise();
      ended.course_->next = ended.behind_;
    }
    static void await_resume() noexcept {}
  };

  [[nodiscard]] static std::suspend_always initial_suspend() noexcept { return {}; }
  [[nodiscard]] static at_the_end final_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { thrown_ = std::current_exception(); }
  template <class A>
  [[nodiscard]] static decltype(auto) await_transform(A&& what) noexcept {
    static_assert(ours_to_await<A>,
                  "a muster::coro can await what Muster gives: another coro, a task, a scope (of an "
                  "async_context), and what the functions of async_context, pools and channels return");
    if constexpr (requires { what.await_ready(); })
      return by_reference<std::remove_reference_t<A>>{what};
    else
      return static_cast<A&&>(what);
  }

protected:
  template <class>
  friend class coro_await;
  template <class>
  friend class muster::coro;
  void rethrow_if_thrown() {
    if (thrown_)
      std::rethrow_exception(std::exchange(thrown_, nullptr));
  }
  std::coroutine_handle<> behind_{}; ///< who awaits it; null for a body
  std::exception_ptr thrown_;
};

template <class T>
class coro_promise_of final : public coro_promise {
public:
  [[nodiscard]] coro<T> get_return_object() noexcept;
  template <class U>
    requires std::convertible_to<U&&, T>
  void return_value(U&& value) {
    value_.emplace(std::forward<U>(value));
  }
  [[nodiscard]] T take() {
    rethrow_if_thrown();
    return std::move(*value_);
  }

private:
  std::optional<T> value_;
};
template <>
class coro_promise_of<void> final : public coro_promise {
public:
  [[nodiscard]] coro<void> get_return_object() noexcept;
  static void return_void() noexcept {}
  void take() { rethrow_if_thrown(); }
};

} // namespace detail

/// A coroutine that has not begun, or that is being awaited. `co_await` gives its value, or throws what it threw. A
/// body that returns `coro<result<T>>` makes a `task<T>`; a `coro<void>` can fail only by throwing. Moves.
template <class T = void>
class [[nodiscard]] coro {
public:
  static_assert(std::is_void_v<T> || std::is_object_v<T>, "a muster::coro gives a value or nothing, no reference");
  using promise_type = detail::coro_promise_of<T>; ///< for the compiler
  using value_type = T;                            ///< what `co_await` gives
  using muster_awaitable = void;                   ///< a coroutine of ours may await it

  /// Empty.
  coro() = default;
  /// The other one is empty afterwards.
  coro(coro&& other) noexcept : frame_(std::exchange(other.frame_, {})) {}
  /// The same; a coroutine that this one held is destroyed, as by the destructor.
  coro& operator=(coro&& other) noexcept {
    coro{std::move(other)}.swap(*this);
    return *this;
  }
  /// One that was never awaited has never run: its parameters are destroyed.
  ~coro() {
    if (frame_)
      detail::destroy_unstarted(frame_);
  }
  /// False if it is empty: default-constructed, moved from, or awaited already.
  [[nodiscard]] bool valid() const noexcept { return static_cast<bool>(frame_); }

  /// Awaiting takes the coroutine out of this object. An empty one is misuse (it asserts).
  detail::coro_await<T> operator co_await() noexcept { return detail::coro_await<T>{release()}; }

private:
  template <class>
  friend class detail::coro_promise_of;
  template <class, class>
  friend class detail::coroutine_job;
  using handle = std::coroutine_handle<promise_type>;

  explicit coro(handle frame) noexcept : frame_(frame) {}
  void swap(coro& other) noexcept { std::swap(frame_, other.frame_); }
  [[nodiscard]] handle release() noexcept {
    MUSTER_ASSERT(frame_,
                  "a coro was awaited that is empty: it was awaited before, moved from, or default-constructed; call "
                  "the coroutine again to have another one");
    return std::exchange(frame_, {});
  }

  handle frame_{};
};

namespace detail {

template <class T>
coro<T> coro_promise_of<T>::get_return_object() noexcept {
  return coro<T>{std::coroutine_handle<coro_promise_of>::from_promise(*this)};
}
inline coro<void> coro_promise_of<void>::get_return_object() noexcept {
  return coro<void>{std::coroutine_handle<coro_promise_of>::from_promise(*this)};
}

/// The await of a coro, and from then on the owner of its frame.
template <class T>
class coro_await {
public:
  using handle = std::coroutine_handle<coro_promise_of<T>>;
  using muster_awaitable = void;

  coro_await() = default;
  explicit coro_await(handle frame) noexcept : frame_(frame) {}
  coro_await(coro_await&& other) noexcept : frame_(std::exchange(other.frame_, {})) {}
  coro_await& operator=(coro_await other) noexcept {
    std::swap(frame_, other.frame_);
    return *this;
  }
  ~coro_await() {
    if (frame_)
      frame_.destroy();
  }

  [[nodiscard]] static constexpr bool await_ready() noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> by) noexcept {
    static_assert(std::derived_from<Promise, coro_promise_base>,
                  "a muster::coro is awaited in the body of a task or in another muster::coro");
    start(by, by.promise().course());
  }
  T await_resume() { return frame_.promise().take(); }
  [[nodiscard]] bool valid() const noexcept { return static_cast<bool>(frame_); }

  /// Notes it as the one to go on.
  void start(std::coroutine_handle<> behind, detail::course& in) noexcept {
    auto& promise = frame_.promise();
    promise.course_ = &in;
    promise.behind_ = behind;
    in.next = frame_;
  }

private:
  handle frame_{};
};

/// What `or_throw` does with what an await gives.
[[noreturn]] void throw_error(const error& why);

template <class T>
[[nodiscard]] T value_or_throw(result<T>&& got) {
  if (!got)
    throw_error(got.error());
  if constexpr (!std::is_void_v<T>)
    return std::move(*got);
}
template <class O>
  requires requires(O&& o) {
    o.as_result();
    o.late();
  }
[[nodiscard]] decltype(auto) value_or_throw(O&& ended) {
  if (!ended.ok())
    throw_error(ended.error());
  if constexpr (std::is_lvalue_reference_v<O>)
    return (ended.value());
  else
    return typename std::remove_cvref_t<O>::value_type(std::move(ended).value());
}

template <class A>
decltype(auto) awaiter_of(A&& what) {
  if constexpr (requires { std::forward<A>(what).operator co_await(); })
    return std::forward<A>(what).operator co_await();
  else if constexpr (requires { operator co_await(std::forward<A>(what)); })
    return operator co_await(std::forward<A>(what));
  else
    return std::forward<A>(what);
}
template <class A>
using awaiter_t = decltype(awaiter_of(std::declval<A>()));

/// Awaits `A` and throws what it gives for an error.
template <class A>
class throwing_await {
public:
  using muster_awaitable = void;

  explicit throwing_await(A&& what) noexcept : what_(std::forward<A>(what)) {}
  [[nodiscard]] static constexpr bool await_ready() noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> by) {
    if constexpr (makes_one)
      made_.emplace(make{std::forward<A>(what_)}).await_suspend(by);
    else
      what_.await_suspend(by);
  }
  decltype(auto) await_resume() {
    if constexpr (makes_one)
      return value_or_throw(made_->await_resume());
    else
      return value_or_throw(what_.await_resume());
  }

private:
  static constexpr bool makes_one = !std::is_reference_v<awaiter_t<A>>;
  using awaiter = std::remove_reference_t<awaiter_t<A>>;
  struct make { // constructs the awaiter in its place, since it need not be movable
    A&& what;
    operator awaiter() const { return awaiter_of(std::forward<A>(what)); }
  };
  struct nothing {};

  A what_; ///< a reference, if an lvalue was given
  [[no_unique_address]] std::conditional_t<makes_one, std::optional<awaiter>, nothing> made_{};
};

} // namespace detail

/// `co_await or_throw(x)` gives the value of what `co_await x` gives as a result or outcome, and throws its error: as
/// muster::cancelled_error if it is a cancellation (or a timeout of the task), else as std::bad_expected_access<error>.
/// A body that either escapes from ends with that very error.
template <class A>
  requires detail::ours_to_await<A>
[[nodiscard]] auto or_throw(A&& what) {
  return detail::throwing_await<A>{std::forward<A>(what)};
}

} // namespace muster

MUSTER_API_END
