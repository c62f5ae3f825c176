// What the kernel says about threads.
#include "catch.hpp"

#include "thread_probe.hpp"

#include <atomic>
#include <latch>
#include <thread>

using namespace muster;
using namespace muster::runtime;

TEST_CASE("a thread that computes is awake and uses time", "[thread_probe]") {
  const auto here = thread_probe::of_this_thread();
  CHECK(here.id() != 0);
  CHECK_FALSE(here.asleep());
  const auto before = here.cpu_time();
  REQUIRE(before);
  while (*here.cpu_time() == *before) {}
  CHECK(*here.cpu_time() > *before);
}

TEST_CASE("a thread that waits is seen asleep", "[thread_probe]") {
  std::latch ready{1};
  std::atomic<bool> go{false};
  thread_probe probe;
  std::thread sleeper{[&] {
    probe = thread_probe::of_this_thread();
    ready.count_down();
    go.wait(false);
  }};
  ready.wait();
  while (!probe.asleep())
    std::this_thread::yield();
  go = true;
  go.notify_all();
  sleeper.join();
}

TEST_CASE("asking about nobody, or about a thread that has ended, does no harm", "[thread_probe]") {
  const thread_probe nobody;
  CHECK(nobody.id() == 0);
  CHECK_FALSE(nobody.asleep());
  CHECK_FALSE(nobody.cpu_time());
  thread_probe ended;
  std::thread{[&] { ended = thread_probe::of_this_thread(); }}.join();
  CHECK_FALSE(ended.asleep());
  static_cast<void>(ended.cpu_time());
}
