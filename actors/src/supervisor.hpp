/// What a manager and a scope have in common: a place in the tree, one decision machine, cancellation, joining, ending.
///
/// Owner: the handle, the supervisor above (until this one has ended), and those who are below. Threads: public
/// functions from any thread, `on_…` and the private steps in its turn (see control_actor). Lock order: a supervisor's
/// lock before that of one below it, before the locks of lanes, timers and parking. Invariants: `cancelled` is set in
/// the same locked step that turns newcomers away; what follows for those below is carried out by this actor's own
/// turn; the end is reported upwards only after everything below has reported.
#pragma once

#include "actor_ref.hpp"
#include "control_actor.hpp"
#include "function_ref.hpp"
#include "intrusive_list.hpp"
#include "mutex.hpp"
#include "path.hpp"
#include "scope_machine.hpp"

#include <muster/options.hpp>
#include <muster/stats.hpp>
#include <muster/tree.hpp>

#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace muster {

class manager_actor;
class owned_actor;
class supervisor;

/// Where a supervisor hangs, and what it hands down.
struct supervisor_seed {
  std::shared_ptr<runtime::engine> engine{};
  std::string name;
  actor_ref<supervisor> above{};        ///< null: a root
  detail::ref<task_actor> owner{};      ///< the task in whose body it was opened; null: none
  bool shielded = false;              ///< the owner's cancellation does not reach it
  bool apart = false;                 ///< what is above stops it in its turn, as something that it owns
  failure_policy policy = isolate;
  duration timeout = no_timeout;
  duration grace = std::chrono::seconds{1};
  duration release_timeout = std::chrono::seconds{1};
  context_values values{};
  std::shared_ptr<const progress_hook> progress{};
  child_hook on_child{};
  std::stop_token parent{};
};

struct nested_link : list_link {};

class supervisor : public control_actor, public nested_link, private runtime::timer {
public:
  ~supervisor() override;

  [[nodiscard]] node_kind kind() const noexcept { return kind_; }
  [[nodiscard]] const std::string& label() const noexcept { return path_.name(); }
  [[nodiscard]] const path_ref& place() const noexcept { return path_; }
  [[nodiscard]] std::string path() const { return path_.text(); }
  /// The earliest of its own and all above.
  [[nodiscard]] time_point deadline() const noexcept { return deadline_; }
  /// The same without those above by which it is stopped in its turn only: when it is asked to stop at the latest.
  [[nodiscard]] time_point kept_deadline() const noexcept { return kept_deadline_; }
  [[nodiscard]] duration grace() const noexcept { return grace_; }
  [[nodiscard]] duration release_timeout() const noexcept { return release_timeout_; }
  /// For those who are below and live, so that this one has not ended.
  [[nodiscard]] const context_values& values() const noexcept { return values_; }
  [[nodiscard]] const std::shared_ptr<const progress_hook>& progress() const noexcept { return progress_; }
  /// What a new supervisor below this one inherits.
  [[nodiscard]] supervisor_seed seed_below(std::string name);
  [[nodiscard]] supervisor* above() const noexcept { return above_.get(); }
  [[nodiscard]] task_actor* owner() const noexcept { return owner_.get(); }
  /// The manager at or above this supervisor.
  [[nodiscard]] virtual manager_actor& foreman() noexcept = 0;

  /// Makes the first reason the reason; true if this was it. On return newcomers are turned away.
  /// `cause`: the event that led to it; 0: the last one in the life of this supervisor.
  bool cancel(cancel_reason reason, std::uint64_t cause = 0);
  /// This one or one above it has been asked to stop.
  [[nodiscard]] bool cancelled() const noexcept;
  /// Why, if `cancelled()`.
  [[nodiscard]] cancel_reason reason_in_force() const;
  /// The event by which it was, for the trace; 0 if there is none.
  [[nodiscard]] std::uint64_t event_in_force() const noexcept;
  /// What caused its present state, for the trace.
  [[nodiscard]] std::uint64_t last_event() const noexcept { return last_event_.load(std::memory_order_relaxed); }
  /// True if its verdict, as far as it is known by now, is an error.
  [[nodiscard]] bool flawed() const {
    std::lock_guard guard{mutex_};
    return machine_.flawed();
  }
  /// A cancellation further up may still be on its way down: takes it over now. To be called before anything whose
  /// result depends on whether this supervisor had been cancelled. Without the lock.
  void notice_cancellation() {
    if (!cancelled_here() && cancelled())
      cancel(reason_in_force(), event_in_force());
  }
  /// Lets those at or above this one time out whose moment has come, though their timers have not said so yet.
  void expire_above(time_point now) noexcept;
  void close();
  /// The supervisor above wants to end.
  void drain();
  [[nodiscard]] bool ended() const noexcept { return ended_.load(std::memory_order_acquire); }
  [[nodiscard]] std::stop_token stop_token();

