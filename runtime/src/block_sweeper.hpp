/// Sweeps a store of blocks every now and then, as long as there is something to sweep.
///
/// Owner: the store, while it has users. Threads: its own, named `muster/mem`, which sleeps without a limit while there
/// is nothing to do; `wake` from any thread. Invariant: it calls the store only between its making and its destruction.
#pragma once

#include <muster/clock.hpp>

#include <condition_variable>
#include <mutex>
#include <thread>

namespace muster::runtime {

class block_store;

class block_sweeper {
public:
  /// Sleeps until it is woken. Throws std::system_error if there is no thread.
  block_sweeper(block_store& store, duration every);
  ~block_sweeper(); ///< ends and joins the thread
  block_sweeper(const block_sweeper&) = delete;
  block_sweeper& operator=(const block_sweeper&) = delete;

  /// Sweeps from now on, once in each `every` of real time, until `block_store::sweep` says that nothing is left.
  void wake() noexcept;

private:
  void run() noexcept;

  block_store& store_;
  const duration every_;
  std::mutex mutex_;
  std::condition_variable to_do_;
  bool awake_ = false;
  bool over_ = false;
  std::thread thread_;
};

} // namespace muster::runtime
