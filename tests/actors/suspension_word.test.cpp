// The word that says whether a coroutine body sleeps: every order of its steps, without threads; then with two.
#include "../catch.hpp"

#include "suspension_word.hpp"

#include <atomic>
#include <string>
#include <thread>

using muster::suspension_word;
using state = suspension_word::state;

namespace {

/// The body's side: looks whether what it waits for is there, and sleeps if it is not.
struct body {
  suspension_word& word;
  const int& there; ///< how much of it
  int looks = 0;
  int seen = 0;
  bool asleep = false;

  /// One step: a look, or the attempt to sleep after it.
  void step() {
    if (looks % 2 == 0 || seen != 0)
      seen = there;
    else
      asleep = word.suspend();
    ++looks;
  }
};

} // namespace

TEST_CASE("a wake before, during or after the way to sleep is never lost, and queues it at most once") {
  // The waker: makes it so, then wakes. Each of its two steps is placed after any step of the body.
  for (int made_after = 0; made_after <= 4; ++made_after)
    for (int woken_after = made_after; woken_after <= 4; ++woken_after) {
      suspension_word word;
      int there = 0;
      int queued = 0;
      body b{word, there};
      for (int step = 0; step <= 4; ++step) {
        if (step == made_after)
          there = 1;
        if (step == woken_after && word.wake())
          ++queued;
        if (!b.asleep && !b.seen)
          b.step();
      }
      INFO("made after " << made_after << ", woken after " << woken_after);
      if (b.asleep) {
        CHECK(queued == 1);
        CHECK(word.now() == state::queued);
        word.resume();
        CHECK(word.now() == state::running);
      } else {
        CHECK(queued == 0);
        if (!b.seen)
          b.step(), b.step();
        CHECK(b.seen == 1);
      }
    }
}

TEST_CASE("of many wakes one queues a sleeping body") {
  suspension_word word;
  CHECK(word.suspend());
  CHECK(word.now() == state::asleep);
  CHECK(word.wake());
  CHECK_FALSE(word.wake());
  CHECK_FALSE(word.wake());
  word.resume();
  CHECK(word.suspend());
}

TEST_CASE("a wake while the body runs keeps it from sleeping once") {
  suspension_word word;
  CHECK_FALSE(word.wake());
  CHECK_FALSE(word.wake());
  CHECK_FALSE(word.suspend());
  CHECK(word.suspend());
}

TEST_CASE("a body that goes to the end of the queue is not queued again by a wake") {
  suspension_word word;
  CHECK_FALSE(word.wake());
  word.requeue();
  CHECK_FALSE(word.wake());
  word.resume();
  CHECK(word.suspend());
}

TEST_CASE("a body that is over is not woken any more") {
  suspension_word word;
  word.end();
  CHECK_FALSE(word.wake());
  CHECK(word.now() == state::over);
}

TEST_CASE("a sleeper and a waker on two threads hand a thousand things over without losing one") {
  constexpr int rounds = 1'000;
  suspension_word word;
  std::atomic<int> queue = 0; // the lane: how often it was put there
  std::atomic<int> given = 0; // relaxed on purpose: the word brings it across
  std::atomic<int> taken = 0;
  std::thread waker{[&] {
    for (int i = 1; i <= rounds; ++i) {
      given.store(i, std::memory_order_relaxed);
      if (word.wake())
        queue.fetch_add(1, std::memory_order_release);
      while (taken.load(std::memory_order_acquire) != i)
        std::this_thread::yield();
    }
  }};
  for (int i = 1; i <= rounds; ++i) {
    while (given.load(std::memory_order_relaxed) != i)
      if (word.suspend()) {
        // Were a wake lost, nobody would ever come.
        while (queue.load(std::memory_order_acquire) == 0)
          std::this_thread::yield();
        queue.fetch_sub(1, std::memory_order_relaxed);
        word.resume();
      }
    taken.store(i, std::memory_order_release);
  }
  waker.join();
  CHECK(queue == 0);
}
