/// What the operating system says about a thread of this process: is it asleep, and how much has it computed?
///
/// Linux: /proc/self/task/TID/stat (proc(5)) and pthread_getcpuclockid(3). Owner: each worker fills in its own at its
/// start; copies are read by the sampling thread. Always: asking about a thread that has ended gives `nullopt` or
/// false, never harm.
#pragma once

#include <muster/clock.hpp>

#include <optional>

#include <sys/types.h>
#include <time.h>

namespace muster::runtime {

/// A thread, as the kernel knows it.
class thread_probe {
public:
  thread_probe() = default;
  /// The calling thread's.
  [[nodiscard]] static thread_probe of_this_thread() noexcept;

  /// The kernel's id of the thread; 0 if this is nobody's probe.
  [[nodiscard]] pid_t id() const noexcept { return id_; }
  /// Processor time used so far; nullopt if the kernel does not say.
  [[nodiscard]] std::optional<duration> cpu_time() const noexcept;
  /// True if the thread is in state S (sleeping) or D (waiting for a disk). False also if the kernel does not say.
  [[nodiscard]] bool asleep() const noexcept;

private:
  pid_t id_ = 0;
  clockid_t cpu_{};
};

} // namespace muster::runtime
