/// A scope: the supervisor of tasks, resources and actors.
///
/// Owner, threads, lock order: as in supervisor.hpp. What it adds: the index of its tasks (constant time to add and to
/// remove, whatever their number), the permits of `max_parallel`, and the stack of what must be stopped in reverse
/// order. Invariants: a task is on one of the three lists from its start to its end; a held task has no permit; at most
/// one of the owned is being stopped at any moment.
#pragma once

#include "actor_child.hpp"
#include "owned_actor.hpp"
#include "ready_queue.hpp"
#include "supervisor.hpp"
#include "suspension.hpp"
#include "task_actor.hpp"

#include <muster/plan.hpp>

#include <thread>

namespace muster {

class scope_actor final : public supervisor {
public:
  [[nodiscard]] static actor_ref<scope_actor> make(supervisor_seed seed, std::size_t max_parallel);
  scope_actor(supervisor_seed seed, std::size_t max_parallel);
  ~scope_actor() override;

  [[nodiscard]] manager_actor& foreman() noexcept override;

  /// Starts a task; see scope::execute.
  [[nodiscard]] detail::ref<task_actor> spawn(task_options&& options, const detail::job_maker& maker);
  /// Takes in a child, starts it, and blocks until it is up; or why it is not.
  [[nodiscard]] result<actor_ref<actor_child>> start_child(child_options&& options, actor_child::launcher how,
                                                           bool reports);
  /// A supervisor as a child: a scope that `setup` fills, anew for each incarnation.
  [[nodiscard]] std::optional<error> supervise(child_options&& options, scope_options&& below,
                                               std::function<result<void>(scope&)> setup);
  /// For one that was given no name.
  [[nodiscard]] std::string next_child_name();
  /// Waits as scope::wait does, and gives the verdict.
  [[nodiscard]] std::optional<error> wait(time_point until);

  /// A body runs in this scope on its caller's thread; false: it must not.
  [[nodiscard]] bool enter_body();
  /// The same for a coroutine that runs in the task `of`.
  [[nodiscard]] bool enter_body(const task_actor& of);
  /// True if this thread, or the coroutine `of`, runs the scope's body, which now no longer holds the scope open.
  bool body_steps_out(const task_actor* of = nullptr);
  /// It holds it open again, unless it is being taken down.
  void body_returns(const task_actor* of = nullptr);
  /// The body is over, having failed with `why`: cancels, joins, and gives the failures of both, the body's first.
  [[nodiscard]] std::optional<error> finish_body(std::optional<error> why);
  // The two halves of it, for a coroutine, which joins in between.
  void fail_body(std::optional<error>& why);
  [[nodiscard]] error with_failures(error why) const;

  // -- from tasks ---------------------------------------------------------------------------------------------------

  /// Everything that `task` comes after has ended ok: makes it ready, or holds it, or turns it away.
  void admit(task_actor& task);
  struct verdict_on_failure {
    bool cancelled_before = false; ///< the scope had been cancelled already
    bool decides = false;          ///< the siblings are to be cancelled: `carry_out_failure` must follow
  };
  /// A child failed: decides, and turns newcomers away if the siblings are to be cancelled.
  [[nodiscard]] verdict_on_failure child_failed(task_actor& task, const error& what);
  /// Tells this actor by an exit message to cancel the siblings.
  void carry_out_failure(task_actor& task, const error& what);
  /// A child that had been asked to stop ended with an error of its own.
  void also_said(const error& what);
  /// The outcome of `task` counts from now on, and it leaves. Frees its permit.
  void child_ended(task_actor& task, duration wall, duration cpu, bool ran);
  /// The rest of it, once whoever ran the task has let go of it, so that its value is gone if nobody has a handle: the
  /// scope is not over before that. `last`: it looks whether it is now.
  void child_has_gone(bool last) noexcept;
  void lend_permit(task_actor& task) noexcept;
  void reclaim_permit(task_actor& task);
  /// The same for a coroutine, which is woken when it should ask again. True: it has the permit, or goes on without.
  [[nodiscard]] bool permit_is_back(task_actor& task, suspension& sleeper);
  /// For this scope or one above it being cancelled: asks `task`, which has not started.
  void turn_away(task_actor& task);

  // -- from what it owns, in a turn of that ---------------------------------------------------------------------------

  /// What became of an incarnation: it came up, it did not, it has gone by itself or as it was told to, it does not
  /// stop.
  void child_up(actor_child& child, std::uint64_t which);
  /// Its start has failed, and its factory has not returned; `child_not_started` follows when it has.
  void child_late(actor_child& child, std::uint64_t which, const error& why);
  struct start_failure {
    bool called_off = false; ///< that was asked for, and is nobody's failure
    bool said = false;       ///< `child_late` has come before
    bool for_good = false;   ///< the child's turn to stop for good had come
  };
  void child_not_started(actor_child& child, std::uint64_t which, const error& why, start_failure how);
  /// `asked`: it had been told to stop; `for_good`: so that it is over.
  void child_gone(actor_child& child, std::uint64_t which, const std::optional<error>& failure, bool asked,
                  bool for_good);
  /// `fails`: and that fails the scope; else nobody has to suffer for it but whoever started it, who knows.
  void child_unresponsive(actor_child& child, std::uint64_t which, const error& report, bool fails);
  /// What went wrong in an incarnation that had been told to stop. What is no failure by itself counts `at_end` only.
  void take_over(flaws_found what, bool at_end);

  // -- children by name, in a scope that restarts; any thread -------------------------------------------------------

