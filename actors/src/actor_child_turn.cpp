/// What a child does on its own turn: hears of its incarnations, and carries out what its machine decides about them.
#include "actor_child.hpp"

#include "duty.hpp"
#include "scope_actor.hpp"

#include <muster/scope.hpp>

namespace muster {

using obstacle = incarnation_machine::obstacle;
using state = incarnation_machine::state;

// -- what happens -----------------------------------------------------------------------------------------------------

void actor_child::on_signal(std::uint32_t flags) noexcept {
  const auto now = engine().now();
  if (flags & launched_flag)
    take_launched(now);
  if (flags & report_flag) {
    std::uint64_t who = 0;
    {
      const std::scoped_lock lock{desk_};
      who = reporting_;
      word_ = report_;
    }
    machine_.said(who, !word_, now);
  }
  if (flags & due_flag)
    machine_.tick(now);
  if (flags & overdue_flag)
    machine_.overdue();
  if (flags & (begin_flag | halt_flag)) {
    std::uint64_t wanted = 0;
    std::uint64_t unwanted = 0;
    {
      const std::scoped_lock lock{desk_};
      wanted = wanted_;
      unwanted = halt_which_;
    }
    if (flags & begin_flag)
      machine_.begin(wanted, now);
    if (flags & halt_flag)
      machine_.halt(unwanted, now);
  }
  if (flags & end_flag)
    machine_.end();
  if (flags & cancelled_flag)
    machine_.cancel(now);
  if (flags & forming_flag)
    machine_.can_be_called_off();
  carry_out();
}

void actor_child::launch(std::uint64_t which) noexcept {
  launched made;
  try {
    duty_mark mark{{.scope = &scope(), .child = this}};
    // Between the decision to start it and now the scope may have been cancelled.
    if (scope().cancelled())
      made.failure = reason_for(obstacle::cancelled);
    else
      made = how_(engine().system(), std::make_shared<start_state>(actor_ref<actor_child>{this}, which));
    if (!made.actor && !made.failure)
      made.failure = error{errc::start_failed, "the factory gave no actor"}.with_path(path());
  } catch (...) {
    made.failure = error{errc::start_failed, "the factory threw"}.with_path(path()).with_cause(
      error::from_exception(std::current_exception(), path()));
  }
  {
    const std::scoped_lock lock{desk_};
    launched_ = std::move(made);
  }
  signal_here(launched_flag);
}

void actor_child::take_launched(time_point now) noexcept {
  launched made;
  {
    const std::scoped_lock lock{desk_};
    made = std::move(*launched_);
    launched_.reset();
    forming_ = {};
    below_ = made.below;
    making_ = false;
  }
  if (made.failure) {
    factory_failure_ = std::move(made.failure);
    machine_.not_made(factory_failure_->code() == errc::scope_closed);
    return;
  }
  actor_ = std::move(made.actor);
  runtime::watch_actor(*this, actor_);
  // A supervisor that was set up has started, however soon nothing is left to run in it.
  machine_.made(runtime::has_ended(actor_) && !made.below, now);
}

void actor_child::on_down(const caf::down_msg& down) noexcept {
  if (!actor_ || down.source != actor_.address())
    return; // of an earlier incarnation
  const bool asked = machine_.at() == state::stopping;
  mail_.route_to({});
  std::shared_ptr<muster::scope> below;
  {
    const std::scoped_lock lock{desk_};
    below.swap(below_);
    up_since_ = {};
  }
  ended_as_.reset();
  if (!below && down.reason && !(asked && runtime::is_what_was_asked(down.reason)))
    ended_as_ = error{errc::actor_exited, "the actor ended: " + runtime::text_of(down.reason)}.with_path(path());
  else if (below && asked) // that it was cancelled is how it was asked to end; what else went wrong is not
    home().take_over(below->actor()->flaws(), machine_.ending());
  else if (below)
    ended_as_ = below->actor()->verdict();
  if (asked && ended_as_)
    home().take_over({{*ended_as_}, false}, machine_.ending());
  last_event_ = engine().record(
      event_kind::actor_ended, id(), below ? below->actor()->last_event() : last_event_.load(),
      !ended_as_ ? 0 : down.reason ? down.reason.code() : 1,
      std::string_view{ended_as_ ? ended_as_->message() : std::string{}});
  // Its state is the application's, and is not destroyed here.
  engine().serve(path(), [last = std::exchange(actor_, {}), below = std::move(below)] {});
  machine_.gone();
  carry_out();
}

// -- what follows -----------------------------------------------------------------------------------------------------

void actor_child::carry_out() noexcept {
  while (const auto c = machine_.next())
    carry_out(*c);
  if (machine_.due() == alarm_at_)
    return;
  alarm_at_ = machine_.due();
  if (alarm_at_ == never)
    engine().due().disarm(alarm_);
  else
    engine().due().arm(alarm_, alarm_at_);
}

void actor_child::carry_out(const incarnation_machine::command& c) noexcept {
  using kind = incarnation_machine::command::kind;
  switch (c.what) {
    case kind::make: {
      {
        const std::scoped_lock lock{desk_};
        shown_ = "starting";
        up_since_ = {};
        there_ = making_ = true;
      }
      factory_failure_.reset();
      lateness_.reset();
      ended_as_.reset();
      progress_.to_be_begun();
      engine().serve(path(), [self = actor_ref<actor_child>{this}, which = c.which] { self->launch(which); });
      return;
    }
    case kind::call_off: return cancel_forming(c.why);
    case kind::up: return is_up(c.which);
    case kind::late: return is_late(c.which);
    case kind::stop: return ask_to_stop();
    case kind::kill: return runtime::kill_actor(actor_);
    case kind::unresponsive: return is_unresponsive();
    case kind::not_begun: return progress_.is_down();
    case kind::not_started: return has_not_started(c);
    case kind::gone: return is_gone(c);
    case kind::left:
      finish();
      stopped(std::nullopt, false);
      return;
  }
}

void actor_child::cancel_forming(obstacle why) noexcept {
  actor_ref<supervisor> below;
  {
    const std::scoped_lock lock{desk_};
    below = forming_;
  }
  if (!below)
    return;
  const char* text = why == obstacle::too_late       ? "it was not set up in the time given for its start"
                     : why == obstacle::told_to_stop ? "it was stopped while it was being set up"
                                                     : "the start of the supervisor was called off";
  below->cancel({cancel_kind::parent_cancelled, path(), text, engine().now()});
}

void actor_child::is_up(std::uint64_t which) noexcept {
  {
    const std::scoped_lock lock{desk_};
    shown_ = "running";
    ++ups_;
    up_since_ = engine().now();
  }
  mail_.route_to(actor_);
  home().child_up(*this, which);
  progress_.settle(which, std::nullopt);
}

void actor_child::ask_to_stop() noexcept {
  show("stopping");
  mail_.route_to({});
  last_event_ = engine().record(event_kind::actor_stop_asked, id(), home().last_event(), limit().count());
  runtime::stop_actor(actor_);
}

void actor_child::is_late(std::uint64_t which) noexcept {
  lateness_ = reason_for(obstacle::too_late);
  {
    auto last = lateness_;
    const std::scoped_lock lock{desk_};
    last_failure_.swap(last);
  }
  home().child_late(*this, which, *lateness_);
  // Whoever waits for the start need not wait for the factory.
  progress_.settle(which, lateness_);
}

void actor_child::is_unresponsive() noexcept {
  const auto ms = std::to_string(limit() / std::chrono::milliseconds{1}) + " ms";
  const bool making = machine_.at() == state::making;
  bool never_up = false;
  {
    const std::scoped_lock lock{desk_};
    never_up = ups_ == 0;
  }
  home().child_unresponsive(
      *this, machine_.present(),
      error{errc::unresponsive,
            making ? "its start was called off, and its factory has not returned in " + ms + "; it is still awaited"
                   : "it was asked to stop and has not in " + ms +
                         "; an actor is killed now, which it sees between two messages"}
          .with_path(path()),
      !(making && never_up));
}

void actor_child::has_not_started(const incarnation_machine::command& c) noexcept {
  auto why = lateness_ ? *lateness_ : reason_for(c.why);
  if (factory_failure_ && c.why != obstacle::not_made && factory_failure_->code() != errc::scope_closed)
    why = why.with_cause(*factory_failure_);
  {
    std::optional<error> last{why};
    const std::scoped_lock lock{desk_};
    shown_ = "start failed";
    there_ = false;
    last_failure_.swap(last);
  }
  const bool called_off = c.why == obstacle::told_to_stop || why.code() == errc::scope_closed;
  home().child_not_started(*this, c.which, why,
                           {.called_off = called_off, .said = c.late, .for_good = machine_.ending()});
  progress_.is_down();
}

void actor_child::is_gone(const incarnation_machine::command& c) noexcept {
  {
    auto last = ended_as_;
    const std::scoped_lock lock{desk_};
    shown_ = c.asked ? "stopped" : "ended";
    there_ = false;
    if (last)
      last_failure_.swap(last);
  }
  home().child_gone(*this, c.which, ended_as_, c.asked, machine_.ending());
  progress_.is_down();
}

error actor_child::reason_for(obstacle why) const {
  const auto say = [&](errc code, const char* text) { return error{code, text}.with_path(path()); };
  switch (why) {
    case obstacle::not_made: return *factory_failure_;
    case obstacle::born_dead: return say(errc::start_failed, "the factory gave an actor that had already ended");
    case obstacle::said_so: return word_->path().empty() ? word_->with_path(path()) : *word_;
    case obstacle::too_late: return say(errc::timed_out, "it was not up in the time given for its start");
    case obstacle::told_to_stop: return say(errc::start_failed, "it was stopped before it was up");
    case obstacle::cancelled: return say(errc::scope_closed, "the scope was cancelled before the actor was up");
    case obstacle::over: return say(errc::scope_closed, "the scope ended while the actor was starting");
    case obstacle::none:
    case obstacle::ended: break;
  }
  const auto early = say(errc::start_failed, "it ended before it was up");
  return ended_as_ ? early.with_cause(*ended_as_) : early;
}

void actor_child::show(const char* how) {
  const std::scoped_lock lock{desk_};
  shown_ = how;
}

} // namespace muster
