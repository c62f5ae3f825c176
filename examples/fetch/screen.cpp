/// The standard error: see screen.hpp.
#include "screen.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <sys/ioctl.h>
#include <unistd.h>

namespace fetch {

namespace {

void write_error(std::string_view text) {
  // Nobody is left who could be told that stderr cannot be written.
  [[maybe_unused]] const auto written = write(STDERR_FILENO, text.data(), text.size());
}

std::size_t terminal_width() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

} // namespace

screen::screen() : has_bar_{isatty(STDERR_FILENO) == 1} {}

void screen::say(std::string_view text) {
  hide_bar();
  write_error(fmt::format("fetch: {}\n", text));
}

void screen::draw_bar(std::size_t done, std::size_t failed, std::size_t all) {
  if (!has_bar_)
    return;
  shown_ = true;
  // The last column stays empty: a character there would scroll some terminals.
  write_error("\r\x1b[K" + bar_text(done, failed, all, terminal_width() - 1));
}

void screen::hide_bar() {
  if (shown_)
    write_error("\r\x1b[K");
  shown_ = false;
}

std::string bar_text(std::size_t done, std::size_t failed, std::size_t all, std::size_t width) {
  auto text = fmt::format(" {}/{}", done, all);
  if (failed > 0)
    text += fmt::format("  {} failed", failed);
  constexpr std::size_t least = 12;
  constexpr std::size_t most = 50;
  if (text.size() + least > width)
    return text.substr(0, width);
  const auto inside = std::min(most, width - text.size()) - 2;
  const auto full = all > 0 ? inside * std::min(done, all) / all : 0;
  return fmt::format("[{:=<{}}{: <{}}]{}", "", full, "", inside - full, text);
}

} // namespace fetch
