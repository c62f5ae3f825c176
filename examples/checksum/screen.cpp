/// The standard error: see screen.hpp.
#include "screen.hpp"

#include "line.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace checksum {

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

screen::screen(const tally& counts) : counts_{counts}, has_bar_{isatty(STDERR_FILENO) == 1} {}

void screen::say(std::string_view text) {
  hide_bar();
  write_error(fmt::format("checksum: {}\n", text));
}

void screen::complain(std::string_view path, std::string_view problem) {
  say(fmt::format("{}: {}", printable(path), problem));
}

void screen::draw_bar(muster::time_point now) {
  if (!has_bar_ || now - drawn_ < interval)
    return;
  if (begun_ == muster::time_point{})
    begun_ = now;
  drawn_ = now;
  shown_ = true;
  // The last column stays empty: a character there would scroll some terminals.
  write_error("\r\x1b[K" + bar_text(counts_, now - begun_, terminal_width() - 1));
}

void screen::hide_bar() {
  if (shown_.exchange(false))
    write_error("\r\x1b[K");
}

std::string bar_text(const tally& counts, muster::duration elapsed, std::size_t width) {
  const auto hashed = counts.hashed.load();
  const auto found = std::max(hashed, counts.found.load());
  const bool all = counts.all_found.load();
  const double seconds = std::chrono::duration<double>{elapsed}.count();
  const auto bytes = counts.bytes.load();
  const auto speed = seconds > 0 ? static_cast<std::uint64_t>(static_cast<double>(bytes) / seconds) : 0;
  auto text = fmt::format(" {}/{}{} files  {}  {}/s", grouped(hashed), grouped(found), all ? "" : "+", as_bytes(bytes),
                          as_bytes(speed));
  constexpr std::size_t least = 12;
  constexpr std::size_t most = 50;
  if (text.size() + least > width)
    return text.substr(0, width);
  const auto inside = std::min(most, width - text.size()) - 2;
  // Until all files are found nobody knows how much is left, so the bar stays empty rather than lie.
  const auto full = all && found > 0 ? static_cast<std::size_t>(inside * hashed / found) : 0;
  return fmt::format("[{:=<{}}{: <{}}]{}", "", full, "", inside - full, text);
}

} // namespace checksum
