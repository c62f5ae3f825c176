/// The standard output: whole lines, and the news when they cannot be written.
///
/// Threads: main alone. Invariants: only whole lines are handed to the system, in order; after a write has failed
/// nothing more is written.
#pragma once

#include <functional>
#include <string>
#include <system_error>

namespace checksum {

class output {
public:
  /// `before_write` is called before each write (to take a progress bar off the same terminal).
  explicit output(std::function<void()> before_write) : before_write_{std::move(before_write)} {}

  /// Where lines are appended to; followed by `flush_if_full`.
  [[nodiscard]] std::string& lines() noexcept { return lines_; }
  /// Writes what is there once it is worth a system call.
  [[nodiscard]] std::error_code flush_if_full() { return lines_.size() < enough ? std::error_code{} : flush(); }
  /// Writes everything. Fails as write(2) does.
  [[nodiscard]] std::error_code flush();

private:
  static constexpr std::size_t enough = std::size_t{64} << 10U;
  std::function<void()> before_write_;
  std::string lines_;
};

} // namespace checksum
