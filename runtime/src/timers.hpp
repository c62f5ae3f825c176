/// The timers of one engine: an exact queue of things that are due at a moment.
///
/// Owner: the engine. Threads: `arm`, `disarm` and `next_due` from any thread; `fire_due` from the control loop only.
/// Invariants: a timer fires at most once for each time it was armed; it fires outside the lock; while it is armed the
/// queue holds one reference to it (`retain`), which passes to whoever disarms or fires it and is then released.
#pragma once

#include <muster/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>

namespace muster::runtime {

/// Something that can be armed. Embedded in its owner; no allocation.
class timer {
public:
  timer() = default;
  timer(const timer&) = delete;
  timer& operator=(const timer&) = delete;

  /// The moment it was last armed for. Meaningful to its owner and inside `on_due`.
  [[nodiscard]] time_point due() const noexcept { return due_; }

protected:
  ~timer() = default;

private:
  friend class timer_heap;
  friend class timers;
  /// Runs on a control thread, without locks. It must be short and never run user code.
  virtual void on_due(time_point now) noexcept = 0;
  /// Runs under the queue's lock: no more than an increment.
  virtual void retain() noexcept = 0;
  /// Runs without locks, as the last thing the queue does with this timer: it may be destroyed inside.
  virtual void release() noexcept = 0;

  time_point due_{};
  std::uint64_t order_ = 0; ///< among equal due times: first armed, first fired
  timer* child_ = nullptr;  ///< first child in the pairing heap
  timer* next_ = nullptr;   ///< next sibling
  timer* prev_ = nullptr;   ///< previous sibling, or the parent for a first child
  bool armed_ = false;
};

/// An intrusive pairing heap (Fredman, Sedgewick, Sleator, Tarjan 1986): insertion in constant time, removal of any
/// element in amortised O(log n), and in constant time for the usual timeout that is set in order and never fires.
class timer_heap {
public:
  [[nodiscard]] bool empty() const noexcept { return root_ == nullptr; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] timer* top() const noexcept { return root_; }
  void insert(timer& t) noexcept;
  void erase(timer& t) noexcept;

private:
  static bool before(const timer& a, const timer& b) noexcept;
  static timer* meld(timer* a, timer* b) noexcept;
  static timer* combine(timer* first) noexcept;

  timer* root_ = nullptr;
  std::size_t size_ = 0;
  std::uint64_t armed_ever_ = 0;
  friend class timers;
};

/// The heap with its lock and its references.
class timers {
public:
  /// `on_earlier` is called, outside the lock, whenever the earliest due time has moved forward in time's order (that
  /// is: somebody who sleeps until the old one must look again).
  explicit timers(std::function<void()> on_earlier);
  ~timers(); ///< clear()
  timers(const timers&) = delete;
  timers& operator=(const timers&) = delete;

  /// Arms `t` for `due`; if it was armed, it is moved. Takes one reference.
  void arm(timer& t, time_point due) noexcept;
  /// True if `t` was armed and will now not fire (its reference is released before the return). False if it was never
  /// armed, has fired, or is firing at this moment.
  bool disarm(timer& t) noexcept;
  /// The due time of the earliest armed timer.
  [[nodiscard]] std::optional<time_point> next_due() const;
  /// How many timers are armed.
  [[nodiscard]] std::size_t armed() const;
  /// Releases what is still armed, without firing it.
  void clear() noexcept;
  /// Fires, in order of time, every timer due at or before `now`, those included that are armed meanwhile. Returns how
  /// many. One thread at a time.
  std::size_t fire_due(time_point now) noexcept;
  /// Fires the earliest timer that is due at or before `now`; false if there is none. One thread at a time.
  bool fire_next(time_point now) noexcept;
  /// From now on equal due times fire in the order of the numbers that `draw` gives, instead of in the order in which
  /// they were armed. Before anything is armed.
  void break_ties_by(std::function<std::uint64_t()> draw) { tie_breaker_ = std::move(draw); }

private:
  /// Takes the earliest timer out if it is due at `now`; its reference goes to the caller.
  timer* take_due(time_point now) noexcept;

  mutable std::mutex mutex_;
  timer_heap heap_;
  std::function<void()> on_earlier_;
  std::function<std::uint64_t()> tie_breaker_;
};

} // namespace muster::runtime
