/// The way past a circuit breaker's lock while it is closed: so short that it is in the caller.
///
/// Owner: the breaker's core. Threads: any; the door is moved by whoever holds the core's lock. Invariants: `door_` is
/// the present generation (never 0) while calls may pass without the lock, and 0 otherwise; the mark of a success
/// never goes back to an earlier generation, so none is lost to a late result.
#pragma once

#include <muster/api.hpp>

#include <atomic>
#include <cstdint>

MUSTER_API_BEGIN

namespace muster::detail {

class breaker_gate {
public:
  /// The generation in which a call passes without asking; 0: it has to ask.
  [[nodiscard]] std::uint64_t generation() const noexcept {
    return timed_ ? 0 : door_.load(std::memory_order_acquire);
  }

  /// A call that was let through in `generation` has succeeded, and all that this changes is that the failures in a row
  /// begin anew: that matters only to the next failure, which finds the mark. False: it has to be reported, since
  /// another generation has begun or a success is more than that.
  [[nodiscard]] bool passed(std::uint64_t generation) noexcept {
    if (!by_streak_ || door_.load(std::memory_order_acquire) != generation)
      return false;
    auto mark = passed_.load(std::memory_order_relaxed);
    while (mark < generation && !passed_.compare_exchange_weak(mark, generation, std::memory_order_acq_rel))
      continue;
    succeeded_.fetch_add(1, std::memory_order_relaxed);
    return true;
  }

protected:
  breaker_gate(bool by_streak, bool timed) noexcept : by_streak_(by_streak), timed_(timed) {}

  const bool by_streak_; ///< a success needs no more than a mark
  const bool timed_;     ///< calls carry the moment at which they began
  std::atomic<std::uint64_t> door_ = 0;
  std::atomic<std::uint64_t> passed_ = 0; ///< the latest generation with a success since the last failure
  std::atomic<std::uint64_t> succeeded_ = 0;
};

} // namespace muster::detail

MUSTER_API_END
