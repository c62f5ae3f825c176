/// The place of a long-running child in its scope: an application's CAF actor, or a supervisor below, through all of
/// its incarnations. It carries out what its incarnation_machine decides.
///
/// Owner: the scope's stack of what it has to stop. Threads: `begin`, `halt` from any thread; mail from any thread; the
/// factory on a service worker; everything else on this actor's own turn, which is a control thread's, or that of the
/// worker on which the factory has ended, or of the thread on which an incarnation ends or an actor has its turn that
/// told this one (see control_loop::run_or_post). Invariants: those of incarnation_machine.hpp; the scope hears of each
/// incarnation what the machine answers, in that order; once it is being stopped for good (`owned_actor::stop`),
/// `stopped` is the last.
#pragma once

#include "child_mail.hpp"
#include "child_progress.hpp"
#include "incarnation_machine.hpp"
#include "owned_actor.hpp"

#include <muster/child.hpp>

#include <caf/actor.hpp>

#include <functional>
#include <mutex>

namespace caf {
class actor_system;
}

namespace muster {

class scope_actor;
class scope;

/// How an incarnation says that it is up, or will not be, when its factory alone does not mean so.
struct start_state {
  actor_ref<class actor_child> child;
  std::uint64_t incarnation = 0;
  void report(std::optional<error> failure) const;
};

class actor_child final : public owned_actor {
public:
  /// What a factory has made.
  struct launched {
    caf::actor actor{};
    std::optional<error> failure{};
    std::shared_ptr<muster::scope> below{}; ///< if it is a supervisor
  };
  using launcher = std::function<launched(caf::actor_system&, const std::shared_ptr<start_state>&)>;

  /// `reports`: an incarnation is up when it says so, not when it has been made.
  actor_child(scope_actor& scope, child_options&& options, launcher how, bool reports);

  [[nodiscard]] const child_options& options() const noexcept { return options_; }
  [[nodiscard]] std::uint64_t key() const noexcept { return id(); }
  [[nodiscard]] child_progress& progress() noexcept { return progress_; }
  [[nodiscard]] child_mail& mail() noexcept { return mail_; }

  /// Starts incarnation `which`. The last one has ended.
  void begin(std::uint64_t which);
  /// Stops incarnation `which`, if it is still the present one.
  void halt(std::uint64_t which);
  /// The scope has been cancelled: nothing is begun any more, a start that is under way is called off, and whoever
  /// waits for one, or for an end, is told. What is up is stopped in its turn.
  void scope_cancelled();
  /// The supervisor that the incarnation being made will be, so that it can be cancelled while it is set up.
  void forms(actor_ref<supervisor> below);
  /// Bounces what its mail has kept in vain. Under no lock.
  void send_back();
  /// It will never be begun again, and has left its scope: lets go of what is the user's.
  void finish() noexcept;

  [[nodiscard]] std::optional<error> last_failure() const;
  /// Whether this thread runs its factory, or what its present incarnation has below: then it never sees it end.
  [[nodiscard]] bool runs_this_thread() const;

  /// Guarded by the scope: whether it holds the scope open.
  bool counted = false;
  bool known = false; ///< to the restart machine
  /// For the trace: the event by which the present incarnation came up.
  void came_up_by(std::uint64_t event) noexcept { last_event_ = event; }

  [[nodiscard]] tree_node draw(time_point now) const override;
  [[nodiscard]] actor_ref<supervisor> as_supervisor() const override;
  [[nodiscard]] std::string presence() const override;

private:
  friend struct start_state;

  static constexpr std::uint32_t begin_flag = 1;
  static constexpr std::uint32_t halt_flag = 2;
  static constexpr std::uint32_t end_flag = 4;
  static constexpr std::uint32_t launched_flag = 8;
  static constexpr std::uint32_t report_flag = 16;
  static constexpr std::uint32_t due_flag = 32;
  static constexpr std::uint32_t overdue_flag = 64;
  static constexpr std::uint32_t cancelled_flag = 128;
  static constexpr std::uint32_t forming_flag = 256;

  void begin_stop() noexcept override { signal(end_flag); }
  void overdue() noexcept override { signal(overdue_flag); }
  [[nodiscard]] std::string held_up_by() const override;
  void on_signal(std::uint32_t flags) noexcept override;
  void on_down(const caf::down_msg& down) noexcept override;
  void on_mail(caf::mailbox_element_ptr what, runtime::mail_host* host) noexcept override;
  [[nodiscard]] scope_actor& home() const noexcept;

  void launch(std::uint64_t which) noexcept;
  void take_launched(time_point now) noexcept;
  void carry_out() noexcept;
  void carry_out(const incarnation_machine::command& c) noexcept;
  void is_up(std::uint64_t which) noexcept;
  void ask_to_stop() noexcept;
  void is_late(std::uint64_t which) noexcept;
  void is_unresponsive() noexcept;
  void has_not_started(const incarnation_machine::command& c) noexcept;
  void is_gone(const incarnation_machine::command& c) noexcept;
  void cancel_forming(incarnation_machine::obstacle why) noexcept;
  [[nodiscard]] error reason_for(incarnation_machine::obstacle why) const;
  void show(const char* how);

  /// Of the start and the stop of an incarnation.
  class alarm final : public runtime::timer {
  public:
    explicit alarm(actor_child& of) noexcept : child_(of) {}

  private:
    void on_due(time_point) noexcept override { child_.signal(due_flag); }
    void retain() noexcept override { runtime::retain_actor(child_); }
    void release() noexcept override { runtime::release_actor(child_); }
    actor_child& child_;
  };

  const child_options options_;
  child_progress progress_{*this};
  child_mail mail_;
  alarm alarm_{*this};

  // Its own turn:
  incarnation_machine machine_;
  time_point alarm_at_ = never; ///< what the alarm is set for
  caf::actor actor_;
  std::optional<error> factory_failure_; ///< of the present incarnation, as the next three
  std::optional<error> word_;            ///< that it will not be up
  std::optional<error> lateness_;        ///< what was told when its start was late
  std::optional<error> ended_as_;

  /// What others put down for its turn, and what they may see. A leaf.
  mutable std::mutex desk_;
  launcher how_;
  std::uint64_t wanted_ = 0;
  std::uint64_t halt_which_ = 0;
  actor_ref<supervisor> forming_; ///< a supervisor that is being set up
  std::optional<launched> launched_;
  std::uint64_t reporting_ = 0; ///< the incarnation that has reported
  std::optional<error> report_;
  std::shared_ptr<muster::scope> below_;
  time_point up_since_{};
  std::string shown_ = "starting";
  bool there_ = false;   ///< an incarnation is, or is being made
  bool making_ = false;  ///< its factory has not returned
  std::optional<error> last_failure_;
  std::uint64_t ups_ = 0; ///< incarnations that came up
};

} // namespace muster
