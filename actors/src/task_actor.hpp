/// A task: a one-shot worker actor, linked to its scope, in one allocation with its body and the place for its outcome.
///
/// Owner: counted; the scope holds one reference until the task has ended, the lane one while it is queued, handles the
/// rest. Threads: see task_word.hpp for who may do what when. Fields without a comment are constant after `start`;
/// those "guarded" are under the scope's lock. Invariants: exactly one thread settles the outcome; the callable is
/// destroyed before the outcome counts; the outcome counts before the scope takes the task off its list.
#pragma once

#include "actor_ref.hpp"
#include "holding.hpp"
#include "intrusive_list.hpp"
#include "lane.hpp"
#include "supervisor.hpp"
#include "task_word.hpp"

#include <muster/context.hpp>
#include <muster/detail/job.hpp>

#include <atomic>
#include <memory>
#include <new>
#include <source_location>
#include <span>
#include <string>
#include <vector>

namespace muster {

class scope_actor;
class suspension;
struct wait_note;
enum class waited : std::uint8_t;

namespace detail {
class callback_entry;
}

struct member_link : list_link {};

class task_actor final : public runtime::light_actor,
                         public runtime::lane_item,
                         public member_link,
                         private runtime::timer {
public:
  task_actor(actor_ref<scope_actor> scope, task_options&& options, const detail::job_maker& maker);
  ~task_actor() override;

  /// Makes a task with the count of one that its scope will hold. May throw what building the body throws.
  [[nodiscard]] static task_actor* make(actor_ref<scope_actor> scope, task_options&& options,
                                        const detail::job_maker& maker);

  // -- any thread ---------------------------------------------------------------------------------------------------

  [[nodiscard]] const std::string& label() const noexcept { return name_; }
  [[nodiscard]] std::string path() const;
  [[nodiscard]] task_state state() const noexcept { return word_.state(); }
  [[nodiscard]] bool ended() const noexcept { return word_.state() == task_state::ended; }
  [[nodiscard]] bool asked() const noexcept { return word_.asked(); }
  /// The same, and a cancellation that is still on its way down: then it has been asked on return.
  [[nodiscard]] bool asked_or_about_to_be();
  [[nodiscard]] scope_actor& scope() const noexcept { return *scope_; }
  [[nodiscard]] detail::job& job() const noexcept { return *job_; }
  /// The earliest of its own and all above.
  [[nodiscard]] time_point deadline() const noexcept;
  /// The same as far as it is kept; see supervisor::kept_deadline.
  [[nodiscard]] time_point kept_deadline() const noexcept { return deadline_.load(std::memory_order_acquire); }
  [[nodiscard]] bool daemon() const noexcept { return daemon_; }
  [[nodiscard]] cancel_reason reason() const;
  /// The sequence of the last event of its life, as a cause for others.
  [[nodiscard]] std::uint64_t last_event() const noexcept { return last_event_.load(std::memory_order_relaxed); }

  /// Announces that somebody sleeps at `end_address()`, and says where it is as of that announcement.
  [[nodiscard]] task_state watch() noexcept { return word_.watch(); }
  [[nodiscard]] const void* end_address() const noexcept { return &word_; }
  /// Blocks until the outcome counts (or `until`); nothing, or why it did not.
  [[nodiscard]] std::optional<error> join(time_point until);
  /// The task that its body waits for at this moment, if it does.
  [[nodiscard]] actor_ref<task_actor> waits_for() const;
  /// The part that only a coroutine has; else null.
  [[nodiscard]] suspension* suspended_part() const noexcept { return suspension_; }
  /// Makes it look at what it waits for, if it is a coroutine.
  void wake_suspended() noexcept;
  /// Asks it to stop for a reason of its own.
  /// `cause`: the event that led to it; 0: the last one of the calling body.
  void cancel(std::string text, std::uint64_t cause = 0);

  /// The actor, for CAF's world: if it has ended, everybody who links to it or monitors it hears how from now on.
  [[nodiscard]] caf::actor shown_to_caf();

  /// Called when the last reference goes: true if it is destroyed elsewhere, a moment later.
  [[nodiscard]] bool postpone_destruction() noexcept;

  // -- the body's thread ----------------------------------------------------------------------------------------------

  /// Takes note of where the body is.
  void checked_in(const std::source_location& where) noexcept;
  /// It has seen that it was asked to stop.
  void observed() noexcept;
  void note(std::string text);
  void progress(std::uint64_t done, std::uint64_t total);
  /// The body enters or leaves a wait of ours.
  void enter_wait(wait_note& note);
  void leave_wait(wait_note& note, std::uint64_t failed) noexcept; ///< `failed`: see extras::failed_wait; 0: it did not
  void lend_permit() noexcept;
  void reclaim_permit();
  /// Parks the body until it is asked to stop (or `shield` is), or `until`.
  void sleep(time_point until, supervisor* shield);
  /// The same for a wait for something else, which says `done`; whoever makes it so calls `wake`.
  /// `lends_permit`: the body gives its `max_parallel` permit back meanwhile. `recorded`: the wait goes to the trace.
  waited sleep_until_done(std::string what, time_point until, supervisor* shield, runtime::function_ref<bool()> done,
                          bool lends_permit = false, bool recorded = true);
  void wake(supervisor* shield) noexcept;
  /// What such a wait is parked on, for one that must wake it when the task may be gone already.
  [[nodiscard]] const void* wake_address(supervisor* shield) const noexcept;
  /// Lists something that the task has to give back by its end; if it does not, `what` hears of it (see holding.hpp).
  void hold(holding& what);
  /// Any thread: on return `what` hears nothing any more. True: it has heard nothing so far.
  bool let_go(holding& what) noexcept;
  [[nodiscard]] std::shared_ptr<detail::callback_entry> on_cancel(std::move_only_function<void()> fn,
                                                                  supervisor* shield);
  void forget(const detail::callback_entry& entry) noexcept;
  [[nodiscard]] std::stop_token stop_token();
  /// The dependency of this name.
  [[nodiscard]] task_actor* dependency(std::string_view name) const noexcept;

private:
  friend class scope_actor;
  friend class supervisor;
  friend class suspension;

  /// Rarely needed things; made on first use, guarded.
  struct extras {
    std::vector<std::shared_ptr<detail::callback_entry>> callbacks;
    std::optional<std::stop_source> stop_source;
    std::string note;
    std::uint64_t done = 0;
    std::uint64_t total = 0;
    bool progress_posted = false;
    wait_note* waiting = nullptr;
    std::uint64_t failed_wait = 0; ///< the event that ended its last wait for something that did not end well
    intrusive_list<supervisor, nested_link> nested; ///< scopes opened in its body
  };
  extras& more();

  // Before the start.
  /// For one that its scope does not take: settles it on this thread.
  void refuse(const cancel_reason& reason) noexcept;
  /// From the thread that executes, without locks. `now`: the moment of its making.
  void await(time_point now);
  void dependency_ended(task_actor& which, bool cancelled_before);
  /// True if it is now skipped, and its own dependants have to be.
  [[nodiscard]] bool skip(task_actor& because, bool cancelled_before);
  /// Takes the dependants off their list, which is closed from now on.
  template <class F>
  void each_dependent(F f);

  // A worker, once.
  void run_on_lane() noexcept override;
  [[nodiscard]] bool begin() noexcept;
  void run_body() noexcept;
  /// The body has ended, the last of it having run from `since` on; before that it used `cpu`.
  void settle_run(time_point since, duration cpu) noexcept;
  void discard() noexcept;
  /// Returns what the body said if it had been asked to stop and then failed in its own way.
  std::optional<error> settle_ended_body(bool asked, bool late);
  void settle_unstarted();
  struct run_facts {
    bool ran = false;
    time_point at{}; ///< when it was over
    duration wall{};
    duration cpu{};
  };
  void conclude(std::optional<error> said, run_facts run) noexcept;
  /// Tells those who are linked to it or monitor it how it ended, if there can be any.
  void announce_outcome() noexcept;
  void tell_caf() noexcept;
  /// Lets go of the run's reference, and tells the scope so.
  void leave() noexcept;
  void join_leaked_scopes() noexcept;
  /// Cancels the scopes that the body left open. With a reference to each of them.
  [[nodiscard]] std::vector<actor_ref<supervisor>> cancel_open_scopes() noexcept;
  // For `suspension`:
  context* make_context() noexcept { return ::new (static_cast<void*>(context_)) context(*this, nullptr); }
  [[nodiscard]] context& the_context() noexcept { return *std::launder(reinterpret_cast<context*>(context_)); }
  void started_on_this_thread() noexcept;
  void resumed_on_this_thread() noexcept;
  void left_this_thread() noexcept;
  [[nodiscard]] duration cpu_since(time_point began) const noexcept;
  /// A wait that `tree()` need not show.
  void enter_quick_wait() noexcept { in_waits_.fetch_add(1, std::memory_order_relaxed); }
  void leave_quick_wait() noexcept;
  void say_what_is_open() noexcept;
  /// Its time, or that of a scope above, is up.
  void expire(time_point now) noexcept;

  // With the scope's lock held.
  /// Records the reason, if it is the first. Before the start the task is sent to be settled without running; a running
  /// body is woken, with all that it opened, and has its grace period from now.
  /// `cause`: the event that led to it; 0: the last one of its own life if `personal`, else of its scope's.
  void ask(const cancel_reason& reason, bool personal, std::uint64_t cause = 0) noexcept;
  /// The same, but for what the caller has to do, for one or for many.
  struct asked_one {
    bool runs = false;     ///< it has to be seen to that it answers in its grace period
    bool to_queue = false; ///< it slept, and goes to the workers
  };
  [[nodiscard]] asked_one ask_only(const cancel_reason& reason, bool personal, std::uint64_t cause) noexcept;
  [[nodiscard]] asked_one wake_asked() noexcept;
  void arm(time_point due) noexcept;
  /// It has been asked: accuses it if it is late; else gives the moment at which to look again. `never`: no more.
  [[nodiscard]] time_point look_for_answer(time_point now);
  /// Sends a task that was claimed in the phase `before` to a worker that settles it.
  void settle_elsewhere(task_state before) noexcept;

  /// Shows in the trace that it is in this state, without the lock where there is only one that could say so.
  void came_to(task_state state) noexcept;

  void on_mail(caf::mailbox_element_ptr mail, runtime::mail_host* host) noexcept override;
  void on_link(const caf::abstract_actor& other, bool made) noexcept override;
  void on_due(time_point now) noexcept override;
  void retain() noexcept override { runtime::retain_actor(*this); }
  void release() noexcept override { runtime::release_actor(*this); }

  task_word word_;
  std::atomic<std::uint32_t> dependencies_left_ = 1;
  const actor_ref<scope_actor> scope_;
  const std::string name_;
  const duration timeout_;
  const duration grace_;
  const bool daemon_;
  bool has_permit_ = false;    ///< guarded
  bool personal_ = false;      ///< guarded until `ending`: it alone was asked, by its own timeout or task::cancel
  bool doomed_ = false;        ///< by whoever dropped the last reference
  bool leaving_ = false;       ///< by whoever ended it: its scope waits until it has gone
  bool last_ = false;          ///< the same: then its scope may be over
  bool accused_ = false;       ///< guarded: reported as unresponsive
  bool timed_ = false;         ///< guarded: its timer has been armed
  std::atomic<bool> began_ = false;
  /// Whether CAF's world knows it, which few tasks ever come to. What has ended unseen has told CAF nothing.
  enum class fame : std::uint8_t { unseen, shown, ended_unseen };
  std::atomic<fame> fame_ = fame::unseen;
  std::atomic<bool> observed_ = false;
  /// `await`, and the life up to the end, refer to the tasks in `edges_`; the last of them lets go of those.
  std::atomic<int> edges_in_use_ = 2;
  std::optional<error> ended_with_; ///< for CAF's world, when the outcome has been moved away; as of its end
  detail::job* job_ = nullptr;
  suspension* suspension_ = nullptr; ///< behind the job, if that is a coroutine
  cancel_reason reason_;       ///< guarded; why it was asked
  std::unique_ptr<extras> extras_; ///< guarded
  std::unique_ptr<holdings> holdings_; ///< made on the body's thread, when there is something to hold
  /// A task that this one comes after, and this one's entry among those that come after that task.
  struct edge {
    detail::ref<task_actor> which;
    task_actor* dependent = nullptr; ///< counted while the entry is on the list
    edge* next = nullptr;

    /// In place of a list: the task has ended, nobody can be added.
    static edge* closed() noexcept {
      static edge mark;
      return &mark;
    }
  };
  std::span<edge> edges_; ///< in the task's one allocation; empty: it comes after nobody
  void let_go_of_edges() noexcept;
  std::atomic<edge*> dependents_ = nullptr; ///< a stack, closed by a mark when the task has ended
  std::atomic<time_point> deadline_{never};
  std::atomic<time_point> started_{time_point{}};
  std::atomic<std::int64_t> thread_ = 0;
  std::atomic<time_point> free_since_{time_point{}}; ///< when it was asked, or last left a wait of ours after that
  std::atomic<std::uint32_t> in_waits_ = 0;
  std::atomic<std::uint32_t> open_scopes_ = 0; ///< in nested_, for a look without the lock
  std::atomic<const char*> checked_in_file_ = nullptr;
  std::atomic<std::uint32_t> checked_in_line_ = 0;
  std::atomic<std::uint64_t> last_event_ = 0;
  recorder::living_task seen_; ///< by whoever takes the next step of its life
  alignas(context) unsigned char context_[sizeof(context)];
};

} // namespace muster
