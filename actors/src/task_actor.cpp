/// How a task lives: from its start over its admission and its body to its one outcome.
#include "task_actor.hpp"

#include "callback_entry.hpp"
#include "cpu_meter.hpp"
#include "duty.hpp"
#include "manager_actor.hpp"
#include "parking.hpp"
#include "scope_actor.hpp"
#include "suspension.hpp"
#include "thread_probe.hpp"
#include "waiting.hpp"

#include <muster/assert.hpp>

#include <algorithm>

namespace muster {

namespace {

const runtime::thread_probe& thread_probe_here() {
  thread_local const auto probe = runtime::thread_probe::of_this_thread();
  return probe;
}

duration cpu_time_here() { return thread_probe_here().cpu_time().value_or(duration{}); }

runtime::cpu_meter& meter_of_this_thread() {
  thread_local runtime::cpu_meter meter = [] {
    runtime::cpu_meter m;
    m.begin(cpu_time_here());
    return m;
  }();
  return meter;
}

/// Where and what, without the causes: there may be a hundred thousand of them.
std::string text_for_others(const error& e) { return e.path() + ": " + e.message(); }

/// `failure`: there is one unless it ended ok.
caf::error exit_of(outcome_kind how, const error* failure) {
  switch (how) {
    case outcome_kind::ok:
      return {};
    case outcome_kind::failed:
      return runtime::failed_exit(text_for_others(*failure));
    default:
      return runtime::cancelled_exit(text_for_others(*failure));
  }
}

bool says_cancelled(const error& e) noexcept {
  return e.code() == std::errc::operation_canceled || e.code() == errc::cancelled || e.code() == errc::timed_out;
}

/// Where what belongs to a task lies behind it, from its job on: then a coroutine's suspension, then the edges.
struct layout {
  std::size_t suspension_at;
  std::size_t edges_at;
  std::size_t size;
};
layout layout_of(const detail::job_maker& maker, std::size_t edges, std::size_t edge_size) noexcept {
  constexpr auto unit = alignof(std::max_align_t);
  static_assert(alignof(suspension) <= unit);
  const auto round_up = [](std::size_t n) { return (n + unit - 1) / unit * unit; };
  const auto suspension_at = round_up(maker.size);
  const auto edges_at = maker.suspends ? round_up(suspension_at + sizeof(suspension)) : suspension_at;
  return {suspension_at, edges_at, edges == 0 && !maker.suspends ? maker.size : edges_at + edges * edge_size};
}

} // namespace

task_actor* task_actor::make(actor_ref<scope_actor> scope, task_options&& options, const detail::job_maker& maker) {
  auto* system = scope->engine().system_if_running();
  const auto behind = layout_of(maker, options.after.tasks().size(), sizeof(edge)).size;
  return runtime::light_storage<task_actor>::make(system, behind, maker.alignment, std::move(scope),
                                                  std::move(options), maker);
}

task_actor::task_actor(actor_ref<scope_actor> scope, task_options&& options, const detail::job_maker& maker)
    : scope_(std::move(scope)),
      name_(options.name.empty() ? std::string{"task"} : std::move(options.name)),
      timeout_(options.timeout),
      grace_(options.grace.value_or(scope_->grace())),
      daemon_(options.daemon),
      deadline_(scope_->kept_deadline()) {
  urgency = options.priority;
  blocking = options.blocking;
  auto after = std::move(options.after).take();
  for (const auto& one : after)
    MUSTER_ASSERT(one, "a task was to come after an empty handle: it was default-constructed or moved from");
  auto* const behind = static_cast<std::byte*>(runtime::light_storage<task_actor>::extra_of(*this, maker.alignment));
  const auto where = layout_of(maker, after.size(), sizeof(edge));
  job_ = maker.construct(behind, maker.from);
  if (maker.suspends)
    suspension_ = ::new (static_cast<void*>(behind + where.suspension_at)) suspension(*this);
  if (after.empty())
    return;
  auto* const edges = reinterpret_cast<edge*>(behind + where.edges_at);
  for (std::size_t i = 0; i != after.size(); ++i)
    ::new (static_cast<void*>(edges + i)) edge{.which = std::move(after[i])};
  edges_ = {edges, after.size()};
}

task_actor::~task_actor() {
  std::destroy(edges_.begin(), edges_.end());
  if (suspension_)
    std::destroy_at(suspension_);
  if (job_)
    job_->~job();
}

time_point task_actor::deadline() const noexcept { return std::min(kept_deadline(), scope_->deadline()); }

std::string task_actor::path() const { return scope_->place().text(&name_); }

template <class F>
void task_actor::each_dependent(F f) {
  edge* e = dependents_.exchange(edge::closed(), std::memory_order_acq_rel);
  while (e && e != edge::closed()) {
    edge* const after = e->next;
    const auto dependent = actor_ref<task_actor>::adopt(std::exchange(e->dependent, nullptr)); // the edge is part of it
    f(*dependent);
    e = after;
  }
}

void task_actor::let_go_of_edges() noexcept {
  if (!edges_.empty() && edges_in_use_.fetch_sub(1, std::memory_order_acq_rel) == 1)
    for (auto& one : edges_)
      one.which = {};
}

// -- before the start -------------------------------------------------------------------------------------------------

void task_actor::refuse(const cancel_reason& reason) noexcept {
  reason_ = reason;
  word_.ask();
  static_cast<void>(word_.claim_discard());
  job_->drop_callable();
  settle_unstarted();
  edges_in_use_ = 1; // it waits for nobody
  let_go_of_edges();
  each_dependent([](task_actor&) {}); // there is none yet; who comes later finds it ended
  const auto refused = scope_->engine().record(event_kind::spawn_refused, id(), last_event_.load(),
                                               static_cast<std::int64_t>(reason.kind()));
  scope_->engine().trace().task_died(seen_, 0, refused); // its scope has never counted it, and may be ending
  announce_outcome();
  word_.publish();
}

void task_actor::await(time_point now) {
  dependencies_left_.store(static_cast<std::uint32_t>(edges_.size()) + 1, std::memory_order_relaxed);
  for (auto& entry : edges_) {
    task_actor& which = *entry.which;
    scope_->engine().record_at(now, event_kind::dependency, id(), 0, static_cast<std::int64_t>(which.id()));
    runtime::retain_actor(*this);
    entry.dependent = this;
    edge* head = which.dependents_.load(std::memory_order_acquire);
    do {
      if (head == edge::closed())
        break;
      entry.next = head;
    } while (!which.dependents_.compare_exchange_weak(head, &entry, std::memory_order_acq_rel));
    if (head == edge::closed()) {
      entry.dependent = nullptr;
      runtime::release_actor(*this);
      dependency_ended(which, false);
    }
  }
  if (dependencies_left_.fetch_sub(1, std::memory_order_acq_rel) == 1)
    scope_->admit(*this);
  let_go_of_edges();
}

void task_actor::dependency_ended(task_actor& which, bool cancelled_before) {
  if (which.job().out->ok()) {
    if (dependencies_left_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      scope_->admit(*this);
    return;
  }
  // Those that are skipped take their own dependants with them, in the same step: whatever cancels the scope because of
  // the failure comes after all of them.
  std::vector<actor_ref<task_actor>> skipped;
  if (skip(which, cancelled_before))
    skipped.emplace_back(this);
  while (!skipped.empty()) {
    const auto one = std::move(skipped.back());
    skipped.pop_back();
    one->each_dependent([&](task_actor& behind) {
      if (behind.skip(*one, false))
        skipped.emplace_back(&behind);
    });
  }
}

bool task_actor::skip(task_actor& because, bool cancelled_before) {
  std::lock_guard guard{scope_->mutex_};
  if (cancelled_before && because.scope_.get() == scope_.get()) {
    const auto& why = scope_->machine_.reason();
    ask(why ? why : because.reason_, false);
    return false;
  }
  if (word_.state() != task_state::waiting)
    return false;
  const auto before = word_.claim_discard();
  last_event_ = scope_->engine().record(event_kind::task_skipped, id(), because.last_event(),
                                        static_cast<std::int64_t>(because.id()));
  // Written now: what comes after this task may be settled before it is, and names it as the cause.
  auto& out = *job_->out;
  outcome_access::error(out) = error{errc::skipped, "skipped: " + because.path() + " did not end ok"}
                                 .with_path(path())
                                 .with_cause(because.job().out->error());
  outcome_access::settle(out, outcome_kind::skipped, {}, false);
  settle_elsewhere(*before);
  return true;
}

void task_actor::settle_elsewhere(task_state before) noexcept {
  auto& engine = scope_->engine();
  if (before == task_state::held)
    scope_->held_.remove(*this);
  // A worker that has taken it from the queue settles it itself; if it is yet to be queued, whoever does that sends it.
  if (before == task_state::ready && !engine.work().remove(*this))
    return;
  engine.service().push(*this);
}

void task_actor::ask(const cancel_reason& reason, bool personal, std::uint64_t cause) noexcept {
  const auto [runs, to_queue] = ask_only(reason, personal, cause);
  if (runs)
    arm(saturating_add(free_since_.load(), grace_));
  if (to_queue)
    suspension_->go();
}

task_actor::asked_one task_actor::ask_only(const cancel_reason& reason, bool personal, std::uint64_t cause) noexcept {
  if (word_.asked() || word_.state() >= task_state::ending)
    return {};
  auto& engine = scope_->engine();
  reason_ = reason;
  personal_ = personal;
  if (!word_.ask())
    return {}; // its body has just ended, and nobody will look at the reason
  if (open_scopes_.load(std::memory_order_relaxed) > 0)
    engine.stop_asked();
  if (cause == 0)
    cause = personal ? last_event_.load() : scope_->last_event_.load();
  last_event_ = engine.record(event_kind::cancel_asked, id(), cause, static_cast<std::int64_t>(reason.kind()),
                              std::string_view{reason.origin()});
  if (const auto before = word_.claim_discard()) {
    settle_elsewhere(*before);
    return {};
  }
  free_since_ = engine.now();
  return wake_asked();
}

void task_actor::arm(time_point due) noexcept {
  timed_ = true;
  scope_->engine().due().arm(*this, due);
}

void task_actor::came_to(task_state state) noexcept {
  auto& engine = scope_->engine();
  if (engine.trace().enabled())
    engine.trace().task_came_to(static_cast<std::uint8_t>(state), seen_, scope_->living_, id(), scope_->id(),
                                state == task_state::running ? started_.load().time_since_epoch().count() : 0);
}

task_actor::asked_one task_actor::wake_asked() noexcept {
  if (word_.watched())
    runtime::unpark_all(&word_);
  const asked_one done{.runs = true, .to_queue = suspension_ && suspension_->rouse()};
  if (scope_->reclaimers_ > 0)
    runtime::unpark_all(&scope_->permits_free_);
  if (!extras_)
    return done;
  if (!extras_->nested.empty()) {
    const auto inherited = reason_.inherited();
    extras_->nested.each([&](supervisor& below) {
      if (!below.shielded_)
        below.cancel(inherited, last_event_.load());
    });
  }
  for (auto& entry : extras_->callbacks)
    entry->trigger();
  if (extras_->stop_source)
    scope_->engine().serve(path(), [self = actor_ref<task_actor>{this}, source = *extras_->stop_source]() mutable {
      duty_mark mark{{.task = self.get(), .scope = self->scope_.get()}};
      const runtime::undivided whole; // whoever takes a stop callback back waits for it without us
      source.request_stop();
    });
  return done;
}

// -- a worker ---------------------------------------------------------------------------------------------------------

void task_actor::run_on_lane() noexcept {
  if (doomed_) {
    runtime::destroy_postponed(*this);
    return;
  }
  const bool goes_on = suspension_ && suspension_->begun();
  bool over = true;
  if (!goes_on && !begin())
    discard();
  else if (suspension_)
    over = suspension_->go_on();
  else
    run_body();
  if (over)
    leave(); // what sleeps keeps the run's reference
}

void task_actor::leave() noexcept {
  if (!leaving_) {
    runtime::release_actor(*this);
    return;
  }
  scope_actor& scope = *scope_; // it is there until all have left
  const bool last = last_;
  {
    duty_mark mark{{.scope = &scope}}; // the value's destructor may not wait for what waits for it
    runtime::release_actor(*this);
  }
  scope.child_has_gone(last);
}

void task_actor::wake_suspended() noexcept {
  if (suspension_)
    suspension_->wake();
}

bool task_actor::begin() noexcept {
  // A cancellation that is still on its way down must not be overtaken by a start.
  if (!word_.asked() && scope_->cancelled())
    scope_->turn_away(*this);
  const auto now = scope_->engine().now();
  if (now >= deadline_.load(std::memory_order_relaxed) && !word_.asked())
    expire(now);
  started_.store(now, std::memory_order_relaxed);
  return word_.claim_start();
}

void task_actor::run_body() noexcept {
  started_on_this_thread();
  {
    duty_mark mark{{.task = this, .scope = scope_.get(), .body = true}};
    job_->run(*make_context());
    join_leaked_scopes();
  }
  settle_run(started_.load(std::memory_order_relaxed), {});
}

void task_actor::started_on_this_thread() noexcept {
  began_.store(true, std::memory_order_relaxed);
  const auto thread = scope_->engine().simulated() ? 0 : thread_probe_here().id();
  thread_.store(thread, std::memory_order_relaxed);
  came_to(task_state::running);
  last_event_ = scope_->engine().record_at(started_.load(std::memory_order_relaxed), event_kind::task_started, id(),
                                           last_event_.load(std::memory_order_relaxed),
                                           trace_format::task_value(scope_->id(), thread), seen_.text);
  static_cast<void>(meter_of_this_thread()); // it counts from here on, at the latest
}

void task_actor::resumed_on_this_thread() noexcept {
  const auto thread = scope_->engine().simulated() ? 0 : thread_probe_here().id();
  thread_.store(thread, std::memory_order_relaxed);
  scope_->engine().trace().task_suspended(seen_, false);
  last_event_ =
      scope_->engine().record(event_kind::task_resumed, id(), last_event_.load(std::memory_order_relaxed), thread);
  static_cast<void>(meter_of_this_thread());
}

void task_actor::left_this_thread() noexcept {
  thread_.store(0, std::memory_order_relaxed);
  scope_->engine().trace().task_suspended(seen_, true);
  last_event_ = scope_->engine().record(event_kind::task_suspended, id(), last_event_.load(std::memory_order_relaxed));
}

duration task_actor::cpu_since(time_point began) const noexcept {
  auto& engine = scope_->engine();
  return engine.simulated() ? duration{} : meter_of_this_thread().charge(engine.now() - began, cpu_time_here);
}

void task_actor::leave_quick_wait() noexcept {
  free_since_ = scope_->engine().now();
  in_waits_.fetch_sub(1, std::memory_order_relaxed);
}

void task_actor::settle_run(time_point since, duration cpu_before) noexcept {
  auto& engine = scope_->engine();
  const auto ended_at = engine.now();
  const duration wall = ended_at - started_.load(std::memory_order_relaxed);
  // An error that the scope's cancellation brought about may be faster than the cancellation itself.
  if (outcome_access::error(*job_->out) && !word_.asked() && scope_->cancelled())
    scope_->turn_away(*this);
  runtime::conductor::pause_here(runtime::pause::inside);
  const bool asked = word_.finish();
  runtime::conductor::pause_here(runtime::pause::inside);
  const duration cpu =
    engine.simulated() ? duration{} : cpu_before + meter_of_this_thread().charge(ended_at - since, cpu_time_here);
  {
    duty_mark mark{{.task = this, .scope = scope_.get()}};
    job_->drop_callable();
    if (holdings_)
      holdings_->end();
  }
  auto said = settle_ended_body(asked, asked || ended_at > deadline_.load(std::memory_order_relaxed));
  conclude(std::move(said), {.ran = true, .at = ended_at, .wall = wall, .cpu = cpu});
}

void task_actor::join_leaked_scopes() noexcept {
  if (open_scopes_.load(std::memory_order_acquire) == 0)
    return;
  for (auto& below : cancel_open_scopes())
    below->join_for_ever();
  // The end of a scope counts a moment before it is reported here.
  runtime::park(&open_scopes_, [this] { return open_scopes_.load(std::memory_order_acquire) == 0; });
}

std::vector<actor_ref<supervisor>> task_actor::cancel_open_scopes() noexcept {
  std::vector<actor_ref<supervisor>> left;
  {
    std::lock_guard guard{scope_->mutex_};
    if (extras_)
      extras_->nested.each([&](supervisor& below) { left.emplace_back(&below); });
  }
  for (auto& below : left)
    if (!below->ended())
      below->cancel(
          {cancel_kind::parent_cancelled, path(), "the body that opened it has ended", scope_->engine().now()});
  return left;
}

void task_actor::say_what_is_open() noexcept {
  std::vector<actor_ref<supervisor>> left;
  {
    std::lock_guard guard{scope_->mutex_};
    if (extras_)
      extras_->nested.each([&](supervisor& below) { left.emplace_back(&below); });
  }
  for (auto& below : left)
    below->say_who_is_left();
}

std::optional<error> task_actor::settle_ended_body(bool asked, bool late) {
  auto& out = *job_->out;
  auto& failure = outcome_access::error(out);
  if (!failure) {
    outcome_access::settle(out, outcome_kind::ok, asked ? reason_ : cancel_reason{}, late);
    return std::nullopt;
  }
  if (failure->path().empty())
    *failure = failure->with_path(path());
  if (!asked) {
    outcome_access::settle(out, outcome_kind::failed, {}, late);
    return std::nullopt;
  }
  error own = std::move(*failure);
  // What the body said is kept as the cause, and listed unless it only repeats that it was asked.
  failure = reason_.is_mentioned_by(own) ? own : reason_.to_error(path()).with_cause(own);
  const bool own_timeout = personal_ && reason_.kind() == cancel_kind::timeout;
  outcome_access::settle(out, own_timeout ? outcome_kind::timed_out : outcome_kind::cancelled, reason_, late);
  if (says_cancelled(own))
    return std::nullopt;
  return own;
}

void task_actor::settle_unstarted() {
  auto& out = *job_->out;
  if (out.skipped())
    return;
  outcome_access::error(out) = reason_.to_error(path());
  const bool own_timeout = personal_ && reason_.kind() == cancel_kind::timeout;
  outcome_access::settle(out, own_timeout ? outcome_kind::timed_out : outcome_kind::cancelled, reason_, own_timeout);
}

void task_actor::discard() noexcept {
  if (!word_.claim_settlement())
    return;
  {
    duty_mark mark{{.task = this, .scope = scope_.get()}};
    job_->drop_callable();
  }
  settle_unstarted();
  conclude(std::nullopt, {.at = scope_->engine().now()});
}

void task_actor::conclude(std::optional<error> said, run_facts run) noexcept {
  const auto& out = *job_->out;
  auto& engine = scope_->engine();
  // Whether the scope was cancelled before this task ended is decided here.
  scope_->notice_cancellation();
  scope_actor::verdict_on_failure answer;
  if (out.failed() || out.timed_out())
    answer = scope_->child_failed(*this, out.error());
  else if (out.cancelled())
    answer.cancelled_before = !personal_;
  if (said)
    scope_->also_said(*said);
  const auto kind = trace_format::task_value(scope_->id(), static_cast<std::int64_t>(out.kind()));
  const auto before = last_event_.load(std::memory_order_relaxed);
  last_event_ = out.ok() ? engine.record_at(run.at, event_kind::task_ended, id(), before, kind)
                         : engine.record(event_kind::task_ended, id(), before, kind, out.error().message());
  engine.trace().task_died(seen_, scope_->living_, last_event_.load(std::memory_order_relaxed));
  each_dependent([&](task_actor& behind) { behind.dependency_ended(*this, answer.cancelled_before); });
  if (answer.decides)
    scope_->carry_out_failure(*this, out.error());
  let_go_of_edges();
  announce_outcome();
  scope_->child_ended(*this, run.wall, run.cpu, run.ran);
}

void task_actor::announce_outcome() noexcept {
  if (!job_->out->ok())
    ended_with_.emplace(job_->out->error());
  auto unseen = fame::unseen;
  if (!fame_.compare_exchange_strong(unseen, fame::ended_unseen, std::memory_order_acq_rel))
    tell_caf();
}

void task_actor::tell_caf() noexcept {
  announce_end(exit_of(job_->out->kind(), ended_with_ ? &*ended_with_ : nullptr));
}

caf::actor task_actor::shown_to_caf() {
  auto seen = fame::unseen;
  // What is announced twice is announced once; on return it is.
  if (!fame_.compare_exchange_strong(seen, fame::shown, std::memory_order_acq_rel) && seen == fame::ended_unseen)
    tell_caf();
  return runtime::handle_of(*this);
}

// -- timers, messages, references -------------------------------------------------------------------------------------

void task_actor::expire(time_point now) noexcept {
  if (deadline_.load() >= scope_->kept_deadline()) {
    // The time that is up is that of a scope above, whose timer may not have come to it yet.
    scope_->expire_above(now);
    scope_->turn_away(*this);
    return;
  }
  std::lock_guard guard{scope_->mutex_};
  if (word_.asked() || word_.state() >= task_state::ending)
    return;
  last_event_ = scope_->engine().record(event_kind::timeout, id(), last_event_.load(), timeout_.count());
  ask({cancel_kind::timeout, path(), {}, now}, true);
}

void task_actor::on_due(time_point now) noexcept {
  if (!word_.asked()) {
    expire(now);
    return;
  }
  std::lock_guard guard{scope_->mutex_};
  if (const auto due = look_for_answer(now); due != never)
    arm(due);
}

time_point task_actor::look_for_answer(time_point now) {
  if (word_.state() != task_state::running || accused_)
    return never;
  const auto due = saturating_add(in_waits_.load() > 0 ? now : free_since_.load(), grace_);
  if (due > now)
    return due;
  scope_->accuse(*this, now);
  return never;
}

void task_actor::on_mail(caf::mailbox_element_ptr mail, runtime::mail_host*) noexcept {
  // CAF may hold this actor's lock here, so nothing may be decided on this thread.
  if (const auto* exit = runtime::as_exit(*mail)) {
    if (!exit->reason)
      return;
    scope_->engine().serve({}, [self = actor_ref<task_actor>{this}, from = runtime::sender_of(*exit, *this),
                                text = runtime::text_of(exit->reason)] {
      if (self->ended())
        return;
      const auto came = self->scope_->engine().record(event_kind::exit_received, self->id(), 0,
                                                      static_cast<std::int64_t>(from), std::string_view{text});
      self->cancel("an exit message came: " + text, came);
    });
  } else {
    scope_->engine().serve({}, [self = actor_ref<task_actor>{this}, mail = std::move(mail)]() mutable {
      self->refuse_mail(mail, caf::make_error(caf::sec::unexpected_message));
    });
  }
}

void task_actor::on_link(const caf::abstract_actor& other, bool made) noexcept {
  scope_->engine().record(made ? event_kind::linked : event_kind::unlinked, id(), 0,
                          static_cast<std::int64_t>(other.id()));
}

bool task_actor::postpone_destruction() noexcept {
  // The user's value goes with it, and no user code runs where a supervisor has its turn.
  if (!scope_ || !scope_->engine().control().runs_items_here())
    return false;
  doomed_ = true;
  scope_->engine().service().push(*this);
  return true;
}

} // namespace muster
