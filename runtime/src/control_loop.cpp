/// How control threads share out items and timers among themselves.
///
/// Threads: as in control_loop.hpp. Always: one thread at a time fires timers, so they fire in order; while a timer is
/// armed on a real clock and any thread is idle, one idle thread sleeps until it is due; a thread goes to sleep only
/// after it has seen, under the lock, that there is nothing to do.
#include "control_loop.hpp"

#include "control_simulated.hpp"
#include "thread_name.hpp"

#include <muster/assert.hpp>

#include <algorithm>
#include <system_error>
#include <utility>

namespace muster::runtime {

namespace {

thread_local const control_loop* this_threads_loop = nullptr;

/// A thread that is not the loop's and runs one of its items, in `run_or_post`.
struct running_here {
  bool running = false;
  const control_loop* of = nullptr; ///< whose posts wait here for their turn; null: nobody's
  control_queue next;
};
constinit thread_local running_here here;

/// So many follow an item on a caller's thread; those behind them are the loop's.
constexpr unsigned most_that_follow = 8;

} // namespace

control_loop::control_loop(std::shared_ptr<clock> time, unsigned threads, disposal* leftovers)
  : time_{std::move(time)}, real_{!time_->is_manual()}, leftovers_{leftovers}, timers_{[this] { on_earlier(); }} {
  const unsigned wanted = std::max(threads, 1U);
  if (auto* conductor = time_->conductor()) {
    simulated_ = std::make_unique<simulated_control>(*conductor, timers_, wanted, leftovers_);
    return;
  }
  threads_.reserve(wanted);
  for (unsigned i = 0; i != wanted; ++i) {
    try {
      threads_.emplace_back([this, i] { run(i); });
    } catch (const std::system_error&) {
      if (threads_.empty())
        throw;
      break; // fewer do as well
    }
  }
  time_->attach(*this);
}

control_loop::~control_loop() { stop(); }

void control_loop::post(control_item& item) noexcept {
  if (here.of == this)
    return here.next.push(item);
  {
    const std::scoped_lock lock{mutex_};
    if (!stopped_)
      return queue(item);
  }
  run_after_end(item);
}

void control_loop::post_if(control_item& item, function_ref<bool()> owed) noexcept {
  if (real_ || simulated_) { // nobody settles, or nobody runs in between
    if (owed())
      post(item);
    return;
  }
  {
    const std::scoped_lock lock{mutex_};
    if (!owed())
      return;
    if (!stopped_)
      return queue(item);
  }
  run_after_end(item);
}

void control_loop::queue(control_item& item) noexcept {
  if (simulated_)
    return simulated_->post(item);
  queue_.push(item);
  wake_any();
}

void control_loop::run_after_end(control_item& item) noexcept {
  thread_local control_queue left;
  thread_local bool draining = false;
  left.push(item);
  if (std::exchange(draining, true))
    return;
  while (auto* next = left.pop())
    next->run_control();
  draining = false;
}

void control_loop::run_or_post(control_item& item, function_ref<bool()> owed) noexcept {
  // With a manual clock `settle` waits for what is queued.
  if (here.running || on_control_thread() || !(simulated_ ? simulated_->may_run_here() : real_))
    return post_if(item, owed);
  if (!owed())
    return;
  const disposal::mark no_leftovers{leftovers_};
  here.running = true;
  here.of = simulated_ ? nullptr : this;
  control_item* next = &item;
  for (unsigned i = 0; next != nullptr && i <= most_that_follow; ++i, next = here.next.pop())
    next->run_control();
  here.running = false;
  here.of = nullptr;
  for (; next != nullptr; next = here.next.pop())
    post(*next);
}

bool control_loop::on_control_thread() const noexcept {
  return simulated_ ? simulated_->runs_here() : this_threads_loop == this;
}

bool control_loop::runs_items_here() const noexcept { return here.running || on_control_thread(); }

void control_loop::stop() noexcept {
  MUSTER_ASSERT(!on_control_thread(), "a control thread cannot wait for itself: stop the loop from another thread");
  const std::scoped_lock turn{stopping_turn_};
  if (simulated_) {
    if (stopped_)
      return;
    simulated_->stop();
    const std::scoped_lock lock{mutex_};
    stopped_ = true;
    return;
  }
  if (threads_.empty())
    return;
  time_->detach(*this);
  {
    const std::scoped_lock lock{mutex_};
    stopping_ = true;
    while (wake_idle()) {}
    moment_over_ = true;
    moment_.notify_one();
  }
  for (std::thread& each : threads_)
    each.join();
  threads_.clear();
  // Posted by others after the last thread had seen an empty queue.
  std::unique_lock lock{mutex_};
  while (!queue_.empty())
    run_next(lock);
  stopped_ = true;
}

std::optional<time_point> control_loop::next_due() const { return timers_.next_due(); }

void control_loop::settle(time_point now) {
  MUSTER_ASSERT(!on_control_thread(), "a control thread cannot move the clock: it would wait for itself");
  std::unique_lock lock{mutex_};
  ++settlers_;
  for (;;) {
    refresh_wake_at();
    if (stopped_ || at_rest(now))
      break;
    if (!queue_.empty() || wake_at_ <= now)
      wake_any();
    settled_.wait(lock);
  }
  --settlers_;
}

void control_loop::run(unsigned number) noexcept {
  this_threads_loop = this;
  const disposal::mark no_leftovers{leftovers_};
  name_this_thread("muster/ctl", number);
  std::unique_lock lock{mutex_};
  for (;;) {
    if (wake_at_ != never && !firing_ && !stopping_) {
      if (const auto now = time_->now(); wake_at_ <= now) {
        fire(lock, now);
        continue;
      }
    }
    if (!queue_.empty())
      run_next(lock);
    else if (stopping_)
      return;
    else
      sleep(lock);
  }
}

void control_loop::fire(std::unique_lock<std::mutex>& lock, time_point now) noexcept {
  firing_ = true;
  lock.unlock();
  timers_.fire_due(now);
  lock.lock();
  firing_ = false;
  refresh_wake_at();
}

void control_loop::run_next(std::unique_lock<std::mutex>& lock) noexcept {
  control_item* item = queue_.pop();
  ++running_;
  // While this thread is busy another must see to the queue and to the next timer.
  if (!queue_.empty() || (real_ && wake_at_ != never && !keeping_time_))
    wake_idle();
  lock.unlock();
  item->run_control();
  lock.lock();
  --running_;
}

void control_loop::sleep(std::unique_lock<std::mutex>& lock) noexcept {
  if (settlers_ != 0)
    settled_.notify_all();
  // `firing_`: the thread that fires looks at the next moment itself when it is done.
  if (real_ && wake_at_ != never && !keeping_time_ && !firing_) {
    // Not further than an hour at a time: the sum of a clock's reading and a long span must not overflow.
    const auto span = std::min<duration>(wake_at_ - time_->now(), std::chrono::hours{1});
    keeping_time_ = true;
    moment_.wait_for(lock, span, [this] { return moment_over_; });
    keeping_time_ = moment_over_ = false;
    return;
  }
  ++idle_;
  work_.wait(lock, [this] { return wakes_ != 0; });
  --wakes_;
}

void control_loop::on_earlier() noexcept {
  if (simulated_)
    return simulated_->due_changed();
  {
    const std::scoped_lock lock{mutex_};
    refresh_wake_at();
    if (real_ || wake_at_ <= time_->now()) {
      // The thread that keeps time must look again; if there is none, an idle one takes the part.
      if (keeping_time_) {
        moment_over_ = true;
        moment_.notify_one();
      } else if (!firing_) {
        wake_idle();
      }
    }
  }
  time_->timers_changed();
}

void control_loop::refresh_wake_at() noexcept { wake_at_ = timers_.next_due().value_or(never); }

bool control_loop::wake_idle() noexcept {
  if (idle_ == 0)
    return false;
  --idle_;
  ++wakes_;
  work_.notify_one();
  return true;
}

void control_loop::wake_any() noexcept {
  if (wake_idle() || !keeping_time_)
    return;
  moment_over_ = true;
  moment_.notify_one();
}

bool control_loop::at_rest(time_point now) const noexcept {
  return queue_.empty() && running_ == 0 && !firing_ && wake_at_ > now;
}

} // namespace muster::runtime
