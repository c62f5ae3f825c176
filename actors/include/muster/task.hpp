/// Handles of tasks.
///
/// Owner: the user; a handle keeps the task's outcome (and nothing else of it) alive, also after scope and manager are
/// gone. Threads: a task may be asked from any thread; one handle object belongs to one thread at a time, copies are
/// cheap. Discarding a handle is fine: the task belongs to its scope.
#pragma once

#include <muster/api.hpp>
#include <muster/clock.hpp>
#include <muster/dependencies.hpp>
#include <muster/detail/job.hpp>
#include <muster/outcome.hpp>

#include <string>

MUSTER_API_BEGIN

namespace muster {

/// Where a task is in its life.
enum class task_state : std::uint8_t {
  waiting, ///< for the tasks it comes after
  held,    ///< by its scope's `max_parallel`
  ready,   ///< for a worker
  running,
  ending,  ///< its body is over (or will never run); its outcome is about to count
  ended,
};
/// "waiting", "held", "ready", "running", "ending" or "ended".
[[nodiscard]] std::string_view to_string(task_state state) noexcept;

/// What can be done with a task of any value type. Every function but `valid` asserts on an empty handle.
class task_handle {
public:
  /// False only for a default-constructed or moved-from handle.
  [[nodiscard]] bool valid() const noexcept { return static_cast<bool>(ref_); }
  /// The last part of its path.
  [[nodiscard]] const std::string& name() const;
  /// "manager/scope/…/task".
  [[nodiscard]] std::string path() const;
  /// Where it is at this moment.
  [[nodiscard]] task_state state() const noexcept;
  /// True once the outcome counts. Never blocks.
  [[nodiscard]] bool ready() const noexcept;
  /// How it ended, whatever the value's type; null while it has not.
  [[nodiscard]] const outcome_base* peek() const noexcept;
  /// Blocks until the task has ended, or until `d` has passed: then errc::not_ready, and nothing else has happened.
  /// From the task's own body, for one that this body runs under, or for one that waits for this body:
  /// errc::would_deadlock.
  [[nodiscard]] result<void> wait_for(duration d) const;
  /// Asks the task to stop (kind `user`, with `text`). Fails nobody else: only the tasks that come after it are
  /// skipped. On return it will never start if it had not; idempotent; no effect on an ended task. Never blocks.
  void cancel(std::string text = {}) const;

protected:
  /// @cond library
  task_handle() = default;
  explicit task_handle(detail::ref<task_actor> ref) noexcept : ref_(std::move(ref)) {}
  [[nodiscard]] detail::job& job() const;
  /// Blocks until the end; null, or why it may not wait.
  [[nodiscard]] std::optional<error> join() const;

  detail::ref<task_actor> ref_;
  /// @endcond

private:
  friend class dependencies;
  friend struct handle_access;
};

/// A handle of a task whose body gives a `T` (or nothing: `void`).
template <class T>
class task : public task_handle {
public:
  /// In a coroutine `co_await` does what `get` does elsewhere: see muster/async_context.hpp.
  using muster_awaitable = void;
  /// Of no task.
  task() = default;

  /// Blocks until the task has ended and shows how; the outcome stays valid while any handle lives. Does not mark an
  /// error as handled. That the caller is asked to stop meanwhile does not end the wait. Called from the task's own
  /// body, or from one that runs under it, it does not block but gives an outcome that failed with errc::would_deadlock
  /// and names the path; likewise when the task waits, itself or through others, for the caller's own task (valid until
  /// the next such call on this thread); likewise errc::no_threads if nothing could run while this thread waits.
  [[nodiscard]] const outcome<T>& get() const& {
    if (auto refused = join())
      return outcome_access::refusal<T>(std::move(*refused));
    return outcome_of();
  }
  /// The same, and moves the outcome out: other handles of this task then see a moved-from value.
  [[nodiscard]] outcome<T> get() && {
    if (auto refused = join())
      return std::move(outcome_access::refusal<T>(std::move(*refused)));
    return std::move(outcome_of());
  }

private:
  friend struct handle_access;
  explicit task(detail::ref<task_actor> ref) noexcept : task_handle(std::move(ref)) {}

  outcome<T>& outcome_of() const { return static_cast<detail::typed_job<T>&>(job()).result(); }
};

/// How the library and `muster/caf.hpp` make handles and look into them.
struct handle_access {
  template <class T>
  static task<T> make(detail::ref<task_actor> ref) noexcept {
    return task<T>{std::move(ref)};
  }
  static const detail::ref<task_actor>& ref(const task_handle& handle) noexcept { return handle.ref_; }
  static detail::job& job(const task_handle& handle) { return handle.job(); }
};

} // namespace muster

MUSTER_API_END
