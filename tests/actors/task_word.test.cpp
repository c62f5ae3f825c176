/// The life of a task in one word, without a runtime: who wins when two endings compete.
#include "task_word.hpp"

#include "../catch.hpp"

#include <atomic>
#include <latch>
#include <thread>

using muster::task_state;
using muster::task_word;

TEST_CASE("a task that was asked to stop before it started never starts", "[task_word]") {
  task_word w;
  REQUIRE(w.advance(task_state::waiting, task_state::ready));
  REQUIRE(w.ask());
  CHECK_FALSE(w.claim_start());
  CHECK(w.claim_discard() == task_state::ready);
}

TEST_CASE("a task that was discarded cannot be made ready any more", "[task_word]") {
  task_word w;
  CHECK(w.claim_discard() == task_state::waiting);
  CHECK_FALSE(w.advance(task_state::waiting, task_state::ready));
  CHECK_FALSE(w.claim_start());
  CHECK_FALSE(w.claim_discard());
}

TEST_CASE("a running task cannot be discarded", "[task_word]") {
  task_word w;
  REQUIRE(w.advance(task_state::waiting, task_state::ready));
  REQUIRE(w.claim_start());
  CHECK_FALSE(w.claim_discard());
  CHECK(w.state() == task_state::running);
}

TEST_CASE("only the first request to stop is one", "[task_word]") {
  task_word w;
  CHECK(w.ask());
  CHECK_FALSE(w.ask());
  CHECK(w.asked());
}

TEST_CASE("a body that has ended can no longer be asked", "[task_word]") {
  task_word w;
  REQUIRE(w.advance(task_state::waiting, task_state::ready));
  REQUIRE(w.claim_start());
  CHECK_FALSE(w.finish());
  CHECK_FALSE(w.ask());
}

TEST_CASE("publishing says whether somebody watches", "[task_word]") {
  task_word watched;
  REQUIRE(watched.claim_discard());
  CHECK(watched.watch() == task_state::ending);
  CHECK(watched.publish());
  task_word alone;
  REQUIRE(alone.claim_discard());
  CHECK_FALSE(alone.publish());
  CHECK(alone.state() == task_state::ended);
}

TEST_CASE("of two who come to settle a task exactly one does", "[task_word]") {
  task_word w;
  CHECK(w.claim_settlement());
  CHECK_FALSE(w.claim_settlement());
}

TEST_CASE("of a start and a discard that race exactly one wins", "[task_word]") {
  for (int round = 0; round < 2000; ++round) {
    task_word w;
    REQUIRE(w.advance(task_state::waiting, task_state::ready));
    std::latch both{2};
    bool started = false;
    std::thread worker{[&] {
      both.arrive_and_wait();
      started = w.claim_start();
    }};
    both.arrive_and_wait();
    const bool discarded = w.claim_discard().has_value();
    worker.join();
    REQUIRE(started != discarded);
  }
}

TEST_CASE("of an end and a request to stop that race each sees the same order", "[task_word]") {
  for (int round = 0; round < 2000; ++round) {
    task_word w;
    REQUIRE(w.advance(task_state::waiting, task_state::ready));
    REQUIRE(w.claim_start());
    std::latch both{2};
    bool was_asked = false;
    std::thread worker{[&] {
      both.arrive_and_wait();
      was_asked = w.finish();
    }};
    both.arrive_and_wait();
    const bool asked = w.ask();
    worker.join();
    REQUIRE(asked == was_asked);
  }
}
