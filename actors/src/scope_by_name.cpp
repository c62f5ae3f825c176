/// Starting, stopping and removing the children of a scope by their names.
#include "child_supervision.hpp"
#include "duty.hpp"
#include "waiting.hpp"

namespace muster {

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
    if (child && child->runs_this_thread())
      return would_deadlock(child->path());
    if (child && !child->known)
      answer = restart_machine::answer::busy;
    else if (child && (children_->over || machine_.reason()))
      answer = restart_machine::answer::ending;
    else if (child) {
      before = child->progress().settled();
      off_before = child->progress().called_off();
      answer = children_->machine.restart_child(child->key(), engine().now());
      recount(*child);
    }
  }
  if (auto refused = refusal(answer, child ? child->path() : path() + "/" + std::string{name}))
    return refused;
  signal(children_flag);
  return child->progress().await_start(before, off_before);
}

std::optional<error> scope_actor::stop_child(std::string_view name) {
  actor_ref<actor_child> child;
  auto answer = restart_machine::answer::unknown;
  bool calls_off = false;
  std::uint64_t ends_before = 0;
  {
    std::lock_guard guard{mutex_};
    child = find_child(name);
    if (child && child->runs_this_thread())
      return would_deadlock(child->path());
    if (child && (children_->over || machine_.reason()))
      return refusal(restart_machine::answer::ending, child->path());
    ends_before = child ? child->progress().ends() : 0;
    const bool was_due = child && child->known && children_->machine.state(child->key()) == child_state::waiting;
    if (child)
      answer = child->known ? children_->machine.stop_child(child->key()) : restart_machine::answer::busy;
    if (const auto body = event_of_this_body(); children_)
      note_abandoned(body != 0 ? body : last_event_.load());
    calls_off = was_due && answer == restart_machine::answer::ok;
    if (child && child->known)
      recount(*child);
  }
  if (auto refused = refusal(answer, child ? child->path() : path() + "/" + std::string{name}))
    return refused;
  child->send_back();
  if (calls_off)
    child->progress().call_off();
  signal(children_flag | advance_flag);
  if (!child->progress().await_down(ends_before))
    return refusal(restart_machine::answer::ending, child->path());
  return std::nullopt;
}

std::optional<error> scope_actor::remove_child(std::string_view name) {
  actor_ref<actor_child> child;
  auto answer = restart_machine::answer::unknown;
  {
    std::lock_guard guard{mutex_};
    child = find_child(name);
    if (child && child->runs_this_thread())
      return would_deadlock(child->path());
    if (child)
      answer = child->known ? children_->machine.remove_child(child->key()) : restart_machine::answer::busy;
    if (answer == restart_machine::answer::ok)
      children_->by_name.erase(child->label()); // from here on the name is free
  }
  if (auto refused = refusal(answer, child ? child->path() : path() + "/" + std::string{name}))
    return refused;
  signal(children_flag);
  if (!child->progress().await_gone())
    return refusal(restart_machine::answer::ending, child->path());
  return std::nullopt;
}

} // namespace muster
