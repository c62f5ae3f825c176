/// What a scope does with its tasks: takes them in, makes them ready, hears of their ends.
#include "scope_actor.hpp"

#include "child_supervision.hpp"
#include "manager_actor.hpp"
#include "parking.hpp"
#include "waiting.hpp"

namespace muster {

using member = scope_machine::member;

namespace {

member kind_of(const task_actor& task) noexcept { return task.daemon() ? member::daemon : member::task; }

} // namespace

actor_ref<scope_actor> scope_actor::make(supervisor_seed seed, std::size_t max_parallel) {
  auto* system = seed.engine->system_if_running();
  const auto policy = seed.policy;
  auto hook = std::move(seed.on_child);
  auto made = actor_ref<scope_actor>::adopt(
    runtime::light_storage<scope_actor>::make(system, 0, alignof(std::max_align_t), std::move(seed), max_parallel));
  if (policy.what == failure_policy::kind::restart)
    made->children_ = std::make_unique<child_supervision>(*made, policy.how, std::move(hook));
  made->enter();
  return made;
}

scope_actor::scope_actor(supervisor_seed seed, std::size_t max_parallel)
    : supervisor(node_kind::scope, std::move(seed)), max_parallel_(max_parallel), permits_free_(max_parallel) {}

scope_actor::~scope_actor() = default;

manager_actor& scope_actor::foreman() noexcept {
  supervisor* s = above();
  while (s->kind() != node_kind::manager)
    s = s->above();
  return s->foreman();
}

// -- taking in --------------------------------------------------------------------------------------------------------

detail::ref<task_actor> scope_actor::spawn(task_options&& options, const detail::job_maker& maker) {
  task_actor* task = task_actor::make(actor_ref<scope_actor>{this}, std::move(options), maker);
  auto handle = detail::ref<task_actor>::adopt(task);
  notice_cancellation();
  const bool depends = !task->edges_.empty();
  task->seen_.text = engine().trace().intern(task->label());
  const auto now = moment_for(*task);
  task->seen_.created =
      engine().record_at(now, event_kind::task_created, task->id(), last_event_.load(std::memory_order_relaxed),
                         static_cast<std::int64_t>(id()), task->seen_.text);
  task->last_event_ = task->seen_.created;
  if (engine().trace().enabled())
    engine().trace().task_born(task->seen_, task->id(), id(), now.time_since_epoch().count());
  bool taken = true;
  bool ready = false;
  cancel_reason why_not;
  {
    std::lock_guard guard{mutex_};
    if (machine_.admit(kind_of(*task)) == scope_machine::admission::accepted) {
      ++crowd_.live;
      tasks_.push_back(*task);
      runtime::retain_actor(*task); // the list's, until the task has ended
      runtime::retain_actor(*task); // the run's: it travels with the task to whoever settles it
      if (depends)
        task->came_to(task_state::waiting);
      else
        ready = admit_locked(*task, now);
    } else {
      taken = false;
      why_not = machine_.reason();
    }
  }
  if (ready)
    queue(*task, now);
  else if (!taken)
    refuse(*task, std::move(why_not));
  else if (depends)
    task->await(now);
  return handle;
}

void scope_actor::refuse(task_actor& task, cancel_reason why) noexcept {
  if (!why)
    why = {cancel_kind::parent_cancelled, path(), "the scope takes no more tasks", engine().now()};
  count_refused();
  task.refuse(why);
}

void scope_actor::admit(task_actor& task) {
  const auto now = moment_for(task);
  {
    std::lock_guard guard{mutex_};
    if (!admit_locked(task, now))
      return;
  }
  queue(task, now);
}

void scope_actor::queue(task_actor& task, time_point now) noexcept {
  task.came_to(task_state::ready);
  runtime::conductor::pause_here(runtime::pause::inside);
  if (!engine().work().offer(task, now))
    engine().service().push(task); // it was claimed meanwhile, and is not to wait for a worker
}

time_point scope_actor::moment_for(const task_actor& task) const noexcept {
  return engine().trace().enabled() || task.timeout_ != no_timeout ? engine().now() : time_point{};
}

bool scope_actor::admit_locked(task_actor& task, time_point now) {
  if (task.word_.state() != task_state::waiting)
    return false; // it has been claimed: whoever did that settles it
  if (machine_.reason()) {
    task.ask(machine_.reason(), false);
    return false;
  }
  if (max_parallel_ > 0) {
    // Those who lent their permit come before newcomers.
    if (reclaimers_ > 0 || !reclaiming_.empty() || !take_permit()) {
      if (task.word_.advance(task_state::waiting, task_state::held)) {
        task.came_to(task_state::held);
        task.last_event_ = engine().record(event_kind::task_held, task.id(), task.last_event_.load());
        held_.push(task, engine().now());
      }
      return false;
    }
    task.has_permit_ = true;
  }
  return make_ready(task, now);
}

bool scope_actor::make_ready(task_actor& task, time_point now) noexcept {
  // Claims are made under this lock too, so what is waiting or held here still is when it is advanced.
  const auto from = task.word_.state();
  if (task.timeout_ != no_timeout) {
    const auto own = saturating_add(now, task.timeout_);
    if (own < kept_deadline()) {
      task.deadline_ = own;
      if (own <= now) {
        task.last_event_ =
          engine().record(event_kind::timeout, task.id(), task.last_event_.load(), task.timeout_.count());
        task.ask({cancel_kind::timeout, task.path(), {}, now}, true);
        return false;
      }
      task.arm(own);
    }
  }
  static_cast<void>(task.word_.advance(from, task_state::ready));
  task.last_event_ =
      engine().record_at(now, event_kind::task_ready, task.id(), task.last_event_.load(std::memory_order_relaxed),
                         static_cast<std::int64_t>(task.urgency));
  return true;
}

void scope_actor::turn_away(task_actor& task) {
  notice_cancellation();
  std::lock_guard guard{mutex_};
  if (machine_.reason())
    task.ask(machine_.reason(), false);
}

// -- permits ----------------------------------------------------------------------------------------------------------

bool scope_actor::take_permit() noexcept {
  auto free = permits_free_.load(std::memory_order_relaxed);
  while (free > 0)
    if (permits_free_.compare_exchange_weak(free, free - 1, std::memory_order_acq_rel))
      return true;
  return false;
}

void scope_actor::free_permit() noexcept {
  if (reclaimers_ > 0) {
    permits_free_.fetch_add(1, std::memory_order_acq_rel);
    runtime::unpark_all(&permits_free_);
    return;
  }
  permits_free_.fetch_add(1, std::memory_order_acq_rel);
  hand_out_permits();
}

void scope_actor::hand_out_permits() noexcept {
  while ((!reclaiming_.empty() || !held_.empty()) && take_permit()) {
    if (!reclaiming_.empty()) {
      suspension& first = reclaiming_.front();
      first.unlink();
      first.task().has_permit_ = true;
      first.permit_given();
    } else {
      auto* first = static_cast<task_actor*>(held_.pop());
      first->has_permit_ = true;
      const auto now = moment_for(*first);
      if (make_ready(*first, now))
        queue(*first, now);
    }
  }
}

bool scope_actor::permit_is_back(task_actor& task, suspension& sleeper) {
  if (max_parallel_ == 0)
    return true;
  std::lock_guard guard{mutex_};
  // One that is asked to stop goes on without: it has to come to its end.
  if (!task.has_permit_ && !task.word_.asked()) {
    if (sleeper.linked())
      return false;
    if (reclaimers_ > 0 || !reclaiming_.empty() || !take_permit()) {
      reclaiming_.push_back(sleeper);
      return false;
    }
    task.has_permit_ = true;
  }
  if (sleeper.linked())
    sleeper.unlink();
  return true;
}

void scope_actor::lend_permit(task_actor& task) noexcept {
  std::lock_guard guard{mutex_};
  if (std::exchange(task.has_permit_, false))
    free_permit();
}

void scope_actor::reclaim_permit(task_actor& task) {
  if (max_parallel_ == 0)
    return;
  {
    std::lock_guard guard{mutex_};
    if (task.has_permit_)
      return;
    if (take_permit()) {
      task.has_permit_ = true;
      return;
    }
    ++reclaimers_;
  }
  bool got = false;
  // A body that is asked to stop goes on without: it has to come to its end.
  // So does one whose thread is the only one there is: nobody else could run with the permit.
  runtime::wait_region region;
  if (region.replaced())
    runtime::park(&permits_free_, [&] { return (got = got || take_permit()) || task.word_.asked(); });
  std::lock_guard guard{mutex_};
  --reclaimers_;
  task.has_permit_ = got;
  if (reclaimers_ == 0)
    hand_out_permits();
}

// -- hearing of ends --------------------------------------------------------------------------------------------------

scope_actor::verdict_on_failure scope_actor::child_failed(task_actor& task, const error& what) {
  // An error that arose elsewhere came out of the wait for that.
  const bool from_below = what.path() != task.path();
  verdict_on_failure answer;
  {
    std::lock_guard guard{mutex_};
    const auto wait = from_below && task.extras_ ? task.extras_->failed_wait : 0;
    const std::uint64_t failure =
      engine().record(event_kind::failure, task.id(), wait != 0 ? wait : task.last_event_.load(), what.code().value(),
                      std::string_view{what.message()});
    task.last_event_ = failure;
    answer.cancelled_before = static_cast<bool>(machine_.reason());
    note_flaw(failure);
    if (machine_.failed(what))
      answer.decides = cancel_locked({cancel_kind::sibling_failed, task.path(), {}, engine().now(), what}, failure);
  }
  foreman().report(what);
  return answer;
}

void scope_actor::carry_out_failure(task_actor& task, const error& what) {
  runtime::unpark_all(&cancelled_);
  exit_sent_ = engine().record(event_kind::exit_sent, task.id(), last_event_.load(), static_cast<std::int64_t>(id()),
                               std::string_view{what.message()});
  runtime::send_exit(task, *this, runtime::failed_exit(what.message()));
}

void scope_actor::also_said(const error& what) {
  {
    std::lock_guard guard{mutex_};
    machine_.also_said(what);
  }
  foreman().report(what);
}

void scope_actor::on_exit(const caf::exit_msg& exit) noexcept {
  if (!cancelled_here()) {
    supervisor::on_exit(exit);
    return;
  }
  // The exit of a child that failed: what it means was decided in the step in which it failed; here it is carried out.
  const auto sent = exit_sent_.load();
  engine().record(event_kind::exit_received, id(), sent != 0 ? sent : last_event_.load(),
                  static_cast<std::int64_t>(runtime::sender_of(exit, *this)));
  signal(propagate_flag | advance_flag);
}

void scope_actor::count(const task_actor& task, bool ran, duration wall, duration cpu) noexcept {
  --crowd_.live;
  if (ran) {
    ++crowd_.started;
    crowd_.wall_time += wall;
    crowd_.cpu_time += cpu;
  }
  switch (task.job().out->kind()) {
    case outcome_kind::ok:
      ++crowd_.completed;
      break;
    case outcome_kind::failed:
      ++own_.tasks_failed;
      break;
    case outcome_kind::timed_out:
      ++own_.tasks_timed_out;
      break;
    case outcome_kind::cancelled:
      ++own_.tasks_cancelled;
      break;
    case outcome_kind::skipped:
      ++own_.tasks_skipped;
      break;
  }
}

void scope_actor::child_ended(task_actor& task, duration wall, duration cpu, bool ran) {
  bool watched = false;
  {
    std::lock_guard guard{mutex_};
    // Whoever armed its timer did so under this lock.
    if (task.timed_)
      engine().due().disarm(task);
    count(task, ran, wall, cpu);
    task.member_link::unlink();
    if (std::exchange(task.has_permit_, false))
      free_permit();
    // The outcome counts before the scope can be over.
    watched = task.word_.publish();
    const auto who = kind_of(task);
    machine_.left(who);
    task.last_ = machine_.count(who) == 0 && attentive();
    leaving_.fetch_add(one_leaving, std::memory_order_relaxed); // before anybody can look whether the scope is over
    task.leaving_ = true;
  }
  if (watched)
    runtime::unpark_all(&task.word_);
  runtime::release_actor(task); // the list's
}

void scope_actor::child_has_gone(bool last) noexcept {
  // While somebody is leaving this scope is there, afterwards perhaps not.
  actor_ref<scope_actor> self;
  auto seen = leaving_.load(std::memory_order_relaxed);
  bool look = false;
  bool awaited = false;
  do {
    awaited = seen == (one_leaving | leaving_awaited);
    look = last || awaited;
    if (look && !self)
      self = actor_ref<scope_actor>{this};
  } while (!leaving_.compare_exchange_weak(seen, awaited ? 0 : seen - one_leaving, std::memory_order_acq_rel));
  if (look)
    self->signal_here(advance_flag);
}

bool scope_actor::somebody_leaves() noexcept {
  if (leaving_.load(std::memory_order_acquire) < one_leaving)
    return false;
  return leaving_.fetch_or(leaving_awaited, std::memory_order_acq_rel) >= one_leaving;
}

} // namespace muster
