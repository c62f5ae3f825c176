/// The steps that a supervisor takes on what its machine has decided.
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

time_point inherited_deadline(const supervisor_seed& seed) {
  if (seed.shielded || seed.apart || !seed.above)
    return never;
  return seed.owner ? std::min(seed.above->deadline(), seed.owner->deadline()) : seed.above->deadline();
}

time_point own_deadline(const supervisor_seed& seed) {
  if (seed.timeout == no_timeout)
    return never;
  const auto own = saturating_add(seed.engine->now(), seed.timeout);
  return own < inherited_deadline(seed) ? own : never;
}

path_ref path_of(const supervisor_seed& seed) {
  if (seed.owner)
    return path_ref{path_ref{seed.above->place(), seed.owner->label()}, seed.name};
  return path_ref{seed.above ? seed.above->place() : path_ref{}, seed.name};
}

} // namespace

supervisor::supervisor(node_kind kind, supervisor_seed seed)
    : control_actor(seed.engine),
      machine_(seed.policy),
      created_(seed.engine->now()),
      kind_(kind),
      path_(path_of(seed)),
      above_(seed.above),
      owner_(seed.owner),
      shielded_(seed.shielded || seed.apart),
      apart_(seed.apart),
      timeout_(seed.timeout),
      own_deadline_(own_deadline(seed)),
      deadline_(std::min(own_deadline_, inherited_deadline(seed))),
      grace_(seed.grace),
      release_timeout_(seed.release_timeout),
      values_(std::move(seed.values)),
      progress_(std::move(seed.progress)),
      outside_(std::move(seed.parent)) {}

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
  last_event_ = engine.record(kind_ == node_kind::manager ? event_kind::manager_created : event_kind::scope_created, id(),
                              above_ ? above_->last_event_.load() : 0,
                              above_ ? static_cast<std::int64_t>(owner_ ? owner_->id() : above_->id()) : 0, label());
  cancel_reason at_once;
  if (above_) {
    std::lock_guard guard{above_->mutex_};
    ++above_->own_.scopes_created;
    if (owner_) {
      // The owner's body is running, so it can still join what it opens.
      owner_->nested_.push_back(*this);
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
        at_once = cancel_reason{above_->kind() == node_kind::manager ? cancel_kind::shutdown : cancel_kind::parent_cancelled,
                                above_->path(), "it takes no more scopes", engine.now()}
                    .inherited();
    }
  }
  // A cancellation further up may still be on its way down.
  if (!at_once && !shielded_ && above_ && above_->cancelled())
    at_once = above_->reason_in_force().inherited();
  if (at_once)
    cancel(std::move(at_once));
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

bool supervisor::cancel(cancel_reason reason) {
  {
    std::lock_guard guard{mutex_};
    if (!cancel_locked(std::move(reason)))
      return false;
  }
  after_cancel();
  return true;
}

bool supervisor::cancel_locked(cancel_reason reason) {
  if (!machine_.cancel(std::move(reason)))
    return false;
  const auto& why = machine_.reason();
  last_event_ = engine().record(event_kind::cancel_asked, id(), last_event_.load(),
                                static_cast<std::int64_t>(why.kind()), std::string_view{why.origin()});
  if (stop_source_)
    engine().serve(path(), [self = actor_ref<supervisor>{this}, source = *stop_source_]() mutable {
      duty_mark mark{{.scope = self.get()}};
      const runtime::undivided whole; // whoever takes a stop callback back waits for it without us
      source.request_stop();
    });
  cancelled_.store(true, std::memory_order_release);
  return true;
}

void supervisor::after_cancel() {
  runtime::unpark_all(&cancelled_);
  signal(propagate_flag | advance_flag);
}

