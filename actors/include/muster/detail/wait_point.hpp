/// What a coroutine body waits for at this moment, and the thread-free course of such a body: the base of everything
/// that can be awaited there.
///
/// Owner: a wait point lives in the frame of the coroutine that awaits it, the course in the task. Threads: both belong
/// to the worker that runs the body; `waker` may be used by any. How a wait goes: `begin` on the body's worker; `ready`
/// there, and again whenever somebody has woken the task, which may be for nothing; in between the task holds no
/// thread. Invariant: a wake is never lost: one that comes while the body is still on its way to sleep makes it look
/// again.
#pragma once

#include <muster/api.hpp>
#include <muster/cancel.hpp>
#include <muster/clock.hpp>
#include <muster/detail/ref.hpp>
#include <muster/error.hpp>

#include <concepts>
#include <coroutine>
#include <cstdint>
#include <string>

MUSTER_API_BEGIN

namespace muster {
class async_context;
class context;
class MUSTER_INSIDE suspension;
template <class T>
class coro;
} // namespace muster

namespace muster::detail {

class wait_point;

/// Where a coroutine body is. There is no recursion in it, however many coroutines await each other: whoever is to go
/// on is noted here, and a loop in the task resumes it.
struct course {
  std::coroutine_handle<> next{};  ///< to be resumed now
  wait_point* waiting = nullptr;   ///< what the innermost coroutine waits for
  async_context* ctx = nullptr;    ///< of the task, or of the innermost shield that it is in
};

/// The part of a promise that does not depend on the coroutine's value.
class coro_promise_base {
public:
  [[nodiscard]] detail::course& course() const noexcept { return *course_; }

protected:
  coro_promise_base() = default;
  detail::course* course_ = nullptr; ///< set when it is started
};

/// Wakes a suspended task, from any thread and at any time, also when the wait is long over: then it does nothing.
class waker {
public:
  waker() = default;
  explicit waker(task_actor* task) noexcept : task_(ref<task_actor>::share(task)) {}
  void wake() const noexcept;

private:
  ref<task_actor> task_;
};

/// Something that a coroutine body can wait for. Derived classes say what, and give the value of the await in
/// `await_resume()`. Movable until it is awaited; it may be stored in a variable first; it is awaited once.
class wait_point {
public:
  [[nodiscard]] static constexpr bool await_ready() noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> frame) {
    static_assert(
        std::derived_from<Promise, coro_promise_base>,
        "this can be awaited in the body of a task (or in a coroutine that it awaits), which returns muster::coro: "
        "coroutines of other types are resumed by somebody else and know no task");
    attach(frame, frame.promise().course());
  }

protected:
  /// How the wait ended. `cancelled`: the task was asked to stop; `why()` says why.
  enum class ending : std::uint8_t { none, done, timed_out, cancelled, would_deadlock };
  /// What takes the body off its worker.
  enum class manner : std::uint8_t {
    wait,     ///< it waits
    again,    ///< it goes to the end of the queue
    blocking, ///< it goes on as one that blocks, to run `call` first
  };

  /// For an await that belongs to no context: it is cancelled with the innermost shield, or the task.
  wait_point() = default;
  /// `ctx` must be that of the task that awaits.
  explicit wait_point(async_context& ctx) noexcept : ctx_(&ctx) {}
  wait_point(const wait_point&) = default; // for moving what has not been awaited; nothing refers to it by then
  wait_point& operator=(const wait_point&) = default;
  ~wait_point() = default;

  // -- said by derived classes; on the body's worker, without locks, unless it says otherwise

  /// Once, before anything else. May throw: then the await does.
  virtual void begin() {}
  /// Whether what it waits for is there.
  [[nodiscard]] virtual bool ready() noexcept = 0;
  /// For `tree()`; any thread, with the scope's lock held: of what is constant while it waits.
  [[nodiscard]] virtual std::string what() const = 0;
  /// Woken by `unpark_all` on this address too, if it is not null.
  [[nodiscard]] virtual const void* address() const noexcept { return nullptr; }
  /// The task that it waits for, if it is one: a circle of such waits is found. Any thread, as `what`.
  [[nodiscard]] virtual task_actor* awaited_task() const noexcept { return nullptr; }
  /// What the trace calls it, if it is a task or a scope.
  [[nodiscard]] virtual std::uint64_t awaited_id() const noexcept { return 0; }
  /// It is there, and has not ended well: a failure that the body makes of it has its cause there.
  [[nodiscard]] virtual bool ended_badly() const noexcept { return false; }
  /// The task has been asked to stop. True: the wait is over with that (`ending::cancelled`). False: it goes on until
  /// it is ready, which this has hastened; it is not called again. Never called for one that ignores a cancellation.
  [[nodiscard]] virtual bool call_off() noexcept { return true; }
  /// For `manner::blocking`: with a context whose waits block, valid for the call.
  virtual void call(context&) {}

  // -- for derived classes

  [[nodiscard]] ending ended() const noexcept { return ending_; }
  void ends_with(ending how) noexcept { ending_ = how; } ///< in `begin`: the wait is over before it has begun
  void goes(manner how) noexcept { manner_ = how; }
  void wait_until(time_point t) noexcept { until_ = t; }
  void ignore_cancellation() noexcept { follows_ = false; }
  /// The trace gets this wait from somebody who knows more about it.
  void records_itself() noexcept { recorded_ = recording::elsewhere; }
  /// The trace gets this wait also if it is over before it has begun.
  void is_always_recorded() noexcept { recorded_ = recording::always; }
  /// The body gives its `max_parallel` permit back meanwhile.
  void lend_permit() noexcept { lends_ = true; }
  [[nodiscard]] task_actor& task() const noexcept; ///< from `begin` on; with a context from the start
  [[nodiscard]] scope_actor* shield() const noexcept; ///< whose cancellation counts instead of the task's; or null
  /// The task (or the innermost shield) has been asked to stop.
  [[nodiscard]] bool asked() const noexcept;
  /// For whoever is to wake it.
  [[nodiscard]] waker make_waker() const noexcept { return waker{&task()}; }
  [[nodiscard]] cancel_reason why_asked() const;
  /// Why it was cancelled (or timed out with the task), as an error at the task's path.
  [[nodiscard]] error why() const;

private:
  friend class muster::suspension;
  enum class recording : std::uint8_t { elsewhere, if_it_waits, always };
  void attach(std::coroutine_handle<> frame, course& of);

  std::coroutine_handle<> frame_{};
  async_context* ctx_ = nullptr;
  time_point until_ = never;
  ending ending_ = ending::none;
  manner manner_ = manner::wait;
  bool follows_ = true;
  bool lends_ = false;
  recording recorded_ = recording::if_it_waits;
};

} // namespace muster::detail

MUSTER_API_END
