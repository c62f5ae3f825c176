/// What becomes of the incarnations of one child, without doing any of it: made, up, asked to stop, gone; what is too
/// late and what is called off. Pure: no lock, no clock, no actor; tested without threads.
///
///     down ──begin──▶ making ──made──▶ starting ──ready──▶ up ──gone──▶ down
///                       │ │               │                 │
///                       │ │               └── too late, failed, told to stop ──▶ stopping ──gone──▶ down
///                       │ └───────────────── made, and no longer wanted ───────────▶
///                       └── not made ──▶ down
///
/// Owner: an actor_child, on whose turn it is told what happened, and which carries out what `next` answers.
/// Invariants: there is at most one incarnation at a time; each that was begun is answered by exactly one of
/// `not_begun`,
/// `not_started` and, after `up`, `gone`; an actor is asked to stop at most once; nothing is made after `cancel` or
/// `end`;
/// `left` is the last command.
#pragma once

#include <muster/clock.hpp>

#include <cstdint>
#include <deque>
#include <optional>

namespace muster {

class incarnation_machine {
public:
  using number = std::uint64_t; ///< 1, 2, 3 …
  enum class state : std::uint8_t { down, making, starting, up, stopping };
  /// Why an incarnation has not started: the first that came in its way.
  enum class obstacle : std::uint8_t {
    none,
    not_made,     ///< the factory failed
    born_dead,    ///< it gave an actor that had ended already
    ended,        ///< it ended before it was up
    said_so,      ///< it said that it would not be
    too_late,     ///< it was not up in the time given for its start
    told_to_stop, ///< before it was up
    cancelled,    ///< its scope was
    over,         ///< its scope ends
  };
  struct command {
    enum class kind : std::uint8_t {
      make,         ///< call the factory
      call_off,     ///< ask what is being made to come to its end: it is no longer wanted
      up,           ///< it is
      late,         ///< its start has failed for `why`, though its factory has not returned; `not_started` follows then
      stop,         ///< ask the actor to stop; what comes for it from now on is not for this one
      kill,         ///< it has not stopped in time
      unresponsive, ///< say so: of an actor that does not stop, or, while `making`, of a factory that does not return
      not_begun,    ///< it was too late to begin
      not_started,  ///< it is gone, or never was, without having been up; for `why`
      gone,         ///< it was up; `asked`: and had been told to stop
      left,         ///< the child is down for good
    };
    kind what{};
    number which = 0;
    obstacle why = obstacle::none;
    bool asked = false;
    bool late = false; ///< `not_started`: `late` has said so already
    friend bool operator==(const command&, const command&) = default;
  };
  /// `reports`: an incarnation is up when it says so, not when it has been made.
  struct limits {
    duration start = duration::max(); ///< from `begin` until it is up
    duration stop = duration::max();  ///< from being told to stop; of `end` the owner keeps the time
    bool reports = false;
  };

  explicit incarnation_machine(limits of) noexcept : limits_(of) {}

  // -- what is asked of it -----------------------------------------------------------------------------------------

  void begin(number which, time_point now);
  /// Ignored if another incarnation is present.
  void halt(number which, time_point now);
  /// The scope was cancelled: what is up goes on until its turn comes.
  void cancel(time_point now);
  /// The child's turn to stop for good has come.
  void end();
  /// The owner's time for that is over.
  void overdue();

  // -- what happens ------------------------------------------------------------------------------------------------

  /// The factory has returned, with an actor.
  void made(bool dead, time_point now);
  /// The factory has failed; `called_off`: since the scope was cancelled.
  void not_made(bool called_off);
  /// What is being made can be asked to come to its end only from here on.
  void can_be_called_off();
  /// An incarnation's word about itself. The first counts, and it may come before `made`.
  void said(number which, bool ready, time_point now);
  /// The actor has ended.
  void gone();
  /// To be called at `due`; earlier calls do nothing.
  void tick(time_point now);

  // -- what follows ------------------------------------------------------------------------------------------------

  /// What is to be done now. To be asked after every event until there is nothing.
  [[nodiscard]] std::optional<command> next();
  /// When `tick` will have something to say; `never`: at no time.
  [[nodiscard]] time_point due() const noexcept { return due_; }
  [[nodiscard]] state at() const noexcept { return state_; }
  [[nodiscard]] number present() const noexcept { return which_; }
  /// Why the present incarnation will not start.
  [[nodiscard]] obstacle why_not() const noexcept { return why_; }
  /// It was told to end for good.
  [[nodiscard]] bool ending() const noexcept { return ending_; }

private:
  void say(command::kind what);
  void blocked_by(obstacle why) noexcept;
  void ask_to_stop(time_point now);
  void call_off(time_point now);
  void is_up();
  void has_not_started();
  void is_down();

  const limits limits_;
  state state_ = state::down;
  obstacle why_ = obstacle::none;
  number which_ = 0;
  number spoke_ = 0;       ///< the last that has given its word
  bool said_ready_ = true; ///< which was that
  bool late_ = false;      ///< it was said that the present one is
  bool accused_ = false;   ///< and that its factory does not return
  bool cancelled_ = false;
  bool ending_ = false;
  time_point due_ = never;
  std::deque<command> told_;
};

} // namespace muster
