/// The part of a task that only a coroutine body needs: the loop that resumes it, its sleep and its ways to wake.
///
/// Owner: the task, in whose one allocation it lies. Threads: everything but `wake` and what is said to be under the
/// scope's lock belongs to the worker that runs the body. Invariants: while the word says `asleep` or `queued` the
/// run's reference to the task is nobody's, or the queue's; a body that sleeps is on exactly one wait, shown in
/// `tree()`; after
/// `go_on` has returned false nothing of the task may be touched.
#pragma once

#include "conductor.hpp"
#include "intrusive_list.hpp"
#include "parking.hpp"
#include "suspension_word.hpp"
#include "timers.hpp"

#include <muster/detail/wait_point.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace muster {

class task_actor;

struct reclaim_link : list_link {};

class suspension final : private runtime::timer,
                         private runtime::sleeper,
                         public reclaim_link {
public:
  explicit suspension(task_actor& of) noexcept : task_(of) {}

  /// True once the body has begun, so that whoever takes the task from the lane is to call `go_on`.
  [[nodiscard]] bool begun() const noexcept { return begun_; }
  [[nodiscard]] task_actor& task() const noexcept { return task_; }
  [[nodiscard]] bool asleep() const noexcept { return word_.now() == suspension_word::state::asleep; }
  /// A worker: begins or resumes the body and runs it until it sleeps (false), or until it is over, with all that it
  /// opened, and the task has been settled (true: the run's reference is the caller's).
  [[nodiscard]] bool go_on() noexcept;

  /// Any thread that has a reference: makes it look at what it waits for. Takes the lane's lock at most.
  void wake() noexcept;
  // The two halves of it. True: it slept, and `go` has to follow.
  [[nodiscard]] bool rouse() noexcept override { return word_.wake(); }
  void go() noexcept override;

  // -- with the scope's lock held

  /// What the body waits for, while it does.
  [[nodiscard]] bool shown() const noexcept { return shown_ || leaves_; }
  [[nodiscard]] std::string what() const {
    return shown_ ? shown_->what() : std::string{"the scopes that its body left open"};
  }
  [[nodiscard]] task_actor* awaited_task() const noexcept { return shown_ ? shown_->awaited_task() : nullptr; }
  [[nodiscard]] time_point since() const noexcept { return since_; }
  /// Its permit has come back: to be woken. It is on the list of those who wait for that no more.
  void permit_given() noexcept { wake(); }

  /// A place for an outcome of the awaiting task's own, given where an await of a task was refused.
  [[nodiscard]] std::shared_ptr<void>& refusal_of(const void* type);

private:
  using ending = detail::wait_point::ending;
  using manner = detail::wait_point::manner;
  enum class stage : std::uint8_t { none, waiting, reclaiming, again, blocking, joining };

  /// Resumes whoever is next until the body sleeps (false) or its last frame has ended (true).
  [[nodiscard]] bool run() noexcept;
  /// The wait at hand. True: it is over, go on.
  [[nodiscard]] bool wait_is_over() noexcept;
  void begin_wait(detail::wait_point& on) noexcept;
  [[nodiscard]] std::optional<ending> look(detail::wait_point& at) noexcept;
  [[nodiscard]] bool asked(const detail::wait_point& at) const noexcept;
  [[nodiscard]] bool permit_is_back() noexcept;
  void end_wait() noexcept;
  [[nodiscard]] std::uint64_t tell_began(const detail::wait_point& on) noexcept;
  /// The event, if what was waited for has not ended well; else 0.
  [[nodiscard]] std::uint64_t tell_ended(const detail::wait_point& on) noexcept;
  void note_bad_end(std::uint64_t event) noexcept;
  /// True: it sleeps now. Nothing of the task may be touched.
  [[nodiscard]] bool sleep() noexcept;
  void requeue() noexcept;
  /// Cancels and awaits the scopes that the body left open. True: none is left.
  [[nodiscard]] bool joined_leaked() noexcept;
  void begin_segment() noexcept;
  void end_segment() noexcept;

  void on_due(time_point) noexcept override { wake(); }
  void retain() noexcept override;
  void release() noexcept override;
  [[nodiscard]] std::string who_waits() const;
  [[nodiscard]] detail::course& course() const noexcept;
  struct rarely;
  [[nodiscard]] rarely& rare();

  task_actor& task_;
  suspension_word word_;
  stage stage_ = stage::none;
  bool begun_ = false;
  bool armed_ = false;
  bool called_off_ = false;
  bool blocking_before_ = false;
  bool quiet_ = false;                         ///< the conductor knows that it waits
  const detail::wait_point* shown_ = nullptr;  ///< guarded by the scope's lock
  time_point since_{};                         ///< likewise
  bool leaves_ = false;                        ///< likewise: the body is over, but for what it left open
  time_point segment_began_{};
  duration cpu_{};                             ///< of the segments so far
  std::uint64_t wait_event_ = 0;
  /// What few need: so a million suspensions are small.
  struct rarely final : runtime::quiet_waiter {
    explicit rarely(const suspension& s) noexcept : of(s) {}
    [[nodiscard]] std::string who_waits() const override { return of.who_waits(); }
    const suspension& of;
    std::vector<std::pair<const void*, std::shared_ptr<void>>> refusals; ///< by the type of the value
    std::vector<std::uint64_t> left; ///< for each scope that the body left open: the event that tells of the wait
  };
  std::unique_ptr<rarely> rare_;
};

} // namespace muster
