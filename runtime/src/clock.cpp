/// The two clocks: the machine's, and the one that tests move by hand.
///
/// Threads: any. Lock order: the manual clock's lock is taken before an engine's timer lock (`next_due` is asked under
/// it), so engines call `timers_changed` without locks. `settle` is called without it, for the work it waits for may
/// itself arm timers.
#include <muster/assert.hpp>
#include <muster/clock.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <vector>

namespace muster {

namespace {

class steady_clock final : public clock {
public:
  [[nodiscard]] time_point now() const noexcept override { return std::chrono::steady_clock::now(); }
};

} // namespace

std::shared_ptr<clock> real_clock() {
  // Never destroyed: engines that live in static objects may still ask for the time while the program ends.
  static const auto& the_clock = *new std::shared_ptr<clock>{std::make_shared<steady_clock>()};
  return the_clock;
}

struct manual_clock::impl {
  std::mutex turns;      ///< one `advance` at a time; taken before `mutex`
  std::mutex mutex;      ///< guards `listeners` and `in_use`
  std::condition_variable changed;
  std::vector<listener*> listeners;
  listener* in_use = nullptr;
  std::atomic<time_point> now;

  /// The earliest due time on this clock. Call with `mutex` held.
  [[nodiscard]] std::optional<time_point> earliest() const {
    std::optional<time_point> first;
    for (const listener* each : listeners)
      if (const auto due = each->next_due(); due && (!first || *due < *first))
        first = due;
    return first;
  }

  /// Lets every engine come to rest at the present moment. Call with `turns` held.
  void settle_all() {
    std::unique_lock lock{mutex};
    const auto round = listeners;
    for (listener* each : round) {
      if (std::find(listeners.begin(), listeners.end(), each) == listeners.end())
        continue;
      in_use = each;
      lock.unlock();
      each->settle(now.load());
      lock.lock();
      in_use = nullptr;
      changed.notify_all();
    }
  }

  void set_now(time_point t) {
    const std::scoped_lock lock{mutex};
    now.store(t);
    changed.notify_all();
  }
};

manual_clock::manual_clock(time_point start) : impl_{detail::make_owned<impl>()} { impl_->now.store(start); }

manual_clock::~manual_clock() {
  MUSTER_ASSERT(impl_->listeners.empty(), "a manual clock must outlive the engines that run on it");
}

time_point manual_clock::now() const noexcept { return impl_->now.load(std::memory_order_acquire); }

void manual_clock::attach(listener& engine) {
  const std::scoped_lock lock{impl_->mutex};
  impl_->listeners.push_back(&engine);
  impl_->changed.notify_all();
}

void manual_clock::detach(listener& engine) {
  std::unique_lock lock{impl_->mutex};
  std::erase(impl_->listeners, &engine);
  impl_->changed.wait(lock, [&] { return impl_->in_use != &engine; });
}

void manual_clock::timers_changed() noexcept {
  const std::scoped_lock lock{impl_->mutex};
  impl_->changed.notify_all();
}

void manual_clock::advance(duration d) {
  MUSTER_ASSERT(d.count() >= 0, "time only goes forward: advance() takes a span that is not negative");
  const std::scoped_lock turn{impl_->turns};
  const auto target = saturating_add(now(), d);
  // What was set off before this call may still arm a timer that is on the way.
  impl_->settle_all();
  for (;;) {
    std::optional<time_point> next;
    {
      const std::scoped_lock lock{impl_->mutex};
      next = impl_->earliest();
    }
    if (next && *next <= target)
      impl_->set_now(std::max(now(), *next));
    else if (now() < target)
      impl_->set_now(target);
    else
      return;
    impl_->settle_all();
  }
}

void manual_clock::await_timer_within(duration d) {
  std::unique_lock lock{impl_->mutex};
  impl_->changed.wait(lock, [&] {
    const auto first = impl_->earliest();
    return first && *first <= saturating_add(now(), d);
  });
}

} // namespace muster
