/// Failures as values: codes, `error`, and `result<T>`.
///
/// Owner: whoever holds one; an `error` is one pointer to an immutable node that all its copies share. Threads: any;
/// different objects may be used from different threads at once, one object only for reading (as with shared_ptr).
/// Invariants: a node never changes after it was made; nothing here recurses, however long a chain of causes is, not
/// even destruction; everything but the original exception is plain data that could be sent to another process.
#pragma once

#include <muster/api.hpp>

#include <condition_variable> // std::chrono's durations, as in clock.hpp
#include <cstddef>
#include <exception>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

MUSTER_API_BEGIN

namespace muster {

/// Muster's own error codes. The numbers never change meaning: they may be stored and sent. In brackets: the
/// std::errc condition that a code compares equal to.
enum class errc {
  cancelled = 1,       ///< asked to stop [operation_canceled]
  timed_out = 2,       ///< its deadline passed [timed_out]
  skipped = 3,         ///< never started, because something it depends on did not succeed
  not_ready = 4,       ///< a wait with a limit ended first; what was waited for goes on
  would_deadlock = 5,  ///< a wait for oneself or for an ancestor [resource_deadlock_would_occur]
  scope_closed = 6,    ///< spawning or registering on a scope that is closed or has ended
  unresponsive = 7,    ///< did not answer a cancel or a deadline within its grace period
  no_threads = 8,      ///< the system gives no more threads [resource_unavailable_try_again]
  invalid_plan = 9,    ///< a cycle, a self-dependency, an unknown or a doubled name [invalid_argument]
  exception = 10,      ///< a body threw an exception that has no code of its own
  release_failed = 11, ///< releasing a resource failed
  breaker_open = 12,   ///< a circuit breaker refused the call [resource_unavailable_try_again]; see `retry_after`
  pool_closed = 13,    ///< the pool hands out nothing any more
  shut_down = 14,      ///< the manager is shutting down or has shut down
  survivors = 15,      ///< a shutdown came to its limit with somebody still running
  bad_argument = 16,   ///< a value that makes no sense here [invalid_argument]
  start_failed = 17,   ///< a factory could not make its actor or resource
  gave_up = 18,        ///< a supervisor restarted too often in too short a time
  actor_exited = 19,   ///< an actor ended where an answer or its further life was expected
  no_such_name = 20,   ///< nothing of this name and type is there
  too_many_children = 21, ///< the scope has as many children as it may have
  child_is_running = 22,  ///< what was asked for can be had of a stopped child only
  child_is_busy = 23,     ///< the child is just being started, stopped or restarted; ask again later
  channel_closed = 24,    ///< the channel takes nothing any more, and what was in it has been received
};

/// The category of `errc`; its name is "muster". It lives for ever, also while static objects are being destroyed.
[[nodiscard]] const std::error_category& muster_category() noexcept;
/// What makes `std::error_code{errc::cancelled}` work.
[[nodiscard]] std::error_code make_error_code(errc code) noexcept;

} // namespace muster

/// @cond specialisations
template <>
struct std::is_error_code_enum<muster::errc> : std::true_type {};
/// @endcond

namespace muster {

class error;
/// What everything that can fail returns.
template <class T>
using result = std::expected<T, error>;

namespace detail {
struct MUSTER_INSIDE error_node;
struct MUSTER_INSIDE error_access;
} // namespace detail

/// One failure: a code, a message, where it arose, what caused it, what came after it, and the exception it was.
///
/// Each originating failure has an identity, kept by copies, by wrapping and by every `with_…`; see `same_origin`.
/// Copies cost one atomic increment and never throw; constructors and `with_…` throw only std::bad_alloc. A moved-from
/// error is harmless: every function works, its code is `errc::bad_argument`.
class error {
public:
  /// A new failure. `code` passes unchanged and should not be zero. An empty message stands for the code's own.
  error(std::error_code code, std::string message = {});
  /// The same from any error-code enum (`errc`, the user's own).
  template <class Enum>
  requires std::is_error_code_enum_v<Enum> error(Enum code, std::string message = {})
      : error{std::error_code{code}, std::move(message)} {}
  /// The same from a POSIX condition, taken as the code of the generic category.
  error(std::errc code, std::string message = {}) : error{std::make_error_code(code), std::move(message)} {}
  /// Wraps: says in `message` what was being done when `cause` happened. The code is that of the cause, the identity
  /// too; the path is empty (the task that this error ends is filled in by the task).
  error(error cause, std::string message);

  /// @{
  /// One atomic increment, or none; the failure and its identity are the same.
  error(const error& other) noexcept;
  error(error&& other) noexcept : node_{std::exchange(other.node_, nullptr)} {}
  error& operator=(const error& other) noexcept;
  error& operator=(error&& other) noexcept;
  /// @}
  ~error();

  /// What went wrong, for programs.
  [[nodiscard]] const std::error_code& code() const noexcept;
  /// What went wrong, for people; may be empty. Without path, code or causes.
  [[nodiscard]] const std::string& message() const noexcept;
  /// Path of the task or scope in which it arose ("site/checkout/charge"); empty if it arose in none.
  [[nodiscard]] const std::string& path() const noexcept;
  /// The failure that led to this one, or null. Valid as long as this error or a copy of it lives, as is all below.
  [[nodiscard]] const error* cause() const noexcept;
  /// The failures that came after this one in the same scope, in order.
  [[nodiscard]] std::span<const error> later() const noexcept;
  /// The exception it was thrown as, or null.
  [[nodiscard]] const std::exception_ptr& exception() const noexcept;

