/// The terminal: whether there is one, how wide it is, and a screen of its own for what redraws itself.
///
/// Owner: main. Threads: one. Invariant: whatever way `live_screen` is left, also by a signal that asks to end, the
/// terminal is as it was before.
#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>

#include <termios.h>

namespace muster::trace_viewer {

/// Standard output is a terminal.
[[nodiscard]] bool on_terminal() noexcept;
/// Colours are wanted: a terminal that is not "dumb", and NO_COLOR is not set (https://no-color.org).
[[nodiscard]] bool wants_colour() noexcept;
struct screen_size {
  std::size_t columns = 100;
  std::size_t rows = 24;
};
/// Of the terminal; else $COLUMNS, else 100 columns.
[[nodiscard]] screen_size size_of_screen() noexcept;

/// The alternate screen of the terminal, with keys read as they are pressed.
class live_screen {
public:
  live_screen();
  ~live_screen();
  live_screen(const live_screen&) = delete;
  live_screen& operator=(const live_screen&) = delete;

  /// Shows this text from the upper left corner on, in place of what was there.
  void show(std::string_view text);
  /// Waits so long. False: the user wants to leave (q, Ctrl-C, end of input, or a signal to end).
  [[nodiscard]] bool wait(std::chrono::nanoseconds interval);

private:
  termios before_{};
  bool has_keys_ = false;
};

} // namespace muster::trace_viewer