  /// Blocks until the end or `until`: nothing and the verdict in `result()`, or why the wait did not come to that.
  [[nodiscard]] std::optional<error> join(time_point until);
  /// The part of joining that comes before the wait, for one who does not block. When the end follows, whoever sleeps
  /// at `ended_address()` is woken.
  void begin_join();
  /// A waiter goes away without having seen the end: what was begun for it is called off.
  void give_up_waiting();
  /// What is unparked at the end.
  [[nodiscard]] const void* ended_address() const noexcept { return &ended_; }
  /// Tells the log hook who holds its end up.
  void say_who_is_left();
  /// For destructors: blocks until the end whatever it takes, and says through the log who is waited for.
  void join_for_ever() noexcept;
  /// The verdict; constant once `ended()`. Put together when it is asked for: the path of a deep scope is long.
  [[nodiscard]] std::optional<error> verdict() const;
  /// What went wrong here, its own cancellation aside.
  struct flaws_found {
    std::vector<error> all;
    bool failed = false; ///< it is a failure by itself; else it is only to be listed behind one
  };
  [[nodiscard]] flaws_found flaws() const;

  /// Of this supervisor and all that was ever below it.
  [[nodiscard]] statistics stats() const;
  /// The same, and the last time that anything is counted here.
  [[nodiscard]] statistics hand_up() noexcept;
  /// A task was turned away: counted here, or above once this supervisor has handed its numbers up.
  void count_refused() noexcept;
  /// Where messages are counted that did not reach a child of this supervisor.
  [[nodiscard]] std::atomic<std::uint64_t>& refused_messages() noexcept { return refused_messages_; }
  /// Who is still there below, at most `most` of them: tasks by their paths, and with a word about them actors,
  /// resources that are being released, and hooks that have not returned.
  [[nodiscard]] std::vector<std::string> survivors(std::size_t most);

  // -- what it owns: stopped in reverse order of start, one at a time, after everything that runs here has ended
  // --------

  /// Hands over something that has to be stopped at the end. False: too late, the caller keeps it.
  [[nodiscard]] bool adopt(actor_ref<owned_actor> what);
  /// From what it owns, in a turn of that or on a service worker: it has been stopped.
  void owned_ended(owned_actor& which, const std::optional<error>& failure, bool released);
  void owned_overdue(owned_actor& which, const error& report);
  /// It has come to its end without having been stopped. False: it is just being stopped, and `owned_ended` must
  /// follow.
  [[nodiscard]] bool owned_left(owned_actor& which);

  /// One member for a tree: its node, and supervisors that hang below it.
  struct member {
    tree_node node;
    std::vector<actor_ref<supervisor>> nested;
    actor_ref<supervisor> self{}; ///< the supervisor that this member is, if it is one
  };
  struct picture {
    tree_node node;
    std::vector<member> members;
    std::vector<actor_ref<supervisor>> nested;
  };
  [[nodiscard]] picture look() const;

protected:
  static constexpr std::uint32_t propagate_flag = 1;
  static constexpr std::uint32_t advance_flag = 2;

  supervisor(node_kind kind, supervisor_seed seed);
  /// Takes its place below the one above, arms the deadline, listens to the token. To be called once, when constructed.
  void enter();

  // Called with the lock held.
  static constexpr std::size_t asked_in_a_step = 16; ///< so many are asked while the lock is held
  virtual bool ask_members(std::size_t& budget, const cancel_reason& reason) noexcept = 0; ///< true: not all yet
  virtual void ask_daemons() noexcept = 0;
  virtual void each_task(runtime::function_ref<void(task_actor&)> f) = 0;
  virtual void draw(picture& into, time_point now) const = 0;
  /// Something is under way here of which the result depends: the end waits for it, however few are left.
  [[nodiscard]] virtual bool unsettled() const noexcept { return false; }
  /// Somebody who counts no more has not yet gone altogether: whoever it is signals when all have.
  [[nodiscard]] virtual bool somebody_leaves() noexcept { return false; }
  /// Somebody is yet to be told of something: the end waits for that, and nothing else does.
  [[nodiscard]] virtual bool untold() const noexcept { return false; }
  virtual void about_overdue(owned_actor&, const error&) {}
  void draw_owned(picture& into, time_point now) const;
  void each_apart(runtime::function_ref<void(supervisor&)> f) const; ///< supervisors among what it owns
  void list(actor_ref<owned_actor> what);
  void forget(owned_actor& which, actor_ref<owned_actor>& last);
  // Called without it.
  virtual void at_end() noexcept {}

