/// SIGINT and SIGTERM as a stop token.
///
/// Threads: made by main before any other thread, so that all of them inherit the blocked signals; a thread of its own
/// waits for them, and no code ever runs inside a signal handler. Invariant: a signal that was ignored when the program
/// began (as a shell does for what it runs in the background) stays ignored.
#pragma once

#include <atomic>
#include <csignal>
#include <stop_token>
#include <thread>

namespace command_line {

class interrupts {
public:
  interrupts();
  interrupts(const interrupts&) = delete;
  interrupts& operator=(const interrupts&) = delete;
  /// From here on the signals do again what they did before.
  ~interrupts();

  /// Asked to stop by the first signal.
  [[nodiscard]] std::stop_token token() const noexcept { return stop_.get_token(); }
  /// The signal that came, or 0.
  [[nodiscard]] int number() const noexcept { return number_.load(); }

private:
  sigset_t watched_{};
  sigset_t before_{};
  std::stop_source stop_;
  std::atomic<int> number_{0};
  std::atomic<bool> over_{false};
  std::thread waiter_;
};

} // namespace command_line
