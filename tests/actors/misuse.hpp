/// Misuse is an assertion: what one says is read from a child process that it ends.
#pragma once

#include <csignal>
#include <cstdio>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

namespace support {

/// What `misuse()` has written to stderr when it was aborted; empty if it was not. To be called while the test has no
/// threads of its own: only this one goes on in the child.
template <class F>
[[nodiscard]] std::string assertion_of(F misuse) {
  int ends[2];
  if (pipe(ends) != 0)
    return {};
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    misuse();
    _exit(0);
  }
  close(ends[1]);
  std::string said;
  char some[256];
  for (ssize_t n = 0; (n = read(ends[0], some, sizeof some)) > 0;)
    said.append(some, static_cast<std::size_t>(n));
  close(ends[0]);
  int how = 0;
  waitpid(child, &how, 0);
  return WIFSIGNALED(how) && WTERMSIG(how) == SIGABRT ? said : std::string{};
}

} // namespace support
