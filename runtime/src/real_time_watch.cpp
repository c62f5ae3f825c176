/// The thread that looks for threads which sleep.
#include "real_time_watch.hpp"

#include "conductor.hpp"
#include "strand.hpp"
#include "thread_name.hpp"

#include <muster/assert.hpp>

#include <dirent.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <vector>

namespace muster::runtime {

namespace {

constexpr std::chrono::milliseconds look_every{1};
/// A lock may be contended for a moment (by the allocator, say): only a long wait for one is a wait for another body.
constexpr int looks_at_lock = 200;
constexpr int looks_at_sleep = 2;

/// The system call that a thread is inside, or -1.
long system_call_of(int thread) {
  char name[64];
  std::snprintf(name, sizeof name, "/proc/self/task/%d/syscall", thread);
  long number = -1;
  if (std::FILE* file = std::fopen(name, "re")) {
    if (std::fscanf(file, "%ld", &number) != 1)
      number = -1; // it runs
    std::fclose(file);
  }
  return number;
}

/// Whether a thread of this process other than the caller runs, or would if it were given a processor. On a busy
/// machine the one that is about to wake the watched thread may be kept from running for long.
bool somebody_runs() {
  DIR* threads = opendir("/proc/self/task");
  if (threads == nullptr)
    return false;
  const long myself = syscall(SYS_gettid);
  bool found = false;
  while (const dirent* each = readdir(threads)) {
    char name[64];
    std::snprintf(name, sizeof name, "/proc/self/task/%.20s/stat", each->d_name);
    if (each->d_name[0] == '.' || std::atol(each->d_name) == myself)
      continue;
    char state = 0;
    if (std::FILE* file = std::fopen(name, "re")) {
      // "id (name) state …": threads here have no ')' in their names.
      found = std::fscanf(file, "%*d (%*[^)]) %c", &state) == 1 && (state == 'R' || state == 'D');
      std::fclose(file);
    }
    if (found)
      break;
  }
  closedir(threads);
  return found;
}

struct watched {
  const conductor* who;
  std::uint64_t stretch = 0;
  duration cpu{};
  int sleeps = 0;
  int locks = 0;
};

struct watch_state {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<watched> all;
  bool running = false;
};
watch_state& state() {
  static auto& the_state = *new watch_state; // its thread may look while the program ends
  return the_state;
}

void look_at(watched& w) {
  const strand* runs = w.who->who_runs();
  if (runs == nullptr || (runs->own && !w.who->watched())) {
    w.sleeps = w.locks = 0;
    return;
  }
  const auto stretch = w.who->stretch();
  const long call = system_call_of(runs->probe.id());
  const auto cpu = runs->probe.cpu_time().value_or(duration{});
  const bool same = w.stretch == stretch && w.cpu == cpu && w.who->stretch() == stretch;
  w.stretch = stretch;
  w.cpu = cpu;
  const bool sleeps = same && (call == SYS_clock_nanosleep
#ifdef SYS_nanosleep
                               || call == SYS_nanosleep
#endif
                              );
  w.sleeps = sleeps ? w.sleeps + 1 : 0;
  w.locks = same && call == SYS_futex ? w.locks + 1 : 0;
  if (w.locks >= looks_at_lock && somebody_runs())
    w.locks = 0;
  MUSTER_ASSERT(
      w.sleeps < looks_at_sleep,
      "a thread inside a simulation sleeps in real time: there only the simulated time passes; use ctx.sleep_for "
      "in a body, and sim.run_for in the test");
  MUSTER_ASSERT(
      w.locks < looks_at_lock,
      "a thread inside a simulation waits in real time, for a lock or for another thread: there one thread runs at "
      "a time, so nobody can end that wait; use waits of Muster (task.get, scope.wait, ctx.sleep_for) instead of "
      "condition variables, futures, scoped_actor or threads of your own, and hold no lock over a call of Muster");
}

void watch_for_ever() {
  name_this_thread("muster/watch", 0);
  auto& s = state();
  std::unique_lock lock{s.mutex};
  for (;;) {
    if (s.all.empty())
      s.changed.wait(lock, [&] { return !s.all.empty(); });
    for (auto& each : s.all)
      look_at(each);
    s.changed.wait_for(lock, look_every);
  }
}

} // namespace

void real_time_watch::enter(const conductor& c) {
  auto& s = state();
  const std::scoped_lock lock{s.mutex};
  s.all.push_back({.who = &c});
  if (std::exchange(s.running, true))
    s.changed.notify_one();
  else
    std::thread{watch_for_ever}.detach();
}

void real_time_watch::leave(const conductor& c) noexcept {
  auto& s = state();
  const std::scoped_lock lock{s.mutex};
  std::erase_if(s.all, [&](const watched& w) { return w.who == &c; });
}

} // namespace muster::runtime
