/// How a scope asks its tasks to stop, and sees to it that they answer in their grace periods.
#include "manager_actor.hpp"
#include "parking.hpp"
#include "scope_actor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace muster {

bool scope_actor::ask_members(std::size_t& budget, const cancel_reason& reason) noexcept {
  auto first_due = never;
  std::array<runtime::lane_item*, asked_in_a_step> to_queue;
  std::size_t many = 0;
  const auto queue_them = [&] {
    if (many > 0)
      engine().work().push({to_queue.data(), std::exchange(many, 0)});
  };
  for (; budget > 0 && !tasks_.empty(); --budget) {
    task_actor& task = tasks_.front();
    task.member_link::unlink();
    tasks_asked_.push_back(task);
    const auto one = task.ask_only(reason, false, 0);
    if (one.runs)
      first_due = std::min(first_due, saturating_add(task.free_since_.load(std::memory_order_relaxed), task.grace_));
    if (one.to_queue)
      to_queue[many++] = &task;
    if (many == to_queue.size())
      queue_them();
  }
  queue_them();
  watch_for_answers(first_due);
  if (reclaimers_ > 0)
    runtime::unpark_all(&permits_free_);
  return !tasks_.empty();
}

void scope_actor::ask_daemons() noexcept {
  const cancel_reason reason{cancel_kind::parent_cancelled, path(), "the last other child has ended", engine().now()};
  each_task([&](task_actor& task) { task.ask(reason, false); });
}

void scope_actor::each_task(runtime::function_ref<void(task_actor&)> f) {
  tasks_.each(f);
  tasks_asked_.each(f);
  tasks_seen_.each(f);
}

// -- grace periods ----------------------------------------------------------------------------------------------------

void scope_actor::watch_for_answers(time_point due) noexcept {
  if (due >= watched_until_)
    return;
  watched_until_ = due;
  engine().due().arm(watch_, due);
}

void scope_actor::answer_watch::on_due(time_point now) noexcept {
  // In slices, so that other timers have their turn among a million tasks that do not answer.
  constexpr int in_a_slice = 256;
  std::lock_guard guard{scope_.mutex_};
  scope_.watched_until_ = never;
  for (int i = 0; i != in_a_slice && !scope_.tasks_asked_.empty(); ++i) {
    task_actor& task = scope_.tasks_asked_.front();
    task.member_link::unlink();
    scope_.tasks_seen_.push_back(task);
    scope_.next_round_ = std::min(scope_.next_round_, task.look_for_answer(now));
  }
  if (!scope_.tasks_asked_.empty())
    return scope_.watch_for_answers(now);
  const auto next = std::exchange(scope_.next_round_, never);
  scope_.tasks_asked_.take_all(scope_.tasks_seen_);
  if (!scope_.tasks_asked_.empty()) // else the scope may be over by now
    scope_.watch_for_answers(next);
}

void scope_actor::accuse(task_actor& task, time_point now) {
  task.accused_ = true;
  const auto* file = task.checked_in_file_.load();
  const auto silent_for = now - task.free_since_.load();
  const auto last = file ? fmt::format("at {}:{}", file, task.checked_in_line_.load()) : "never";
  const error report =
      error{errc::unresponsive,
            fmt::format("it was asked to stop and has not answered for {} ms; it last checked in {}; its thread is {}",
                        silent_for / std::chrono::milliseconds{1}, last, task.thread_.load())}
          .with_path(task.path());
  ++own_.tasks_unresponsive;
  const auto found = engine().record(event_kind::unresponsive, task.id(), task.last_event_.load(),
                                     silent_for.count(), std::string_view{file ? file : ""});
  note_flaw(found);
  const bool decides = machine_.unresponsive(report);
  if (decides && cancel_locked({cancel_kind::sibling_failed, task.path(), {}, now, report}, found))
    after_cancel();
  foreman().report(report);
  engine().log(log_kind::unresponsive, task.path(), report.message());
  engine().keep_trace(runtime::engine::keep_for::unresponsive, task.path());
}

} // namespace muster
