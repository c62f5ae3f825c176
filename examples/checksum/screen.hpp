/// The standard error: complaints, and a progress bar if it is a terminal.
///
/// Threads: main; when main hangs, the one that says the last words. Invariants: a complaint is one line, written in
/// one piece; the bar never mixes with other lines, and is gone when the object is.
#pragma once

#include "tally.hpp"

#include <muster/clock.hpp>

#include <atomic>
#include <string_view>

namespace checksum {

class screen {
public:
  /// How often the bar is drawn.
  static constexpr muster::duration interval = std::chrono::milliseconds{100};

  explicit screen(const tally& counts);
  screen(const screen&) = delete;
  screen& operator=(const screen&) = delete;
  ~screen() { hide_bar(); }

  /// Writes "checksum: <text>".
  void say(std::string_view text);
  /// Writes "checksum: <path>: <problem>".
  void complain(std::string_view path, std::string_view problem);

  /// True if there is a bar to be drawn.
  [[nodiscard]] bool has_bar() const noexcept { return has_bar_; }
  /// Draws the bar, if there is one and `interval` has passed since the last time.
  void draw_bar(muster::time_point now);
  /// Takes the bar off, until it is drawn again.
  void hide_bar();

private:
  const tally& counts_;
  const bool has_bar_;
  std::atomic<bool> shown_ = false;
  muster::time_point begun_{};
  muster::time_point drawn_{};
};

/// The line that the bar is, `width` columns wide, after `elapsed`.
[[nodiscard]] std::string bar_text(const tally& counts, muster::duration elapsed, std::size_t width);

} // namespace checksum
