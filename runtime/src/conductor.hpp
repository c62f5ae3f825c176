/// A simulation's conductor: of all the threads that work for it exactly one runs, the one that has the baton, and
/// whenever that one pauses, blocks or is done, the schedule draws who is next. When nobody can run, time jumps.
///
/// Owner: the simulated clock, which every engine of the simulation holds. Threads: the simulation's own thread and
/// strands, which are threads of the process lent to it. Everything said to be called "with the baton" is called by the
/// one that runs. Invariants: nobody pauses while holding a lock of ours, so none is ever contended; what happens
/// depends on the seed and on what the bodies do, on nothing else.
///
/// Why threads and not fibers: a body may be paused anywhere in code of ours, below any code of its own. Fibers on one
/// thread would share that thread's thread-local variables, its exceptions in flight and its idea of who holds a lock,
/// and every sanitizer and debugger would need to be told. A thread for each body that is paused needs nothing of the
/// kind; handing over costs a few microseconds (against 0.3), and work that begins anew runs on whichever thread is
/// free, so only coming back to a paused body costs that.
#pragma once

#include "function_ref.hpp"
#include "schedule.hpp"

#include <muster/clock.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace muster::runtime {

class conductor;
class simulated_lane;
struct strand;

/// Something that has steps to take: each `offer` is good for one `step`, at a time that the schedule draws.
class step_source {
public:
  /// With the baton, on a thread without locks, marks or anything else on its stack.
  virtual void step() noexcept = 0;

protected:
  ~step_source() = default;
};

/// Something that waits for moments of the simulated time.
class time_source {
public:
  [[nodiscard]] virtual std::optional<time_point> next_due() = 0;
  /// It is `now`: offers what is due. With the baton.
  virtual void time_came(time_point now) = 0;

protected:
  ~time_source() = default;
};

/// Somebody who waits without a thread, for the report of a simulation in which nobody can go on.
class quiet_waiter {
public:
  /// "who waits for what".
  [[nodiscard]] virtual std::string who_waits() const = 0;

protected:
  ~quiet_waiter() = default;

private:
  friend class conductor;
  quiet_waiter* next_quiet_ = nullptr;
  quiet_waiter* prev_quiet_ = nullptr;
};

struct conductor_options {
  schedule_options schedule;
  std::uint64_t max_steps = 1'000'000;
};

class conductor {
public:
  explicit conductor(const conductor_options& options);
  ~conductor();
  conductor(const conductor&) = delete;
  conductor& operator=(const conductor&) = delete;

  // ---- the simulation's own thread

  /// Makes the calling thread the simulation's own, with the baton. It must not be another simulation's already.
  void begin();
  /// The opposite, once nothing is left to run. The strands go back.
  void end() noexcept;
  /// Lets the others run until nothing is ready and nothing is due up to `until`, where time then stands.
  void rest(time_point until);
  /// Called when nobody can go on, with a report of who waits for what, so that they can be asked to stop. If they do
  /// not, their waits are called off; if some cannot be, it asserts.
  void on_stuck(std::function<void(const std::string& report)> hook) { stuck_hook_ = std::move(hook); }
  /// How it got stuck, if it did, and forgets it.
  [[nodiscard]] std::optional<std::string> take_report() noexcept {
    stage_ = 0;
    return std::exchange(report_, std::nullopt);
  }
  /// Whether the simulation's own thread is watched for real sleeping too, as strands always are.
  void watch(bool on) noexcept { watched_.store(on, std::memory_order_relaxed); }

  // ---- with the baton

  /// True on a thread of this simulation.
  [[nodiscard]] bool here() const noexcept;
  /// Asserts that it is, unless the simulation is over.
  void expect_here() const;
  void add(time_source& source);
  void remove(time_source& source) noexcept;
  void offer(step_source& source);
  /// Called on its own thread after each step of a strand: what a library keeps for a thread is taken off it.
  void after_each_step(void (*tidy)()) noexcept { tidy_ = tidy; }
  /// Blocks until `ready()`; `wake` on the address makes it ask again. False: the wait was called off, since nobody
  /// could have ended it. `what` says who waits for what.
  bool block(const void* address, function_ref<bool()> ready, function_ref<std::string()> what, bool gives_up);
  void wake(const void* address);
  /// `who` waits without a thread, until `heard_from`.
  void fell_quiet(quiet_waiter& who) noexcept;
  void heard_from(quiet_waiter& who) noexcept;
  std::uint64_t draw() noexcept { return schedule_.draw(); }
  [[nodiscard]] time_point now() const noexcept { return now_.load(std::memory_order_acquire); }
  [[nodiscard]] std::uint64_t steps() const noexcept { return schedule_.steps(); }