bool supervisor::cancelled() const noexcept {
  for (const supervisor* s = this; s; s = s->above_.get()) {
    if (s->cancelled_.load(std::memory_order_acquire))
      return true;
    if (s->shielded_)
      return false;
    if (s->owner_ && s->owner_->asked())
      return true;
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
  engine().record(event_kind::timeout, id(), last_event_.load(), timeout_.count());
  bool counts = false;
  {
    std::lock_guard guard{mutex_};
    if (!cancel_locked(reason))
      return;
    counts = machine_.cancelled_in_time();
  }
  after_cancel();
  if (counts)
    foreman().report(reason.to_error(where));
}

void supervisor::expire_above(time_point now) noexcept {
  for (supervisor* s = this; s && s->deadline_ <= now; s = s->above_.get()) {
    if (s->own_deadline_ <= now)
      s->on_due(now);
    if (s->shielded_)
      return;
    if (s->owner_ && s->owner_->deadline() <= now)
      s->owner_->expire(now);
  }
}

void supervisor::on_exit(const caf::exit_msg& exit) noexcept {
  if (!exit.reason)
    return;
  engine().record(event_kind::exit_received, id(), 0, 0, std::string_view{runtime::text_of(exit.reason)});
  cancel({cancel_kind::user, path(), "an exit message came: " + runtime::text_of(exit.reason), engine().now()});
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

// -- ending -----------------------------------------------------------------------------------------------------------

bool supervisor::attentive() const noexcept {
  return machine_.sealed() || machine_.draining() || machine_.waited_for() ||
         machine_.at() != scope_machine::phase::open;
}

void supervisor::close() {
  {
    std::lock_guard guard{mutex_};
    if (machine_.sealed() || ended())
      return;
    machine_.close();
    engine().record(event_kind::scope_closed, id(), last_event_.load());
  }
  signal(advance_flag);
}

void supervisor::drain() {
  {
    std::lock_guard guard{mutex_};
    machine_.drain();
  }
  signal(advance_flag);
}

void supervisor::on_signal(std::uint32_t flags) noexcept {
  if (flags & propagate_flag)
    propagate();
  if (flags & advance_flag)
    advance();
}

void supervisor::propagate() noexcept {
  bool more = false;
  {
    std::lock_guard guard{mutex_};
    const auto& mine = machine_.reason();
    if (!mine)
      return;
    const auto inherited = mine.inherited();
    // In slices, so that a scope with a million children does not keep the others waiting.
    std::size_t budget = 1024;
    for (; budget > 0 && !nested_.empty(); --budget) {
      supervisor& below = nested_.front();
      intrusive_list<supervisor, nested_link>::remove(below);
      nested_asked_.push_back(below);
      if (!below.shielded_)
        below.cancel(inherited);
    }
    more = ask_members(budget, mine) || !nested_.empty();
  }
  if (more)
    signal(propagate_flag);
}

void supervisor::advance() noexcept {
  for (;;) {
    std::unique_lock guard{mutex_};
    if (!entered_ || (unsettled() && !cancelled_here()))
      return;
    const auto before = machine_.at();
    const auto what = machine_.next(owned_.size() + overdue_.size(), releasing_ || (owned_.empty() && !overdue_.empty()));
    if (before == scope_machine::phase::open && machine_.at() != before)
      last_event_ = engine().record(event_kind::scope_joined, id(), last_event_.load());
    switch (what) {
      case scope_machine::command::none:
        return;
      case scope_machine::command::drain_nested:
        if (!std::exchange(drained_nested_, true)) {
          // One that comes later may still be used by those that are draining: it is told when one of them has left.
          newborn_ = false;
          nested_.each([](supervisor& below) { below.drain(); });
          nested_asked_.each([](supervisor& below) { below.drain(); });
        }
        return;
      case scope_machine::command::stop_daemons:
        ask_daemons();
        break;
      case scope_machine::command::release_next:
        guard.unlock();
        release_next();
        break;
      case scope_machine::command::end:
        finish(std::move(guard));
        return;
    }
  }
}

void supervisor::finish(std::unique_lock<runtime::mutex> lock) noexcept {
  const bool flawed = machine_.flawed();
  const std::string headline = flawed ? machine_.headline() : std::string{};
  // What the user gave is destroyed where user code may run.
  struct leftovers {
    context_values values;
    std::shared_ptr<const progress_hook> progress;
    std::optional<std::stop_source> source;
  };
  auto left = std::make_shared<leftovers>(leftovers{std::move(values_), std::move(progress_), std::move(stop_source_)});
  values_ = {};
  progress_ = {};
  stop_source_.reset();
  const bool user_things = !left->values.empty() || left->progress;
  lock.unlock();

  outside_callback_.reset();
  engine().due().disarm(*this);
  if (user_things)
    engine().serve(path(), [left = std::move(left)] {});
  engine().record(kind_ == node_kind::manager ? event_kind::manager_ended : event_kind::scope_ended, id(),
                  last_event_.load(), flawed ? 1 : 0, std::string_view{headline});
  announce_end(flawed ? runtime::exit_error(cancelled_here() ? caf::exit_reason::user_shutdown
                                                             : caf::exit_reason::unhandled_exception,
                                            headline)
                      : caf::error{});
  at_end();
  // Whoever sees that it has ended finds it gone from the tree; and the one above ends after it.
  actor_ref<supervisor> self{this};
  const bool was_listed = above_ && above_->unlist(*this);
  ended_.store(true, std::memory_order_release);
  runtime::unpark_all(&ended_);
  if (was_listed)
    above_->nested_left(*this);
}

std::optional<error> supervisor::verdict() const {
  std::lock_guard guard{mutex_};
  if (!machine_.flawed())
    return std::nullopt;
  return machine_.verdict(path());
}

bool supervisor::unlist(supervisor& who) noexcept {
  bool further_up = false;
  bool was_listed = false;
  statistics sum;
  {
    std::lock_guard guard{mutex_};
    sum = who.hand_up();
    folded_ += sum;
    further_up = handed_up_;
    was_listed = who.list_link::linked(); // else it came too late to become one
    if (was_listed)
      who.list_link::unlink();
  }
  // What ends below one that has ended itself is counted further up.
  if (further_up && above_)
    above_->fold(sum);
  return was_listed;
}

void supervisor::nested_left(supervisor& who) noexcept {
  if (who.owner_) {
    who.owner_->open_scopes_.fetch_sub(1, std::memory_order_acq_rel);
    runtime::unpark_all(&who.owner_->open_scopes_);
  } else {
    notice_cancellation();
    bool look = false;
    {
      std::lock_guard guard{mutex_};
      machine_.left(scope_machine::member::nested);
      if (newborn_)
        drained_nested_ = false;
      look = attentive();
    }
    if (look)
      signal(advance_flag);
  }
  runtime::release_actor(who);
}

void supervisor::fold(const statistics& sum) noexcept {
  for (supervisor* s = this; s; s = s->above_.get()) {
    std::lock_guard guard{s->mutex_};
    s->folded_ += sum;
    if (!s->handed_up_)
      return;
  }
}

// -- joining ----------------------------------------------------------------------------------------------------------

std::optional<error> supervisor::join(time_point until) {
  if (ended())
    return std::nullopt;
  if (works_under(*this))
    return would_deadlock(path());
  const auto too_early = [&] { return error{errc::not_ready, "it had not ended in the time given"}.with_path(path()); };
  if (until <= engine().now())
    return too_early();
  {
    std::lock_guard guard{mutex_};
    machine_.waiter_came();
  }
  signal(advance_flag);
  const auto how = wait_for({.address = &ended_,
                             .ready = [this] { return ended(); },
                             .engine = &engine(),
                             .until = until,
                             .what = current_duty() ? std::string{to_string(kind_)} + " " + path() : std::string{},
                             .scope = this});
  if (how == waited::done)
    return std::nullopt;
  give_up_waiting();
  if (how == waited::called_off)
    return called_off(path());
  if (how == waited::no_threads)
    return error{errc::no_threads, "nothing below could run while this thread waits: the system gives no more threads"}
      .with_path(path());
  return too_early();
}

void supervisor::give_up_waiting() {
  std::vector<actor_ref<supervisor>> undrained;
  const auto look_below = [&](supervisor& s) {
    if (s.attentive())
      return; // it is on its way to its end for another reason
    s.drained_nested_ = false;
    const auto keep = [&](supervisor& below) { undrained.emplace_back(&below); };
    s.nested_.each(keep);
    s.nested_asked_.each(keep);
  };
  {
    std::lock_guard guard{mutex_};
    machine_.waiter_gave_up();
    look_below(*this);
  }
  while (!undrained.empty()) {
    const auto one = std::move(undrained.back());
    undrained.pop_back();
    std::lock_guard guard{one->mutex_};
    one->machine_.undrain();
    look_below(*one);
  }
}

void supervisor::join_for_ever() noexcept {
  if (ended())
    return;
  {
    std::lock_guard guard{mutex_};
    machine_.waiter_came();
  }
  signal(advance_flag);
  const auto say_who = [this] {
    std::string whom;
    for (const auto& who : survivors(8))
      whom += (whom.empty() ? "" : ", ") + who;
    engine().log(log_record::level::warning, path(), "its end is held up by: " + (whom.empty() ? "a release" : whom));
  };
  static_cast<void>(wait_for({.address = &ended_,
                              .ready = [this] { return ended(); },
                              .engine = &engine(),
                              .what = current_duty() ? std::string{to_string(kind_)} + " " + path() : std::string{},
                              .scope = this,
                              .gives_up = false,
                              .remind_every = std::max<duration>(grace_, std::chrono::milliseconds{1}),
                              .remind = say_who}));
}

} // namespace muster
