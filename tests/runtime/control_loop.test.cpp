// The control threads. Every wait is for something that must happen; nothing here measures time.
#include "catch.hpp"

#include "control_loop.hpp"

#include <atomic>
#include <deque>
#include <functional>
#include <latch>
#include <thread>
#include <vector>

using namespace muster;
using namespace muster::runtime;
using namespace std::chrono_literals;

namespace {

class test_item final : public control_item {
public:
  explicit test_item(std::function<void()> what = [] {}) : action{std::move(what)} {}
  std::function<void()> action;

private:
  void run_control() noexcept override { action(); }
};

class test_timer final : public timer {
public:
  explicit test_timer(std::function<void(time_point)> what) : action{std::move(what)} {}
  std::function<void(time_point)> action;

private:
  void on_due(time_point now) noexcept override { action(now); }
  void retain() noexcept override {}
  void release() noexcept override {}
};

constexpr auto owed = [] { return true; };

} // namespace

TEST_CASE("items run first in first out, on a control thread", "[control]") {
  control_loop loop{real_clock(), 1};
  std::vector<int> order;
  std::deque<test_item> items;
  bool on_thread = true;
  for (int i = 0; i != 100; ++i)
    items.emplace_back([&, i] {
      order.push_back(i);
      on_thread = on_thread && loop.on_control_thread();
    });
  for (auto& each : items)
    loop.post(each);
  loop.stop();
  REQUIRE(order.size() == 100);
  CHECK(std::is_sorted(order.begin(), order.end()));
  CHECK(on_thread);
  CHECK_FALSE(loop.on_control_thread());
}

TEST_CASE("an item that may run here has run on return, on this thread, and behind it what it has posted from here",
          "[control]") {
  control_loop loop{real_clock(), 1};
  const auto here = std::this_thread::get_id();
  std::vector<std::string> order;
  bool all_here = true;
  const auto note = [&](std::string what) {
    all_here = all_here && std::this_thread::get_id() == here && loop.runs_items_here();
    order.push_back(std::move(what));
  };
  test_item third{[&] { note("third"); }};
  test_item second{[&] {
    note("second begins");
    loop.post(third);
    note("second ends");
  }};
  test_item first{[&] {
    note("first begins");
    loop.run_or_post(second, owed);
    note("first ends");
  }};
  loop.run_or_post(first, owed);
  CHECK(order ==
        std::vector<std::string>{"first begins", "first ends", "second begins", "second ends", "third"});
  CHECK(all_here);
  CHECK_FALSE(loop.runs_items_here());
}

TEST_CASE("a caller's thread runs a few of the items that follow, and the loop the others", "[control]") {
  control_loop loop{real_clock(), 1};
  const auto here = std::this_thread::get_id();
  constexpr int many = 100;
  int ran_here = 0;
  std::atomic<int> ran = 0;
  std::latch done{1};
  std::function<void()> go_on;
  test_item item{[&] { go_on(); }};
  go_on = [&] { // one at a time
    ran_here += std::this_thread::get_id() == here ? 1 : 0;
    if (++ran != many)
      loop.post(item);
    else
      done.count_down();
  };
  loop.run_or_post(item, owed);
  done.wait();
  CHECK(ran_here >= 2);
  CHECK(ran_here < many / 2);
}

TEST_CASE("from a control thread an item that could run there is queued behind the others", "[control]") {
  control_loop loop{real_clock(), 1};
  std::vector<int> order;
  test_item third{[&] { order.push_back(3); }};
  test_item second{[&] { order.push_back(2); }};
  test_item first{[&] {
    loop.post(second);
    loop.run_or_post(third, owed);
    order.push_back(1);
  }};
  loop.post(first);
  loop.stop();
  CHECK(order == std::vector{1, 2, 3});
}

TEST_CASE("a manual clock waits for what an item was told, though another thread is yet to queue it", "[control]") {
  const auto clock = std::make_shared<manual_clock>();
  control_loop loop{clock, 1};
  std::atomic<bool> told{false};
  std::atomic<bool> ran{false};
  std::latch telling{1};
  std::atomic<bool> go{false};
  test_item item{[&] { ran = told.load(); }};
  std::thread other{[&] {
    loop.post_if(item, [&] {
      told = true;
      telling.count_down();
      go.wait(false); // here another item's turn could be told of this one, and would not queue it again
      return true;
    });
  }};
  telling.wait();
  std::atomic<bool> ran_before_return{false};
  std::thread advancing{[&] {
    clock->advance(1s);
    ran_before_return = ran.load();
  }};
  go = true;
  go.notify_all();
  other.join();
  advancing.join();
  CHECK(ran_before_return);
}

TEST_CASE("two control threads run two items at once", "[control]") {
  control_loop loop{real_clock(), 2};
  std::latch both{2};
  test_item a{[&] { both.arrive_and_wait(); }};
  test_item b{[&] { both.arrive_and_wait(); }};
  loop.post(a);
  loop.post(b);
  both.wait();
  loop.stop(); // before what its items use goes
}

TEST_CASE("stopping runs what is queued and what that posts", "[control]") {
  control_loop loop{real_clock(), 2};
  std::atomic<int> runs{0};
  test_item last{[&] { ++runs; }};
  test_item first{[&] {
    ++runs;
    loop.post(last);
  }};
  loop.post(first);
  loop.stop();
  loop.stop();
  CHECK(runs == 2);
}

