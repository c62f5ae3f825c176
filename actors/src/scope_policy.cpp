/// How a scope carries out what its restart policy decides.
#include "child_supervision.hpp"
#include "manager_actor.hpp"

namespace muster {

namespace {

std::string_view word_for(restart_strategy strategy) noexcept {
  switch (strategy) {
    case restart_strategy::one_for_one: return "one_for_one";
    case restart_strategy::one_for_all: return "one_for_all";
    case restart_strategy::rest_for_one: return "rest_for_one";
  }
  return "?";
}

/// What a supervisor goes by, for the trace: "one_for_one, at most 3 in 5000 ms".
std::string policy_text(const restart& how) {
  return std::string{word_for(how.strategy)} + ", at most " + std::to_string(how.max_restarts) + " in " +
         std::to_string(how.within / std::chrono::milliseconds{1}) + " ms";
}

/// The same few texts over and over: each takes its place in the trace for good.
std::string attempt_text(std::uint64_t attempt) {
  return attempt < 100 ? "attempt " + std::to_string(attempt) : "attempt 100 or later";
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
      note_abandoned(last_event_.load());
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

void scope_actor::note_decision(const actor_child& child, std::uint64_t counted) {
  const auto& machine = children_->machine;
  if (machine.counted() == counted)
    return note_abandoned(last_event_.load());
  const auto decided = engine().record(event_kind::restart_decided, child.id(), child.last_event(),
                                       static_cast<std::int64_t>(machine.window().size()),
                                       std::string_view{policy_text(children_->how)});
  last_event_ = decided;
  const auto& last = machine.window().back();
  if (last.attempt != 0)
    last_event_ = engine().record(event_kind::restart_backoff, child.id(), decided, last.delay.count(),
                                  std::string_view{attempt_text(last.attempt)});
  note_abandoned(decided);
}

void scope_actor::note_abandoned(std::uint64_t cause) {
  for (const auto who : children_->machine.take_abandoned())
    if (const auto found = children_->all.find(who); found != children_->all.end())
      found->second->came_up_by(engine().record(event_kind::restart_abandoned, found->second->id(), cause));
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
