/// The life of a worker thread: it searches, runs items, sleeps, leaves.
///
/// Threads: each function of the worker's own life runs on that worker; `rouse` and `add_worker` on whoever made an
/// item ready or gave a place free. Always: one worker searches at a time (it wakes the next when it has found an
/// item), so a burst of items does not become a burst of wake-ups; a thread is joined before its place is used again.
#include "lane_impl.hpp"
#include "spin.hpp"
#include "thread_name.hpp"

#include <utility>

namespace muster::runtime {

namespace {

/// How long an idle worker that is probably not needed stays. Real time: threads are a fact of the machine.
constexpr std::chrono::milliseconds linger_for{200};
/// How often a worker looks for another item before it goes to sleep: about as long as a wake-up would take.
constexpr int looks = 400;

} // namespace

void lane::impl::set(worker& w, state to) noexcept {
  const auto count = [this](state s, std::size_t by) { // by: 1, or its negative; unsigned arithmetic wraps as it should
    switch (s) {
    case state::searching: counts_.searching += by; [[fallthrough]];
    case state::running: counts_.active += by; break;
    case state::blocked: counts_.blocked += by; break;
    case state::waiting: counts_.waiting += by; break;
    case state::idle: counts_.idle += by; break;
    case state::gone: break;
    }
  };
  count(std::exchange(w.now, to), static_cast<std::size_t>(-1));
  count(to, 1);
}

void lane::impl::rouse(guard& lock) noexcept {
  const lane_counts c = counts();
  if (c.ready == 0 || c.searching != 0)
    return;
  if (!wants_another(limits_, growth_.extra(), c) || !add_worker(lock))
    watch();
}

bool lane::impl::add_worker(guard& lock) noexcept {
  if (idle_top_ != nullptr) {
    to_wake_ = &pop_idle();
    return true;
  }
  return may_start(limits_, counts()) && start_worker(lock);
}

lane::impl::worker& lane::impl::pop_idle() noexcept {
  worker& w = *idle_top_;
  unlink_idle(w);
  set(w, state::searching);
  w.woken = true;
  return w;
}

void lane::impl::let_go(guard& lock) noexcept {
  worker* const woken = std::exchange(to_wake_, nullptr);
  lock.unlock();
  if (woken != nullptr)
    woken->wake.notify_one(); // a call of the kernel, for which nobody shall have to wait
}

bool lane::impl::start_worker(guard& lock) noexcept {
  worker* place = nullptr;
  try {
    if (free_.empty()) {
      free_.reserve(workers_.size() + 1); // so that leaving never allocates
      workers_.push_back(std::make_unique<worker>(*this, static_cast<unsigned>(workers_.size())));
      free_.push_back(workers_.back().get());
    }
    place = free_.back();
    free_.pop_back();
    set(*place, state::searching);
    place->woken = false;
    const std::uint64_t with_this_one = counts_.threads();
    // The new thread may end, and be joined, before its handle is stored: whoever joins it waits for this lock.
    {
      const std::scoped_lock being_born{place->handle};
      lock.unlock();
      place->thread = std::thread{[this, place] { work(*place); }};
    }
    lock.lock();
    most_workers_ = std::max(most_workers_, with_this_one);
    peak_workers_ = std::max(peak_workers_, with_this_one);
    return true;
  } catch (...) { // no memory, or no thread
    if (!lock.owns_lock())
      lock.lock();
    if (place != nullptr) {
      set(*place, state::gone);
      free_.push_back(place);
      if (counts_.threads() == 0)
        all_left_.notify_all();
    }
    return false;
  }
}

void lane::impl::work(worker& self) noexcept {
  current_ = &self;
  at_a_lock = &self.at_a_lock;
  mask_.wear();
  name_this_thread(options_.thread_name, self.number);
  const auto probe = thread_probe::of_this_thread();
  guard lock = acquire();
  self.probe = probe;
  for (;;) {
    if (lane_item* item = ready_.pop()) {
      run_one(lock, self, *item);
      if (!is_surplus(limits_, growth_.extra(), counts_))
        continue;
      set(self, state::searching);
    } else {
      set(self, state::searching);
      search(lock, self);
      if (!ready_.empty())
        continue;
    }
    if (!sleep(lock, self))
      break;
  }
  leave(lock, self);
  at_a_lock = nullptr;
  current_ = nullptr;
}

void lane::impl::run_one(guard& lock, worker& self, lane_item& item) noexcept {
  note_whether_ready();
  ++self.stretch;
  self.declared_blocking = item.blocking;
  if (self.now != state::running || item.blocking)
    set(self, item.blocking ? state::blocked : state::running);
  if (!ready_.empty())
    rouse(lock);
  let_go(lock);
  item.run_on_lane();
  lock = acquire();
  ++finished_;
  self.declared_blocking = false;
  if (self.now != state::running)
    set(self, state::running);
}

void lane::impl::search(guard& lock, worker&) noexcept {
  // A second searcher would only take time from those who have something to do.
  if (counts_.searching != 1 || stopping_)
    return;
  lock.unlock();
  for (int i = 0; i != looks && !some_ready_.load(std::memory_order_relaxed); ++i)
    cpu_relax();
  lock = acquire();
}

bool lane::impl::sleep(guard& lock, worker& self) noexcept {
  if (stopping_)
    return false;
  set(self, state::idle);
  self.above = nullptr;
  self.below = idle_top_;
  if (idle_top_ != nullptr)
    idle_top_->above = &self;
  idle_top_ = &self;

  self.woken = false;
  const auto is_woken = [&self] { return self.woken; };
  switch (when_idle(limits_, counts_)) {
  case idleness::stay:
    self.wake.wait(lock, is_woken);
    return true;
  case idleness::linger:
    if (self.wake.wait_for(lock, linger_for, is_woken))
      return true;
    break;
  case idleness::leave: break;
  }
  unlink_idle(self);
  return false;
}

void lane::impl::unlink_idle(worker& w) noexcept {
  (w.above != nullptr ? w.above->below : idle_top_) = w.below;
  if (w.below != nullptr)
    w.below->above = w.above;
  w.above = w.below = nullptr;
}

void lane::impl::leave(guard& lock, worker& self) noexcept {
  set(self, state::gone);
  worker* before = std::exchange(last_to_leave_, &self);
  if (counts_.threads() == 0)
    all_left_.notify_all();
  const auto left = std::max<std::uint64_t>(counts_.threads(), limits_.workers);
  const auto peak = std::max(peak_workers_, told_workers_);
  const bool has_grown = !stopping_ && peak > told_workers_;
  const bool has_shrunk = !stopping_ && left < peak;
  if (has_shrunk)
    peak_workers_ = told_workers_ = left;
  lock.unlock();
  if (before != nullptr) {
    {
      const std::scoped_lock born{before->handle};
      before->thread.join();
    }
    lock.lock();
    free_.push_back(before);
    lock.unlock();
  }
  // After the one before has said it, so that the numbers come in order. The lane is there still: whoever ends it joins
  // this thread.
  if (has_grown && options_.on_grown)
    options_.on_grown(peak);
  if (has_shrunk && options_.on_shrunk)
    options_.on_shrunk(left);
}

} // namespace muster::runtime
