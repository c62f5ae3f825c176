/// How a circuit breaker lets calls pass, takes their results, and tells of its changes.
#include "breaker_core.hpp"

#include "context_access.hpp"
#include "duration_text.hpp"
#include "duty.hpp"
#include "parking.hpp"
#include "task_actor.hpp"
#include "waiting.hpp"

#include <caf/actor_system.hpp>

#include <utility>

namespace muster::detail {

namespace {

std::uint64_t new_id(runtime::engine& engine) {
  auto* system = engine.system_if_running();
  return system ? system->next_actor_id() : 0;
}

} // namespace

/// The lock with its moment. What changed under it is carried out by `settle`, at the latest when the turn is over.
struct breaker_core::turn {
  breaker_core& core;
  std::unique_lock<runtime::mutex> lock{core.mutex_};
  const time_point now = core.engine_->now();
  bool tells = false;

  explicit turn(breaker_core& c) noexcept : core(c) {}
  turn(const turn&) = delete;
  turn& operator=(const turn&) = delete;
  ~turn() {
    settle();
    lock.unlock();
    if (tells)
      core.engine_->serve(core.path(), [self = ref<breaker_core>::share(&core)] { self->tell_changes(); });
  }
  void settle(std::uint64_t cause = 0) noexcept { tells = core.settle(cause) || tells; }
};

breaker_core::breaker_core(supervisor& above, breaker_options options)
    : breaker_gate(std::holds_alternative<consecutive_failures>(options.opens_on), options.slow_after != no_timeout),
      engine_(above.shared_engine()),
      above_(&above),
      name_(options.name.empty() ? std::string{"breaker"} : options.name),
      id_(new_id(*engine_)),
      counts_as_failure_(std::move(options.counts_as_failure)),
      machine_(options),
      on_change_(std::move(options.on_state_change)) {
  last_event_ = engine_->record(event_kind::breaker_created, id_, 0, static_cast<std::int64_t>(above.id()),
                                std::string_view{name_});
  living_ = engine_->born(trace_format::node::breaker, id_, above.id(), name_, last_event_);
  if (!machine_.watched())
    door_.store(machine_.generation(), std::memory_order_release);
}

breaker_core::~breaker_core() {
  engine_->trace().died(living_, engine_->record(event_kind::breaker_ended, id_, last_event_));
}

// -- calls ------------------------------------------------------------------------------------------------------------

result<breaker_ticket> breaker_core::enter(task_actor* who) {
  if (const auto generation = door_.load(std::memory_order_acquire))
    return breaker_ticket{.generation = generation, .number = 0, .started = timed_ ? engine_->now() : time_point{}};
  const auto [answer, because, now] = ask(who);
  if (answer)
    return *answer;
  return std::unexpected{refused(answer.error(), because, now, who)};
}

breaker_core::reply breaker_core::ask(task_actor* who) {
  turn t{*this};
  auto got = machine_.acquire(t.now);
  t.settle();
  if (got)
    return {std::move(got), {}, t.now};
  ++counts_.refused;
  engine_->record(event_kind::breaker_refused, id_, last_event_, who ? static_cast<std::int64_t>(who->id()) : 0);
  return {std::move(got), because_, t.now};
}

error breaker_core::refused(const breaker_machine::refusal& why, const std::string& because, time_point now,
                            task_actor* who) const {
  std::string text = "circuit breaker " + name_ + " is " + std::string{to_string(why.state)};
  if (why.state == breaker_state::half_open)
    text += ", and no further probe is let through now";
  else
    text += " (" + because + ")" + (why.until == never ? "" : ": try again in " + in_words(why.until - now));
  error e{errc::breaker_open, std::move(text)};
  if (why.until != never)
    e = e.with_retry_after(why.until - now);
  return who ? e.with_path(who->path()) : e;
}

void breaker_core::leave(const breaker_ticket& call, verdict what, const error* why, task_actor* who) noexcept {
  if (what == verdict::success && call.number == 0 && !(timed_ && machine_.is_slow(call, engine_->now())) &&
      passed(call.generation))
    return;
  turn t{*this};
  if (passed_.load(std::memory_order_acquire) != 0 &&
      passed_.exchange(0, std::memory_order_acq_rel) == machine_.generation())
    machine_.passed();
  const auto before = machine_.generation();
  if (!machine_.report(call, what, t.now)) {
    ++counts_.late;
    return;
  }
  if (what == verdict::ignored) {
    ++counts_.ignored;
    return;
  }
  if (what == verdict::failure)
    last_failure_ = why ? std::optional{*why} : std::nullopt;
  ++(what == verdict::success ? counts_.succeeded : counts_.failed);
  counts_.slow += machine_.is_slow(call, t.now) ? 1 : 0;
  t.settle(who && machine_.generation() != before ? who->last_event() : 0);
}

breaker_machine::verdict breaker_core::judge(const error& why, const context* ctx) const noexcept {
  if (why.code() == std::errc::operation_canceled && (!ctx || ctx->cancelled()))
    return verdict::ignored;
  if (!counts_as_failure_)
    return verdict::failure;
  try {
    return counts_as_failure_(why) ? verdict::failure : verdict::success;
  } catch (...) {
    const auto thrown = error::from_exception(std::current_exception());
    engine_->log(log_kind::callback_threw, path(), "counts_as_failure threw: " + thrown.message());
    return verdict::failure;
  }
}

void breaker_core::reclaim(const breaker_ticket& call, task_actor& who) noexcept {
  const auto where = who.path();
  {
    turn t{*this};
    ++counts_.reclaimed;
    engine_->record(event_kind::breaker_permit_reclaimed, id_, who.last_event(), static_cast<std::int64_t>(who.id()),
                    std::string_view{where});
    static_cast<void>(machine_.report(call, verdict::ignored, t.now));
  }
  engine_->log(log_kind::permit_reclaimed, where, "ended without reporting on its permit of circuit breaker " + path());
}

// -- what is asked of it ----------------------------------------------------------------------------------------------

breaker_state breaker_core::state() {
  turn t{*this};
  machine_.tick(t.now);
  return machine_.state();
}

breaker_stats breaker_core::stats() {
  turn t{*this};
  machine_.tick(t.now);
  t.settle();
  auto all = counts_;
  all.state = machine_.state();
  all.retry_at = all.state == breaker_state::open ? machine_.open_until() : time_point{};
  all.overdue = machine_.overdue();
  all.failed += all.overdue;
  all.succeeded += succeeded_.load(std::memory_order_relaxed);
  return all;
}

void breaker_core::force_open() {
  turn t{*this};
  machine_.tick(t.now);
  t.settle();
  last_failure_.reset();
  machine_.force_open(t.now);
  because_ = "it was forced open";
}

void breaker_core::reset() {
  turn t{*this};
  last_event_ = engine_->record(event_kind::breaker_reset, id_, last_event_);
  machine_.reset(t.now);
}

// -- what follows -----------------------------------------------------------------------------------------------------

bool breaker_core::settle(std::uint64_t cause) noexcept {
  const bool passes = machine_.state() == breaker_state::closed && !machine_.watched();
  door_.store(passes ? machine_.generation() : 0, std::memory_order_release);
  if (std::exchange(overdue_seen_, machine_.overdue()) != machine_.overdue())
    last_failure_.reset(); // the last one said nothing
  bool start_telling = false;
  for (auto& change : machine_.take_changes()) {
    record(change, cause);
    if (retired_ || !on_change_)
      continue;
    to_tell_.push_back(std::move(change));
    start_telling = start_telling || !telling_.exchange(true);
  }
  // A timer that is armed too early does no harm; the calls on their way are watched in order of their beginnings.
  if (const auto due = machine_.next_due(); due < armed_for_ && !retired_ && engine_->system_if_running()) {
    armed_for_ = due;
    engine_->due().arm(*this, due);
  }
  return start_telling;
}

void breaker_core::record(const breaker_change& change, std::uint64_t cause) noexcept {
  const auto why = cause ? cause : last_event_;
  switch (change.to) {
  case breaker_state::open: {
    ++counts_.opened;
    because_ = change.why;
    if (last_failure_) {
      because_ += "; the last failure: " + last_failure_->message();
      // What was being done when it failed is often the outer error, and why the inner one.
      int levels = 4;
      for (const auto* inner = last_failure_->cause(); inner && levels > 0; inner = inner->cause(), --levels)
        because_ += ": " + inner->message();
    }
    const auto open_for = change.retry_at == never ? duration::max() : duration{change.retry_at - change.at};
    last_event_ = engine_->record(event_kind::breaker_opened, id_, why, open_for.count(), std::string_view{because_});
    break;
  }
  case breaker_state::half_open:
    last_failure_.reset();
    last_event_ =
      engine_->record(event_kind::breaker_half_opened, id_, why, static_cast<std::int64_t>(machine_.probes()));
    break;
  case breaker_state::closed:
    last_failure_.reset();
    last_event_ = engine_->record(event_kind::breaker_closed, id_, why);
    break;
  }
}

void breaker_core::tell_changes() noexcept {
  duty_mark mark{{.scope = above_.get(), .callback = this}};
  std::unique_lock lock{mutex_};
  while (!to_tell_.empty()) {
    const auto change = std::move(to_tell_.front());
    to_tell_.pop_front();
    lock.unlock();
    try {
      on_change_(change);
    } catch (...) {
      const auto thrown = error::from_exception(std::current_exception());
      engine_->log(log_kind::callback_threw, path(), "on_state_change threw: " + thrown.message());
    }
    lock.lock();
  }
  telling_ = false;
  lock.unlock();
  runtime::unpark_all(&telling_);
}

void breaker_core::retire() noexcept {
  {
    std::lock_guard guard{mutex_};
    retired_ = true;
    to_tell_.clear();
  }
  engine_->due().disarm(*this);
  for (const duty* d = current_duty(); d; d = d->below)
    if (d->callback == this)
      return;
  static_cast<void>(wait_for({.address = &telling_,
                              .ready = [this] { return !telling_.load(); },
                              .engine = engine_.get(),
                              .what = current_duty() ? "a callback of " + path() : std::string{},
                              .gives_up = false}));
  // What the functions captured is the user's, and goes on the thread of the one who lets the breaker go.
  on_change_ = nullptr;
  counts_as_failure_ = nullptr;
}

void breaker_core::on_due(time_point) noexcept {
  turn t{*this};
  armed_for_ = never;
  machine_.tick(t.now);
}

void retain(breaker_core* core) noexcept { core->add_reference(); }
void release(breaker_core* core) noexcept { core->drop_reference(); }

} // namespace muster::detail
