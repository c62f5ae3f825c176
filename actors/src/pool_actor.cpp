/// What a pool does: hands out, takes back, makes, checks, destroys, ends.
#include "pool_actor.hpp"

#include "context_access.hpp"
#include "duty.hpp"
#include "manager_actor.hpp"
#include "parking.hpp"
#include "scope_actor.hpp"
#include "task_actor.hpp"
#include "waiting.hpp"

#include <muster/assert.hpp>

#include <fmt/format.h>

namespace muster {

namespace {

using command = pool_command::kind;

const char* to_text(retired_for why) noexcept {
  static constexpr const char* texts[] = {"closed",  "reset",     "resized",   "too old",
                                          "idle",    "unhealthy", "discarded", "reclaimed"};
  return texts[static_cast<std::size_t>(why)];
}

std::string in_ms(duration d) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(d).count()) + " ms";
}

} // namespace

/// A caller of acquire, on its stack or its frame's behalf. Written by whoever grants or refuses, under the lock and
/// before `ready`.
struct pool_actor::waiter {
  std::shared_ptr<pool_lease> lease;
  const void* wake_address = nullptr;
  detail::waker coroutine{}; ///< to be woken, if it is one
  pool_machine::ticket ticket = 0;
  std::uint64_t wait_event = 0;
  std::optional<error> refused{};
  std::atomic<bool> ready = false;
};

actor_ref<pool_actor> pool_actor::make(supervisor& of, detail::pool_settings settings,
                                       detail::owned<detail::pool_work> work) {
  const auto limit = settings.release_timeout.value_or(of.release_timeout());
  auto made = actor_ref<pool_actor>::adopt(runtime::light_storage<pool_actor>::make(
    of.engine().system_if_running(), 0, alignof(std::max_align_t), of, std::move(settings), limit, std::move(work)));
  made->seen_alive(trace_format::node::pool, of.id(),
                   made->engine().record(event_kind::pool_created, made->id(), 0, static_cast<std::int64_t>(of.id()),
                                         made->label()));
  if (of.adopt(actor_ref<owned_actor>{made.get()})) {
    turn now{*made};
    now.carry_out(made->machine_.start(made->engine().now()));
  } else {
    // Nothing of it has been made yet, and the user's functions may go here: this is the user's thread.
    static_cast<void>(made->machine_.close(made->engine().now()));
    made->work_.reset();
    made->over_ = true;
    made->seen_gone(made->engine().record(event_kind::pool_ended, made->id()));
    made->announce_end({});
  }
  return made;
}

pool_actor::pool_actor(supervisor& of, detail::pool_settings settings, duration limit,
                       detail::owned<detail::pool_work> work)
    : owned_actor(of, std::move(settings.name), limit, node_kind::resource),
      acquire_timeout_(settings.acquire_timeout),
      work_(std::move(work)),
      machine_({.max = settings.max,
                .min_idle = settings.min_idle,
                .checks = work_->checks(),
                .max_lifetime = settings.max_lifetime,
                .idle_timeout = settings.idle_timeout}) {}

pool_actor::~pool_actor() = default;

// -- turns ------------------------------------------------------------------------------------------------------------

void pool_actor::turn::carry_out(const pool_commands& commands, const error* failure, std::uint64_t cause) {
  auto& engine = pool_.engine();
  const auto wake = [&](std::uint64_t who) -> waiter& {
    const auto found = pool_.waiters_.find(who);
    waiter& w = *found->second;
    pool_.waiters_.erase(found);
    return w;
  };
  const auto done = [](waiter& w) {
    const void* address = w.wake_address; // once it is ready, the waiter may be gone
    const auto coroutine = std::move(w.coroutine);
    w.ready.store(true, std::memory_order_release);
    if (address)
      runtime::unpark_all(address);
    else
      coroutine.wake();
  };
  for (const auto& c : commands) {
    switch (c.what) {
      case command::create:
        pool_.items_.try_emplace(c.item);
        errands_.push_back({errand::kind::create, c.item});
        break;
      case command::check:
        errands_.push_back({errand::kind::check, c.item, std::move(pool_.items_.at(c.item).object)});
        break;
      case command::destroy: {
        auto& gone = pool_.items_.at(c.item);
        gone.last_event = std::max(gone.last_event, cause);
        errands_.push_back({errand::kind::destroy, c.item, std::move(gone.object), gone.last_event, c.why});
        break;
      }
      case command::grant: {
        waiter& w = wake(c.whom);
        pool_.hand_over(c.item, *w.lease, w.wait_event, engine.now());
        done(w);
        break;
      }
      case command::refuse: {
        waiter& w = wake(c.whom);
        w.refused = pool_.refusal(c.failed ? failure : nullptr);
        if (w.wait_event)
          engine.record(event_kind::wait_ended, w.lease->holder()->id(), w.wait_event, w.refused->code().value());
        done(w);
        break;
      }
      case command::arm:
        engine.due().arm(pool_.due_, c.at);
        break;
      case command::end:
        errands_.push_back({errand::kind::end});
        break;
    }
  }
}

