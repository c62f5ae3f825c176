/// The control plane's own threads: they run supervisors and fire timers, and nothing else.
///
/// Owner: the engine. Threads: `post` from any thread; items run one at a time each, on a control thread or on that of
/// a caller of `run_or_post`.
/// Invariants: no user code ever runs here (so no body, release or callback can delay a deadline); an item that is
/// posted while it is queued or running is the poster's own concern (supervisors coalesce in their mailbox).
#pragma once

#include "disposal.hpp"
#include "function_ref.hpp"
#include "timers.hpp"

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace muster::runtime {

/// Something that control threads run, or whoever brings it about. It keeps itself alive while it is posted.
class control_item {
public:
  /// Short, never blocks, never runs user code.
  virtual void run_control() noexcept = 0;

protected:
  ~control_item() = default;

private:
  friend class control_queue;
  control_item* next_ = nullptr;
};

/// Items in a row, first come first out. They are linked, so that queueing one cannot fail. For whoever guards it.
class control_queue {
public:
  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
  void push(control_item& item) noexcept {
    item.next_ = nullptr;
    (last_ != nullptr ? last_->next_ : first_) = &item;
    last_ = &item;
  }
  /// Null: there is none.
  [[nodiscard]] control_item* pop() noexcept {
    control_item* item = first_;
    if (item != nullptr)
      first_ = item->next_;
    if (first_ == nullptr)
      last_ = nullptr;
    return item;
  }

private:
  control_item* first_ = nullptr;
  control_item* last_ = nullptr;
};

class simulated_control;

class control_loop final : private clock::listener {
public:
  /// Starts `threads` (at least one) threads named `muster/ctl…`; on the clock of a simulation none, its conductor runs
  /// the items, as many at a time as there would be threads. Throws std::system_error if not even one thread starts.
  /// `leftovers`: where its threads hand exceptions that go there; it outlives `stop()`.
  control_loop(std::shared_ptr<clock> time, unsigned threads, disposal* leftovers = nullptr);
  ~control_loop(); ///< stop()

  control_loop(const control_loop&) = delete;
  control_loop& operator=(const control_loop&) = delete;

  /// Queues `item`; FIFO. After `stop()` the item runs on the calling thread before this returns, so that nothing is
  /// lost at shutdown; if that thread is running such an item already, it runs after that one instead of inside it.
  void post(control_item& item) noexcept;
  /// Queues `item` if `owed` says so, which tells it what to do and whether it is to be queued for that: with a manual
  /// clock in one step, so that `settle` waits for what it was told, whoever queues it. `owed` only sets and counts.
  void post_if(control_item& item, function_ref<bool()> owed) noexcept;
  /// The same, but runs `item` on the calling thread before this returns, so that nobody has to be woken for it, and
  /// after it the first few of those that are posted meanwhile from this thread: no item waits for another one. From
  /// within such an item it is queued on this thread; on a control thread, and with a manual clock, it is posted. In a
  /// simulation one of the two is drawn. For callers without locks.
  void run_or_post(control_item& item, function_ref<bool()> owed) noexcept;
  [[nodiscard]] timers& due() noexcept { return timers_; }
  [[nodiscard]] time_point now() const noexcept { return time_->now(); }
  [[nodiscard]] const std::shared_ptr<clock>& time() const noexcept { return time_; }
  /// True on one of this loop's threads.
  [[nodiscard]] bool on_control_thread() const noexcept;
  /// True on those, and on any other while it runs an item: user code is not to run there.
  [[nodiscard]] bool runs_items_here() const noexcept;
  /// Runs what is queued, then ends and joins the threads. Idempotent. Timers no longer fire afterwards. From any
  /// thread but this loop's own (it asserts).
  void stop() noexcept;

private:
  [[nodiscard]] std::optional<time_point> next_due() const override;
  void settle(time_point now) override;

  void run(unsigned number) noexcept;
  void fire(std::unique_lock<std::mutex>& lock, time_point now) noexcept;
  void run_next(std::unique_lock<std::mutex>& lock) noexcept;
  void sleep(std::unique_lock<std::mutex>& lock) noexcept;
  void on_earlier() noexcept;
  static void run_after_end(control_item& item) noexcept;
  // All of these: with the lock held.
  void queue(control_item& item) noexcept;
  void refresh_wake_at() noexcept;
  bool wake_idle() noexcept;
  void wake_any() noexcept;
  [[nodiscard]] bool at_rest(time_point now) const noexcept;

  const std::shared_ptr<clock> time_;
  const bool real_;
  disposal* const leftovers_;
  timers timers_;
  std::unique_ptr<simulated_control> simulated_; ///< in place of all that follows, but for `stopped_`

  std::mutex stopping_turn_; ///< whoever else calls stop() returns when the first has done it
  mutable std::mutex mutex_; ///< guards everything below; taken before the timers' lock
  std::condition_variable work_;    ///< idle threads
  std::condition_variable moment_;  ///< the one thread that waits for the next timer
  std::condition_variable settled_; ///< those in settle()
  control_queue queue_;
  time_point wake_at_ = never; ///< at or before the earliest due time
  std::size_t idle_ = 0;       ///< threads in work_ that nobody has woken yet
  std::size_t wakes_ = 0;      ///< those that have been woken and have not noticed yet
  std::size_t running_ = 0;    ///< items
  std::size_t settlers_ = 0;
  bool firing_ = false;
  bool keeping_time_ = false; ///< a thread is in moment_
  bool moment_over_ = false;  ///< and has been told to look again
  bool stopping_ = false;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

} // namespace muster::runtime
