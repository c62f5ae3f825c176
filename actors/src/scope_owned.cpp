/// What a scope, and for its pools a manager, does with what it owns: keeps it in order, stops it in reverse, shows it.
#include "scope_actor.hpp"

#include "manager_actor.hpp"
#include "waiting.hpp"

namespace muster {

bool supervisor::adopt(actor_ref<owned_actor> what) {
  std::lock_guard guard{mutex_};
  if (!machine_.takes_resources())
    return false;
  what->seen_alive(trace_format::node::resource, id(),
                   engine().record(event_kind::resource_registered, what->id(), 0, static_cast<std::int64_t>(id()),
                                   what->label()));
  list(std::move(what));
  return true;
}

void supervisor::list(actor_ref<owned_actor> what) {
  auto& one = *what;
  one.place = owned_.insert(owned_.end(), std::move(what));
  one.listed = true;
}

void supervisor::forget(owned_actor& which, actor_ref<owned_actor>& last) {
  if (!std::exchange(which.listed, false))
    return;
  last = std::move(*which.place);
  auto& from = which.is_overdue ? overdue_ : owned_;
  from.erase(which.place);
}

void supervisor::release_next() noexcept {
  actor_ref<owned_actor> last;
  {
    std::lock_guard guard{mutex_};
    if (owned_.empty())
      return; // it has just ended by itself
    releasing_ = true;
    last = owned_.back();
  }
  last->stop();
}

void supervisor::owned_ended(owned_actor& which, const std::optional<error>& failure, bool released) {
  actor_ref<owned_actor> gone;
  {
    std::lock_guard guard{mutex_};
    if (failure) {
      machine_.release_failed(*failure);
      note_flaw(which.last_event());
    }
    own_.resources_released += released ? 1 : 0;
    if (!which.is_overdue)
      releasing_ = false;
    forget(which, gone);
  }
  if (failure)
    foreman().report(*failure);
  signal(advance_flag);
}

bool supervisor::owned_left(owned_actor& which) {
  actor_ref<owned_actor> gone;
  {
    std::lock_guard guard{mutex_};
    if (releasing_ && !owned_.empty() && owned_.back().get() == &which)
      return false;
    forget(which, gone);
  }
  return true;
}

void supervisor::owned_overdue(owned_actor& which, const error& report) {
  bool goes_on = false;
  {
    std::lock_guard guard{mutex_};
    if (!releasing_ || !which.listed)
      return; // it has just come to its end
    machine_.release_failed(report);
    about_overdue(which, report);
    if (which.kind() == node_kind::actor && !which.is_overdue) {
      // Actors are not waited for one after the other for ever; all of them are at the end.
      which.is_overdue = true;
      overdue_.splice(overdue_.end(), owned_, which.place);
      releasing_ = false;
      goes_on = true;
      ++own_.actors_unresponsive;
    }
  }
  foreman().report(report);
  if (goes_on)
    signal(advance_flag);
}

bool scope_actor::enter_body() {
  notice_cancellation();
  std::lock_guard guard{mutex_};
  if (machine_.admit(scope_machine::member::body) != scope_machine::admission::accepted)
    return false;
  body_thread_ = std::this_thread::get_id();
  return true;
}

bool scope_actor::enter_body(const task_actor& of) {
  notice_cancellation();
  std::lock_guard guard{mutex_};
  if (machine_.admit(scope_machine::member::body) != scope_machine::admission::accepted)
    return false;
  body_task_ = &of;
  return true;
}

bool scope_actor::body_steps_out(const task_actor* of) {
  std::lock_guard guard{mutex_};
  if (of ? body_task_ != of : body_thread_ != std::this_thread::get_id())
    return false;
  body_thread_ = {};
  body_task_ = nullptr;
  machine_.left(scope_machine::member::body);
  return true;
}

void scope_actor::body_returns(const task_actor* of) {
  std::lock_guard guard{mutex_};
  if (!machine_.body_returns())
    return;
  if (of)
    body_task_ = of;
  else
    body_thread_ = std::this_thread::get_id();
}

std::optional<error> scope_actor::wait(time_point until) {
  // The scope is not held open by a body that waits for it.
  const bool was_body = !ended() && body_steps_out();
  auto refused = join(until);
  if (!refused)
    return verdict();
  if (was_body)
    body_returns();
  return refused;
}

void scope_actor::fail_body(std::optional<error>& why) {
  if (!why)
    return;
  if (why->path().empty())
    *why = why->with_path(path());
  const auto failure = engine().record(event_kind::failure, id(), last_event_.load(), why->code().value(),
                                       std::string_view{why->message()});
  if (cancel({cancel_kind::sibling_failed, path(), {}, engine().now(), *why}, failure))
    foreman().report(*why);
}

std::optional<error> scope_actor::finish_body(std::optional<error> why) {
  fail_body(why);
  body_steps_out();
  if (auto refused = join(never))
    return why ? why : refused;
  return why ? with_failures(std::move(*why)) : verdict();
}

error scope_actor::with_failures(error why) const {
  std::vector<error> later;
  std::lock_guard guard{mutex_};
  for (auto& failure : machine_.failures(path()))
    if (!mentions(why, failure))
      later.push_back(std::move(failure));
  return later.empty() ? why : why.with_later(std::move(later));
}

// -- looking ----------------------------------------------------------------------------------------------------------

tree_node scope_actor::draw_task(task_actor& task, time_point now) const {
  tree_node node;
  node.kind = node_kind::task;
  node.name = task.label();
  const auto state = task.state();
  node.state = to_string(state);
  if (task.asked())
    node.state += ", asked to stop: " + to_string(task.reason_);
  const auto started = task.started_.load();
  if (state >= task_state::running && started != time_point{})
    node.age = now - started;
  if (const auto until = task.deadline(); until != never)
    node.time_left = until - now;
  node.thread = task.thread_.load();
  if (const auto* more = task.extras_.get()) {
    node.note = more->note;
    node.done = more->done;
    node.total = more->total;
    if (more->waiting) { // of a coroutine: inside a call that blocks
      node.waits_for = more->waiting->what;
      node.waiting_since = now - more->waiting->since;
    }
  }
  if (const auto* suspended = task.suspension_; suspended && suspended->shown()) {
    node.waits_for = suspended->what();
    node.waiting_since = now - suspended->since();
  }
  if (state == task_state::waiting)
    for (const auto& one : task.edges_)
      if (!one.which->ended())
        node.waits_for += (node.waits_for.empty() ? "task " : ", task ") + one.which->path();
  return node;
}

void scope_actor::draw(picture& into, time_point now) const {
  auto& self = const_cast<scope_actor&>(*this);
  self.each_task([&](task_actor& task) {
    member m{draw_task(task, now), {}};
    if (task.extras_)
      task.extras_->nested.each([&](supervisor& below) { m.nested.emplace_back(&below); });
    into.members.push_back(std::move(m));
  });
  draw_owned(into, now);
}

void supervisor::draw_owned(picture& into, time_point now) const {
  for (const auto* all : {&owned_, &overdue_})
    for (const auto& one : *all)
      into.members.push_back({one->draw(now), {}, one->as_supervisor()});
}

} // namespace muster