pool_actor::turn::~turn() {
  lock_.unlock();
  for (auto& e : errands_) {
    // The job takes over a reference: the pool cannot go while user code runs for it.
    pool_.engine().serve(pool_.path(), [self = actor_ref<pool_actor>{&pool_}, e = std::move(e)]() mutable {
      duty_mark mark{{.scope = &self->scope(), .callback = self.get()}};
      switch (e.what) {
        case errand::kind::create:
          return self->create(e.which);
        case errand::kind::check:
          return self->check(e.which, std::move(e.object));
        case errand::kind::destroy:
          return self->destroy(e.which, std::move(e.object), e.cause, e.why);
        case errand::kind::end:
          return self->finish();
      }
    });
  }
}

error pool_actor::refusal(const error* failure) const {
  if (failure)
    return error{errc::start_failed, "the factory of pool '" + label() + "' failed"}.with_cause(*failure);
  return error{errc::pool_closed, "pool '" + label() + "' is closed"};
}

// -- handing out ------------------------------------------------------------------------------------------------------

result<detail::granted_lease> pool_actor::acquire(context& ctx, std::optional<duration> limit) {
  for (const duty* d = current_duty(); d; d = d->below)
    if (d->callback == this)
      return std::unexpected{would_deadlock(path())};
  auto& task = context_access::task(ctx);
  auto* shield = context_access::shield(ctx);
  const duty* d = current_duty();
  MUSTER_ASSERT(
      d && d->body && d->task == &task,
      "resource_pool::acquire was called with a context outside its own body: a task that is started from a body "
      "has a context of its own, its parameter");
  const auto fail = [&](error why) {
    return std::unexpected{why.path().empty() ? why.with_path(ctx.path()) : std::move(why)};
  };
  if (ctx.cancelled())
    return fail(ctx.reason().to_error(ctx.path()));

  waiter self{.lease = std::make_shared<pool_lease>(*this, task), .wake_address = task.wake_address(shield)};
  // From the call on: once it has lined up others see that it waits, and may move the clock.
  const auto until = until_for(limit, line_up(self));
  auto how = waited::done;
  if (!self.ready.load(std::memory_order_acquire))
    how = task.sleep_until_done("a resource of pool " + path(), until, shield,
                                [&] { return self.ready.load(std::memory_order_acquire); }, true, false);
  if (!self.ready.load(std::memory_order_acquire)) {
    const bool asked = ctx.cancelled();
    const error reason =
      asked ? ctx.reason().to_error(ctx.path())
      : how == waited::called_off ? called_off(path())
      : how == waited::timed_out
        ? none_in_time()
        : error{errc::no_threads, "nobody could give back a resource of pool '" + label() +
                                    "' while this thread waits: the system gives no more threads"};
    const auto why =
        asked || how != waited::timed_out ? pool_machine::gave_up_for::cancel : pool_machine::gave_up_for::timeout;
    if (left_line(self, why, reason))
      return fail(reason);
  }
  if (self.refused)
    return fail(std::move(*self.refused));
  return take(self);
}

time_point pool_actor::until_for(std::optional<duration> limit, time_point now) const {
  return saturating_add(now, limit.value_or(acquire_timeout_));
}

error pool_actor::none_in_time() const {
  return error{errc::timed_out, "no resource of pool '" + label() + "' came free in the time given"};
}

void pool_actor::hand_over(item_id which, pool_lease& to, std::uint64_t wait, time_point now) {
  auto& given = items_.at(which);
  to.item_ = which;
  to.object_ = given.object.get();
  to.since_ = now;
  given.lease = &to;
  const auto holder = to.holder()->id();
  given.last_event = engine().record_at(now, event_kind::lease_granted, id(), wait ? wait : given.last_event,
                                        static_cast<std::int64_t>(holder));
  if (wait)
    engine().record_at(now, event_kind::wait_ended, holder, wait);
}

