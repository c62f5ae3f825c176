/// What a lane's callers see: pushing, taking back, waiting regions, statistics, the end.
///
/// Threads: any. Always: nothing here runs user code, but `run_here`, `push` after the end, and `stop` when it could
/// get no worker for what was left.
#include "lane_impl.hpp"
#include "lane_simulated.hpp"
#include "spin.hpp"
#include "strand.hpp"

#include <muster/assert.hpp>

#include <utility>

namespace muster::runtime {

namespace {

lane_limits limits_of(const lane_options& options) noexcept {
  const std::size_t workers = std::max(options.workers, 1U);
  return {.workers = workers,
          .max_workers = std::max<std::size_t>(options.max_workers, workers),
          .max_threads = options.max_threads};
}

lane_options completed(lane_options options) {
  if (!options.time)
    options.time = real_clock();
  return options;
}

} // namespace

thread_local lane::impl::worker* lane::impl::current_ = nullptr;

lane::impl::impl(lane& of, lane_options given)
  : self_{of}, options_{completed(std::move(given))}, limits_{limits_of(options_)}, growth_{options_.grows} {}

lane::impl::guard lane::impl::acquire() const noexcept { return lock_soon(mutex_); }

time_point lane::impl::stamp(time_point now) noexcept {
  // While the queue is not empty and nobody is free to take from it, the sampling thread renews the reading.
  if (now != time_point{}) {
    reading_ = now;
    since_reading_ = 0;
  } else if (ready_.empty() || ++since_reading_ == 64) {
    reading_ = options_.time->now();
    since_reading_ = 0;
  }
  return reading_;
}

bool lane::impl::push(lane_item& item, time_point now, bool refusable) noexcept {
  {
    guard lock = acquire();
    MUSTER_ASSERT(!item.queued_, "an item is pushed once: it is in the queue already");
    if (refusable && item.withdrawn_)
      return false;
    if (!stopped_) {
      if (self_.simulated_) {
        self_.simulated_->push(item);
        return true;
      }
      ready_.push(item, stamp(now));
      note_whether_ready();
      rouse(lock);
      let_go(lock);
      return true;
    }
  }
  // Nothing is lost at shutdown; and nothing recurses, however long a chain of items pushes its next.
  struct leftovers {
    ready_queue items;
    bool draining = false;
  };
  thread_local leftovers here;
  here.items.push(item, time_point{});
  if (std::exchange(here.draining, true))
    return true;
  while (lane_item* next = here.items.pop())
    next->run_on_lane();
  here.draining = false;
  return true;
}

void lane::impl::push(std::span<lane_item* const> items) noexcept {
  {
    guard lock = acquire();
    if (!stopped_ && !self_.simulated_) {
      for (lane_item* each : items) {
        MUSTER_ASSERT(!each->queued_, "an item is pushed once: it is in the queue already");
        ready_.push(*each, stamp({}));
      }
      note_whether_ready();
      rouse(lock);
      return let_go(lock);
    }
  }
  for (lane_item* each : items)
    static_cast<void>(push(*each, {}, false));
}

void lane::impl::stop() noexcept {
  MUSTER_ASSERT(current_ == nullptr || &current_->home != this,
                "a worker cannot wait for itself: stop the lane from another thread");
  const std::scoped_lock turn{stopping_turn_};
  guard lock = acquire();
  if (stopped_)
    return;
  if (self_.simulated_) {
    lock.unlock();
    self_.simulated_->stop();
    lock.lock();
    stopped_ = true;
    return;
  }
  stopping_ = true;
  while (idle_top_ != nullptr)
    pop_idle().wake.notify_one();
  for (;;) {
    all_left_.wait(lock, [this] { return counts_.threads() == 0; });
    lane_item* left = ready_.pop(); // no thread could be had for it
    note_whether_ready();
    if (left == nullptr)
      break;
    lock.unlock();
    left->run_on_lane();
    lock.lock();
  }
  stopped_ = true;
  end_sampling_ = true;
  to_watch_.notify_all();
  worker* last = std::exchange(last_to_leave_, nullptr);
  lock.unlock();
  if (last != nullptr) {
    const std::scoped_lock born{last->handle};
    last->thread.join();
  }
  if (sampler_.joinable())
    sampler_.join();
  lock.lock();
  tell_growth(lock);
}

void lane::impl::enter_wait(worker& self) noexcept {
  guard lock = acquire();
  set(self, state::waiting);
  rouse(lock);
  let_go(lock);
}

void lane::impl::leave_wait(worker& self) noexcept {
  const guard lock = acquire();
  ++self.stretch;
  set(self, self.declared_blocking ? state::blocked : state::running);
}

bool lane::impl::somebody_can_run() noexcept {
  guard lock = acquire();
  const bool can =
      ready_.empty() || counts_.active != 0 || add_worker(lock) || ready_.empty() || counts_.active != 0;
  let_go(lock);
  return can;
}

// ---- the public names

lane::lane(lane_options options) : impl_{std::make_unique<impl>(*this, std::move(options))} {
  if (auto* conductor = impl_->options_.time->conductor())
    simulated_ = std::make_unique<simulated_lane>(*this, *conductor, impl_->options_);
}

lane::~lane() { stop(); }

void lane::push(lane_item& item, time_point now) noexcept { static_cast<void>(impl_->push(item, now, false)); }

void lane::push(std::span<lane_item* const> items) noexcept { impl_->push(items); }

bool lane::offer(lane_item& item, time_point now) noexcept { return impl_->push(item, now, true); }

bool lane::remove(lane_item& item) noexcept {
  const auto lock = impl_->acquire();
  const bool was_queued = simulated_ ? simulated_->remove(item) : impl_->ready_.remove(item);
  impl_->note_whether_ready();
  item.withdrawn_ = !was_queued;
  return was_queued;
}

lane_item* lane::take_if(const std::function<bool(const lane_item&)>& wanted) noexcept {
  if (simulated_)
    return simulated_->take_if(wanted);
  const auto lock = impl_->acquire();
  lane_item* found = impl_->ready_.find(wanted);
  if (found != nullptr)
    impl_->ready_.remove(*found);
  impl_->note_whether_ready();
  return found;
}

void lane::run_here(lane_item& item) noexcept { item.run_on_lane(); }

lane_stats lane::stats() const {
  if (simulated_)
    return simulated_->stats();
  const auto now = impl_->options_.time->now();
  const auto lock = impl_->acquire();
  const lane_counts c = impl_->counts();
  const auto oldest = impl_->ready_.oldest();
  return {.workers = c.threads(),
          .running = c.active - c.searching,
          .blocked = c.blocked,
          .waiting = c.waiting,
          .ready = c.ready,
          .oldest_ready = oldest < now ? now - oldest : duration{},
          .saturated = impl_->saturated_,
          .most_workers = impl_->most_workers_};
}

lane* lane::current() noexcept {
  if (const strand* s = conductor::this_strand())
    return s->lane != nullptr ? &s->lane->self() : nullptr;
  return impl::current_ != nullptr ? &impl::current_->home.self_ : nullptr;
}

void lane::stop() noexcept { impl_->stop(); }

wait_region::wait_region() noexcept {
  if (strand* s = conductor::this_strand()) {
    if (s->lane != nullptr && s->regions++ == 0)
      s->lane->enter_wait();
  } else if (auto* self = lane::impl::current_; self != nullptr && self->regions++ == 0) {
    self->home.enter_wait(*self);
  }
}

wait_region::~wait_region() {
  if (strand* s = conductor::this_strand()) {
    if (s->lane != nullptr && --s->regions == 0)
      s->lane->leave_wait();
  } else if (auto* self = lane::impl::current_; self != nullptr && --self->regions == 0) {
    self->home.leave_wait(*self);
  }
}

bool wait_region::replaced() noexcept {
  if (const strand* s = conductor::this_strand())
    return s->lane == nullptr || s->lane->somebody_can_run();
  auto* self = lane::impl::current_;
  return self == nullptr || self->home.somebody_can_run();
}

} // namespace muster::runtime
