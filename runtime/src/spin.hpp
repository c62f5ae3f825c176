/// Waiting for a very short moment without going to sleep. Stateless.
#pragma once

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

/// Locks `mutex`, trying for the length of a short critical section before it lets the kernel put this thread to sleep.
[[nodiscard]] inline std::unique_lock<std::mutex> lock_soon(std::mutex& mutex) noexcept {
  for (int tries = 0; tries != 60; ++tries) {
    if (mutex.try_lock())
      return std::unique_lock{mutex, std::adopt_lock};
    cpu_relax();
  }
  return std::unique_lock{mutex};
}

} // namespace muster::runtime