time_point pool_actor::line_up(waiter& who) {
  turn mine{*this};
  const auto now = engine().now();
  if (const auto free = machine_.take_free(now)) {
    hand_over(*free, *who.lease, 0, now);
    who.ready.store(true, std::memory_order_release);
    return now;
  }
  who.ticket = ++last_ticket_;
  waiters_.emplace(who.ticket, &who);
  const auto& task = *who.lease->holder();
  mine.carry_out(machine_.acquire(who.ticket, now));
  if (!who.ready.load(std::memory_order_relaxed))
    who.wait_event = engine().record(event_kind::wait_began, task.id(), task.last_event(),
                                     static_cast<std::int64_t>(id()), std::string_view{label()});
  return now;
}

bool pool_actor::left_line(waiter& who, pool_machine::gave_up_for why, const error& reason) {
  std::lock_guard guard{mutex_};
  // If it has been granted or refused at the last moment, that counts.
  if (!machine_.gave_up(who.ticket, why))
    return false;
  waiters_.erase(who.ticket);
  engine().record(event_kind::wait_ended, who.lease->holder()->id(), who.wait_event, reason.code().value());
  return true;
}

detail::granted_lease pool_actor::take(waiter& who) {
  who.lease->take_effect();
  return {who.lease, who.lease->object_->object};
}

// -- taking back ------------------------------------------------------------------------------------------------------

void pool_actor::take_back(pool_lease& from, bool discard) noexcept {
  turn mine{*this};
  const auto now = engine().now();
  auto& back = items_.at(from.item_);
  back.lease = nullptr;
  back.last_event = engine().record_at(now, event_kind::lease_returned, id(), back.last_event,
                                       static_cast<std::int64_t>(from.holder()->id()));
  mine.carry_out(discard ? machine_.discarded(from.item_, now) : machine_.given_back(from.item_, now));
}

void pool_actor::revoke(pool_lease& from) noexcept {
  const std::string who = from.holder_path();
  {
    turn now{*this};
    auto& back = items_.at(from.item_);
    back.lease = nullptr;
    back.last_event = engine().record(event_kind::lease_reclaimed, id(), back.last_event,
                                      static_cast<std::int64_t>(from.holder()->id()), std::string_view{who});
    now.carry_out(machine_.reclaimed(from.item_, engine().now()));
  }
  engine().log(log_kind::lease_reclaimed, who,
               "ended without giving back a resource of pool " + path() + ": it was taken back and is destroyed");
}

pool_lease::pool_lease(pool_actor& pool, task_actor& holder) : pool_(&pool), holder_(&holder) {}
pool_lease::~pool_lease() = default;

std::string pool_lease::holder_path() const { return holder_->path(); }

void pool_lease::take_effect() {
  listed_ = shared_from_this();
  holder_->hold(*this);
}

void pool_lease::end(bool discard) noexcept {
  if (!live.exchange(false, std::memory_order_acq_rel))
    return;
  const auto self = shared_from_this();
  holder_->let_go(*this);
  pool_->take_back(*this, discard);
  listed_ = nullptr;
  holder_ = {};
  pool_ = {};
}

void pool_lease::holder_gone() noexcept {
  // One that is being given back at this moment keeps itself alive: its thread waits for us in `let_go`.
  if (!live.exchange(false, std::memory_order_acq_rel))
    return;
  const auto self = std::move(listed_);
  pool_->revoke(*this);
  holder_ = {};
  pool_ = {};
}

// -- service workers --------------------------------------------------------------------------------------------------

void pool_actor::create(item_id which) noexcept {
  auto made = work_->create();
  turn now{*this};
  if (made) {
    auto& it = items_.at(which);
    it.object = std::move(*made);
    it.last_event =
      engine().record(event_kind::pool_item_created, id(), 0, static_cast<std::int64_t>(machine_.size()));
    now.carry_out(machine_.created(which, engine().now()));
  } else {
    items_.erase(which);
    const auto event = engine().record(event_kind::pool_create_failed, id(), 0, made.error().code().value(),
                                       std::string_view{made.error().message()});
    now.carry_out(machine_.create_failed(which, engine().now()), &made.error(), event);
  }
}

