/// This program once more, as a process of its own.
///
/// Owner: whoever holds the `child_process`. Threads: one at a time; `start` only on a thread that lives as long as the
/// program does (the main one), because the kernel ends the child when the thread that started it ends. Always holds:
/// the child is in a process group of its own (a Ctrl-C in the terminal does not reach it), does not outlive this
/// process, and is reaped before the object is gone.
#pragma once

#include "sockets.hpp"

#include <muster/clock.hpp>

#include <string>
#include <vector>

#include <sys/types.h>

namespace shop {

class child_process {
public:
  /// Runs /proc/self/exe with `arguments`; returns once the child has said "ready" on its standard output.
  [[nodiscard]] static muster::result<child_process> start(const std::vector<std::string>& arguments,
                                                           muster::duration patience);
  child_process(child_process&& other) noexcept
      : pid_(std::exchange(other.pid_, 0)),
        output_(std::move(other.output_)) {}
  child_process& operator=(child_process&& other) noexcept;
  ~child_process() { kill(); }

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  /// Asks it to end (SIGTERM), and kills it if it has not ended after `patience`; then that is an error. Reaps it.
  [[nodiscard]] muster::result<void> stop(muster::duration patience);
  /// SIGKILL. Reaps it. Nothing if it has ended.
  void kill() noexcept;

private:
  child_process(pid_t pid, file_descriptor output) noexcept : pid_(pid), output_(std::move(output)) {}
  [[nodiscard]] int reap() noexcept;

  pid_t pid_ = 0;
  file_descriptor output_; ///< the read end of its standard output: at its end, the child is
};

/// For the child, first of all: ends with the process `parent` (its id), which started it. False if that has ended.
[[nodiscard]] bool end_with_parent(pid_t parent) noexcept;

} // namespace shop
