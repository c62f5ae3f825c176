/// A scope: the supervisor of tasks, resources and actors.
///
/// Owner, threads, lock order: as in supervisor.hpp. What it adds: the index of its tasks (constant time to add and to
/// remove, whatever their number), the permits of `max_parallel`, and the stack of what must be stopped in reverse order.
/// Invariants: a task is on one of the two lists from its start to its end; a held task has no permit; at most one of the
/// owned is being stopped at any moment.
#pragma once

#include "owned_actor.hpp"
#include "ready_queue.hpp"
#include "supervisor.hpp"
#include "task_actor.hpp"

#include <muster/plan.hpp>

#include <thread>

namespace muster {

class scope_actor final : public supervisor {
public:
  [[nodiscard]] static actor_ref<scope_actor> make(supervisor_seed seed, std::size_t max_parallel);
  scope_actor(supervisor_seed seed, std::size_t max_parallel);

  [[nodiscard]] manager_actor& foreman() noexcept override;

  /// Starts a task; see scope::execute.
  [[nodiscard]] detail::ref<task_actor> spawn(task_options&& options, const detail::job_maker& maker);
  /// Hands over an application's actor, which may hold the scope open. Nothing, or why not.
  [[nodiscard]] std::optional<error> adopt_actor(actor_ref<owned_actor> what, bool daemon);
  /// Waits as scope::wait does, and gives the verdict.
  [[nodiscard]] std::optional<error> wait(time_point until);

  /// A body runs in this scope on its caller's thread; false: it must not.
  [[nodiscard]] bool enter_body();
  /// The body is over, having failed with `why`: cancels, joins, and gives the failures of both, the body's first.
  [[nodiscard]] std::optional<error> finish_body(std::optional<error> why);

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
  void lend_permit(task_actor& task) noexcept;
  void reclaim_permit(task_actor& task);
  /// For this scope or one above it being cancelled: asks `task`, which has not started.
  void turn_away(task_actor& task);

  // -- from what it owns, on a control thread -----------------------------------------------------------------------

  /// An application's actor that it owns has ended by itself.
  void actor_left(owned_actor& which, bool daemon, const std::optional<error>& failure);

private:
  friend class task_actor;

  bool ask_members(std::size_t& budget, const cancel_reason& reason) noexcept override;
  void ask_daemons() noexcept override;
  void each_task(runtime::function_ref<void(task_actor&)> f) override;
  void draw(picture& into, time_point now) const override;
  void on_exit(const caf::exit_msg& exit) noexcept override;

  [[nodiscard]] tree_node draw_task(task_actor& task, time_point now) const;
  /// True if this thread runs the scope's body, which now no longer holds the scope open.
  bool body_steps_out();
  void admit_locked(task_actor& task);
  void make_ready(task_actor& task) noexcept;
  [[nodiscard]] bool take_permit() noexcept;
  /// With the lock held: `task` has not answered in its grace period.
  void accuse(task_actor& task, time_point now);
  void free_permit() noexcept;
  void count(const task_actor& task, bool ran, duration wall, duration cpu) noexcept;

  const std::size_t max_parallel_; ///< 0: no limit
  // Guarded by the lock, all but the atomic.
  intrusive_list<task_actor, member_link> tasks_; ///< not told of a cancellation
  intrusive_list<task_actor, member_link> tasks_asked_;
  runtime::ready_queue held_;
  std::atomic<std::size_t> permits_free_;
  std::size_t reclaimers_ = 0;
  std::thread::id body_thread_; ///< that runs a body in this scope and holds it open; none if nobody does
};

} // namespace muster