void pool_actor::check(item_id which, detail::owned<detail::pooled> object) noexcept {
  const auto healthy = work_->check(*object);
  turn now{*this};
  auto& it = items_.at(which);
  it.object = std::move(object);
  if (!healthy)
    it.last_event = engine().record(event_kind::pool_check_failed, id(), it.last_event, 0,
                                    std::string_view{healthy.error().message()});
  now.carry_out(machine_.checked(which, healthy.has_value(), engine().now()));
}

void pool_actor::destroy(item_id which, detail::owned<detail::pooled> object, std::uint64_t cause,
                         retired_for why) noexcept {
  const auto done = work_->release(std::move(object));
  std::string failed;
  {
    turn now{*this};
    items_.erase(which);
    if (!done) {
      failed = to_line(done.error());
      ++release_failures_;
      if (machine_.closed())
        last_failures_.push_back(done.error());
    }
    now.carry_out(machine_.destroyed(which, engine().now()));
    engine().record(event_kind::pool_item_destroyed, id(), cause, static_cast<std::int64_t>(machine_.size()),
                    std::string_view{to_text(why)});
  }
  if (!done)
    engine().log(log_kind::release_failed, path(), "releasing a resource failed: " + failed);
}

void pool_actor::finish() noexcept {
  work_.reset(); // the user's functions go where user code may run
  engine().due().disarm(due_);
  bool being_stopped = false;
  {
    std::lock_guard guard{mutex_};
    if (!last_failures_.empty()) {
      auto cause = last_failures_.front();
      last_failures_.erase(last_failures_.begin());
      failure_ = error{errc::release_failed, "releasing '" + label() + "' failed"}.with_path(path()).with_cause(
          std::move(cause));
      if (!last_failures_.empty())
        failure_ = failure_->with_later(std::move(last_failures_));
    }
    engine().record(event_kind::pool_ended, id(), close_event_);
    finished_ = true;
    being_stopped = stop_asked_;
  }
  if (being_stopped)
    stopped(failure_, !failure_);
  else if (left() && failure_)
    scope().foreman().report(*failure_);
  over_.store(true, std::memory_order_release);
  runtime::unpark_all(&over_);
}

// -- closing ----------------------------------------------------------------------------------------------------------

void pool_actor::begin_close() {
  turn now{*this};
  if (machine_.closed())
    return;
  close_event_ = engine().record(event_kind::pool_closed, id());
  now.carry_out(machine_.close(engine().now()), nullptr, close_event_);
}

void pool_actor::begin_stop() noexcept {
  bool finished = false;
  {
    std::lock_guard guard{mutex_};
    stop_asked_ = true;
    finished = finished_;
  }
  if (finished)
    stopped(failure_, !failure_);
  else
    begin_close();
}

bool pool_actor::may_not_wait() const {
  for (const duty* d = current_duty(); d; d = d->below) {
    if (d->callback == this)
      return true;
    if (!d->task)
      continue;
    std::lock_guard guard{mutex_};
    for (const auto& [which, it] : items_)
      if (it.lease && it.lease->holder() == d->task)
        return true;
  }
  return false;
}

std::optional<error> pool_actor::close(time_point until) {
  if (may_not_wait())
    return would_deadlock(path());
  begin_close();
  const auto how = wait_for({.address = &over_,
                             .ready = [this] { return over_.load(std::memory_order_acquire); },
                             .engine = &engine(),
                             .until = until,
                             .what = current_duty() ? "the end of pool " + path() : std::string{},
                             .lends_permit = true});
  if (how == waited::done)
    return std::nullopt;
  if (how == waited::no_threads)
    return error{errc::no_threads, "nobody could give anything back while this thread waits: the system gives no more "
                                   "threads"}
      .with_path(path());
  if (how == waited::called_off)
    return called_off(path());
  // The last one may have come back between the end of the wait and now.
  if (const auto held = held_by(engine().now()); !held.empty())
    return still_held(held);
  return std::nullopt;
}

void pool_actor::close_for_ever() noexcept {
  if (over_.load(std::memory_order_acquire))
    return;
  MUSTER_ASSERT(!may_not_wait(),
                "a resource_pool was destroyed by a task that holds a lease of it, or by its own factory, "
                "check or release: that would wait for itself; give the lease back first");
  begin_close();
  static_cast<void>(wait_for({.address = &over_,
                              .ready = [this] { return over_.load(std::memory_order_acquire); },
                              .engine = &engine(),
                              .what = current_duty() ? "the end of pool " + path() : std::string{},
                              .lends_permit = true,
                              .gives_up = false,
                              .remind_every = scope().grace(),
                              .remind = [this] {
                                const auto held = held_by(engine().now());
                                engine().log(log_kind::end_held_up, path(), still_held(held).message());
                              }}));
}

