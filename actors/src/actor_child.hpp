/// The place of a long-running child in its scope: an application's CAF actor, or a supervisor below, through all of its
/// incarnations.
///
/// Owner: the scope's stack of what it has to stop. Threads: `begin`, `halt` from any thread; mail from any thread;
/// everything else on this actor's own turn on a control thread, the factory on a service worker. Invariants: there is at
/// most one incarnation at a time, and the next is begun only after the end of the last; for each that was begun the scope
/// hears exactly one of "has not started" and, after "is up", "is gone"; once it is being stopped for good
/// (`owned_actor::stop`), `stopped` alone.
///
///     down ──begin──▶ launching ──factory──▶ starting ──ready──▶ up ──▶ down
///                         └──────── fails, too late, halted ──▶ stopping ──▶ down
#pragma once

#include "owned_actor.hpp"

#include <muster/child.hpp>

#include <caf/actor.hpp>

#include <deque>
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

  /// Starts incarnation `which`. The last one has ended.
  void begin(std::uint64_t which);
  /// Stops incarnation `which`, if it is still the present one.
  void halt(std::uint64_t which);
  /// The scope has been cancelled: nothing is begun any more, a start that is under way is called off, and whoever waits
  /// for one, or for an end, is told. What is up is stopped in its turn.
  void scope_cancelled();
  /// The supervisor that the incarnation being made will be, so that it can be cancelled while it is set up.
  void forms(actor_ref<supervisor> below);

  /// The last incarnation of which it is known whether it came up.
  [[nodiscard]] std::uint64_t settled() const noexcept { return settled_.load(std::memory_order_acquire); }
  /// How often a start that was due was called off.
  [[nodiscard]] std::uint64_t called_off() const noexcept { return called_off_.load(std::memory_order_acquire); }
  /// Blocks until a later incarnation than `before` is up or has not started, none will be, or its start was called off
  /// (`called_off()` is no longer `off_before`). Nothing, or why not.
  [[nodiscard]] std::optional<error> await_start(std::uint64_t before, std::uint64_t off_before = 0);
  /// The start that was due will not be: whoever waits for it is told.
  void call_off();
  /// How many incarnations have come to an end, as the scope knows by now.
  [[nodiscard]] std::uint64_t ends() const noexcept { return ends_.load(std::memory_order_acquire); }
  /// A start has been decided: from here on it is not down. Under the scope's lock.
  void to_be_begun() noexcept { down_.store(false, std::memory_order_release); }
  /// Blocks until no incarnation is there, or one has ended since (`ends()` is no longer `ends_before`). False: the scope
  /// was cancelled before that.
  [[nodiscard]] bool await_down(std::uint64_t ends_before);
  /// Blocks until it has left its scope for good; false likewise.
  [[nodiscard]] bool await_gone();
  /// No incarnation will be begun any more: whoever waits for one is told.
  void no_more(const char* why);
  [[nodiscard]] std::optional<error> last_failure() const;
  /// The actor of the present incarnation, if it is up.
  [[nodiscard]] caf::actor present() const;
  /// What is sent to it while it is down waits for the next incarnation (else it is refused).
  void keep_mail(bool keep);
  [[nodiscard]] std::uint64_t take_refused() noexcept { return refused_.exchange(0); }

  /// Guarded by the scope: whether it holds the scope open.
  bool counted = false;
  bool known = false; ///< to the restart machine

  [[nodiscard]] tree_node draw(time_point now) const override;
  [[nodiscard]] actor_ref<supervisor> as_supervisor() const override;
  /// It will never be begun again, and has left its scope: lets go of what is the user's.
  void finish() noexcept;

private:
  friend struct start_state;

  static constexpr std::uint64_t for_good = ~std::uint64_t{0};
  static constexpr std::uint32_t begin_flag = 1;
  static constexpr std::uint32_t halt_flag = 2;
  static constexpr std::uint32_t end_flag = 4;
  static constexpr std::uint32_t launched_flag = 8;
  static constexpr std::uint32_t report_flag = 16;
  static constexpr std::uint32_t late_flag = 32;
  static constexpr std::uint32_t overdue_flag = 64;
  static constexpr std::uint32_t cancelled_flag = 128;

  enum class phase : std::uint8_t { down, launching, starting, up, stopping };

  void begin_stop() noexcept override { signal(end_flag); }
  void overdue() noexcept override { signal(overdue_flag); }
  void on_signal(std::uint32_t flags) noexcept override;
  void on_down(const caf::down_msg& down) noexcept override;
  void on_mail(caf::mailbox_element_ptr what, caf::execution_unit* host) noexcept override;
  [[nodiscard]] scope_actor& home() const noexcept;

  void launch() noexcept;
  void take_launched() noexcept;
  void take_report() noexcept;
  void start_next() noexcept;
  void stop_present(bool halted) noexcept;
  void call_off_start() noexcept;
  void too_late() noexcept;
  void is_up() noexcept;
  void has_not_started(error why) noexcept;
  void ask_to_stop() noexcept;
  void end_for_good() noexcept;
  void is_down() noexcept;
  void cancel_forming(const char* why) noexcept;
  void clear_alarm() noexcept;
  void set_alarm(duration d) noexcept;
  void route_to(caf::actor actor) noexcept;
  void settle(std::uint64_t which, std::optional<error> failure) noexcept;

  /// Of the start and the stop of an incarnation.
  class alarm final : public runtime::timer {
  public:
    explicit alarm(actor_child& of) noexcept : child_(of) {}

  private:
    void on_due(time_point) noexcept override { child_.signal(late_flag); }
    void retain() noexcept override { runtime::retain_actor(child_); }
    void release() noexcept override { runtime::release_actor(child_); }
    actor_child& child_;
  };

  const child_options options_;
  const bool reports_;
  alarm alarm_{*this};

  // Its own turn:
  phase phase_ = phase::down;
  std::uint64_t which_ = 0;
  std::optional<error> start_error_; ///< why the present incarnation, which is there still, has not started
  bool halted_ = false;              ///< to be stopped as soon as it has been made
  bool stopped_early_ = false;       ///< it has not started because it was told to stop
  time_point alarm_at_ = never;      ///< what the alarm is set for
  caf::actor actor_;

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
  std::optional<error> last_failure_;
  std::uint64_t ups_ = 0; ///< incarnations that came up
  std::optional<error> settled_error_;
  std::uint64_t came_up_ = 0; ///< the last incarnation that was up
  std::atomic<std::uint64_t> settled_ = 0; ///< the last incarnation of which it is known whether it came up
  std::atomic<std::uint64_t> called_off_ = 0;
  std::atomic<bool> cancelled_ = false; ///< the scope has been
  std::atomic<bool> down_ = true;
  std::atomic<std::uint64_t> ends_ = 0;

  /// Where mail goes. A leaf: nothing is called under it.
  mutable std::mutex route_;
  caf::actor target_;
  std::deque<caf::mailbox_element_ptr> held_;
  bool keeps_ = true;
  std::atomic<std::uint64_t> refused_ = 0;
};

} // namespace muster
