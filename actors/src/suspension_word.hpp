/// Whether a coroutine body is on a worker, asleep, or on its way back, in one atomic word. Pure; no clock, no lock.
///
///     running ──suspend──▶ asleep ──wake──▶ queued ──resume──▶ running ──end──▶ over
///        │ ▲                                  ▲
///   wake ▼ │ suspend (it does not sleep)      │
///     notified ──────────requeue──────────────┘   (running too)
///
/// Who may do what: the worker that runs the body suspends, requeues, resumes and ends it; anybody wakes it. Whoever
/// turns `asleep` into `queued` puts it into the lane's queue, and there is exactly one of those for each sleep. A wake
/// that comes before the body sleeps makes `suspend` fail, so none is lost; one that comes for nothing costs a look.
#pragma once

#include <atomic>
#include <cstdint>

namespace muster {

class suspension_word {
public:
  enum class state : std::uint8_t { running, notified, asleep, queued, over };

  /// True: it sleeps, and may be running elsewhere already. False: somebody has woken it meanwhile; it runs on.
  [[nodiscard]] bool suspend() noexcept {
    auto was = state::running;
    if (word_.compare_exchange_strong(was, state::asleep, std::memory_order_acq_rel))
      return true;
    word_.exchange(state::running,
                   std::memory_order_acq_rel); // no plain store: what all wakers so far did must be seen
    return false;
  }
  /// True: it was asleep, and the caller has to queue it.
  [[nodiscard]] bool wake() noexcept {
    auto was = word_.load(std::memory_order_relaxed);
    for (;;) {
      if (was == state::over || was == state::queued || was == state::notified) {
        // A change made before this wake must be seen by the look that follows the one already on its way.
        if (word_.compare_exchange_weak(was, was, std::memory_order_acq_rel))
          return false;
        continue;
      }
      const auto to = was == state::asleep ? state::queued : state::notified;
      if (word_.compare_exchange_weak(was, to, std::memory_order_acq_rel))
        return to == state::queued;
    }
  }
  /// It leaves its worker for the end of the queue, where the caller puts it.
  void requeue() noexcept { word_.exchange(state::queued, std::memory_order_acq_rel); }
  /// A worker has taken it from the queue.
  void resume() noexcept { word_.exchange(state::running, std::memory_order_acq_rel); }
  void end() noexcept { word_.exchange(state::over, std::memory_order_acq_rel); }

  [[nodiscard]] state now() const noexcept { return word_.load(std::memory_order_acquire); }

private:
  std::atomic<state> word_{state::running};
};

} // namespace muster