  [[nodiscard]] std::optional<error> restart_child(std::string_view name);
  [[nodiscard]] std::optional<error> stop_child(std::string_view name);
  [[nodiscard]] std::optional<error> remove_child(std::string_view name);
  /// True if it starts children again.
  [[nodiscard]] bool restarts() const noexcept { return children_ != nullptr; }
  /// A supervisor that ends when nothing is left to run in it, though nobody waits for it.
  void end_when_idle();
  /// Looks again at what the restart policy says.
  void wake_children() noexcept;

private:
  friend class task_actor;
  friend class suspension;

  bool ask_members(std::size_t& budget, const cancel_reason& reason) noexcept override;
  void ask_daemons() noexcept override;
  void each_task(runtime::function_ref<void(task_actor&)> f) override;
  void draw(picture& into, time_point now) const override;
  void on_exit(const caf::exit_msg& exit) noexcept override;

  void on_signal(std::uint32_t flags) noexcept override;
  void at_end() noexcept override;
  [[nodiscard]] bool unsettled() const noexcept override;
  [[nodiscard]] bool somebody_leaves() noexcept override;
  [[nodiscard]] bool untold() const noexcept override;
  void about_overdue(owned_actor& which, const error& report) override;
  /// Carries out what the restart policy has decided.
  void drive_children() noexcept;
  /// On a cancel: starts that are under way are not waited for.
  void call_off_starts() noexcept;
  bool drive_child() noexcept;
  void give_up_on_children();
  [[nodiscard]] std::optional<error> adopt_child(actor_ref<actor_child> child);
  [[nodiscard]] std::optional<error> refuses(const actor_child& child) const;
  void not_known(actor_child& child, const std::optional<error>& failure);
  void deliver_news() noexcept;
  // With the lock held:
  /// After something has happened to the child: whether it holds the scope open, and whether its mail is kept (then
  /// `send_back` is to be called without the lock).
  void recount(actor_child& child);
  void drop_child(actor_child& child, actor_ref<owned_actor>& last);
  [[nodiscard]] actor_ref<actor_child> find_child(std::string_view name) const;
  /// Tells the hook, after all that it was told before.
  void tell(child_event what);
  void tell(const actor_child& child, child_transition what, std::uint64_t which, std::string text,
            bool for_good = false);
  /// Records a restart that was decided since `counted` of them were, or that it was one too many.
  void note_decision(const actor_child& child, std::uint64_t counted);
  /// Records the restarts that will not come though they had been decided.
  void note_abandoned(std::uint64_t cause);

  static constexpr std::uint32_t children_flag = 4;

  [[nodiscard]] tree_node draw_task(task_actor& task, time_point now) const;
  /// The present, as far as making this task ready needs it: for its timeout and for the trace.
  [[nodiscard]] time_point moment_for(const task_actor& task) const noexcept;
  /// Settles a task that the scope does not take in: for the reason for which it was cancelled, or else being over.
  void refuse(task_actor& task, cancel_reason why) noexcept;
  /// True if it is ready now, and has to be queued.
  [[nodiscard]] bool admit_locked(task_actor& task, time_point now);
  [[nodiscard]] bool make_ready(task_actor& task, time_point now) noexcept;
  /// Hands a task that was made ready at this moment to the workers, which best is done without the lock. One that is
  /// claimed before it gets there is sent where it is settled at once.
  void queue(task_actor& task, time_point now) noexcept;
  [[nodiscard]] bool take_permit() noexcept;
  // With the lock held:
  /// `task` has not answered in its grace period.
  void accuse(task_actor& task, time_point now);
  /// At this moment one that was asked may be late.
  void watch_for_answers(time_point due) noexcept;
  void free_permit() noexcept;
  /// Gives free permits to those who lent theirs, then to those who are held.
  void hand_out_permits() noexcept;
  void count(const task_actor& task, bool ran, duration wall, duration cpu) noexcept;

  /// One timer for all tasks that a cancellation of the scope has asked: when the first of them may be late.
  class answer_watch final : public runtime::timer {
  public:
    explicit answer_watch(scope_actor& of) noexcept : scope_(of) {}

  private:
    void on_due(time_point now) noexcept override;
    void retain() noexcept override { runtime::retain_actor(scope_); }
    void release() noexcept override { runtime::release_actor(scope_); }
    scope_actor& scope_;
  };

  // Guarded by the lock, all but the atomics and what is constant. The first of them belong to what supervisor.hpp has
  // at its end.
  intrusive_list<task_actor, member_link> tasks_; ///< not told of a cancellation
  static constexpr std::uint32_t leaving_awaited = 1;
  static constexpr std::uint32_t one_leaving = 2;
  /// Tasks that count no more and have not gone altogether; and whether the end waits for that.
  std::atomic<std::uint32_t> leaving_ = 0;
  const std::size_t max_parallel_; ///< 0: no limit
  std::atomic<std::size_t> permits_free_;
  std::size_t reclaimers_ = 0;                          ///< threads that wait for the permit they lent
  intrusive_list<suspension, reclaim_link> reclaiming_; ///< coroutines that do
  runtime::ready_queue held_;
  intrusive_list<task_actor, member_link> tasks_asked_;
  intrusive_list<task_actor, member_link> tasks_seen_; ///< the same, and the watch has looked at them in this round
  answer_watch watch_{*this};
  time_point watched_until_ = never; ///< what the watch is armed for
  time_point next_round_ = never;    ///< so far
  std::atomic<std::uint64_t> exit_sent_ = 0; ///< the event by which a child's failure was sent here
  bool starts_called_off_ = false;
  std::unique_ptr<struct child_supervision> children_; ///< of a scope that restarts; else null
  const task_actor* body_task_ = nullptr; ///< that runs a coroutine body in this scope
  std::thread::id body_thread_; ///< that runs a body in this scope and holds it open; none if nobody does
};

} // namespace muster
