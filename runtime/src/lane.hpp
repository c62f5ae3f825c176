/// A lane: worker threads that run user code, and as many of them as are needed while some of them are blocked.
///
/// Owner: the engine (one lane for task bodies, one for every other kind of user code: releases, factories, callbacks,
/// destructors of captures). Threads: every function from any thread, unless it says otherwise.
/// Invariants: an item is in the ready queue at most once; items leave it by priority, FIFO within one priority, and a
/// low one cannot starve; a worker inside a `wait_region` does not count against `max_workers`.
#pragma once

#include <muster/clock.hpp>
#include <muster/priority.hpp>
#include <muster/stats.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

namespace muster::runtime {

/// One piece of user work. Embedded in its owner (a task, a release); it keeps itself alive while it is queued.
class lane_item {
public:
  lane_item() = default;
  lane_item(const lane_item&) = delete;
  lane_item& operator=(const lane_item&) = delete;

  priority urgency = priority::normal;
  bool blocking = false; ///< said to block: a replacement may start at once, no detection needed

protected:
  ~lane_item() = default;

private:
  friend class ready_queue;
  friend class lane;
  friend class simulated_lane;
  /// Runs on a worker without locks. The item may be destroyed inside.
  virtual void run_on_lane() noexcept = 0;

  lane_item* next_ = nullptr;
  lane_item* prev_ = nullptr;
  time_point ready_since_{};
  bool queued_ = false;
  bool withdrawn_ = false; ///< asked back before it came; under the lane's lock
};

/// When a lane adds workers beyond its first ones.
enum class growth : std::uint8_t {
  when_blocked, ///< work waits and a worker sat in one body, its thread asleep and using no CPU, for two samples
  when_stuck,   ///< work waits and no worker came free for two samples, whatever they do
};

struct lane_options {
  std::string thread_name{};      ///< prefix; the kernel keeps 15 characters with the number
  unsigned workers = 1;           ///< workers that may run at the same time without being blocked (at least 1)
  unsigned max_workers = 256;     ///< those blocked in foreign code included, those in our own waits not
  unsigned max_threads = 0;       ///< all threads of the lane, those in our waits included; 0: as the system allows
  growth grows = growth::when_blocked;
  duration sample_every = std::chrono::milliseconds{5}; ///< real time: blocking is a fact of the machine
  std::shared_ptr<clock> time{};  ///< for ages only; null: the real one
  /// Called on threads of the lane (and, for what they have not said by then, in `stop`), outside locks, when every
  /// worker is blocked while items are ready (once for each such episode: it lasts until nothing is ready or another
  /// worker may start); when the lane has grown beyond its first workers (with how many there were since it last said
  /// so, at most); and when one that it grew by has left (with how many there are, or `workers` if those are more). The
  /// end of the lane is no shrinking. They must not throw.
  std::function<void(std::size_t ready)> on_saturated{};
  std::function<void(std::size_t workers)> on_grown{};
  std::function<void(std::size_t workers)> on_shrunk{};
};

class lane {
public:
  /// On the clock of a simulation it has no threads: its conductor runs the items, as many at a time as there would be
  /// workers for.
  explicit lane(lane_options options);
  ~lane(); ///< stop()
  lane(const lane&) = delete;
  lane& operator=(const lane&) = delete;

  /// Makes `item` ready. A sleeping worker is woken, or one is started if there are fewer than `workers`. If no thread
  /// can be had the item stays queued, and it is tried again from time to time. After `stop()` the item runs on the
  /// calling thread before this returns, or after the item of that kind which that thread is running. `now`: what the
  /// lane's clock has just said, if the caller knows.
  void push(lane_item& item, time_point now = {}) noexcept;
  /// The same for several, one after the other, in one step.
  void push(std::span<lane_item* const> items) noexcept;
  /// The same for one that others may know of already. False: one of them has called `remove` for it before this; the
  /// item is the caller's still.
  [[nodiscard]] bool offer(lane_item& item, time_point now = {}) noexcept;
  /// Takes `item` out of the queue again. True: it was still queued and now belongs to the caller. False: a worker has
  /// taken it; or it is yet to come, and `offer` will refuse it.
  [[nodiscard]] bool remove(lane_item& item) noexcept;
  /// Takes the first queued item for which `wanted` is true, in the order in which items would run. Linear; used only
  /// when no thread can be had (see wait_region).
  lane_item* take_if(const std::function<bool(const lane_item&)>& wanted) noexcept;
  /// Runs an item taken with `take_if` on this thread.
  static void run_here(lane_item& item) noexcept;

  [[nodiscard]] lane_stats stats() const;
  /// The lane whose worker this thread is, or null.
  [[nodiscard]] static lane* current() noexcept;
  /// Lets the workers finish what is queued, and what they push meanwhile, then joins them; what no worker could be had
  /// for runs on the calling thread. Idempotent. Not from a worker (it asserts).
  void stop() noexcept;

private:
  friend class wait_region;
  struct impl;
  std::unique_ptr<impl> impl_;
  std::unique_ptr<class simulated_lane> simulated_; ///< does the impl's part, if the lane lives in a simulation
};

/// While it lives, this thread is inside one of Muster's own waits. On a worker, its place in the lane is free for
/// another; elsewhere it does nothing. Regions nest.
class wait_region {
public:
  wait_region() noexcept;
  ~wait_region();
  wait_region(const wait_region&) = delete;
  wait_region& operator=(const wait_region&) = delete;

  /// False if items are ready, nobody runs, and no thread could be had to run them: to block now might be for ever.
  /// May be asked again (it tries again).
  [[nodiscard]] bool replaced() noexcept;
};

} // namespace muster::runtime