  void on_signal(std::uint32_t flags) noexcept override;
  void on_exit(const caf::exit_msg& exit) noexcept override;
  /// `cancel` for callers that hold the lock: true if it was the first; then `after_cancel` must be called without it.
  bool cancel_locked(cancel_reason reason, std::uint64_t cause = 0);
  void after_cancel();
  /// Only the first counts: it is the cause of a bad end.
  void note_flaw(std::uint64_t event) noexcept {
    std::uint64_t none = 0;
    flaw_event_.compare_exchange_strong(none, event);
  }
  /// Whether an event may have brought the end nearer, so that `advance` must look.
  [[nodiscard]] bool attentive() const noexcept;
  /// Arms the timer of this supervisor: `on_due` follows, unless it has ended by then.
  void set_alarm(time_point at) {
    std::lock_guard guard{mutex_};
    if (!ended())
      engine().due().arm(*this, at);
  }
  [[nodiscard]] bool cancelled_here() const noexcept { return cancelled_.load(std::memory_order_acquire); }

  std::list<actor_ref<owned_actor>> owned_;    ///< in the order of their start
  std::list<actor_ref<owned_actor>> overdue_; ///< actors whose stop has taken too long: the others' goes on meanwhile
  bool releasing_ = false;                     ///< the last of `owned_` is being stopped
  std::atomic<std::uint64_t> refused_messages_ = 0;
  statistics own_;    ///< of this supervisor's own members, but for what `crowd_` counts
  statistics folded_; ///< of those nested ones that have ended
  std::atomic<std::uint64_t> last_event_ = 0; ///< what caused its present state, for the trace
  recorder::living living_ = 0;               ///< constant between `enter` and the end
  std::atomic<std::uint64_t> flaw_event_ = 0; ///< the first event that made its verdict an error
  const time_point created_;

private:
  friend class task_actor;
  friend class scope_actor;
  /// `who` is ending: takes it off the list and adds up its numbers. True if it was on the list.
  [[nodiscard]] bool unlist(supervisor& who) noexcept;
  /// And has ended: it no longer counts.
  void nested_left(supervisor& who) noexcept;
  void fold(const statistics& sum) noexcept;
  void propagate() noexcept;
  void advance() noexcept;
  void release_next() noexcept;
  /// For the trace, which tells who was waited for, and who never: by one who need not wait for it any more.
  void tell_joined(std::string_view by);
  void finish(std::unique_lock<runtime::mutex> lock) noexcept;

  void on_due(time_point now) noexcept override;
  void retain() noexcept override { runtime::retain_actor(*this); }
  void release() noexcept override { runtime::release_actor(*this); }

  const node_kind kind_;
  const path_ref path_;
  actor_ref<supervisor> above_;
  const detail::ref<task_actor> owner_;
  const bool shielded_;
  const bool apart_;
  const duration timeout_;
  const time_point own_deadline_; ///< of its own timeout, if that comes before those above; else `never`
  const time_point kept_deadline_;
  const time_point deadline_;
  const duration grace_;
  const duration release_timeout_;
  context_values values_;
  std::shared_ptr<const progress_hook> progress_;
  std::stop_token outside_;

  std::atomic<bool> cancelled_ = false;
  mutable std::atomic<std::uint64_t> calm_as_of_ = 0; ///< engine::stops_asked() when it was found not to be cancelled
  std::atomic<bool> ended_ = false;
  bool entered_ = false;        ///< `enter` is done
  bool drained_nested_ = false; ///< the nested ones have been told to end when they are idle
  bool newborn_ = false;        ///< but for one that came later
  bool handed_up_ = false;
  intrusive_list<supervisor, nested_link> nested_;       ///< not told of a cancellation
  intrusive_list<supervisor, nested_link> nested_asked_; ///< told
  std::optional<std::stop_source> stop_source_;
  struct outside_call {
    supervisor* who;
    void operator()() const;
  };
  std::optional<std::stop_callback<outside_call>> outside_callback_;

protected:
  // What the start and the end of every task write lies together and comes last, before what scope_actor has of the
  // kind: these lines go back and forth between the threads that start and those that end.
  /// The numbers of `statistics` that change with every task.
  struct crowd {
    std::uint64_t live = 0;
    std::uint64_t started = 0;
    std::uint64_t completed = 0;
    duration wall_time{};
    duration cpu_time{};
  } crowd_;
  mutable runtime::mutex mutex_;
  scope_machine machine_;
  /// All that this supervisor counts of its own members. With the lock held.
  [[nodiscard]] statistics own_numbers() const noexcept;
};

/// Adds up.
statistics& operator+=(statistics& sum, const statistics& more) noexcept;

} // namespace muster