std::string pool_actor::held_by(time_point now) const {
  std::string text;
  std::lock_guard guard{mutex_};
  for (const auto& [which, it] : items_)
    if (it.lease)
      text += "\n  " + it.lease->holder_path() + " holds one since " + in_ms(now - it.lease->since_);
  const auto s = machine_.stats();
  if (const auto others = s.size - s.in_use; others > 0)
    text += "\n  " + std::to_string(others) + " are being made, checked or destroyed";
  return text;
}

error pool_actor::still_held(const std::string& held) const {
  const auto text = "pool '" + label() + "' is closed, but not everything is back:" + held;
  return error{errc::survivors, text}.with_path(path());
}

std::string pool_actor::held_up_by() const { return fmt::format(":{}", held_by(engine().now())); }

// -- the rest ---------------------------------------------------------------------------------------------------------

void pool_actor::tick(time_point now) noexcept {
  turn mine{*this};
  mine.carry_out(machine_.tick(now));
}

std::optional<error> pool_actor::resize(std::size_t max) {
  if (max == 0)
    return error{errc::bad_argument, "a pool of no resources would keep everybody waiting for ever"}.with_path(path());
  turn now{*this};
  if (machine_.closed())
    return refusal(nullptr).with_path(path());
  const auto event = engine().record(event_kind::pool_resized, id(), 0, static_cast<std::int64_t>(max));
  now.carry_out(machine_.resize(max, engine().now()), nullptr, event);
  return std::nullopt;
}

void pool_actor::reset() {
  turn now{*this};
  const auto event = engine().record(event_kind::pool_reset, id());
  now.carry_out(machine_.reset(engine().now()), nullptr, event);
}

bool pool_actor::closed() const {
  std::lock_guard guard{mutex_};
  return machine_.closed();
}

pool_stats pool_actor::stats() const {
  std::lock_guard guard{mutex_};
  auto s = machine_.stats();
  s.release_failures = release_failures_;
  return s;
}

tree_node pool_actor::draw(time_point now) const {
  auto node = owned_actor::draw(now);
  const auto s = stats();
  node.note = std::to_string(s.in_use) + " of " + std::to_string(s.max) + " in use";
  if (s.waiting > 0)
    node.note += ", " + std::to_string(s.waiting) + " waiting";
  return node;
}

// -- coroutines -------------------------------------------------------------------------------------------------------

namespace detail {

namespace {
pool_actor::waiter& waiter_in(const std::shared_ptr<void>& place) {
  return *static_cast<pool_actor::waiter*>(place.get());
}
} // namespace

pool_wait_base::pool_wait_base(ref<pool_actor> pool, async_context& ctx, std::optional<duration> limit)
    : wait_point(ctx), pool_(std::move(pool)), limit_(limit) {
  lend_permit();
  records_itself();
}

pool_wait_base::~pool_wait_base() = default;

void pool_wait_base::begin() {
  if (asked())
    return ends_with(ending::cancelled);
  wait_until(pool_->until_for(limit_, pool_->engine().now()));
  auto place = std::make_shared<pool_actor::waiter>(std::make_shared<pool_lease>(*pool_, task()));
  place->coroutine = make_waker();
  place_ = place;
  pool_->line_up(*place);
}

bool pool_wait_base::ready() noexcept { return waiter_in(place_).ready.load(std::memory_order_acquire); }
std::string pool_wait_base::what() const { return "a resource of pool " + pool_->path(); }

result<granted_lease> pool_wait_base::finish() {
  const auto fail = [&](error e) {
    return std::unexpected{e.path().empty() ? e.with_path(task().path()) : std::move(e)};
  };
  if (!place_)
    return fail(why());
  auto& me = waiter_in(place_);
  if (!me.ready.load(std::memory_order_acquire)) {
    const bool asked = ended() == ending::cancelled;
    const error reason = asked ? why() : pool_->none_in_time();
    if (pool_->left_line(me, asked ? pool_machine::gave_up_for::cancel : pool_machine::gave_up_for::timeout, reason))
      return fail(reason);
  }
  if (me.refused)
    return fail(std::move(*me.refused));
  return pool_->take(me);
}

} // namespace detail

} // namespace muster
