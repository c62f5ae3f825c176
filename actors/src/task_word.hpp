/// The life of a task in one atomic word: who may do what next. Pure; no clock, no lock, no thread of its own.
///
///     waiting ──▶ held ──▶ ready ──▶ running ──▶ ending ──▶ ended
///        └──────────┴────────┴───────────────────▲
///                     claim_discard: it will never run
///
/// Transitions before `running` are made under the scope's lock, except `claim_start` (the worker's), which competes
/// with `claim_discard` (a cancel, an expiry, a failed dependency): one of them wins the same compare-and-swap, so a
/// task that was cancelled before it started never runs. `asked` is set at most once and only before `ending`; the
/// worker reads it in the very step in which the body ends, so an outcome has one verdict.
#pragma once

#include <muster/task.hpp>

#include <atomic>
#include <cstdint>
#include <optional>

namespace muster {

class task_word {
public:
  [[nodiscard]] task_state state() const noexcept { return phase_of(word_.load(std::memory_order_acquire)); }
  [[nodiscard]] bool asked() const noexcept { return word_.load(std::memory_order_acquire) & asked_bit; }

  /// From one phase before `running` to another. False if the task has been claimed meanwhile.
  bool advance(task_state from, task_state to) noexcept {
    return change([&](std::uint32_t w) { return phase_of(w) == from; }, to);
  }
  /// ready → running, unless it has been asked to stop or discarded.
  bool claim_start() noexcept {
    return change([](std::uint32_t w) { return phase_of(w) == task_state::ready && !(w & asked_bit); },
                  task_state::running);
  }
  /// Any phase before running → ending: whoever gets the phase it was in sees to it that the task is settled without
  /// running. Nothing: it has started, or somebody else has claimed it.
  std::optional<task_state> claim_discard() noexcept {
    std::uint32_t w = word_.load(std::memory_order_relaxed);
    do {
      if (phase_of(w) >= task_state::running)
        return std::nullopt;
    } while (!word_.compare_exchange_weak(w, with_phase(w, task_state::ending), std::memory_order_acq_rel));
    return phase_of(w);
  }
  /// running → ending. Returns whether it had been asked to stop by then: from now on it cannot be.
  bool finish() noexcept {
    std::uint32_t w = word_.load(std::memory_order_relaxed);
    while (!word_.compare_exchange_weak(w, with_phase(w, task_state::ending), std::memory_order_acq_rel)) {
    }
    return w & asked_bit;
  }
  /// Records that it shall stop. False if it had been asked already, or its body has ended.
  bool ask() noexcept {
    std::uint32_t w = word_.load(std::memory_order_relaxed);
    do {
      if ((w & asked_bit) || phase_of(w) >= task_state::ending)
        return false;
    } while (!word_.compare_exchange_weak(w, w | asked_bit, std::memory_order_acq_rel));
    return true;
  }
  /// Of the threads that may come to a discarded task (the worker that had already taken it from the queue, and the one
  /// it was given to instead, by whoever claimed it or was about to queue it), true for exactly one.
  bool claim_settlement() noexcept { return !(word_.fetch_or(settling_bit, std::memory_order_acq_rel) & settling_bit); }
  /// ending → ended. Returns whether somebody is parked on the task.
  bool publish() noexcept {
    std::uint32_t w = word_.load(std::memory_order_relaxed);
    while (!word_.compare_exchange_weak(w, with_phase(w, task_state::ended), std::memory_order_acq_rel)) {
    }
    return w & watched_bit;
  }
  /// Announces that somebody parks on the task, and returns the phase as of that announcement.
  task_state watch() noexcept { return phase_of(word_.fetch_or(watched_bit, std::memory_order_acq_rel)); }
  [[nodiscard]] bool watched() const noexcept { return word_.load(std::memory_order_acquire) & watched_bit; }

private:
  static constexpr std::uint32_t phase_mask = 7;
  static constexpr std::uint32_t asked_bit = 8;
  static constexpr std::uint32_t watched_bit = 16;
  static constexpr std::uint32_t settling_bit = 32;

  static task_state phase_of(std::uint32_t w) noexcept { return static_cast<task_state>(w & phase_mask); }
  static std::uint32_t with_phase(std::uint32_t w, task_state phase) noexcept {
    return (w & ~phase_mask) | static_cast<std::uint32_t>(phase);
  }
  template <class Allowed>
  bool change(Allowed allowed, task_state to) noexcept {
    std::uint32_t w = word_.load(std::memory_order_relaxed);
    do {
      if (!allowed(w))
        return false;
    } while (!word_.compare_exchange_weak(w, with_phase(w, to), std::memory_order_acq_rel));
    return true;
  }

  std::atomic<std::uint32_t> word_{static_cast<std::uint32_t>(task_state::waiting)};
};

} // namespace muster
