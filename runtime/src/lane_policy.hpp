/// How many workers a lane should have: the decision alone, without threads, locks or clocks.
///
/// Owner: one lane, which calls it under its lock. Invariants: nothing here asks for more than there are items ready,
/// or than the limits allow; every answer depends on the arguments and, for `growth_policy`, on the samples before.
#pragma once

#include "lane.hpp"

#include <algorithm>
#include <cstddef>

namespace muster::runtime {

struct lane_limits {
  std::size_t workers = 1;     ///< active at the same time
  std::size_t max_workers = 1; ///< threads that are not in a wait of ours
  std::size_t max_threads = 0; ///< all threads; 0: any number
};

/// What the threads of a lane are doing. Every thread is in exactly one of the first four.
struct lane_counts {
  std::size_t active = 0;    ///< running an item, or awake and looking for one
  std::size_t blocked = 0;   ///< running an item that is blocked in foreign code
  std::size_t waiting = 0;   ///< in a wait of ours
  std::size_t idle = 0;      ///< asleep, without an item
  std::size_t searching = 0; ///< those of the active that have no item yet
  std::size_t ready = 0;     ///< items

  [[nodiscard]] std::size_t threads() const noexcept { return active + blocked + waiting + idle; }
};

/// May one more thread be created?
[[nodiscard]] inline bool may_start(const lane_limits& limits, const lane_counts& c) noexcept {
  return c.threads() - c.waiting < limits.max_workers && (limits.max_threads == 0 || c.threads() < limits.max_threads);
}

/// Should a worker be woken or started at once? One is on its way at a time: it wakes the next when it has its item.
/// `extra` is what growth has allowed beyond `workers`.
[[nodiscard]] inline bool wants_another(const lane_limits& limits, std::size_t extra, const lane_counts& c) noexcept {
  return c.ready != 0 && c.searching == 0 && c.active < limits.workers + extra;
}

/// Are more workers active than should be, so that one which has just finished its item should go to sleep? (After a
/// wait of ours has ended, or a blocked worker has come back.)
[[nodiscard]] inline bool is_surplus(const lane_limits& limits, std::size_t extra, const lane_counts& c) noexcept {
  return c.active > limits.workers + extra;
}

/// What an idle worker does.
enum class idleness { stay, linger, leave };

/// `workers` threads stay for good; as many again, and a few for the smallest lanes, linger for a short while, since
/// waits tend to come in bursts; others leave at once. `c` counts the asker as idle.
[[nodiscard]] inline idleness when_idle(const lane_limits& limits, const lane_counts& c) noexcept {
  constexpr std::size_t spare = 4;
  if (c.idle <= limits.workers)
    return idleness::stay;
  return c.idle <= limits.workers + std::max(limits.workers, spare) ? idleness::linger : idleness::leave;
}

/// What was seen between two samples.
struct lane_sample {
  std::size_t newly_blocked = 0; ///< workers found blocked in this sample
  bool any_finished = false;     ///< some worker finished an item since the last sample
};

/// The growth of a lane, sample by sample, while items are ready and nobody who may run them is free.
class growth_policy {
public:
  explicit growth_policy(growth grows) noexcept : grows_{grows} {}

  struct decision {
    std::size_t add = 0;    ///< workers to wake or start now
    bool saturated = false; ///< an episode begins in which all are blocked while items are ready
  };

  /// True while workers are being found blocked one after the other: the next look should come soon.
  [[nodiscard]] bool growing() const noexcept { return grows_ == growth::when_blocked && step_ > 1; }

  /// Workers allowed beyond `limits.workers`, since growth::when_stuck found that the others do not come free.
  [[nodiscard]] std::size_t extra() const noexcept { return extra_; }

  [[nodiscard]] decision sample(const lane_limits& limits, const lane_counts& c, const lane_sample& seen) noexcept {
    if (c.ready == 0) {
      rest();
      return {};
    }
    const std::size_t room = room_for(limits, c);
    const bool stuck = is_stuck(seen);
    const std::size_t allowed = limits.workers + extra_;
    std::size_t add = allowed > c.active ? allowed - c.active : 0; // replaces those that block, and those that failed
                                                                   // to start
    if (grows_ == growth::when_blocked ? seen.newly_blocked != 0 : stuck) {
      add = std::max(add, step_);
      if (grows_ == growth::when_stuck && room != 0)
        extra_ += std::min({step_, room, c.ready});
      step_ = std::min(step_ * 2, limits.max_workers);
      calm_ = 0;
    } else if (++calm_ > detection) {
      step_ = 1;
    }
    add = c.searching != 0 ? 0 : std::min({add, room, c.ready});
    const bool all_blocked = c.active == 0 && c.blocked != 0;
    const bool none_can_come =
        room == 0 && c.searching == 0 && (all_blocked || (grows_ == growth::when_stuck && stuck));
    const bool begins = none_can_come && !saturated_;
    saturated_ = none_can_come || (saturated_ && room == 0); // one that comes free and blocks again ends no episode
    return {add, begins};
  }

  /// No items wait any more: the next growth begins at one.
  void rest() noexcept {
    step_ = 1;
    calm_ = stuck_ = 0;
    extra_ = 0;
    saturated_ = false;
  }

private:
  /// It takes two samples to see that a worker is blocked or stuck; growth goes on through that many without news.
  static constexpr unsigned detection = 2;

  [[nodiscard]] static std::size_t room_for(const lane_limits& limits, const lane_counts& c) noexcept {
    const std::size_t counted = c.active + c.blocked;
    std::size_t room = limits.max_workers > counted ? limits.max_workers - counted : 0;
    if (limits.max_threads != 0) {
      const std::size_t in_use = counted + c.waiting;
      room = std::min(room, limits.max_threads > in_use ? limits.max_threads - in_use : 0);
    }
    return room;
  }

  [[nodiscard]] bool is_stuck(const lane_sample& seen) noexcept {
    stuck_ = seen.any_finished ? 0 : stuck_ + 1;
    if (stuck_ < detection)
      return false;
    stuck_ = 0;
    return true;
  }

  growth grows_;
  std::size_t step_ = 1;
  std::size_t extra_ = 0;
  unsigned calm_ = 0;  ///< samples in a row without a reason to grow
  unsigned stuck_ = 0; ///< samples in a row in which nobody finished
  bool saturated_ = false;
};

} // namespace muster::runtime
