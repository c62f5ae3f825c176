/// The terminal, by ANSI sequences and termios.
#include "terminal.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace muster::trace_viewer {

namespace {

volatile std::sig_atomic_t end_asked = 0;
extern "C" void note_end(int) { end_asked = 1; }

} // namespace

bool on_terminal() noexcept { return ::isatty(STDOUT_FILENO) == 1; }

bool wants_colour() noexcept {
  const char* none = std::getenv("NO_COLOR");
  const char* kind = std::getenv("TERM");
  return on_terminal() && (none == nullptr || *none == '\0') && kind != nullptr && std::string_view{kind} != "dumb";
}

screen_size size_of_screen() noexcept {
  screen_size size;
  winsize real{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &real) == 0 && real.ws_col > 0) {
    size.columns = real.ws_col;
    size.rows = real.ws_row;
  } else if (const char* told = std::getenv("COLUMNS"); told != nullptr) {
    if (const auto n = std::strtoul(told, nullptr, 10); n > 0)
      size.columns = n;
  }
  size.columns = std::clamp<std::size_t>(size.columns, 40, 1000);
  size.rows = std::clamp<std::size_t>(size.rows, 8, 1000);
  return size;
}

live_screen::live_screen() {
  end_asked = 0;
  for (const int signal : {SIGTERM, SIGHUP, SIGINT}) {
    struct sigaction act {};
    act.sa_handler = note_end;
    ::sigaction(signal, &act, nullptr);
  }
  has_keys_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
  if (has_keys_) {
    auto keys = before_;
    keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    keys.c_cc[VMIN] = 0;
    keys.c_cc[VTIME] = 0;
    ::tcsetattr(STDIN_FILENO, TCSANOW, &keys);
  }
  std::fputs("\x1b[?1049h\x1b[?25l", stdout);
}

live_screen::~live_screen() {
  std::fputs("\x1b[?25h\x1b[?1049l", stdout);
  std::fflush(stdout);
  if (has_keys_)
    ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
}

void live_screen::show(std::string_view text) {
  // Each line clears what is left of the one before it, so nothing flickers.
  std::string all = "\x1b[H";
  const auto rows = size_of_screen().rows;
  std::size_t row = 0;
  while (!text.empty() && row < rows) {
    const auto end = text.find('\n');
    all += text.substr(0, end);
    all += "\x1b[K";
    if (++row < rows)
      all += "\r\n";
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  all += "\x1b[J";
  std::fwrite(all.data(), 1, all.size(), stdout);
  std::fflush(stdout);
}

bool live_screen::wait(std::chrono::nanoseconds interval) {
  const auto until = std::chrono::steady_clock::now() + interval;
  for (;;) {
    if (end_asked != 0)
      return false;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
    if (left <= 0)
      return true;
    pollfd key{.fd = has_keys_ ? STDIN_FILENO : -1, .events = POLLIN, .revents = 0};
    const int n = ::poll(&key, 1, static_cast<int>(std::min<long long>(left, 60'000)));
    if (n < 0 && errno != EINTR)
      return false;
    if (n <= 0)
      continue;
    char c = 0;
    const auto got = ::read(STDIN_FILENO, &c, 1);
    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN) || (got == 1 && (c == 'q' || c == 'Q' || c == 3)))
      return false;
    if (got == 1)
      return true; // any other key redraws at once
  }
}

} // namespace muster::trace_viewer
