/// Waiting for a very short moment without going to sleep.
///
/// Threads: any; the state there is belongs to the thread.
#pragma once

#include <atomic>
#include <mutex>

namespace muster::runtime {

/// Tells the processor that this thread only waits.
inline void cpu_relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Where this thread says that it is asleep at a lock of ours; null: it has nobody to say it to. Such a lock is free
/// soon, however long that takes on a busy machine: a worker at it is not blocked.
inline constinit thread_local std::atomic<bool>* at_a_lock = nullptr;

/// Locks `mutex`, trying for the length of a short critical section before it lets the kernel put this thread to sleep.
[[nodiscard]] inline std::unique_lock<std::mutex> lock_soon(std::mutex& mutex) noexcept {
  for (int pauses = 1; pauses <= 64; pauses += pauses) {
    if (mutex.try_lock())
      return std::unique_lock{mutex, std::adopt_lock};
    for (int i = 0; i != pauses; ++i)
      cpu_relax();
  }
  if (at_a_lock == nullptr)
    return std::unique_lock{mutex};
  at_a_lock->store(true, std::memory_order_relaxed);
  std::unique_lock lock{mutex};
  at_a_lock->store(false, std::memory_order_relaxed);
  return lock;
}

} // namespace muster::runtime
