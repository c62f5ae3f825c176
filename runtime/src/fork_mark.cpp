/// See fork_mark.hpp.
#include "fork_mark.hpp"

#include <muster/assert.hpp>

#include <pthread.h>

#include <atomic>

namespace muster::runtime {

namespace {
constinit std::atomic<unsigned> living{0};
constinit std::atomic<bool> forked{false};

void in_child() noexcept {
  if (living.load(std::memory_order_relaxed) != 0)
    forked.store(true, std::memory_order_relaxed);
}
} // namespace

void engine_begins() {
  [[maybe_unused]] static const int once = ::pthread_atfork(nullptr, nullptr, in_child);
  MUSTER_ASSERT(!is_forked_child(), "a manager was made in a child of fork(), whose parent had one: a child of a "
                                    "process with threads may only exec or _exit");
  living.fetch_add(1, std::memory_order_relaxed);
}

void engine_ended() noexcept { living.fetch_sub(1, std::memory_order_relaxed); }

bool is_forked_child() noexcept { return forked.load(std::memory_order_relaxed); }

} // namespace muster::runtime
