/// How a task ended: exactly one of ok(value), failed, timed_out, cancelled, skipped.
///
/// Owner: the task; handles share it. Threads: it is written once, before anybody can see it, and is constant from then
/// on (moving the value out of it is the caller's own business). Invariant: it holds a value if and only if it is ok,
/// and an error otherwise.
#pragma once

#include <muster/api.hpp>
#include <muster/cancel.hpp>
#include <muster/error.hpp>

#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

MUSTER_API_BEGIN

namespace muster {

namespace detail {
template <class T>
class typed_job;
}

/// The five ways in which a task can end.
enum class outcome_kind : std::uint8_t {
  ok,        ///< the body returned a value (even if it had been asked to stop)
  failed,    ///< the body returned an error or threw, without having been asked to stop
  timed_out, ///< its own timeout passed: before it started, or it ended with an error after that
  cancelled, ///< it was asked to stop for another reason: before it started, or it ended with an error after that
  skipped,   ///< a task that it had to wait for did not end ok; the body never ran
};

/// "ok", "failed", "timed_out", "cancelled" or "skipped".
[[nodiscard]] std::string_view to_string(outcome_kind kind) noexcept;

/// The part of an outcome that does not depend on the type of the value.
class outcome_base {
public:
  /// Which of the five it is.
  [[nodiscard]] outcome_kind kind() const noexcept { return kind_; }
  /// @{
  /// True if `kind()` is this one.
  [[nodiscard]] bool ok() const noexcept { return kind_ == outcome_kind::ok; }
  [[nodiscard]] bool failed() const noexcept { return kind_ == outcome_kind::failed; }
  [[nodiscard]] bool timed_out() const noexcept { return kind_ == outcome_kind::timed_out; }
  [[nodiscard]] bool cancelled() const noexcept { return kind_ == outcome_kind::cancelled; }
  [[nodiscard]] bool skipped() const noexcept { return kind_ == outcome_kind::skipped; }
  /// @}

  /// True if the task's deadline had passed, or it had been asked to stop, when its body ended.
  [[nodiscard]] bool late() const noexcept { return late_; }

  /// Why it did not end ok. Asking an ok outcome is misuse (it asserts).
  [[nodiscard]] const muster::error& error() const;

  /// Who asked it to stop and why; none (false) if nobody did before it ended.
  [[nodiscard]] const cancel_reason& reason() const noexcept { return reason_; }

protected:
  /// @cond library
  outcome_base() = default;
  [[noreturn]] static void misuse(const char* sentence);

  std::optional<muster::error> error_;
  cancel_reason reason_;
  outcome_kind kind_ = outcome_kind::ok;
  bool late_ = false;
  /// @endcond

private:
  friend struct outcome_access;
};

/// How a task with a value of type `T` ended. `outcome<void>` has a `std::monostate` for its value.
template <class T>
class [[nodiscard]] outcome : public outcome_base {
public:
  /// What `value()` refers to.
  using value_type = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

  /// @{
  /// The value. Asking an outcome that is not ok is misuse (it asserts); see `as_result()`.
  [[nodiscard]] const value_type& value() const& {
    expect_value();
    return *value_;
  }
  [[nodiscard]] value_type& value() & {
    expect_value();
    return *value_;
  }
  [[nodiscard]] value_type&& value() && {
    expect_value();
    return std::move(*value_);
  }
  /// @}

  /// @{
  /// The value or the error, as the rest of the library passes them about. The lvalue form copies the value.
  [[nodiscard]] result<T> as_result() const& {
    if (!ok())
      return std::unexpected{error()};
    if constexpr (std::is_void_v<T>)
      return {};
    else
      return *value_;
  }
  [[nodiscard]] result<T> as_result() && {
    if (!ok())
      return std::unexpected{error()};
    if constexpr (std::is_void_v<T>)
      return {};
    else
      return std::move(*value_);
  }
  /// @}

private:
  friend struct outcome_access;
  friend class detail::typed_job<T>;
  outcome() = default;
  void expect_value() const {
    if (!value_)
      misuse("outcome::value() was asked of an outcome that is not ok; look at kind() first or use as_result()");
  }

  std::optional<value_type> value_;
};

/// How the library writes outcomes; nobody else does.
struct outcome_access {
  template <class T, class... Args>
  static void emplace(outcome<T>& out, Args&&... args) {
    out.value_.emplace(std::forward<Args>(args)...);
  }
  template <class T>
  static void drop_value(outcome<T>& out) noexcept {
    out.value_.reset();
  }
  /// An outcome of this thread's own that failed with `why`: for a question that is refused.
  template <class T>
  static outcome<T>& refusal(muster::error why) {
    thread_local outcome<T> place;
    place.value_.reset();
    place.error_.emplace(std::move(why));
    settle(place, outcome_kind::failed, {}, false);
    return place;
  }
  /// The same on its own, for a coroutine, which has no thread.
  template <class T>
  static std::shared_ptr<outcome<T>> refusal_of(muster::error why, outcome_kind kind, cancel_reason reason) {
    std::shared_ptr<outcome<T>> made{new outcome<T>};
    made->error_.emplace(std::move(why));
    settle(*made, kind, std::move(reason), false);
    return made;
  }
  static std::optional<muster::error>& error(outcome_base& out) noexcept { return out.error_; }
  static void settle(outcome_base& out, outcome_kind kind, cancel_reason reason, bool late) noexcept {
    out.kind_ = kind;
    out.reason_ = std::move(reason);
    out.late_ = late;
  }
};

} // namespace muster

MUSTER_API_END
