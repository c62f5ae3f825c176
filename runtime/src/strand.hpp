/// A thread that a simulation runs on: the baton that it waits for, and what it is doing meanwhile.
///
/// Owner: the process (strands are lent to one conductor after the other and never end), or the conductor, for the
/// simulation's own thread. Threads: all but the baton is touched by whoever has the conductor's baton.
#pragma once

#include "function_ref.hpp"
#include "thread_probe.hpp"

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

namespace muster::runtime {

class conductor;
class simulated_lane;
class step_source;

struct strand {
  /// Lets this strand run. The caller runs on until it waits for its own baton, and touches nothing in between.
  void give_baton() {
    const std::scoped_lock lock{mutex_};
    has_baton_ = true;
    wake_.notify_one();
  }
  void await_baton() {
    std::unique_lock lock{mutex_};
    wake_.wait(lock, [this] { return has_baton_; });
    has_baton_ = false;
  }

  conductor* home = nullptr;
  step_source* assigned = nullptr; ///< what it is to begin with
  std::uint64_t priority = 0;      ///< of what it runs
  unsigned undivided = 0;          ///< locks held, and the like: it must not pause
  bool own = false;                ///< the simulation's own thread
  thread_probe probe;

  // While it blocks:
  const void* address = nullptr;
  const function_ref<std::string()>* what = nullptr;
  bool gives_up = false;
  bool called_off = false;
  bool ready_again = false; ///< has been woken and waits for its turn to look
  strand* next = nullptr;   ///< in the list of those that block
  strand* prev = nullptr;

  // As a worker of a lane:
  simulated_lane* lane = nullptr;
  unsigned regions = 0;       ///< depth of wait regions
  bool blocking_item = false; ///< what it runs was said to block

  std::thread thread;

private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool has_baton_ = false;
};

} // namespace muster::runtime
