/// Reading a thread's state. Threads: any; no state of its own, no allocation.
#include "thread_probe.hpp"

#include <array>
#include <charconv>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace muster::runtime {

thread_probe thread_probe::of_this_thread() noexcept {
  thread_probe probe;
  if (::pthread_getcpuclockid(::pthread_self(), &probe.cpu_) == 0)
    probe.id_ = static_cast<pid_t>(::syscall(SYS_gettid));
  return probe;
}

std::optional<duration> thread_probe::cpu_time() const noexcept {
  timespec used{};
  if (id_ == 0 || ::clock_gettime(cpu_, &used) != 0)
    return std::nullopt;
  return std::chrono::seconds{used.tv_sec} + duration{used.tv_nsec};
}

bool thread_probe::asleep() const noexcept {
  if (id_ == 0)
    return false;
  std::array<char, 64> path{};
  constexpr std::string_view before = "/proc/self/task/";
  constexpr std::string_view after = "/stat";
  std::memcpy(path.data(), before.data(), before.size());
  char* end = std::to_chars(path.data() + before.size(), path.data() + path.size() - after.size() - 1, id_).ptr;
  std::memcpy(end, after.data(), after.size());

  const int file = ::open(path.data(), O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return false;
  std::array<char, 128> text{};
  const ssize_t length = ::read(file, text.data(), text.size());
  ::close(file);
  if (length <= 0)
    return false;
  // "42 (a name) S …": the name is at most 15 characters and may itself contain parentheses.
  const std::string_view line{text.data(), static_cast<std::size_t>(length)};
  const auto close = line.rfind(") ");
  if (close == std::string_view::npos || close + 2 >= line.size())
    return false;
  const char state = line[close + 2];
  return state == 'S' || state == 'D';
}

} // namespace muster::runtime