  /// True if this error or one of its causes has exactly this code. `later()` is not looked at.
  [[nodiscard]] bool is(const std::error_code& code) const noexcept;
  /// True if the code of this error or of one of its causes is equivalent to `condition` (`std::errc::timed_out`).
  [[nodiscard]] bool is(const std::error_condition& condition) const noexcept;
  /// The exception of type E, or derived from it, that this error or the nearest of its causes was thrown as; null if
  /// there is none. The object is the original; it lives as long as this error or a copy of it. `later()` is not
  /// looked at. Looks by rethrowing, which takes microseconds for each cause that was an exception.
  template <class E>
  [[nodiscard]] const E* as() const;

  /// This error with another path.
  [[nodiscard]] error with_path(std::string path) const;
  /// This error with another cause in place of the one it has.
  [[nodiscard]] error with_cause(error cause) const;
  /// This error with `more` after the later errors it has already. Linear in the number of all of them.
  [[nodiscard]] error with_later(std::vector<error> more) const;
  /// This error with another exception to be found by `as`.
  [[nodiscard]] error with_exception(std::exception_ptr exception) const;
  /// This error with the advice to try again when `d` has passed since it arose; see `retry_after`.
  [[nodiscard]] error with_retry_after(std::chrono::nanoseconds d) const;

  /// The exception as an error, the path being that of the task it escaped from: the message is `what()`; the code is
  /// `errc::exception`, or that of a std::system_error. A `cancelled_error` and a std::bad_expected_access<error> give
  /// that very error (with `path` only if it has none), a std::bad_expected_access<std::error_code> that code. An
  /// exception nested by std::throw_with_nested is the cause, and its identity that of the whole. Never throws: without
  /// memory it gives an error that says so (not_enough_memory; all of those are one failure).
  [[nodiscard]] static error from_exception(std::exception_ptr thrown, std::string path = {}) noexcept;

private:
  friend struct detail::error_access;
  explicit error(const detail::error_node* owned) noexcept : node_{owned} {}
  [[nodiscard]] const detail::error_node& node() const noexcept;

  const detail::error_node* node_; // null: moved from
};

/// How long to wait, from when it arose, before trying again, as said by this error or the nearest of its causes that
/// says so; nothing if none does.
[[nodiscard]] std::optional<std::chrono::nanoseconds> retry_after(const error& e) noexcept;

/// True if both are the same originating failure, however often either was copied, wrapped or completed.
[[nodiscard]] bool same_origin(const error& a, const error& b) noexcept;
/// True if the originating failure of `part` is that of `whole`, of one of its causes or later errors, or of theirs.
/// Linear in the number of distinct errors in `whole`. May throw std::bad_alloc.
[[nodiscard]] bool mentions(const error& whole, const error& part);

/// The error as a tree for people, root first, in several lines without a newline at the end:
///
///     site/checkout/charge: charging card [generic:104, Connection reset by peer]
///       caused by: read failed [generic:104, Connection reset by peer]
///       and then: site/checkout/inventory: deadline of 3s passed [muster:2, timed out]
///
/// At most 64 levels deep and 1,000 errors long; what is left out is counted and the count is shown.
[[nodiscard]] std::string to_string(const error& e);
/// The error in one line: path, message, then the messages of its causes (at most 16; the rest is counted), the code,
/// the number of later errors. Line breaks inside messages become spaces.
[[nodiscard]] std::string to_line(const error& e);

/// Thrown by `throw_if_cancelled()`. A task that it escapes from ends with the error it carries.
class cancelled_error : public std::exception {
public:
  /// Of the error that a task which it escapes from ends with.
  explicit cancelled_error(muster::error why) noexcept : error_{std::move(why)} {}
  /// Why, and where.
  [[nodiscard]] const muster::error& error() const noexcept { return error_; }
  /// The error's message, or "cancelled" if it has none.
  [[nodiscard]] const char* what() const noexcept override;

private:
  muster::error error_;
};

namespace detail {
/// True for the first call for this originating failure, whichever of its copies and wraps is given; false ever after.
[[nodiscard]] bool claim_report(const error& e) noexcept;
/// The identity itself, as a key for sets. Unique among errors that live; may be used again when all of them are gone.
[[nodiscard]] const void* origin_of(const error& e) noexcept;
/// `mentions` for the identity of the part.
[[nodiscard]] bool mentions_origin(const error& whole, const void* part);
} // namespace detail

template <class E>
const E* error::as() const {
  for (const error* e = this; e != nullptr; e = e->cause())
    if (e->exception())
      try {
        std::rethrow_exception(e->exception());
      } catch (const E& found) {
        return &found; // rethrowing copies nothing in the Itanium C++ ABI: this is the object that exception() keeps
      } catch (...) {}
  return nullptr;
}

} // namespace muster

MUSTER_API_END