TEST_CASE("what is posted after the stop runs at once, and not inside another such item", "[control]") {
  control_loop loop{real_clock(), 1};
  loop.stop();
  int depth = 0;
  int deepest = 0;
  int runs = 0;
  std::deque<test_item> chain(50'000);
  for (std::size_t i = 0; i != chain.size(); ++i)
    chain[i].action = [&, i] {
      ++runs;
      deepest = std::max(deepest, ++depth);
      if (i + 1 != chain.size())
        loop.post(chain[i + 1]);
      --depth;
    };
  loop.post(chain[0]);
  CHECK(runs == 50'000);
  CHECK(deepest == 1);
}

TEST_CASE("with the real clock a timer fires by itself, and not early", "[control]") {
  control_loop loop{real_clock(), 2};
  std::latch fired{2};
  const auto due = loop.now() + 2ms;
  bool early = false;
  test_timer later{[&](time_point now) {
    early = early || now < due;
    fired.count_down();
  }};
  test_timer past{[&](time_point) { fired.count_down(); }};
  loop.due().arm(later, due);
  loop.due().arm(past, due - 1h);
  fired.wait();
  CHECK_FALSE(early);
  loop.stop(); // before what its items use goes
}

TEST_CASE("an earlier timer wakes the thread that waits for a later one", "[control]") {
  control_loop loop{real_clock(), 1};
  std::latch fired{1};
  test_timer later{[](time_point) {}};
  test_timer sooner{[&](time_point) { fired.count_down(); }};
  loop.due().arm(later, loop.now() + 1h);
  loop.due().arm(sooner, loop.now() + 1ms);
  fired.wait();
  CHECK(loop.due().disarm(later));
  loop.stop(); // before what its items use goes
}

TEST_CASE("a thread that waits for a timer still runs items", "[control]") {
  control_loop loop{real_clock(), 1};
  test_timer later{[](time_point) {}};
  loop.due().arm(later, loop.now() + 1h);
  for (int i = 0; i != 100; ++i) {
    std::latch ran{1};
    test_item item{[&] { ran.count_down(); }};
    loop.post(item);
    ran.wait();
    loop.due().arm(later, loop.now() + 1h);
  }
  CHECK(loop.due().disarm(later));
  loop.stop(); // before what its items use goes
}

TEST_CASE("advancing a manual clock fires the timers and waits until the control plane is at rest", "[control]") {
  const auto time = std::make_shared<manual_clock>();
  const auto start = time->now();
  const unsigned threads = GENERATE(1U, 2U, 3U);
  control_loop loop{time, threads};
  std::vector<time_point> fired;
  int runs = 0;
  test_item second{[&] { ++runs; }};
  test_item first{[&] {
    ++runs;
    loop.post(second);
  }};
  test_timer inner{[&](time_point now) {
    fired.push_back(now);
    loop.post(first);
  }};
  test_timer outer{[&](time_point now) {
    fired.push_back(now);
    loop.due().arm(inner, now + 1s);
  }};
  loop.due().arm(outer, start + 8s);
  time->advance(1h);
  CHECK(fired == std::vector{start + 8s, start + 9s});
  CHECK(runs == 2);
  loop.stop(); // before what its items use goes
}

TEST_CASE("with a manual clock a timer that is due already fires without an advance", "[control]") {
  const auto time = std::make_shared<manual_clock>();
  control_loop loop{time, 1};
  std::latch fired{1};
  test_timer due{[&](time_point) { fired.count_down(); }};
  loop.due().arm(due, time->now());
  fired.wait();
  loop.stop(); // before what its items use goes
}

TEST_CASE("an advance sees the timers that queued items are about to set", "[control]") {
  const auto time = std::make_shared<manual_clock>();
  control_loop loop{time, 1};
  int fired = 0;
  test_timer due{[&](time_point) { ++fired; }};
  test_item sets{[&] { loop.due().arm(due, time->now() + 1s); }};
  loop.post(sets);
  time->advance(1s);
  CHECK(fired == 1);
  loop.stop(); // before what its items use goes
}

TEST_CASE("two engines on one clock take their turns in order of time", "[control]") {
  const auto time = std::make_shared<manual_clock>();
  control_loop one{time, 1};
  control_loop two{time, 2};
  std::mutex mutex;
  std::vector<int> order;
  const auto note = [&](int n) {
    return [&, n](time_point) {
      const std::scoped_lock lock{mutex};
      order.push_back(n);
    };
  };
  test_timer a{note(1)};
  test_timer b{note(2)};
  test_timer c{note(3)};
  one.due().arm(a, time->now() + 1s);
  two.due().arm(b, time->now() + 2s);
  one.due().arm(c, time->now() + 3s);
  time->advance(4s);
  CHECK(order == std::vector{1, 2, 3});
  one.stop();
  two.stop();
}

TEST_CASE("timers no longer fire after the stop", "[control]") {
  const auto time = std::make_shared<manual_clock>();
  control_loop loop{time, 1};
  int fired = 0;
  test_timer due{[&](time_point) { ++fired; }};
  loop.due().arm(due, time->now() + 1s);
  loop.stop();
  time->advance(2s);
  CHECK(fired == 0);
  CHECK(loop.due().disarm(due));
}
