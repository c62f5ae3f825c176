/// The incarnations of a child: made, watched, stopped.
#include "actor_child.hpp"

#include "duty.hpp"
#include "parking.hpp"
#include "scope_actor.hpp"
#include "waiting.hpp"

#include <muster/scope.hpp>

namespace muster {

std::string_view to_string(child_transition what) noexcept {
  switch (what) {
    case child_transition::started: return "started";
    case child_transition::start_failed: return "start failed";
    case child_transition::ended: return "ended";
    case child_transition::restarting: return "restarting";
    case child_transition::gave_up: return "gave up";
    case child_transition::stopped: return "stopped";
    case child_transition::unresponsive: return "unresponsive";
  }
  return "?";
}

void start_state::report(std::optional<error> failure) const {
  {
    const std::scoped_lock lock{child->desk_};
    if (child->reporting_ >= incarnation)
      return; // the first word counts
    child->reporting_ = incarnation;
    child->report_ = std::move(failure);
  }
  child->signal(actor_child::report_flag);
}

actor_child::actor_child(scope_actor& scope, child_options&& options, launcher how, bool reports)
    : owned_actor(scope, options.name, options.stop_timeout.value_or(scope.release_timeout()), node_kind::actor),
      options_(std::move(options)),
      reports_(reports),
      how_(std::move(how)) {}

scope_actor& actor_child::home() const noexcept { return static_cast<scope_actor&>(scope()); }

// -- any thread -------------------------------------------------------------------------------------------------------

void actor_child::begin(std::uint64_t which) {
  {
    const std::scoped_lock lock{desk_};
    wanted_ = which;
  }
  signal(begin_flag);
}

void actor_child::halt(std::uint64_t which) {
  {
    const std::scoped_lock lock{desk_};
    halt_which_ = which;
  }
  signal(halt_flag);
}

void actor_child::scope_cancelled() {
  if (cancelled_.exchange(true))
    return;
  runtime::unpark_all(&settled_);
  runtime::unpark_all(&down_);
  signal(cancelled_flag);
}

void actor_child::forms(actor_ref<supervisor> below) {
  {
    const std::scoped_lock lock{desk_};
    forming_ = std::move(below);
  }
  signal(cancelled_flag); // its start may have been called off already
}

void actor_child::cancel_forming(const char* why) noexcept {
  actor_ref<supervisor> below;
  {
    const std::scoped_lock lock{desk_};
    below = forming_;
  }
  if (below)
    below->cancel({cancel_kind::parent_cancelled, path(), why, engine().now()});
}

std::optional<error> actor_child::await_start(std::uint64_t before, std::uint64_t off_before) {
  static_cast<void>(wait_for({.address = &settled_,
                              .ready = [&] { return settled() > before || called_off() != off_before || cancelled_.load(); },
                              .engine = &engine(),
                              .what = "the start of actor " + path()}));
  const std::scoped_lock lock{desk_};
  if (came_up_ > before)
    return std::nullopt; // whatever has become of it since
  if (settled() > before)
    return settled_error_;
  if (cancelled_)
    return error{errc::scope_closed, "the scope was cancelled before the actor was up"}.with_path(path());
  return error{errc::start_failed, "it was stopped before it was started"}.with_path(path());
}

void actor_child::call_off() {
  called_off_.fetch_add(1, std::memory_order_release);
  runtime::unpark_all(&settled_);
}

bool actor_child::await_down(std::uint64_t ends_before) {
  const auto down = [&] { return down_.load(std::memory_order_acquire) || ends() != ends_before; };
  static_cast<void>(wait_for({.address = &down_,
                              .ready = [&] { return down() || cancelled_.load(); },
                              .engine = &engine(),
                              .what = "the end of actor " + path()}));
  return down();
}

bool actor_child::await_gone() {
  static_cast<void>(wait_for({.address = &settled_,
                              .ready = [&] { return settled() == for_good || cancelled_.load(); },
                              .engine = &engine(),
                              .what = "the end of actor " + path()}));
  return settled() == for_good;
}

void actor_child::settle(std::uint64_t which, std::optional<error> failure) noexcept {
  {
    const std::scoped_lock lock{desk_};
    if (settled() == for_good)
      return;
    if (which != for_good && !failure)
      came_up_ = which;
    // That there will be no other start is less than why the last one has failed.
    if (which != for_good || !settled_error_)
      settled_error_ = std::move(failure);
    settled_.store(which, std::memory_order_release);
  }
  runtime::unpark_all(&settled_);
}

void actor_child::no_more(const char* why) {
  if (settled() != for_good)
    settle(for_good, error{errc::scope_closed, why}.with_path(path()));
}

caf::actor actor_child::present() const {
  const std::scoped_lock lock{route_};
  return target_;
}

actor_ref<supervisor> actor_child::as_supervisor() const {
  const std::scoped_lock lock{desk_};
  return actor_ref<supervisor>{below_ ? below_->actor() : nullptr};
}

std::optional<error> actor_child::last_failure() const {
  const std::scoped_lock lock{desk_};
  return last_failure_;
}

void actor_child::finish() noexcept {
  keep_mail(false);
  no_more("the actor has left its scope for good");
  announce_end({});
  launcher how;
  {
    const std::scoped_lock lock{desk_};
    how.swap(how_);
  }
  if (how)
    engine().serve(path(), [how = std::move(how)] {});
}

tree_node actor_child::draw(time_point now) const {
  auto node = owned_actor::draw(now);
  const std::scoped_lock lock{desk_};
  if (!stopping()) {
    node.state = shown_;
    if (up_since_ != time_point{})
      node.age = now - up_since_;
  }
  node.restarts = ups_ > 0 ? ups_ - 1 : 0;
  if (last_failure_)
    node.last_error = last_failure_->message();
  return node;
}

// -- mail -------------------------------------------------------------------------------------------------------------

void actor_child::on_mail(caf::mailbox_element_ptr what, caf::execution_unit* host) noexcept {
  // Down messages are about its incarnations; everything else is for them.
  if (runtime::as_down(*what)) {
    owned_actor::on_mail(std::move(what), host);
    return;
  }
  caf::actor to;
  {
    const std::scoped_lock lock{route_};
    to = target_;
    if (!to && keeps_ && held_.size() < options_.held_messages && !runtime::as_exit(*what)) {
      held_.push_back(std::move(what));
      return;
    }
  }
  if (to) {
    runtime::pass_on(to, std::move(what), host);
    return;
  }
  refused_.fetch_add(1, std::memory_order_relaxed);
  refuse_mail(what, caf::make_error(caf::sec::request_receiver_down));
}

void actor_child::route_to(caf::actor actor) noexcept {
  // What was held goes first, and what comes meanwhile behind it.
  for (;;) {
    std::deque<caf::mailbox_element_ptr> batch;
    {
      const std::scoped_lock lock{route_};
      if (!actor || held_.empty()) {
        target_ = std::move(actor);
        return;
      }
      batch.swap(held_);
    }
    for (auto& each : batch)
      runtime::pass_on(actor, std::move(each), nullptr);
  }
}

void actor_child::keep_mail(bool keep) {
  std::deque<caf::mailbox_element_ptr> dropped;
  {
    const std::scoped_lock lock{route_};
    keeps_ = keep;
    if (!keep)
      dropped.swap(held_);
  }
  refused_.fetch_add(dropped.size(), std::memory_order_relaxed);
  for (auto& each : dropped)
    refuse_mail(each, caf::make_error(caf::sec::request_receiver_down));
}

// -- its own turn -----------------------------------------------------------------------------------------------------

void actor_child::on_signal(std::uint32_t flags) noexcept {
  if (flags & launched_flag)
    take_launched();
  if (flags & report_flag)
    take_report();
  if (flags & late_flag)
    too_late();
  if ((flags & overdue_flag) && phase_ == phase::stopping)
    runtime::kill_actor(actor_);
  if (flags & begin_flag)
    start_next();
  if (flags & halt_flag) {
    std::uint64_t which = 0;
    {
      const std::scoped_lock lock{desk_};
      which = halt_which_;
    }
    if (which == which_) // else it is about one that has gone by itself
      stop_present(true);
  }
  if (flags & end_flag)
    stop_present(false);
  if (flags & cancelled_flag)
    call_off_start();
}

void actor_child::call_off_start() noexcept {
  if (!cancelled_ && !halted_ && !stopping() && !start_error_)
    return;
  if (phase_ != phase::launching && !(phase_ == phase::starting && cancelled_))
    return;
  if (!start_error_ && cancelled_)
    start_error_ = error{errc::scope_closed, "the scope was cancelled before the actor was up"}.with_path(path());
  if (phase_ == phase::launching)
    cancel_forming("the start of the supervisor was called off");
  else
    ask_to_stop();
}

void actor_child::clear_alarm() noexcept {
  engine().due().disarm(alarm_);
  alarm_at_ = never;
}

void actor_child::set_alarm(duration d) noexcept {
  clear_alarm();
  if (d == duration::max())
    return;
  alarm_at_ = saturating_add(engine().now(), d);
  engine().due().arm(alarm_, alarm_at_);
}

void actor_child::start_next() noexcept {
  if (stopping() || cancelled_ || phase_ != phase::down) {
    if (phase_ == phase::down)
      is_down();
    return;
  }
  {
    const std::scoped_lock lock{desk_};
    which_ = wanted_;
    shown_ = "starting";
    up_since_ = {};
  }
  phase_ = phase::launching;
  down_ = false;
  halted_ = stopped_early_ = false;
  start_error_.reset();
  set_alarm(options_.start_timeout);
  engine().serve(path(), [self = actor_ref<actor_child>{this}] { self->launch(); });
}

void actor_child::launch() noexcept {
  launched made;
  try {
    duty_mark mark{{.scope = &scope()}};
    // Between the decision to start it and now the scope may have been cancelled.
    if (scope().cancelled())
      made.failure = error{errc::scope_closed, "the scope was cancelled before the actor was up"}.with_path(path());
    else
      made = how_(engine().system(), std::make_shared<start_state>(actor_ref<actor_child>{this}, which_));
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
  signal(launched_flag);
}

void actor_child::take_launched() noexcept {
  launched made;
  bool reported = false;
  {
    const std::scoped_lock lock{desk_};
    made = std::move(*launched_);
    launched_.reset();
    forming_ = {};
    below_ = made.below;
    reported = reporting_ >= which_;
  }
  if (made.failure) {
    auto why = start_error_ ? start_error_->with_cause(*made.failure) : *made.failure;
    engine().serve({}, [last = std::move(made.failure)] {}); // with its exception, whose destructor is the user's
    has_not_started(std::move(why));
    return;
  }
  actor_ = std::move(made.actor);
  phase_ = phase::starting;
  if (runtime::has_ended(actor_))
    start_error_ = error{errc::start_failed, "the factory gave an actor that had already ended"}.with_path(path());
  runtime::watch_actor(*this, actor_);
  if (cancelled_ && !start_error_)
    start_error_ = error{errc::scope_closed, "the scope was cancelled before the actor was up"}.with_path(path());
  if (start_error_ || halted_ || stopping())
    ask_to_stop();
  else if (reported)
    take_report();
  else if (!reports_)
    is_up();
}

void actor_child::take_report() noexcept {
  std::optional<error> failure;
  {
    const std::scoped_lock lock{desk_};
    if (phase_ != phase::starting || reporting_ != which_)
      return; // it is taken up when the actor is there, or it is about one that is gone
    failure = report_;
  }
  if (!failure) {
    is_up();
    return;
  }
  start_error_ = failure->path().empty() ? failure->with_path(path()) : *failure;
  ask_to_stop();
}

void actor_child::is_up() noexcept {
  phase_ = phase::up;
  clear_alarm();
  {
    const std::scoped_lock lock{desk_};
    shown_ = "running";
    ++ups_;
    up_since_ = engine().now();
  }
  route_to(actor_);
  home().child_up(*this, which_);
  settle(which_, std::nullopt);
}

void actor_child::has_not_started(error why) noexcept {
  phase_ = phase::down;
  clear_alarm();
  {
    const std::scoped_lock lock{desk_};
    shown_ = "start failed";
    last_failure_ = why;
    below_.reset();
  }
  // Whoever waits for this start hears of it before it may hear that there will be no other.
  settle(which_, why);
  if (stopping()) {
    is_down();
    no_more("the scope ended while the actor was starting");
    end_for_good();
    return;
  }
  home().child_not_started(*this, which_, why, stopped_early_ || why.code() == errc::scope_closed);
  is_down();
}

/// The scope knows by now: whoever has waited for this may start it again.
void actor_child::is_down() noexcept {
  ends_.fetch_add(1, std::memory_order_release);
  down_.store(true, std::memory_order_release);
  runtime::unpark_all(&down_);
}

void actor_child::stop_present(bool halted) noexcept {
  switch (phase_) {
    case phase::down:
      if (stopping())
        end_for_good();
      return;
    case phase::launching:
      halted_ = halted_ || halted; // as soon as it is there
      // Never up, so it has not started, which whoever waits for this start is to be told.
      if (!stopping() && !start_error_) {
        stopped_early_ = true;
        start_error_ = error{errc::start_failed, "it was stopped before it was up"}.with_path(path());
      }
      cancel_forming("it was stopped while it was being set up");
      return;
    case phase::starting:
      if (!stopping()) {
        stopped_early_ = true;
        start_error_ = error{errc::start_failed, "it was stopped before it was up"}.with_path(path());
      }
      ask_to_stop();
      return;
    case phase::up:
      ask_to_stop();
      return;
    case phase::stopping:
      return;
  }
}

void actor_child::ask_to_stop() noexcept {
  phase_ = phase::stopping;
  {
    const std::scoped_lock lock{desk_};
    shown_ = "stopping";
  }
  route_to({});
  engine().record(event_kind::actor_stop_asked, id(), 0, limit().count());
  if (!stopping()) // else that has a limit of its own
    set_alarm(limit());
  runtime::stop_actor(actor_);
}

void actor_child::end_for_good() noexcept {
  finish();
  stopped(std::nullopt, false);
}

void actor_child::too_late() noexcept {
  if (engine().now() < alarm_at_)
    return; // the alarm was for something that is over, and has been set anew
  switch (phase_) {
    case phase::down:
    case phase::up:
      return;
    case phase::launching:
    case phase::starting:
      start_error_ = error{errc::timed_out, "it was not up in the time given for its start"}.with_path(path());
      if (phase_ == phase::starting)
        ask_to_stop();
      else
        cancel_forming("it was not set up in the time given for its start");
      return;
    case phase::stopping:
      if (stopping())
        return; // that has a limit of its own
      home().child_unresponsive(*this, error{errc::unresponsive, "it was asked to stop and has not in " +
                                                                     std::to_string(limit() / std::chrono::milliseconds{1}) +
                                                                     " ms; an actor is killed now, which it sees between two messages"}
                                           .with_path(path()));
      runtime::kill_actor(actor_);
      return;
  }
}

void actor_child::on_down(const caf::down_msg& down) noexcept {
  if (!actor_ || down.source != actor_.address())
    return; // of an earlier incarnation
  const bool was_starting = phase_ == phase::starting;
  const bool asked = phase_ == phase::stopping;
  std::optional<error> failure;
  if (down.reason)
    failure = error{errc::actor_exited, "the actor ended: " + runtime::text_of(down.reason)}.with_path(path());
  route_to({});
  clear_alarm();
  std::shared_ptr<muster::scope> below;
  {
    const std::scoped_lock lock{desk_};
    below = std::move(below_);
    below_.reset();
    shown_ = "ended";
    up_since_ = {};
  }
  if (below)
    failure = below->actor()->verdict();
  if (asked && !start_error_)
    failure.reset(); // that is how it was asked to end
  if (failure) {
    const std::scoped_lock lock{desk_};
    last_failure_ = failure;
  }
  engine().record(event_kind::actor_ended, id(), 0, down.reason ? down.reason.code() : 0,
                  std::string_view{failure ? failure->message() : std::string{}});
  // Its state is the application's, and is not destroyed here.
  engine().serve(path(), [last = std::exchange(actor_, {}), below = std::move(below)] {});
  if (start_error_ || was_starting) {
    auto why = start_error_ ? *start_error_ : error{errc::start_failed, "it ended before it was up"}.with_path(path());
    if (!start_error_ && failure)
      why = why.with_cause(*failure);
    has_not_started(std::move(why));
    return;
  }
  phase_ = phase::down;
  if (stopping()) {
    is_down();
    no_more("the scope has ended");
    end_for_good();
    return;
  }
  home().child_gone(*this, which_, failure);
  is_down();
}

} // namespace muster
