/// What others ask of a child, and what they see of it. What it does on its own turn is in actor_child_turn.cpp.
#include "actor_child.hpp"

#include "duty.hpp"
#include "scope_actor.hpp"

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
    child->report_.swap(failure); // the last one goes without the lock
  }
  child->signal(actor_child::report_flag);
}

actor_child::actor_child(scope_actor& scope, child_options&& options, launcher how, bool reports)
    : owned_actor(scope, options.name, options.stop_timeout.value_or(scope.release_timeout()), node_kind::actor),
      options_(std::move(options)),
      mail_(options_.held_messages, scope.refused_messages()),
      machine_({.start = options_.start_timeout, .stop = limit(), .reports = reports}),
      how_(std::move(how)) {}

scope_actor& actor_child::home() const noexcept { return static_cast<scope_actor&>(scope()); }

// -- what is asked of it ----------------------------------------------------------------------------------------------

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
  if (progress_.cancel())
    signal(cancelled_flag);
}

void actor_child::forms(actor_ref<supervisor> below) {
  {
    const std::scoped_lock lock{desk_};
    forming_ = std::move(below);
  }
  signal(forming_flag); // its start may have been called off already
}

void actor_child::on_mail(caf::mailbox_element_ptr what, runtime::mail_host* host) noexcept {
  // Down messages are about its incarnations; everything else is for them.
  if (const auto* down = runtime::as_down(*what)) {
    // An application's actor tells of its end on a thread that has no lock, and that nobody has to wake.
    if (runtime::is_applications_own(down->source))
      read_here(std::move(what));
    else
      owned_actor::on_mail(std::move(what), host);
  } else if (!mail_.take(what, host)) {
    refuse_mail(what, caf::make_error(caf::sec::request_receiver_down));
  }
}

void actor_child::send_back() {
  auto letters = mail_.take_unwanted();
  if (letters.empty())
    return;
  engine().serve(path(), [self = actor_ref<actor_child>{this}, letters = std::move(letters)]() mutable {
    for (auto& each : letters)
      self->refuse_mail(each, caf::make_error(caf::sec::request_receiver_down));
  });
}

void actor_child::finish() noexcept {
  mail_.close();
  send_back();
  progress_.no_more("the actor has left its scope for good");
  seen_gone(0);
  announce_end({});
  launcher how;
  {
    const std::scoped_lock lock{desk_};
    how.swap(how_);
  }
  if (how)
    engine().serve(path(), [how = std::move(how)] {});
}

// -- what can be seen -------------------------------------------------------------------------------------------------

actor_ref<supervisor> actor_child::as_supervisor() const {
  const std::scoped_lock lock{desk_};
  return actor_ref<supervisor>{below_ ? below_->actor() : nullptr};
}

std::optional<error> actor_child::last_failure() const {
  const std::scoped_lock lock{desk_};
  return last_failure_;
}

bool actor_child::runs_this_thread() const {
  if (works_for_child(this))
    return true;
  actor_ref<supervisor> forming;
  {
    const std::scoped_lock lock{desk_};
    forming = forming_;
  }
  const auto below = as_supervisor();
  return (forming && works_under(*forming)) || (below && works_under(*below));
}

std::string actor_child::presence() const {
  const std::scoped_lock lock{desk_};
  if (!there_)
    return {};
  if (making_)
    return "actor, its factory has not returned";
  return "actor, " + (stopping() ? std::string{"stopping"} : shown_);
}

std::string actor_child::held_up_by() const {
  {
    const std::scoped_lock lock{desk_};
    if (making_)
      return "; its factory has not returned";
  }
  std::string whom;
  if (const auto below = as_supervisor())
    for (const auto& who : below->survivors(8))
      whom += (whom.empty() ? "; held up by: " : ", ") + who;
  return whom;
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

} // namespace muster
