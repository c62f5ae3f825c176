/// The sampling thread: finds out which workers are blocked in foreign code, and lets the lane grow for them.
///
/// Threads: its own, created when it is first needed; it sleeps without a time limit while nothing waits for a worker.
/// Always: the kernel is asked without the lane's lock; what it said is used only if the worker is still in the same
/// stretch of the same item. Real time, for blocking is a fact of the machine and not of the lane's clock.
#include "lane_impl.hpp"

#include "thread_name.hpp"

#include <utility>

namespace muster::runtime {

namespace {

/// How much more often a growing lane is sampled.
constexpr int hurry = 4;

} // namespace

void lane::impl::watch() noexcept {
  if (watching_)
    return;
  try {
    if (!sampler_.joinable())
      sampler_ = std::thread{[this] { sample_loop(); }};
    watching_ = true;
    to_watch_.notify_one();
  } catch (...) {
    // No thread, no growth; the next item that waits tries again.
  }
}

void lane::impl::sample_loop() noexcept {
  mask_.wear();
  name_this_thread(options_.thread_name + "~", 0);
  guard lock{mutex_};
  for (;;) {
    to_watch_.wait(lock, [this] { return watching_ || end_sampling_; });
    finished_before_ = finished_;
    while (watching_ && !end_sampling_) {
      // What blocks seldom blocks alone: after the first, the others are looked for more often.
      const auto pause = growth_.growing() ? options_.sample_every / hurry : options_.sample_every;
      if (to_watch_.wait_for(lock, pause, [this] { return end_sampling_; }))
        break;
      try {
        sample(lock);
      } catch (...) { // no memory for the list of workers: there will be another sample
        if (!lock.owns_lock())
          lock.lock();
      }
    }
    if (end_sampling_)
      return;
  }
}

void lane::impl::sample(guard& lock) {
  reading_ = options_.time->now();
  since_reading_ = 0;
  if (ready_.empty()) {
    growth_.rest();
    watching_ = false;
    tell_growth(lock);
    return;
  }

  struct subject {
    worker* who;
    std::uint64_t stretch;
    thread_probe probe;
    bool same = false;    ///< in this stretch already at the last sample, and has computed nothing since
    bool blocked = false; ///< and was asleep both times
  };
  std::vector<subject> subjects;
  for (const auto& w : workers_)
    if ((w->now == state::running || w->now == state::blocked) && !w->declared_blocking)
      subjects.push_back({.who = w.get(), .stretch = w->stretch, .probe = w->probe});

  lock.unlock();
  for (subject& each : subjects) {
    worker& w = *each.who;
    const auto cpu = each.probe.cpu_time();
    const bool asleep = cpu && each.probe.asleep() && !w.at_a_lock.load(std::memory_order_relaxed);
    each.same = cpu && w.seen_stretch == each.stretch && w.seen_cpu == *cpu;
    each.blocked = each.same && asleep && w.seen_asleep;
    w.seen_stretch = each.stretch;
    w.seen_cpu = cpu.value_or(duration{});
    w.seen_asleep = asleep;
  }
  lock.lock();

  lane_sample seen{.any_finished = std::exchange(finished_before_, finished_) != finished_};
  for (const subject& each : subjects) {
    worker& w = *each.who;
    if (w.stretch != each.stretch)
      continue;
    if (w.now == state::running && each.blocked) {
      set(w, state::blocked);
      ++seen.newly_blocked;
    } else if (w.now == state::blocked && !each.same && !w.declared_blocking) {
      set(w, state::running);
    }
  }

  const auto decided = growth_.sample(limits_, counts(), seen);
  // Starting one lets go of the lock, and a lane that has stopped meanwhile joins nobody any more.
  for (std::size_t i = 0; i != decided.add && !stopped_; ++i) {
    if (!add_worker(lock))
      break;
    let_go(lock);
    lock.lock();
  }
  if (decided.saturated)
    ++saturated_;
  const auto ready = ready_.size();
  tell_growth(lock);
  lock.unlock();
  if (decided.saturated && options_.on_saturated)
    options_.on_saturated(ready);
  lock.lock();
}

void lane::impl::tell_growth(guard& lock) {
  // Workers that find another item waiting start some too, so it is the number that is looked at.
  if (peak_workers_ <= told_workers_)
    return;
  const auto now = told_workers_ = peak_workers_;
  lock.unlock();
  if (options_.on_grown)
    options_.on_grown(now);
  lock.lock();
}

} // namespace muster::runtime
