/// One thread that sleeps nearly always. See block_sweeper.hpp.
#include "block_sweeper.hpp"

#include "block_store.hpp"
#include "thread_name.hpp"

#include <csignal>

namespace muster::runtime {

block_sweeper::block_sweeper(block_store& store, duration every)
    : store_{store}, every_{every}, thread_{[this] { run(); }} {}

block_sweeper::~block_sweeper() {
  {
    const std::lock_guard guard{mutex_};
    over_ = true;
  }
  to_do_.notify_one();
  thread_.join();
}

void block_sweeper::wake() noexcept {
  {
    const std::lock_guard guard{mutex_};
    awake_ = true;
  }
  to_do_.notify_one();
}

void block_sweeper::run() noexcept {
  // It is started wherever memory is given back: no signal of the application's is for it.
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
  name_this_thread("muster/mem", 0);
  std::unique_lock lock{mutex_};
  for (;;) {
    to_do_.wait(lock, [this] { return awake_ || over_; });
    while (!over_ && awake_) {
      if (to_do_.wait_for(lock, every_, [this] { return over_; }))
        break;
      awake_ = false; // whoever wakes it during the sweep is heard
      lock.unlock();
      const bool again = store_.sweep();
      lock.lock();
      awake_ = awake_ || again;
    }
    if (over_)
      return;
  }
}

} // namespace muster::runtime
