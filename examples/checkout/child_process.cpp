/// Starting, stopping and reaping children. The threads are those of the callers; see child_process.hpp.
#include "child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <string_view>

extern char** environ;

namespace shop {

namespace {

using std::chrono::steady_clock;

/// True if there is something to read, or the end, before `patience` is over.
bool readable(int fd, steady_clock::time_point until) noexcept {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - steady_clock::now()).count();
    pollfd look{.fd = fd, .events = POLLIN, .revents = 0};
    const int found = ::poll(&look, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
    if (found >= 0 || errno != EINTR)
      return found > 0;
  }
}

/// What the child says first, up to the end of the line.
std::string first_line(int fd, steady_clock::time_point until) {
  std::string line;
  char c = 0;
  while (line.size() < 200 && readable(fd, until) && ::read(fd, &c, 1) == 1 && c != '\n')
    line += c;
  return line;
}

struct spawn_settings {
  spawn_settings() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
  }
  spawn_settings(const spawn_settings&) = delete;
  spawn_settings& operator=(const spawn_settings&) = delete;
  ~spawn_settings() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

} // namespace

muster::result<child_process> child_process::start(const std::vector<std::string>& arguments,
                                                   muster::duration patience) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return std::unexpected{system_failure("making a pipe")};
  file_descriptor output{ends[0]};
  file_descriptor input{ends[1]};

  spawn_settings settings;
  ::posix_spawn_file_actions_addopen(&settings.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&settings.actions, input.get(), STDOUT_FILENO);
  // Not all libraries open their files so that they are closed here; an inherited connection would never end.
  ::posix_spawn_file_actions_addclosefrom_np(&settings.actions, STDERR_FILENO + 1);
  sigset_t none;
  sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&settings.attributes, &none);
  ::posix_spawnattr_setpgroup(&settings.attributes, 0);
  ::posix_spawnattr_setflags(&settings.attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);

  std::vector<char*> argv{const_cast<char*>("checkout")};
  for (const auto& argument : arguments)
    argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  pid_t pid = 0;
  if (const int code =
          ::posix_spawn(&pid, "/proc/self/exe", &settings.actions, &settings.attributes, argv.data(), environ);
      code != 0)
    return std::unexpected{muster::error{std::error_code{code, std::generic_category()}, "starting a process"}};
  input.reset();

  child_process child{pid, std::move(output)};
  if (first_line(child.output_.get(), steady_clock::now() + patience) != "ready") {
    child.kill();
    return std::unexpected{
        muster::error{muster::errc::start_failed, "process " + std::to_string(pid) + " did not say that it is ready"}};
  }
  return child;
}

child_process& child_process::operator=(child_process&& other) noexcept {
  if (this != &other) {
    kill();
    pid_ = std::exchange(other.pid_, 0);
    output_ = std::move(other.output_);
  }
  return *this;
}

muster::result<void> child_process::stop(muster::duration patience) {
  if (pid_ == 0)
    return {};
  const auto pid = pid_;
  ::kill(pid, SIGTERM);
  const bool ended = readable(output_.get(), steady_clock::now() + patience);
  if (!ended)
    ::kill(pid, SIGKILL);
  const int status = reap();
  if (!ended)
    return std::unexpected{muster::error{std::errc::timed_out, "process " + std::to_string(pid) + " had to be killed"}};
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return std::unexpected{muster::error{std::errc::io_error,
                                         "process " + std::to_string(pid) + " ended badly: " + std::to_string(status)}};
  return {};
}

void child_process::kill() noexcept {
  if (pid_ == 0)
    return;
  ::kill(pid_, SIGKILL);
  static_cast<void>(reap());
}

int child_process::reap() noexcept {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {}
  pid_ = 0;
  output_.reset();
  return status;
}

bool end_with_parent(pid_t parent) noexcept {
  // The parent may have ended before the first line: then another process is our parent now.
  return ::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && ::getppid() == parent;
}

} // namespace shop
