/// What a scope does with its long-running children: takes them in, hears of them, and carries out its restart policy.
#include "child_supervision.hpp"
#include "manager_actor.hpp"
#include "seeds.hpp"
#include "waiting.hpp"

#include <muster/scope.hpp>

namespace muster {

using held_open_by = scope_machine::member;

namespace {

std::string_view word_for(restart_strategy strategy) noexcept {
  switch (strategy) {
    case restart_strategy::one_for_one: return "one_for_one";
    case restart_strategy::one_for_all: return "one_for_all";
    case restart_strategy::rest_for_one: return "rest_for_one";
  }
  return "?";
}

} // namespace

void child_supervision::alarm::on_due(time_point) noexcept { scope_.wake_children(); }

void scope_actor::wake_children() noexcept { signal(children_flag); }

void scope_actor::on_signal(std::uint32_t flags) noexcept {
  if (children_ && (flags & (children_flag | propagate_flag))) {
    drive_children();
    flags |= advance_flag; // what held the end up may be settled
  }
  if ((flags & propagate_flag) && cancelled_here())
    call_off_starts();
  supervisor::on_signal(flags);
}

void scope_actor::call_off_starts() noexcept {
  std::vector<actor_ref<actor_child>> all;
  {
    std::lock_guard guard{mutex_};
    if (std::exchange(starts_called_off_, true))
      return;
    for (const auto& one : owned_)
      if (one->kind() == node_kind::actor)
        all.emplace_back(static_cast<actor_child*>(one.get()));
  }
  for (const auto& one : all)
    one->scope_cancelled();
}

bool scope_actor::unsettled() const noexcept { return children_ && !children_->over && children_->machine.operating(); }

void scope_actor::at_end() noexcept {
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

void scope_actor::tell(const actor_child& child, child_transition what, std::uint64_t which, std::string text) {
  std::shared_ptr<const child_hook> hook;
  {
    std::lock_guard guard{mutex_};
    hook = children_ ? children_->on_child : nullptr;
  }
  if (hook)
    engine().serve(path(), [hook = std::move(hook), event = child_event{child.path(), what, which, std::move(text)}] {
      (*hook)(event);
    });
}

// -- coming and going -------------------------------------------------------------------------------------------------

result<actor_ref<actor_child>> scope_actor::start_child(child_options&& options, actor_child::launcher how, bool reports) {
  auto* system = engine().system_if_running();
  if (!system)
    return std::unexpected{error{errc::scope_closed, "the scope's manager is gone"}.with_path(path() + "/" + options.name)};
  auto child = actor_ref<actor_child>::adopt(runtime::light_storage<actor_child>::make(
    system, 0, alignof(std::max_align_t), *this, std::move(options), std::move(how), reports));
  if (auto refused = adopt_child(child)) {
    child->finish();
    return std::unexpected{std::move(*refused)};
  }
  child->to_be_begun();
  child->begin(1);
  if (auto why = child->await_start(0))
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
  auto how = [this, name = options.name, below = std::move(below),
              setup = std::move(setup)](caf::actor_system&, const std::shared_ptr<start_state>& start) -> actor_child::launched {
    auto seed = seed_of(*this, name, scope_options{below});
    seed.apart = true;
    auto made = scope_actor::make(std::move(seed), below.max_parallel);
    start->child->forms(actor_ref<supervisor>{made.get()});
    const std::shared_ptr<scope> handle{new scope(scope_access::make(detail::ref<scope_actor>::share(made.get())))};
    // If this fails or throws, the scope goes with its handle: cancelled and joined.
    if (auto done = setup(*handle); !done)
      return {.failure = error{errc::start_failed, "the supervisor could not be set up"}.with_path(made->path()).with_cause(
                std::move(done).error())};
    made->end_when_idle();
    return {.actor = runtime::handle_of(*made), .below = handle};
  };
  auto started = start_child(std::move(options), std::move(how), false);
  if (!started)
    return std::move(started).error();
  return std::nullopt;
}

std::optional<error> scope_actor::adopt_child(actor_ref<actor_child> child) {
  actor_child& one = *child;
  notice_cancellation();
  const auto refuse = [&](errc code, std::string why) { return error{code, std::move(why)}.with_path(one.path()); };
  std::lock_guard guard{mutex_};
  const auto open = machine_.at() == scope_machine::phase::open && !machine_.sealed() && !machine_.reason();
  if (!open || (children_ && (children_->over || children_->machine.ending())))
    return refuse(errc::scope_closed, "the scope takes no more actors");
  if (children_) {
    if (children_->complaint)
      return refuse(errc::bad_argument, "the scope's restart policy is not one: " + *children_->complaint);
    if (one.options().significant && one.options().kind == child_kind::permanent)
      return refuse(errc::bad_argument, "a permanent child never ends by itself, so it cannot be significant");
    if (children_->by_name.contains(one.label()))
      return refuse(errc::bad_argument, "the scope has a child of this name already");
    if (children_->how.max_children != 0 && children_->all.size() >= children_->how.max_children)
      return refuse(errc::too_many_children, "the scope has all the " + std::to_string(children_->how.max_children) +
                                               " children that it may have");
  }
  if (!one.options().daemon && machine_.admit(held_open_by::actor) != scope_machine::admission::accepted)
    return refuse(errc::scope_closed, "the scope takes no more actors");
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
  own_.messages_refused += child.take_refused();
  if (std::exchange(child.counted, false))
    machine_.left(held_open_by::actor);
  if (children_) {
    if (const auto named = children_->by_name.find(child.label());
        named != children_->by_name.end() && named->second == &child)
      children_->by_name.erase(named);
    children_->all.erase(child.key());
  }
}

bool scope_actor::recount(actor_child& child) {
  own_.messages_refused += child.take_refused();
  const bool lives = children_->machine.knows(child.key()) && children_->machine.state(child.key()) != child_state::stopped;
  const bool holds = lives && !child.options().daemon;
  if (holds && !child.counted)
    child.counted = machine_.comes_back(held_open_by::actor);
  else if (!holds && std::exchange(child.counted, false))
    machine_.left(held_open_by::actor);
  return lives;
}

void scope_actor::child_up(actor_child& child, std::uint64_t which) {
  bool too_late = false;
  {
    std::lock_guard guard{mutex_};
    ++own_.actors_started;
    own_.actors_restarted += which > 1 ? 1 : 0;
    if (children_) {
      const auto& options = child.options();
      if (!child.known && (children_->over || children_->machine.ending()))
        too_late = true; // the others have been stopped while it came up
      else if (!std::exchange(child.known, true))
        children_->machine.added(child.key(), options.kind, options.significant);
      else
        children_->machine.started(child.key(), which, engine().now());
      if (!too_late)
        static_cast<void>(recount(child));
    }
  }
  if (too_late)
    child.halt(which);
  engine().record(which > 1 ? event_kind::restart_done : event_kind::actor_started, child.id(), last_event_.load(),
                  which > 1 ? static_cast<std::int64_t>(which) : static_cast<std::int64_t>(id()), child.label());
  if (children_) {
    tell(child, child_transition::started, which, {});
    signal(children_flag);
  }
}

void scope_actor::child_not_started(actor_child& child, std::uint64_t which, const error& why, bool called_off) {
  engine().record(event_kind::actor_start_failed, child.id(), last_event_.load(), static_cast<std::int64_t>(id()),
                  std::string_view{why.message()});
  actor_ref<owned_actor> gone;
  bool known = false;
  bool keep = false;
  {
    std::lock_guard guard{mutex_};
    known = child.known;
    if (known) {
      children_->machine.start_failed(child.key(), which, why.message(), engine().now());
      keep = recount(child);
    } else {
      // Whoever started it is told; nobody else has seen it.
      drop_child(child, gone);
    }
  }
  if (known) {
    child.keep_mail(keep);
    if (!called_off)
      foreman().report(why);
    tell(child, child_transition::start_failed, which, why.message());
  } else {
    child.finish();
  }
  signal(children_flag | advance_flag);
}

void scope_actor::child_gone(actor_child& child, std::uint64_t which, const std::optional<error>& failure) {
  std::uint64_t decided = 0;
  bool decides = false;
  bool keep = false;
  bool known = false;
  actor_ref<owned_actor> gone;
  {
    std::lock_guard guard{mutex_};
    known = children_ && child.known;
    if (known) {
      auto& machine = children_->machine;
      const auto before = machine.counted();
      machine.ended(child.key(), which, failure.has_value(), failure ? failure->message() : std::string{}, engine().now());
      if (machine.counted() != before)
        decided = machine.window().size();
      keep = recount(child);
    } else {
      drop_child(child, gone);
      if (failure && machine_.failed(*failure))
        decides = cancel_locked({cancel_kind::sibling_failed, child.path(), {}, engine().now(), *failure});
    }
  }
  if (failure)
    foreman().report(*failure);
  if (!known) {
    child.finish();
    if (decides)
      after_cancel();
    else
      signal(advance_flag);
    return;
  }
  child.keep_mail(keep);
  tell(child, child_transition::ended, which, failure ? failure->message() : std::string{});
  if (decided != 0)
    last_event_ = engine().record(event_kind::restart_decided, child.id(), last_event_.load(),
                                  static_cast<std::int64_t>(decided), word_for(children_->how.strategy));
  signal(children_flag | advance_flag);
}

void scope_actor::child_unresponsive(actor_child& child, const error& report) {
  bool decides = false;
  {
    std::lock_guard guard{mutex_};
    ++own_.actors_unresponsive;
    if (machine_.unresponsive(report))
      decides = cancel_locked({cancel_kind::sibling_failed, child.path(), {}, engine().now(), report});
  }
  last_event_ = engine().record(event_kind::unresponsive, child.id(), last_event_.load(), child.limit().count());
  foreman().report(report);
  engine().log(log_record::level::warning, child.path(), report.message());
  tell(child, child_transition::unresponsive, 0, report.message());
  if (decides)
    after_cancel();
}

void scope_actor::end_when_idle() {
  {
    std::lock_guard guard{mutex_};
    machine_.waiter_came();
  }
  signal(advance_flag);
}

// -- the policy -------------------------------------------------------------------------------------------------------

void scope_actor::drive_children() noexcept {
  // A slice at a time, so that a hundred thousand children do not keep others from their turn.
  for (int budget = 256; budget > 0; --budget)
    if (!drive_child())
      return;
  signal(children_flag);
}

bool scope_actor::drive_child() noexcept {
  notice_cancellation();
  using kind = restart_machine::command::kind;
  std::optional<restart_machine::command> what;
  actor_ref<actor_child> child;
  actor_ref<owned_actor> gone;
  time_point due = never;
  {
    std::lock_guard guard{mutex_};
    auto& machine = children_->machine;
    // A restart never races past a cancel: both are decided under this lock.
    if (!children_->over && (machine_.reason() || machine_.at() != scope_machine::phase::open)) {
      children_->over = true;
      machine.shut_down();
    }
    what = machine.next(engine().now());
    if (!what) {
      if (const auto soonest = machine.due(); soonest && !children_->over)
        due = *soonest;
    } else {
      if (const auto found = children_->all.find(what->who); found != children_->all.end())
        child = found->second;
      if (what->what == kind::start)
        child->to_be_begun();
      if (what->what == kind::forget && child)
        drop_child(*child, gone);
    }
  }
  if (!what) {
    if (due != never)
      engine().due().arm(children_->alarm, due);
    return false;
  }
  switch (what->what) {
    case kind::start:
      tell(*child, child_transition::restarting, what->which, {});
      child->keep_mail(true);
      child->begin(what->which);
      break;
    case kind::stop:
      child->halt(what->which);
      break;
    case kind::forget:
      if (child) {
        tell(*child, child_transition::stopped, 0, {});
        child->finish();
      }
      signal(advance_flag);
      break;
    case kind::give_up:
      give_up_on_children();
      break;
    case kind::end:
      close();
      break;
  }
  return true;
}

void scope_actor::give_up_on_children() {
  std::string restarts;
  std::size_t many = 0;
  bool decides = false;
  std::optional<error> report;
  actor_ref<actor_child> last;
  {
    std::lock_guard guard{mutex_};
    const auto& how = children_->how;
    for (const auto& one : children_->machine.window()) {
      const auto found = children_->all.find(one.who);
      restarts += "\n  " + (found != children_->all.end() ? found->second->path() : path() + "/?") + ": " + one.why;
      if (found != children_->all.end())
        last = found->second;
      ++many;
    }
    report = error{errc::gave_up, "gave up after " + std::to_string(how.max_restarts) + " restarts in " +
                                    std::to_string(how.within / std::chrono::milliseconds{1}) + " ms:" + restarts}
               .with_path(path());
    if (auto cause = last ? last->last_failure() : std::nullopt)
      report = report->with_cause(std::move(*cause));
    if (machine_.unresponsive(*report))
      decides = cancel_locked({cancel_kind::sibling_failed, path(), {}, engine().now(), *report});
  }
  last_event_ = engine().record(event_kind::intensity_exceeded, id(), last_event_.load(), static_cast<std::int64_t>(many),
                                std::string_view{report->message()});
  foreman().report(*report);
  std::shared_ptr<const child_hook> hook;
  {
    std::lock_guard guard{mutex_};
    hook = children_->on_child;
  }
  if (hook)
    engine().serve(path(), [hook = std::move(hook), event = child_event{path(), child_transition::gave_up, 0, report->message()}] {
      (*hook)(event);
    });
  if (decides)
    after_cancel();
}

// -- by name ----------------------------------------------------------------------------------------------------------

namespace {

std::optional<error> refusal(restart_machine::answer answer, const std::string& path) {
  using is = restart_machine::answer;
  switch (answer) {
    case is::ok:
      return std::nullopt;
    case is::unknown:
      return error{errc::no_such_name, "the scope has no child of this name"}.with_path(path);
    case is::running:
      return error{errc::child_is_running, "the child is running; stop it first"}.with_path(path);
    case is::busy:
      return error{errc::child_is_busy, "the child is just being restarted or stopped"}.with_path(path);
    case is::ending:
      return error{errc::scope_closed, "the scope is ending"}.with_path(path);
  }
  return std::nullopt;
}

} // namespace

actor_ref<actor_child> scope_actor::find_child(std::string_view name) const {
  if (!children_)
    return {};
  const auto found = children_->by_name.find(std::string{name});
  return found == children_->by_name.end() ? actor_ref<actor_child>{} : actor_ref<actor_child>{found->second};
}

std::optional<error> scope_actor::restart_child(std::string_view name) {
  actor_ref<actor_child> child;
  auto answer = restart_machine::answer::unknown;
  std::uint64_t before = 0;
  std::uint64_t off_before = 0;
  {
    std::lock_guard guard{mutex_};
    child = find_child(name);
    if (child && !child->known)
      answer = restart_machine::answer::busy;
    else if (child && (children_->over || machine_.reason()))
      answer = restart_machine::answer::ending;
    else if (child) {
      before = child->settled();
      off_before = child->called_off();
      answer = children_->machine.restart_child(child->key(), engine().now());
      static_cast<void>(recount(*child));
    }
  }
  if (auto refused = refusal(answer, child ? child->path() : path() + "/" + std::string{name}))
    return refused;
  child->keep_mail(true);
  signal(children_flag);
  return child->await_start(before, off_before);
}

std::optional<error> scope_actor::stop_child(std::string_view name) {
  actor_ref<actor_child> child;
  auto answer = restart_machine::answer::unknown;
  bool keep = true;
  bool calls_off = false;
  std::uint64_t ends_before = 0;
  {
    std::lock_guard guard{mutex_};
    child = find_child(name);
    if (child && (children_->over || machine_.reason()))
      return refusal(restart_machine::answer::ending, child->path());
    ends_before = child ? child->ends() : 0;
    const bool was_due = child && child->known && children_->machine.state(child->key()) == child_state::waiting;
    if (child)
      answer = child->known ? children_->machine.stop_child(child->key()) : restart_machine::answer::busy;
    calls_off = was_due && answer == restart_machine::answer::ok;
    if (child && child->known)
      keep = recount(*child);
  }
  if (auto refused = refusal(answer, child ? child->path() : path() + "/" + std::string{name}))
    return refused;
  child->keep_mail(keep);
  if (calls_off)
    child->call_off();
  signal(children_flag | advance_flag);
  if (!child->await_down(ends_before))
    return refusal(restart_machine::answer::ending, child->path());
  return std::nullopt;
}

std::optional<error> scope_actor::remove_child(std::string_view name) {
  actor_ref<actor_child> child;
  auto answer = restart_machine::answer::unknown;
  {
    std::lock_guard guard{mutex_};
    child = find_child(name);
    if (child)
      answer = child->known ? children_->machine.remove_child(child->key()) : restart_machine::answer::busy;
    if (answer == restart_machine::answer::ok)
      children_->by_name.erase(child->label()); // from here on the name is free
  }
  if (auto refused = refusal(answer, child ? child->path() : path() + "/" + std::string{name}))
    return refused;
  signal(children_flag);
  if (!child->await_gone())
    return refusal(restart_machine::answer::ending, child->path());
  return std::nullopt;
}

} // namespace muster
