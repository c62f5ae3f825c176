/// The inside of a lane: its state, its workers, and which of lane*.cpp does what with them.
///
/// Owner: the lane. Threads: workers (lane_worker.cpp), the sampling thread (lane_sampler.cpp), and callers of the
/// public functions (lane.cpp). Invariants, whenever nobody holds the lock:
///  - `counts_` says how many worker threads are in each state, threads that are being created included (as searching);
///  - if items are ready then a worker is searching, or as many are active as may be, or the sampling thread watches;
///  - the idle workers are a stack, so that those at its bottom find that they are not needed and leave.
#pragma once

#include "lane.hpp"
#include "lane_policy.hpp"
#include "ready_queue.hpp"
#include "signal_mask.hpp"
#include "thread_probe.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace muster::runtime {

struct lane::impl {
  using guard = std::unique_lock<std::mutex>;

  enum class state : std::uint8_t { gone, searching, running, blocked, waiting, idle };

  /// A place for one thread. Places are used again, and freed with the lane only.
  struct worker {
    worker(impl& lane, unsigned n) noexcept : home{lane}, number{n} {}

    impl& home;
    const unsigned number;
    std::mutex handle; ///< guards `thread`; held while it is created or joined
    std::thread thread;
    std::condition_variable wake;

    // Under the lane's lock:
    state now = state::gone;
    bool woken = false;
    bool declared_blocking = false; ///< its item said so; then nobody probes
    std::uint64_t stretch = 0;      ///< changes whenever it begins an item or comes out of a wait
    thread_probe probe;
    worker* below = nullptr; ///< in the stack of idle ones
    worker* above = nullptr;

    unsigned regions = 0; ///< depth of wait regions; its own thread's
    std::atomic<bool> at_a_lock{false}; ///< written by its own thread, read by the sampling one; see spin.hpp

    // The sampling thread's:
    std::uint64_t seen_stretch = 0;
    duration seen_cpu{};
    bool seen_asleep = false;
  };

  impl(lane& of, lane_options given);

  // ---- lane.cpp
  [[nodiscard]] guard acquire() const noexcept;
  /// False, if it is `refusable` and has been withdrawn.
  bool push(lane_item& item, time_point now, bool refusable) noexcept;
  void push(std::span<lane_item* const> items) noexcept;
  void stop() noexcept;
  /// The moment to stamp on an item that becomes ready: right to within one sample. Lock held.
  [[nodiscard]] time_point stamp(time_point now) noexcept;
  void note_whether_ready() noexcept {
    if (const bool some = !ready_.empty(); some_ready_.load(std::memory_order_relaxed) != some)
      some_ready_.store(some, std::memory_order_relaxed);
  }
  void enter_wait(worker& self) noexcept;
  void leave_wait(worker& self) noexcept;
  [[nodiscard]] bool somebody_can_run() noexcept;

  // ---- lane_worker.cpp; all with the lock held (some let go of it for a while)
  void set(worker& w, state to) noexcept;
  /// Sees to it that ready items find a worker, or are watched.
  void rouse(guard& lock) noexcept;
  /// Has an idle worker woken, by `let_go`, or starts one. False if neither can be had.
  bool add_worker(guard& lock) noexcept;
  bool start_worker(guard& lock) noexcept;
  /// Takes the top one off the stack, so that it finds that it was woken.
  worker& pop_idle() noexcept;
  /// Gives up the lock, and then wakes whoever was to be woken.
  void let_go(guard& lock) noexcept;
  void work(worker& self) noexcept;
  void run_one(guard& lock, worker& self, lane_item& item) noexcept;
  void search(guard& lock, worker& self) noexcept;
  /// False if the thread is to end.
  bool sleep(guard& lock, worker& self) noexcept;
  void unlink_idle(worker& w) noexcept;
  void leave(guard& lock, worker& self) noexcept;

  // ---- lane_sampler.cpp
  /// Wakes the sampling thread, and creates it the first time. Lock held.
  void watch() noexcept;
  void sample_loop() noexcept;
  void sample(guard& lock);
  /// Says that there were more workers than was last said, however they came. Lets go of the lock meanwhile.
  void tell_growth(guard& lock);

  lane& self_;
  const lane_options options_;
  const lane_limits limits_;

  // What both who push and who pop write lies together (on x86-64 on two lines), for it goes from one processor to the
  // other all the time; what they only read while all is busy lies behind that.
  alignas(64) mutable std::mutex mutex_;
  time_point reading_{};       ///< the clock, not long ago
  unsigned since_reading_ = 0; ///< items stamped with it
  bool stopping_ = false;
  bool stopped_ = false;
  worker* to_wake_ = nullptr; ///< null whenever nobody holds the lock
  ready_queue ready_;
  lane_counts counts_; ///< all but `ready`, which `counts()` fills in
  worker* idle_top_ = nullptr;
  alignas(64) growth_policy growth_;
  std::uint64_t finished_ = 0; ///< items
  std::uint64_t saturated_ = 0;
  std::uint64_t most_workers_ = 0;
  std::uint64_t peak_workers_ = 0;               ///< since it was last said how many there are
  std::uint64_t told_workers_ = limits_.workers; ///< the first ones are no growth
  std::condition_variable all_left_;

  const signal_mask mask_; ///< of whoever made the lane: of all its threads, whoever starts them
  std::vector<std::unique_ptr<worker>> workers_;
  std::vector<worker*> free_;
  worker* last_to_leave_ = nullptr; ///< its thread is yet to be joined, by the next to leave or by stop()

  bool watching_ = false;
  bool end_sampling_ = false;
  std::condition_variable to_watch_;
  std::thread sampler_;
  std::uint64_t finished_before_ = 0; ///< `finished_` at the last sample

  std::mutex stopping_turn_; ///< whoever else calls stop() returns when the first has done it

  /// Whether items are ready, for those who look without the lock. On a line of its own.
  alignas(64) std::atomic<bool> some_ready_{false};

  [[nodiscard]] lane_counts counts() const noexcept {
    lane_counts c = counts_;
    c.ready = ready_.size();
    return c;
  }

  /// The worker that this thread is, or null.
  static thread_local worker* current_;
};

} // namespace muster::runtime
