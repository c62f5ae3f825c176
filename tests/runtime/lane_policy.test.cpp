// How many workers a lane wants, decided without threads.
#include "catch.hpp"

#include "lane_policy.hpp"

#include <vector>

using namespace muster::runtime;

namespace {

constexpr lane_limits two{.workers = 2, .max_workers = 256, .max_threads = 0};

} // namespace

TEST_CASE("a ready item wants a worker only while fewer than allowed are active", "[lane_policy]") {
  CHECK(wants_another(two, 0, {.active = 1, .ready = 1}));
  CHECK_FALSE(wants_another(two, 0, {.active = 2, .ready = 1}));
  CHECK(wants_another(two, 1, {.active = 2, .ready = 1}));
  CHECK_FALSE(wants_another(two, 0, {.active = 1, .ready = 0}));
}

TEST_CASE("one searching worker is enough to wake the next", "[lane_policy]") {
  CHECK_FALSE(wants_another(two, 0, {.active = 1, .searching = 1, .ready = 100}));
}

TEST_CASE("workers that wait or are blocked leave their places to others", "[lane_policy]") {
  CHECK(wants_another(two, 0, {.active = 1, .blocked = 100, .waiting = 1000, .ready = 1}));
}

TEST_CASE("blocked workers count against max_workers, waiting ones only against max_threads", "[lane_policy]") {
  CHECK(may_start(two, {.active = 1, .blocked = 254, .waiting = 1000}));
  CHECK_FALSE(may_start(two, {.active = 1, .blocked = 255}));
  CHECK_FALSE(may_start({.workers = 2, .max_workers = 256, .max_threads = 8}, {.active = 1, .waiting = 7}));
}

TEST_CASE("surplus workers go, the last ones stay, a few linger", "[lane_policy]") {
  CHECK(is_surplus(two, 0, {.active = 3}));
  CHECK_FALSE(is_surplus(two, 1, {.active = 3}));
  CHECK(when_idle(two, {.idle = 2}) == idleness::stay);
  CHECK(when_idle(two, {.idle = 3}) == idleness::linger);
  CHECK(when_idle(two, {.idle = 100}) == idleness::leave);
}

TEST_CASE("growth doubles while workers go on to block", "[lane_policy]") {
  growth_policy policy{growth::when_blocked};
  lane_counts c{.active = 0, .blocked = 2, .ready = 1000};
  std::vector<std::size_t> added;
  std::size_t last = 2;
  for (int i = 0; i != 12; ++i) {
    const auto d = policy.sample(two, c, {.newly_blocked = last});
    added.push_back(d.add);
    last = d.add; // they block in their turn
    c.blocked += d.add;
    c.ready -= d.add;
    // In the sample between, those that were added have not been seen blocked yet.
    CHECK(policy.sample(two, {.active = d.add, .blocked = c.blocked - d.add, .ready = c.ready}, {}).add == 0);
  }
  CHECK(added == std::vector<std::size_t>{2, 2, 4, 8, 16, 32, 64, 126, 0, 0, 0, 0});
}

TEST_CASE("a lane is hurried while workers are found blocked, and no longer than it takes to see that no more are",
          "[lane_policy]") {
  growth_policy policy{growth::when_blocked};
  const lane_counts c{.active = 1, .blocked = 1, .ready = 1000};
  CHECK_FALSE(policy.growing());
  static_cast<void>(policy.sample(two, c, {}));
  CHECK_FALSE(policy.growing()); // work waits, but they are busy
  static_cast<void>(policy.sample(two, c, {.newly_blocked = 1}));
  CHECK(policy.growing());
  static_cast<void>(policy.sample(two, c, {}));
  static_cast<void>(policy.sample(two, c, {}));
  CHECK(policy.growing());
  static_cast<void>(policy.sample(two, c, {}));
  CHECK_FALSE(policy.growing());

  static_cast<void>(policy.sample(two, c, {.newly_blocked = 1}));
  static_cast<void>(policy.sample(two, {.active = 1, .blocked = 1}, {}));
  CHECK_FALSE(policy.growing()); // nothing waits any more
}

