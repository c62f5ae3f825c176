/// The standard error: complaints, and a progress bar if it is a terminal.
///
/// Threads: main. Invariants: a complaint is one line; the bar never mixes with other lines, and is gone when the
/// object is.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fetch {

class screen {
public:
  screen();
  screen(const screen&) = delete;
  screen& operator=(const screen&) = delete;
  ~screen() { hide_bar(); }

  /// Writes "fetch: <text>".
  void say(std::string_view text);
  /// Draws the bar if stderr is a terminal.
  void draw_bar(std::size_t done, std::size_t failed, std::size_t all);
  void hide_bar();

private:
  const bool has_bar_;
  bool shown_ = false;
};

/// The line that the bar is, at most `width` columns wide.
[[nodiscard]] std::string bar_text(std::size_t done, std::size_t failed, std::size_t all, std::size_t width);

} // namespace fetch
