/// How a scope carries out what its restart policy decides.
#include "child_supervision.hpp"
#include "manager_actor.hpp"

namespace muster {

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
      if (what->what == kind::start) {
        child->progress().to_be_begun();
        tell(*child, child_transition::restarting, what->which, {});
      }
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
      child->begin(what->which);
      break;
    case kind::stop:
      child->halt(what->which);
      break;
    case kind::forget:
      if (child)
        child->finish();
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
    last_event_ = engine().record(event_kind::intensity_exceeded, id(), last ? last->last_event() : last_event_.load(),
                                  static_cast<std::int64_t>(many), std::string_view{report->message()});
    note_flaw(last_event_.load());
    engine().keep_trace(runtime::engine::keep_for::intensity_exceeded, path());
    tell({.path = path(), .what = child_transition::gave_up, .text = report->message()});
    if (machine_.unresponsive(*report))
      decides = cancel_locked({cancel_kind::sibling_failed, path(), {}, engine().now(), *report});
  }
  foreman().report(*report);
  if (decides)
    after_cancel();
}

} // namespace muster
