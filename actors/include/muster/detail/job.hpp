/// The typed part of a task: the callable and the place for its outcome. It lives inside the task's one allocation.
///
/// Owner: the task actor. Threads: `run` and `drop_callable` on one worker each, never at the same time; the outcome is
/// written there, before it is published, and read-only from then on. Invariant: when the outcome is published the
/// callable is already destroyed.
#pragma once

#include <muster/outcome.hpp>

#include <concepts>
#include <cstddef>
#include <exception>
#include <expected>
#include <functional>
#include <memory>
#include <new>

namespace muster {

class context;

/// What a task can run: a callable that takes `context&`, or nothing.
template <class F>
concept task_body = std::invocable<F&, context&> || std::invocable<F&>;

} // namespace muster

namespace muster::detail {

template <class F>
decltype(auto) invoke_body(F& fn, context& ctx) {
  if constexpr (std::invocable<F&, context&>)
    return fn(ctx);
  else
    return fn();
}

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
using body_return = std::remove_cvref_t<decltype(invoke_body(std::declval<F&>(), std::declval<context&>()))>;
/// The `T` of the `task<T>` that runs `F`.
template <class F>
using body_value = typename body_result<body_return<F>>::value;

/// What a task actor needs to know of its body.
class job {
public:
  job(const job&) = delete;
  job& operator=(const job&) = delete;
  virtual ~job() = default;

  /// Runs the body once. On return the outcome holds a value or an error; it has not been settled yet.
  virtual void run(context& ctx) noexcept = 0;
  /// Destroys the callable with all that it captured.
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
    using returned = body_return<F>;
    if constexpr (std::is_void_v<returned>) {
      invoke_body(fn_, ctx);
      outcome_access::emplace(this->outcome_);
    } else if constexpr (body_result<returned>::is_expected) {
      auto got = invoke_body(fn_, ctx);
      if (!got.has_value())
        outcome_access::error(this->outcome_).emplace(std::move(got).error());
      else if constexpr (std::is_void_v<T>)
        outcome_access::emplace(this->outcome_);
      else
        outcome_access::emplace(this->outcome_, std::move(*got));
    } else {
      outcome_access::emplace(this->outcome_, invoke_body(fn_, ctx));
    }
  }

  union {
    F fn_;
  };
  bool alive_ = true;
};

/// How to build a job in memory that the task actor provides.
struct job_maker {
  std::size_t size;
  std::size_t alignment;
  job* (*construct)(void* where, void* from); ///< may throw what the callable's move or copy throws
  void* from;
};

template <class F>
[[nodiscard]] job_maker make_job(F& fn) noexcept {
  using callable = std::remove_cvref_t<F>;
  using made = body_job<callable>;
  return {sizeof(made), alignof(made),
          [](void* where, void* from) -> job* {
            // F is an lvalue reference's target for a copied callable, and a plain type for a moved one.
            return ::new (where) made(std::forward<F>(*static_cast<std::remove_reference_t<F>*>(from)));
          },
          const_cast<void*>(static_cast<const void*>(std::addressof(fn)))};
}

} // namespace muster::detail
