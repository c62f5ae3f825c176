/// What the body of a task can do, and how others wait for a task.
#include <muster/assert.hpp>

#include "callback_entry.hpp"
#include "duty.hpp"
#include "parking.hpp"
#include "scope_actor.hpp"
#include "suspension.hpp"
#include "task_actor.hpp"
#include "waiting.hpp"

namespace muster {

cancel_reason task_actor::reason() const {
  std::lock_guard guard{scope_->mutex_};
  return word_.asked() ? reason_ : cancel_reason{};
}

bool task_actor::asked_or_about_to_be() {
  if (!asked()) {
    if (!scope_->cancelled())
      return false;
    // The cancellation is on its way down; whoever has seen it here has been asked, with all that follows from that.
    scope_->turn_away(*this);
  }
  observed();
  return true;
}

std::optional<error> task_actor::join(time_point until) {
  if (ended())
    return std::nullopt;
  if (works_under(*this))
    return would_deadlock(path());
  const auto how = wait_for({.address = &word_,
                             .ready = [this] { return word_.watch() == task_state::ended; },
                             .engine = &scope_->engine(),
                             .until = until,
                             .what = current_duty() ? "task " + path() : std::string{},
                             .task = this,
                             .lends_permit = true});
  if (how == waited::done)
    return std::nullopt;
  if (how == waited::would_deadlock)
    return would_deadlock(path());
  if (how == waited::called_off)
    return called_off(path());
  if (how == waited::no_threads)
    return error{errc::no_threads, "it cannot run while this thread waits: the system gives no more threads"}.with_path(
      path());
  return error{errc::not_ready, "it had not ended in the time given"}.with_path(path());
}

actor_ref<task_actor> task_actor::waits_for() const {
  std::lock_guard guard{scope_->mutex_};
  if (suspension_)
    if (auto* awaited = suspension_->awaited_task())
      return actor_ref<task_actor>{awaited};
  return actor_ref<task_actor>{extras_ && extras_->waiting ? extras_->waiting->task : nullptr};
}

void task_actor::cancel(std::string text, std::uint64_t cause) {
  if (scope_->cancelled())
    scope_->turn_away(*this); // the first reason stays
  std::lock_guard guard{scope_->mutex_};
  ask({cancel_kind::user, path(), std::move(text), scope_->engine().now()}, true,
      cause != 0 ? cause : event_of_this_body());
}

task_actor::extras& task_actor::more() {
  if (!extras_)
    extras_ = std::make_unique<extras>();
  return *extras_;
}

void task_actor::checked_in(const std::source_location& where) noexcept {
  checked_in_file_.store(where.file_name(), std::memory_order_relaxed);
  checked_in_line_.store(where.line(), std::memory_order_relaxed);
}

void task_actor::observed() noexcept {
  if (observed_.load(std::memory_order_relaxed) || observed_.exchange(true))
    return;
  auto& engine = scope_->engine();
  engine.record(event_kind::cancel_observed, id(), last_event_.load(), (engine.now() - free_since_.load()).count());
}

void task_actor::note(std::string text) {
  last_event_ = scope_->engine().record(event_kind::note, id(), last_event_.load(), 0, std::string_view{text});
  std::lock_guard guard{scope_->mutex_};
  more().note = std::move(text);
}

void task_actor::progress(std::uint64_t done, std::uint64_t total) {
  auto& engine = scope_->engine();
  engine.record(event_kind::progress, id(), last_event_.load(), progress_value(done, total));
  std::lock_guard guard{scope_->mutex_};
  auto& mine = more();
  mine.done = done;
  mine.total = total;
  if (!scope_->progress() || std::exchange(mine.progress_posted, true))
    return;
  engine.serve(path(), [self = actor_ref<task_actor>{this}, hook = scope_->progress()] {
    progress_report report{.path = self->path()};
    {
      std::lock_guard lock{self->scope_->mutex_};
      auto& latest = self->more();
      latest.progress_posted = false;
      report.done = latest.done;
      report.total = latest.total;
    }
    (*hook)(report);
  });
}

void task_actor::enter_wait(wait_note& note) {
  std::lock_guard guard{scope_->mutex_};
  auto& mine = more();
  note.outer = std::exchange(mine.waiting, &note);
  in_waits_.fetch_add(1, std::memory_order_relaxed);
}

void task_actor::leave_wait(wait_note& note, std::uint64_t failed) noexcept {
  std::lock_guard guard{scope_->mutex_};
  auto& mine = more();
  mine.waiting = note.outer;
  if (failed != 0)
    mine.failed_wait = failed;
  free_since_ = scope_->engine().now();
  in_waits_.fetch_sub(1, std::memory_order_relaxed);
}

void task_actor::lend_permit() noexcept { scope_->lend_permit(*this); }

void task_actor::reclaim_permit() { scope_->reclaim_permit(*this); }

void task_actor::sleep(time_point until, supervisor* shield) {
  sleep_until_done("sleep", until, shield, [] { return false; });
}

waited task_actor::sleep_until_done(std::string what, time_point until, supervisor* shield,
                                    runtime::function_ref<bool()> done, bool lends_permit, bool recorded) {
  return shield ? wait_for({.address = &shield->cancelled_,
                            .ready = [&] { return shield->cancelled_.load() || done(); },
                            .engine = &scope_->engine(),
                            .until = until,
                            .what = std::move(what),
                            .lends_permit = lends_permit,
                            .recorded = recorded})
                : wait_for({.address = &word_,
                            .ready = [&] { return word_.watch(), word_.asked() || done(); },
                            .engine = &scope_->engine(),
                            .until = until,
                            .what = std::move(what),
                            .lends_permit = lends_permit,
                            .recorded = recorded});
}

const void* task_actor::wake_address(supervisor* shield) const noexcept {
  return shield ? static_cast<const void*>(&shield->cancelled_) : &word_;
}

void task_actor::wake(supervisor* shield) noexcept { runtime::unpark_all(wake_address(shield)); }

void task_actor::hold(holding& what) {
  MUSTER_ASSERT(word_.state() == task_state::running, "a task took something to hold when its body was over");
  if (!holdings_)
    holdings_ = std::make_unique<holdings>();
  holdings_->hold(what);
}

bool task_actor::let_go(holding& what) noexcept { return holdings_ && holdings_->let_go(what); }

std::shared_ptr<detail::callback_entry> task_actor::on_cancel(std::move_only_function<void()> fn, supervisor* shield) {
  auto entry = std::make_shared<detail::callback_entry>(detail::ref<task_actor>::share(this), std::move(fn));
  if (shield) {
    entry->trigger_with(shield->stop_token());
    return entry;
  }
  std::lock_guard guard{scope_->mutex_};
  if (word_.asked())
    entry->trigger();
  else
    more().callbacks.push_back(entry);
  return entry;
}

void task_actor::forget(const detail::callback_entry& entry) noexcept {
  std::shared_ptr<detail::callback_entry> last; // its function is destroyed outside the lock
  std::lock_guard guard{scope_->mutex_};
  if (!extras_)
    return;
  auto& all = extras_->callbacks;
  for (auto& one : all)
    if (one.get() == &entry) {
      last = std::move(one);
      one = std::move(all.back());
      all.pop_back();
      return;
    }
}

std::stop_token task_actor::stop_token() {
  std::lock_guard guard{scope_->mutex_};
  auto& source = more().stop_source;
  if (!source) {
    source.emplace();
    if (word_.asked())
      source->request_stop();
  }
  return source->get_token();
}

task_actor* task_actor::dependency(std::string_view name) const noexcept {
  for (const auto& one : edges_)
    if (one.which->label() == name)
      return one.which.get();
  return nullptr;
}

} // namespace muster
