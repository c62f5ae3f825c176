// The pairing heap and the timers around it; no threads but those of the last test.
#include "catch.hpp"

#include "timers.hpp"

#include <algorithm>
#include <atomic>
#include <deque>
#include <random>
#include <vector>

using namespace muster;
using namespace muster::runtime;
using namespace std::chrono_literals;

namespace {

constexpr time_point zero{};

class test_timer final : public timer {
public:
  std::function<void(time_point)> action = [](time_point) {};
  int fired = 0;
  int references = 0;

private:
  void on_due(time_point now) noexcept override {
    ++fired;
    action(now);
  }
  void retain() noexcept override { ++references; }
  void release() noexcept override { --references; }
};

} // namespace

TEST_CASE("timers fire in order of time, and in order of arming at the same moment", "[timers]") {
  timers due{[] {}};
  std::deque<test_timer> all(6);
  std::vector<int> order;
  for (int i = 0; i != 6; ++i)
    all[static_cast<std::size_t>(i)].action = [&order, i](time_point) { order.push_back(i); };
  due.arm(all[0], zero + 5s);
  due.arm(all[1], zero + 1s);
  due.arm(all[2], zero + 3s);
  due.arm(all[3], zero + 1s);
  due.arm(all[4], zero + 9s);
  due.arm(all[5], zero + 3s);
  CHECK(due.next_due() == zero + 1s);
  CHECK(due.fire_due(zero + 5s) == 5);
  CHECK(order == std::vector{1, 3, 2, 5, 0});
  CHECK(due.armed() == 1);
  CHECK(due.disarm(all[4]));
}

TEST_CASE("a timer fires once for each time it was armed, and the queue holds one reference meanwhile", "[timers]") {
  timers due{[] {}};
  test_timer t;
  due.arm(t, zero + 1s);
  due.arm(t, zero + 2s);
  CHECK(t.references == 1);
  CHECK(t.due() == zero + 2s);
  CHECK(due.fire_due(zero + 1s) == 0);
  t.action = [&](time_point) { CHECK(t.references == 1); };
  CHECK(due.fire_due(zero + 2s) == 1);
  CHECK(due.fire_due(zero + 2s) == 0);
  CHECK(t.references == 0);
}

TEST_CASE("a disarmed timer never fires, and disarming says whether it was in time", "[timers]") {
  timers due{[] {}};
  test_timer t;
  CHECK_FALSE(due.disarm(t));
  due.arm(t, zero + 1s);
  CHECK(due.disarm(t));
  CHECK(t.references == 0);
  CHECK_FALSE(due.disarm(t));
  CHECK(due.fire_due(never) == 0);
  due.arm(t, zero + 1s);
  t.action = [&](time_point) { CHECK_FALSE(due.disarm(t)); };
  CHECK(due.fire_due(zero + 1s) == 1);
}

TEST_CASE("a timer may arm itself and others while it fires", "[timers]") {
  timers due{[] {}};
  test_timer ticking;
  ticking.action = [&](time_point) {
    if (ticking.fired < 3)
      due.arm(ticking, ticking.due() + 1s);
  };
  due.arm(ticking, zero + 1s);
  CHECK(due.fire_due(zero + 2s) == 2);
  CHECK(due.next_due() == zero + 3s);
  CHECK(due.fire_due(zero + 9s) == 1);
  CHECK_FALSE(due.next_due());
}

TEST_CASE("whoever sleeps until the earliest timer is told exactly when there is an earlier one", "[timers]") {
  int told = 0;
  timers due{[&] { ++told; }};
  test_timer a;
  test_timer b;
  due.arm(a, zero + 5s);
  CHECK(told == 1);
  due.arm(b, zero + 6s);
  CHECK(told == 1);
  due.arm(b, zero + 4s);
  CHECK(told == 2);
  due.arm(b, zero + 7s); // later: the sleeper wakes too early, looks, and sleeps on
  CHECK(told == 2);
  due.arm(a, zero + 1s);
  CHECK(told == 3);
  due.disarm(a);
  due.disarm(b);
}

TEST_CASE("timers that are still armed at the end are released without firing", "[timers]") {
  test_timer t;
  {
    timers due{[] {}};
    due.arm(t, zero + 1s);
    CHECK(t.references == 1);
  }
  CHECK(t.references == 0);
  CHECK(t.fired == 0);
}

TEST_CASE("whatever is armed, moved and disarmed, the heap gives the timers in order", "[timers]") {
  std::mt19937 random{20240229};
  for (int round = 0; round != 20; ++round) {
    timers due{[] {}};
    std::deque<test_timer> all(300);
    std::vector<time_point> fired;
    std::vector<time_point> expected;
    for (auto& t : all)
      t.action = [&](time_point) { fired.push_back(t.due()); };
    std::vector<bool> armed(all.size());
    for (int step = 0; step != 2000; ++step) {
      const auto i = random() % all.size();
      if (random() % 3 == 0) {
        CHECK(due.disarm(all[i]) == armed[i]);
        armed[i] = false;
      } else {
        due.arm(all[i], zero + std::chrono::seconds{random() % 100});
        armed[i] = true;
      }
    }
    for (std::size_t i = 0; i != all.size(); ++i)
      if (armed[i])
        expected.push_back(all[i].due());
    std::sort(expected.begin(), expected.end());
    CHECK(due.armed() == expected.size());
    CHECK(due.fire_due(zero + 100s) == expected.size());
    CHECK(fired == expected);
  }
}

TEST_CASE("a million timers in the worst order need no deep stack", "[timers]") {
  timers due{[] {}};
  std::deque<test_timer> all(1'000'000);
  for (std::size_t i = 0; i != all.size(); ++i)
    due.arm(all[i], zero + std::chrono::microseconds{all.size() - i});
  CHECK(due.fire_due(zero + 1s) == all.size());
}
