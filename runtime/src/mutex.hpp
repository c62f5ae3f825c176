/// The lock of supervisors and of what they share: a std::mutex before which a simulation may let others run.
///
/// Threads: any. Why: between two locked steps of one thread anything may happen on another, and that is where races
/// live; a simulation draws what does. It never pauses a thread that holds such a lock, so they are never contended
/// there.
#pragma once

#include "conductor.hpp"
#include "spin.hpp"

#include <mutex>

namespace muster::runtime {

class mutex {
public:
  void lock() {
    conductor::about_to_lock();
    lock_soon(real_).release();
  }
  void unlock() noexcept {
    real_.unlock();
    conductor::has_unlocked();
  }

private:
  std::mutex real_;
};

} // namespace muster::runtime
