/// What a scope does with its long-running children: takes them in, hears of them, lets them go. What follows from its
/// restart policy is in scope_policy.cpp, what is asked for by name in scope_by_name.cpp.
#include "child_supervision.hpp"
#include "manager_actor.hpp"
#include "seeds.hpp"
#include "waiting.hpp"

#include <muster/scope.hpp>

namespace muster {

using held_open_by = scope_machine::member;

void scope_actor::at_end() noexcept {
  if (cancelled_here())
    engine().due().disarm(watch_);
  if (!children_)
    return;
  // What the user gave is destroyed where user code may run.
  std::shared_ptr<const child_hook> hook;
  {
    std::lock_guard guard{mutex_};
    hook = std::move(children_->on_child);
    children_->all.clear();
    children_->by_name.clear();
  }
  engine().due().disarm(children_->alarm);
  if (hook)
    engine().serve(path(), [hook = std::move(hook)] {});
}

// -- coming and going -------------------------------------------------------------------------------------------------

result<actor_ref<actor_child>> scope_actor::start_child(child_options&& options, actor_child::launcher how,
                                                        bool reports) {
  auto* system = engine().system_if_running();
  if (!system)
    return std::unexpected{
      error{errc::scope_closed, "the scope's manager is gone"}.with_path(path() + "/" + options.name)};
  auto child = actor_ref<actor_child>::adopt(runtime::light_storage<actor_child>::make(
    system, 0, alignof(std::max_align_t), *this, std::move(options), std::move(how), reports));
  if (auto refused = adopt_child(child)) {
    child->finish();
    return std::unexpected{std::move(*refused)};
  }
  child->progress().to_be_begun();
  child->begin(1);
  if (auto why = child->progress().await_start(0))
    return std::unexpected{std::move(*why)};
  return child;
}

std::string scope_actor::next_child_name() {
  std::lock_guard guard{mutex_};
  return "actor-" + std::to_string(++children_->named);
}

std::optional<error> scope_actor::supervise(child_options&& options, scope_options&& below,
                                            std::function<result<void>(scope&)> setup) {
  if (options.name.empty())
    options.name = children_ ? next_child_name() : std::string{"supervisor"};
  auto how = [this, name = options.name, below = std::move(below), setup = std::move(setup)](
               caf::actor_system&, const std::shared_ptr<start_state>& start) -> actor_child::launched {
    auto seed = seed_of(*this, name, scope_options{below});
    seed.apart = true;
    auto made = scope_actor::make(std::move(seed), below.max_parallel);
    start->child->forms(actor_ref<supervisor>{made.get()});
    std::shared_ptr<scope> handle{new scope(scope_access::make(detail::ref<scope_actor>::share(made.get())))};
    std::optional<error> why;
    try {
      if (auto done = setup(*handle); !done)
        why = std::move(done).error();
    } catch (...) {
      why = error::from_exception(std::current_exception(), made->path());
    }
    if (!why) {
      made->end_when_idle();
      return {.actor = runtime::handle_of(*made), .below = handle};
    }
    handle.reset(); // cancelled and joined
    take_over(made->flaws(), false);
    return {.failure = error{errc::start_failed, "the supervisor could not be set up"}
                         .with_path(made->path())
                         .with_cause(std::move(*why))};
  };
  auto started = start_child(std::move(options), std::move(how), false);
  if (!started)
    return std::move(started).error();
  return std::nullopt;
}

/// With the lock held.
std::optional<error> scope_actor::refuses(const actor_child& child) const {
  const auto refuse = [&](errc code, std::string why) { return error{code, std::move(why)}.with_path(child.path()); };
  const auto open = machine_.at() == scope_machine::phase::open && !machine_.sealed() && !machine_.reason();
  if (!open || (children_ && (children_->over || children_->machine.ending())))
    return refuse(errc::scope_closed, "the scope takes no more actors");
  if (!children_)
    return std::nullopt;
  if (children_->complaint)
    return refuse(errc::bad_argument, "the scope's restart policy is not one: " + *children_->complaint);
  if (child.options().significant && child.options().kind == child_kind::permanent)
    return refuse(errc::bad_argument, "a permanent child never ends by itself, so it cannot be significant");
  if (children_->by_name.contains(child.label()))
    return refuse(errc::bad_argument, "the scope has a child of this name already");
  const auto most = children_->how.max_children;
  if (most != 0 && children_->all.size() >= most)
    return refuse(errc::too_many_children,
                  "the scope has all the " + std::to_string(most) + " children that it may have");
  return std::nullopt;
}

std::optional<error> scope_actor::adopt_child(actor_ref<actor_child> child) {
  actor_child& one = *child;
  notice_cancellation();
  std::lock_guard guard{mutex_};
  if (auto why = refuses(one))
    return why;
  if (!one.options().daemon && machine_.admit(held_open_by::actor) != scope_machine::admission::accepted)
    return error{errc::scope_closed, "the scope takes no more actors"}.with_path(one.path());
  one.counted = !one.options().daemon;
  if (children_) {
    children_->all.emplace(one.key(), child);
    children_->by_name.emplace(one.label(), &one);
  }
  list(actor_ref<owned_actor>{&one});
  return std::nullopt;
}

void scope_actor::drop_child(actor_child& child, actor_ref<owned_actor>& last) {
  forget(child, last);
  child.mail().close();
  if (std::exchange(child.counted, false))
    machine_.left(held_open_by::actor);
  if (children_) {
    if (const auto named = children_->by_name.find(child.label());
        named != children_->by_name.end() && named->second == &child)
      children_->by_name.erase(named);
    children_->all.erase(child.key());
  }
}

void scope_actor::recount(actor_child& child) {
  const auto& machine = children_->machine;
  const bool lives = machine.knows(child.key()) && machine.state(child.key()) != child_state::stopped;
  child.mail().keep(lives);
  const bool holds = lives && !child.options().daemon;
  if (holds && !child.counted)
    child.counted = machine_.comes_back(held_open_by::actor);
  else if (!holds && std::exchange(child.counted, false))
    machine_.left(held_open_by::actor);
}

// -- what becomes of an incarnation -----------------------------------------------------------------------------------

void scope_actor::child_up(actor_child& child, std::uint64_t which) {
  bool too_late = false;
  {
    std::lock_guard guard{mutex_};
    ++own_.actors_started;
    own_.actors_restarted += which > 1 ? 1 : 0;
    child.came_up_by(engine().record(which > 1 ? event_kind::restart_done : event_kind::actor_started, child.id(),
                                     last_event_.load(), static_cast<std::int64_t>(which > 1 ? which - 1 : id()),
                                     child.label()));
    child.seen_alive(trace_format::node::actor, id(), child.last_event());
    child.seen_restarted(which - 1);
    tell(child, child_transition::started, which, {});
    if (children_) {
      const auto& options = child.options();
      if (!child.known && (children_->over || children_->machine.ending()))
        too_late = true; // the others have been stopped while it came up
      else if (!std::exchange(child.known, true))
        children_->machine.added(child.key(), options.kind, options.significant);
      else
        children_->machine.started(child.key(), which, engine().now());
      if (!too_late)
        recount(child);
    }
  }
  if (too_late)
    child.halt(which);
  if (children_) {
    child.send_back();
    signal(children_flag);
  }
}

void scope_actor::child_late(actor_child& child, std::uint64_t which, const error& why) {
  bool known = false;
  {
    std::lock_guard guard{mutex_};
    known = child.known;
    child.came_up_by(engine().record(event_kind::actor_start_failed, child.id(), last_event_.load(),
                                     static_cast<std::int64_t>(id()), std::string_view{why.message()}));
    tell(child, child_transition::start_failed, which, why.message());
  }
  if (known) // else whoever started it is told
    foreman().report(why);
  engine().log(log_kind::start_overdue, child.path(),
               why.message() + "; its factory has not returned and is awaited still");
}

void scope_actor::child_not_started(actor_child& child, std::uint64_t which, const error& why, start_failure how) {
  const bool known = child.known; // only its own turn changes that, and this is it
  actor_ref<owned_actor> gone;
  // Whoever waits for this start hears of it before it may hear that there will be no other.
  if (known || how.for_good)
    child.progress().settle(which, why);
  {
    std::lock_guard guard{mutex_};
    if (!how.said) {
      child.came_up_by(engine().record(event_kind::actor_start_failed, child.id(), last_event_.load(),
                                       static_cast<std::int64_t>(id()), std::string_view{why.message()}));
      tell(child, child_transition::start_failed, which, why.message(), how.for_good);
    }
    if (how.for_good)
      return; // that it has stopped follows
    if (known) {
      const auto before = children_->machine.counted();
      children_->machine.start_failed(child.key(), which, why.message(), engine().now());
      note_decision(child, before);
      recount(child);
    } else {
      // Whoever started it is told, and may use the name again from then on; nobody else has seen it.
      drop_child(child, gone);
    }
  }
  if (!known) {
    child.progress().settle(which, why);
    child.finish();
  } else {
    child.send_back();
    if (!how.called_off)
      foreman().report(why);
  }
  signal(children_flag | advance_flag);
}

void scope_actor::child_gone(actor_child& child, std::uint64_t which, const std::optional<error>& failure, bool asked,
                             bool for_good) {
  bool known = false;
  {
    std::lock_guard guard{mutex_};
    known = children_ && child.known;
    const bool at_end = for_good || (children_ && children_->over);
    if (asked)
      tell(child, child_transition::stopped, which, failure ? failure->message() : std::string{}, at_end);
    else
      tell(child, child_transition::ended, which, failure ? failure->message() : std::string{});
    if (for_good)
      return; // that it has stopped follows
    if (known) {
      auto& machine = children_->machine;
      const auto before = machine.counted();
      machine.ended(child.key(), which, failure.has_value(), failure ? failure->message() : std::string{},
                    engine().now());
      note_decision(child, before);
      recount(child);
    }
  }
  if (!known)
    return not_known(child, asked ? std::nullopt : failure);
  if (failure)
    foreman().report(*failure);
  child.send_back();
  signal(children_flag | advance_flag);
}

/// It is gone, and no policy decides what follows.
void scope_actor::not_known(actor_child& child, const std::optional<error>& failure) {
  bool decides = false;
  actor_ref<owned_actor> gone;
  {
    std::lock_guard guard{mutex_};
    drop_child(child, gone);
    if (failure && machine_.failed(*failure))
      decides =
          cancel_locked({cancel_kind::sibling_failed, child.path(), {}, engine().now(), *failure}, child.last_event());
    if (failure)
      note_flaw(child.last_event());
  }
  if (failure)
    foreman().report(*failure);
  child.finish();
  if (decides)
    after_cancel();
  else
    signal(advance_flag);
}

void scope_actor::child_unresponsive(actor_child& child, std::uint64_t which, const error& report, bool fails) {
  bool decides = false;
  {
    std::lock_guard guard{mutex_};
    ++own_.actors_unresponsive;
    const auto found = engine().record(event_kind::unresponsive, child.id(), child.last_event(), child.limit().count());
    if (fails)
      note_flaw(found);
    tell(child, child_transition::unresponsive, which, report.message());
    if (fails && machine_.unresponsive(report))
      decides = cancel_locked({cancel_kind::sibling_failed, child.path(), {}, engine().now(), report}, found);
  }
  foreman().report(report);
  engine().log(log_kind::unresponsive, child.path(), report.message());
  if (decides)
    after_cancel();
}

void scope_actor::take_over(flaws_found what, bool at_end) {
  if (what.failed || at_end) {
    std::lock_guard guard{mutex_};
    for (const auto& each : what.all)
      what.failed ? machine_.release_failed(each) : machine_.also_said(each);
  }
  for (const auto& each : what.all)
    foreman().report(each);
}

void scope_actor::end_when_idle() {
  {
    std::lock_guard guard{mutex_};
    machine_.waiter_came();
  }
  signal(advance_flag);
}

} // namespace muster
