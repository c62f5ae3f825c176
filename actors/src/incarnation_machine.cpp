/// The decisions of incarnation_machine.hpp.
#include "incarnation_machine.hpp"

#include <utility>

namespace muster {

// -- what is asked of it ----------------------------------------------------------------------------------------------

void incarnation_machine::begin(number which, time_point now) {
  if (state_ != state::down)
    return;
  if (ending_ || cancelled_) {
    told_.push_back({.what = command::kind::not_begun, .which = which});
    return;
  }
  which_ = which;
  state_ = state::making;
  why_ = obstacle::none;
  late_ = accused_ = false;
  due_ = saturating_add(now, limits_.start);
  say(command::kind::make);
}

void incarnation_machine::halt(number which, time_point now) {
  if (which != which_)
    return; // it is about one that has gone by itself
  if (state_ == state::making || state_ == state::starting)
    blocked_by(obstacle::told_to_stop);
  if (state_ == state::making)
    call_off(now);
  else if (state_ == state::starting || state_ == state::up)
    ask_to_stop(now);
}

void incarnation_machine::cancel(time_point now) {
  if (std::exchange(cancelled_, true))
    return;
  if (state_ != state::making && state_ != state::starting)
    return;
  blocked_by(obstacle::cancelled);
  if (state_ == state::making)
    call_off(now);
  else
    ask_to_stop(now);
}

void incarnation_machine::end() {
  if (std::exchange(ending_, true))
    return;
  due_ = never;
  switch (state_) {
    case state::down:
      told_.push_back({.what = command::kind::left, .which = which_});
      return;
    case state::making:
      blocked_by(obstacle::over);
      say(command::kind::call_off);
      return;
    case state::starting:
      blocked_by(obstacle::over);
      ask_to_stop({});
      return;
    case state::up:
      ask_to_stop({});
      return;
    case state::stopping:
      return;
  }
}

void incarnation_machine::overdue() {
  if (state_ == state::stopping)
    say(command::kind::kill);
}

// -- what happens -----------------------------------------------------------------------------------------------------

void incarnation_machine::made(bool dead, time_point now) {
  if (state_ != state::making)
    return;
  state_ = state::starting;
  if (dead)
    blocked_by(obstacle::born_dead);
  const bool spoke = spoke_ == which_;
  if (spoke && !said_ready_)
    blocked_by(obstacle::said_so);
  if (why_ != obstacle::none)
    ask_to_stop(now);
  else if (spoke || !limits_.reports)
    is_up();
}

void incarnation_machine::not_made(bool called_off) {
  if (state_ != state::making)
    return;
  blocked_by(called_off ? obstacle::cancelled : obstacle::not_made);
  has_not_started();
}

void incarnation_machine::can_be_called_off() {
  if (state_ == state::making && why_ != obstacle::none)
    say(command::kind::call_off);
}

void incarnation_machine::said(number which, bool ready, time_point now) {
  if (which <= spoke_ || which < which_)
    return;
  spoke_ = which;
  said_ready_ = ready;
  if (which != which_ || state_ != state::starting)
    return;
  if (ready)
    return is_up();
  blocked_by(obstacle::said_so);
  ask_to_stop(now);
}

void incarnation_machine::gone() {
  switch (state_) {
    case state::down:
    case state::making:
      return;
    case state::starting:
      blocked_by(obstacle::ended);
      return has_not_started();
    case state::up:
      say(command::kind::gone);
      return is_down();
    case state::stopping:
      if (why_ != obstacle::none)
        return has_not_started();
      told_.push_back({.what = command::kind::gone, .which = which_, .asked = true});
      return is_down();
  }
}

void incarnation_machine::tick(time_point now) {
  if (now < due_ || due_ == never)
    return;
  due_ = never;
  switch (state_) {
    case state::down:
    case state::up:
      return;
    case state::making:
      // Asked in vain: that it comes to an end is all that is left to wait for.
      if (why_ != obstacle::none)
        return std::exchange(accused_, true) ? void() : say(command::kind::unresponsive);
      late_ = true;
      blocked_by(obstacle::too_late);
      call_off(now);
      return say(command::kind::late);
    case state::starting:
      blocked_by(obstacle::too_late);
      return ask_to_stop(now);
    case state::stopping:
      say(command::kind::unresponsive);
      return say(command::kind::kill);
  }
}

// -- what follows -----------------------------------------------------------------------------------------------------

std::optional<incarnation_machine::command> incarnation_machine::next() {
  if (told_.empty())
    return std::nullopt;
  const command c = told_.front();
  told_.pop_front();
  return c;
}

void incarnation_machine::say(command::kind what) { told_.push_back({.what = what, .which = which_, .why = why_}); }

void incarnation_machine::blocked_by(obstacle why) noexcept {
  if (why_ == obstacle::none)
    why_ = why;
}

void incarnation_machine::ask_to_stop(time_point now) {
  state_ = state::stopping;
  due_ = ending_ ? never : saturating_add(now, limits_.stop);
  say(command::kind::stop);
}

/// A factory cannot be stopped; the setting up of a supervisor can be asked to.
void incarnation_machine::call_off(time_point now) {
  // Of a cancelled scope the owner keeps the time, when it is this child's turn.
  due_ = ending_ || cancelled_ ? never : saturating_add(now, limits_.stop);
  say(command::kind::call_off);
}

void incarnation_machine::is_up() {
  state_ = state::up;
  due_ = never;
  say(command::kind::up);
}

void incarnation_machine::has_not_started() {
  told_.push_back({.what = command::kind::not_started, .which = which_, .why = why_, .late = late_});
  is_down();
}

void incarnation_machine::is_down() {
  state_ = state::down;
  why_ = obstacle::none;
  due_ = never;
  if (ending_)
    told_.push_back({.what = command::kind::left, .which = which_});
}

} // namespace muster