TEST_CASE("a lane that grows when stuck is never hurried: it cannot tell those that block from those that compute",
          "[lane_policy]") {
  growth_policy policy{growth::when_stuck};
  const lane_counts c{.active = 2, .ready = 1000};
  for (int i = 0; i != 8; ++i) {
    static_cast<void>(policy.sample(two, c, {}));
    CHECK_FALSE(policy.growing());
  }
}

TEST_CASE("growth asks for no more than there are items ready", "[lane_policy]") {
  growth_policy policy{growth::when_blocked};
  for (int i = 0; i != 5; ++i)
    CHECK(policy.sample(two, {.active = 0, .blocked = 10, .ready = 1}, {.newly_blocked = 1}).add == 1);
}

TEST_CASE("spinning workers let a lane that grows when blocked not grow", "[lane_policy]") {
  growth_policy policy{growth::when_blocked};
  for (int i = 0; i != 100; ++i)
    CHECK(policy.sample(two, {.active = 2, .ready = 100}, {}).add == 0);
}

TEST_CASE("a lane that grows when stuck adds workers whatever the others do, twice as many each time",
          "[lane_policy]") {
  growth_policy policy{growth::when_stuck};
  lane_counts c{.active = 2, .ready = 100};
  std::vector<std::size_t> added;
  for (int i = 0; i != 8; ++i) {
    const auto d = policy.sample(two, c, {});
    added.push_back(d.add);
    c.active += d.add;
    c.ready -= d.add;
  }
  CHECK(added == std::vector<std::size_t>{0, 1, 0, 2, 0, 4, 0, 8});
  CHECK(policy.extra() == 15);
  CHECK_FALSE(is_surplus(two, policy.extra(), c));
  CHECK(policy.sample(two, {.active = 2, .ready = 0}, {}).add == 0);
  CHECK(policy.extra() == 0);
}

TEST_CASE("a lane that grows when stuck is content while items finish", "[lane_policy]") {
  growth_policy policy{growth::when_stuck};
  for (int i = 0; i != 100; ++i)
    CHECK(policy.sample(two, {.active = 2, .ready = 100}, {.any_finished = true}).add == 0);
}

TEST_CASE("saturation is told once for each episode", "[lane_policy]") {
  constexpr lane_limits small{.workers = 1, .max_workers = 2, .max_threads = 0};
  growth_policy policy{growth::when_blocked};
  CHECK_FALSE(policy.sample(small, {.active = 0, .blocked = 1, .ready = 5}, {.newly_blocked = 1}).saturated);
  CHECK(policy.sample(small, {.active = 0, .blocked = 2, .ready = 4}, {.newly_blocked = 1}).saturated);
  CHECK_FALSE(policy.sample(small, {.active = 0, .blocked = 2, .ready = 4}, {}).saturated);
  // One comes free, takes the next item and blocks again: the same episode.
  CHECK_FALSE(policy.sample(small, {.active = 1, .blocked = 1, .ready = 3}, {.any_finished = true}).saturated);
  CHECK_FALSE(policy.sample(small, {.active = 0, .blocked = 2, .ready = 3}, {.newly_blocked = 1}).saturated);
  CHECK_FALSE(policy.sample(small, {.active = 1, .blocked = 1, .ready = 0}, {.any_finished = true}).saturated);
  CHECK(policy.sample(small, {.active = 0, .blocked = 2, .ready = 1}, {.newly_blocked = 1}).saturated);
}

TEST_CASE("workers that only wait for each other are not saturation", "[lane_policy]") {
  constexpr lane_limits small{.workers = 1, .max_workers = 2, .max_threads = 3};
  growth_policy policy{growth::when_blocked};
  CHECK_FALSE(policy.sample(small, {.waiting = 3, .ready = 5}, {}).saturated);
}