  // ---- what the calling thread is

  /// Its strand, or null on a thread of no simulation.
  [[nodiscard]] static strand* this_strand() noexcept { return here_; }
  /// A moment at which others may run; nothing on a thread of no simulation, or inside an `undivided`.
  static void pause_here(pause why) {
    if (here_ != nullptr) [[unlikely]]
      pause_strand(*here_, why);
  }
  /// A lock is about to be taken, a moment at which others may run; until it is given back the thread does not pause.
  static void about_to_lock() {
    if (here_ != nullptr) [[unlikely]]
      pause_before_lock(*here_);
  }
  static void has_unlocked() noexcept {
    if (here_ != nullptr) [[unlikely]]
      one_lock_less(*here_);
  }

  /// For the watch over real time, from its thread: who runs, and a number that changes with every step.
  [[nodiscard]] const strand* who_runs() const noexcept { return running_.load(std::memory_order_acquire); }
  [[nodiscard]] std::uint64_t stretch() const noexcept { return stretch_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool watched() const noexcept { return watched_.load(std::memory_order_relaxed); }

private:
  friend class undivided;

  /// Who is next: a strand that goes on, or a step that begins on a free one.
  struct choice {
    strand* who = nullptr;
    step_source* what = nullptr;
    std::uint64_t priority = 0;
  };

  static void pause_strand(strand& self, pause why);
  static void pause_before_lock(strand& self);
  static void one_lock_less(strand& self) noexcept;
  static void thread_main(strand& self) noexcept;
  void work(strand& self);
  [[nodiscard]] choice choose();
  [[nodiscard]] bool looks_in_vain() const noexcept;
  void jump(time_point to);
  [[nodiscard]] std::optional<time_point> next_due();
  void stuck(const std::string& why);
  [[nodiscard]] std::string who_waits() const;
  void make_ready(strand& s);
  /// Gives the baton away according to `next`, and returns when it is this strand's again.
  void yield_to(strand& self, choice next);
  void hand_over(choice next);
  void took_over(strand& self) noexcept;
  [[nodiscard]] strand& free_strand();

  schedule schedule_;
  const std::uint64_t max_steps_;
  std::uint64_t steps_limit_;
  std::uint64_t idle_looks_ = 0; ///< looks in a row, nothing else having happened
  std::atomic<time_point> now_;
  std::vector<time_source*> sources_;
  strand* waiting_first_ = nullptr; ///< all that block, in order
  strand* waiting_last_ = nullptr;
  quiet_waiter* quiet_first_ = nullptr; ///< all that wait without a thread, in order
  quiet_waiter* quiet_last_ = nullptr;
  std::vector<strand*> free_;
  std::unique_ptr<strand> own_;
  bool resting_ = false;
  time_point rest_until_{};
  unsigned stage_ = 0; ///< how often it got stuck without anything but the consequences of that happening
  std::function<void(const std::string&)> stuck_hook_;
  std::optional<std::string> report_;
  void (*tidy_)() = nullptr;

  std::atomic<std::uint64_t> stretch_{0};
  std::atomic<const strand*> running_{nullptr};
  std::atomic<bool> watched_{false};

  static constinit thread_local strand* here_;
};

/// While it lives, the calling thread is not made to pause: for stretches of code inside which somebody else's lock is
/// held, or that others wait for without us (a stop callback).
class undivided {
public:
  undivided() noexcept;
  ~undivided();
  undivided(const undivided&) = delete;
  undivided& operator=(const undivided&) = delete;

private:
  strand* self_;
};

} // namespace muster::runtime
