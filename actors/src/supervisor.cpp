/// How a supervisor takes its place, and how it is cancelled. Its end is in supervisor_end.cpp.
#include "supervisor.hpp"

#include "duty.hpp"
#include "manager_actor.hpp"
#include "owned_actor.hpp"
#include "parking.hpp"
#include "task_actor.hpp"
#include "waiting.hpp"

#include <algorithm>

namespace muster {

namespace {

/// When what is above will be asked to stop.
time_point inherited_deadline(const supervisor_seed& seed) {
  if (seed.shielded || !seed.above)
    return never;
  return seed.owner ? std::min(seed.above->deadline(), seed.owner->deadline()) : seed.above->deadline();
}

/// Until when what is above reaches this one by itself: what is stopped in its turn may be reached later.
time_point reached_from_above(const supervisor_seed& seed) {
  if (seed.shielded || seed.apart || !seed.above)
    return never;
  const auto above = seed.above->kept_deadline();
  return seed.owner ? std::min(above, seed.owner->kept_deadline()) : above;
}

time_point own_deadline(const supervisor_seed& seed) {
  if (seed.timeout == no_timeout)
    return never;
  const auto own = saturating_add(seed.engine->now(), seed.timeout);
  return own < reached_from_above(seed) ? own : never;
}

path_ref path_of(const supervisor_seed& seed) {
  if (seed.owner)
    return path_ref{path_ref{seed.above->place(), seed.owner->label()}, seed.name};
  return path_ref{seed.above ? seed.above->place() : path_ref{}, seed.name};
}

} // namespace

supervisor::supervisor(node_kind kind, supervisor_seed seed)
    : control_actor(seed.engine),
      created_(seed.engine->now()),
      kind_(kind),
      path_(path_of(seed)),
      above_(seed.above),
      owner_(seed.owner),
      shielded_(seed.shielded || seed.apart),
      apart_(seed.apart),
      timeout_(seed.timeout),
      own_deadline_(own_deadline(seed)),
      kept_deadline_(std::min(own_deadline_, reached_from_above(seed))),
      deadline_(std::min(own_deadline_, inherited_deadline(seed))),
      grace_(seed.grace),
      release_timeout_(seed.release_timeout),
      values_(std::move(seed.values)),
      progress_(std::move(seed.progress)),
      outside_(std::move(seed.parent)),
      machine_(seed.policy) {}

supervisor::~supervisor() {
  if (above_)
    release_in_a_loop(std::move(above_));
}

void supervisor::outside_call::operator()() const {
  const runtime::undivided whole; // whoever takes the callback back waits for it without us
  who->cancel({cancel_kind::parent_cancelled, who->path(), "a stop was requested on the token given as its parent",
               who->engine().now()});
}

void supervisor::enter() {
  auto& engine = this->engine();
  last_event_ = engine.record(kind_ == node_kind::manager ? event_kind::manager_created : event_kind::scope_created,
                              id(), above_ ? above_->last_event_.load() : 0,
                              above_ ? static_cast<std::int64_t>(owner_ ? owner_->id() : above_->id()) : 0, label());
  living_ = engine.born(kind_ == node_kind::manager ? trace_format::node::manager : trace_format::node::scope, id(),
                        above_ ? (owner_ ? owner_->id() : above_->id()) : 0, label(), last_event_.load());
  cancel_reason at_once;
  if (above_) {
    std::lock_guard guard{above_->mutex_};
    ++above_->own_.scopes_created;
    if (owner_) {
      // The owner's body is running, so it can still join what it opens.
      owner_->more().nested.push_back(*this);
      owner_->open_scopes_.fetch_add(1, std::memory_order_relaxed);
      runtime::retain_actor(*this);
      if (!shielded_ && owner_->asked())
        at_once = owner_->reason_.inherited();
      else if (!shielded_ && above_->machine_.reason())
        at_once = above_->machine_.reason().inherited();
    } else if (!apart_) {
      const auto answer = above_->machine_.admit(scope_machine::member::nested);
      if (answer != scope_machine::admission::over) {
        (answer == scope_machine::admission::cancelled ? above_->nested_asked_ : above_->nested_).push_back(*this);
        runtime::retain_actor(*this);
        above_->newborn_ = true;
      }
      if (answer == scope_machine::admission::cancelled)
        at_once = above_->machine_.reason().inherited();
      else if (answer != scope_machine::admission::accepted)
        // A manager takes none only once it is being shut down.
        at_once =
            cancel_reason{above_->kind() == node_kind::manager ? cancel_kind::shutdown : cancel_kind::parent_cancelled,
                          above_->path(), "it takes no more scopes", engine.now()}
                .inherited();
    }
  }
  // A cancellation further up may still be on its way down.
  if (!at_once && !shielded_ && above_ && above_->cancelled())
    at_once = above_->reason_in_force().inherited();
  if (at_once)
    cancel(std::move(at_once), above_->event_in_force());
  if (timeout_ <= duration{})
    on_due(engine.now());
  else if (own_deadline_ != never)
    engine.due().arm(*this, own_deadline_);
  if (outside_.stop_possible()) {
    // Constructing it may call at once, on this thread.
    outside_callback_.emplace(outside_, outside_call{this});
  }
  // Only now may it end: what has been set up here is taken down at the end.
  bool look = false;
  {
    std::lock_guard guard{mutex_};
    entered_ = true;
    look = attentive();
  }
  if (look)
    signal(advance_flag);
}

supervisor_seed supervisor::seed_below(std::string name) {
  supervisor_seed seed{.engine = shared_engine(), .name = std::move(name), .above = actor_ref<supervisor>{this}};
  seed.grace = grace_;
  seed.release_timeout = release_timeout_;
  std::lock_guard guard{mutex_};
  seed.values = values_;
  seed.progress = progress_;
  return seed;
}

// -- cancellation -----------------------------------------------------------------------------------------------------

bool supervisor::cancel(cancel_reason reason, std::uint64_t cause) {
  {
    std::lock_guard guard{mutex_};
    if (!cancel_locked(std::move(reason), cause))
      return false;
  }
  after_cancel();
  return true;
}

bool supervisor::cancel_locked(cancel_reason reason, std::uint64_t cause) {
  if (!machine_.cancel(std::move(reason)))
    return false;
  const auto& why = machine_.reason();
  last_event_ = engine().record(event_kind::cancel_asked, id(), cause != 0 ? cause : last_event_.load(),
                                static_cast<std::int64_t>(why.kind()), std::string_view{why.origin()});
  note_flaw(last_event_.load());
  if (stop_source_)
    engine().serve(path(), [self = actor_ref<supervisor>{this}, source = *stop_source_]() mutable {
      duty_mark mark{{.scope = self.get()}};
      const runtime::undivided whole; // whoever takes a stop callback back waits for it without us
      source.request_stop();
    });
  cancelled_.store(true, std::memory_order_release);
  engine().stop_asked();
  return true;
}

void supervisor::after_cancel() {
  runtime::unpark_all(&cancelled_);
  if (shielded_ && owner_)
    owner_->wake_suspended();
  signal(propagate_flag | advance_flag);
}

bool supervisor::cancelled() const noexcept {
  if (cancelled_here())
    return true;
  // Who has looked since anything in this engine was last asked to stop need not walk up again, nor need those below
  // it.
  const auto as_of = engine().stops_asked();
  const supervisor* calm = nullptr;
  for (const supervisor* s = this; s; s = s->above_.get()) {
    if (s->calm_as_of_.load(std::memory_order_relaxed) == as_of)
      break;
    if (s->cancelled_here())
      return true;
    calm = s;
    if (s->shielded_)
      break;
    if (s->owner_ && s->owner_->asked())
      return true;
  }
  for (const supervisor* s = this; calm; s = s->above_.get()) {
    s->calm_as_of_.store(as_of, std::memory_order_relaxed);
    if (s == calm)
      break;
  }
  return false;
}

cancel_reason supervisor::reason_in_force() const {
  for (const supervisor* s = this; s; s = s->above_.get()) {
    if (s->cancelled_.load(std::memory_order_acquire)) {
      std::lock_guard guard{s->mutex_};
      return s == this ? s->machine_.reason() : s->machine_.reason().inherited();
    }
    if (s->shielded_)
      break;
    if (s->owner_ && s->owner_->asked())
      return s->owner_->reason().inherited();
  }
  return {};
}

void supervisor::on_due(time_point now) noexcept {
  if (ended())
    return;
  const std::string where = path();
  cancel_reason reason{cancel_kind::timeout, where, {}, now};
  bool counts = false;
  {
    std::lock_guard guard{mutex_};
    if (machine_.reason())
      return;
    const auto passed = engine().record(event_kind::timeout, id(), last_event_.load(), timeout_.count());
    if (!cancel_locked(reason, passed))
      return;
    counts = machine_.cancelled_in_time();
  }
  after_cancel();
  if (counts)
    foreman().report(reason.to_error(where));
}

void supervisor::expire_above(time_point now) noexcept {
  for (supervisor* s = this; s && s->kept_deadline_ <= now; s = s->above_.get()) {
    if (s->own_deadline_ <= now)
      s->on_due(now);
    if (s->shielded_)
      return;
    if (s->owner_ && s->owner_->kept_deadline() <= now)
      s->owner_->expire(now);
  }
}

void supervisor::on_exit(const caf::exit_msg& exit) noexcept {
  if (!exit.reason)
    return;
  const auto came =
      engine().record(event_kind::exit_received, id(), 0, static_cast<std::int64_t>(runtime::sender_of(exit, *this)),
                      std::string_view{runtime::text_of(exit.reason)});
  cancel({cancel_kind::user, path(), "an exit message came: " + runtime::text_of(exit.reason), engine().now()}, came);
}

std::uint64_t supervisor::event_in_force() const noexcept {
  for (const supervisor* s = this; s; s = s->above_.get()) {
    if (s->cancelled_.load(std::memory_order_acquire))
      return s->last_event_.load();
    if (s->shielded_)
      break;
    if (s->owner_ && s->owner_->asked())
      return s->owner_->last_event();
  }
  return 0;
}

std::stop_token supervisor::stop_token() {
  std::lock_guard guard{mutex_};
  if (!stop_source_) {
    stop_source_.emplace();
    if (machine_.reason())
      stop_source_->request_stop();
  }
  return stop_source_->get_token();
}

} // namespace muster
