// The lane with its threads. A promise that is broken shows as a hang or a wrong count, never as a wrong time.
#include "catch.hpp"

#include "lane.hpp"
#include "spin.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <functional>
#include <latch>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace muster;
using namespace muster::runtime;
using namespace std::chrono_literals;

namespace {

class job final : public lane_item {
public:
  explicit job(std::function<void()> what = [] {}) : action{std::move(what)} {}
  std::function<void()> action;

private:
  void run_on_lane() noexcept override { action(); }
};

/// A flag to block on: the thread that waits is asleep in the kernel, as in foreign code.
class gate {
public:
  void open() {
    open_ = true;
    open_.notify_all();
  }
  void wait() const { open_.wait(false); }

private:
  std::atomic<bool> open_{false};
};

lane_options named(unsigned workers) { return {.thread_name = "test", .workers = workers}; }

} // namespace

TEST_CASE("a lane runs what is pushed, on its own workers", "[lane]") {
  lane crew{named(2)};
  std::latch done{100};
  std::atomic<int> elsewhere{0};
  std::deque<job> jobs;
  for (int i = 0; i != 100; ++i)
    jobs.emplace_back([&] {
      elsewhere += lane::current() == &crew ? 0 : 1;
      done.count_down();
    });
  for (auto& each : jobs)
    crew.push(each);
  done.wait();
  CHECK(elsewhere == 0);
  CHECK(lane::current() == nullptr);
  CHECK(crew.stats().most_workers <= 2);
  crew.stop(); // before what its items use goes
}

TEST_CASE("one worker runs items by priority, first in first out within one", "[lane]") {
  lane crew{named(1)};
  std::vector<int> order;
  std::deque<job> jobs;
  const auto add = [&](int n, priority p) {
    jobs.emplace_back([&order, n] { order.push_back(n); }).urgency = p;
  };
  add(1, priority::low);
  add(2, priority::normal);
  add(3, priority::high);
  add(4, priority::normal);
  add(5, priority::high);
  job first{[&] {
    for (auto& each : jobs)
      crew.push(each);
  }};
  crew.push(first);
  crew.stop();
  CHECK(order == std::vector{3, 5, 2, 4, 1});
}

TEST_CASE("stopping lets the workers finish what is queued and what that pushes", "[lane]") {
  std::atomic<int> runs{0};
  std::deque<job> later;
  std::deque<job> jobs;
  lane crew{named(2)};
  for (int i = 0; i != 50; ++i) {
    job& next = later.emplace_back([&] { ++runs; });
    jobs.emplace_back([&] {
      ++runs;
      crew.push(next);
    });
  }
  for (auto& each : jobs)
    crew.push(each);
  crew.stop();
  CHECK(runs == 100);
  CHECK(crew.stats().workers == 0);
  crew.stop();
}

TEST_CASE("what is pushed after the stop runs at once, and not inside another such item", "[lane]") {
  lane crew{named(1)};
  crew.stop();
  int depth = 0;
  int deepest = 0;
  int runs = 0;
  std::deque<job> chain(50'000);
  for (std::size_t i = 0; i != chain.size(); ++i)
    chain[i].action = [&, i] {
      ++runs;
      deepest = std::max(deepest, ++depth);
      if (i + 1 != chain.size())
        crew.push(chain[i + 1]);
      --depth;
    };
  crew.push(chain[0]);
  CHECK(runs == 50'000);
  CHECK(deepest == 1);
}

TEST_CASE("an item that is taken back does not run", "[lane]") {
  lane crew{{.thread_name = "test", .workers = 1, .max_workers = 1}};
  std::latch busy{1};
  gate go;
  std::atomic<int> runs{0};
  job blocker{[&] {
    busy.count_down();
    go.wait();
  }};
  job taken{[&] { ++runs; }};
  job stays{[&] { ++runs; }};
  crew.push(blocker);
  busy.wait();
  CHECK_FALSE(crew.remove(blocker));
  crew.push(taken);
  crew.push(stays);
  CHECK(crew.remove(taken));
  CHECK_FALSE(crew.remove(taken));
  CHECK(crew.stats().ready == 1);
  go.open();
  crew.stop();
  CHECK(runs == 1);
}

TEST_CASE("several items that are pushed in one step run like those that are pushed one by one", "[lane]") {
  lane crew{{.thread_name = "test", .workers = 1, .max_workers = 1}};
  std::vector<int> order;
  job first{[&] { order.push_back(1); }};
  job second{[&] { order.push_back(2); }};
  job urgent{[&] { order.push_back(0); }};
  urgent.urgency = muster::priority::high;
  std::latch busy{1};
  gate go;
  job blocker{[&] {
    busy.count_down();
    go.wait();
  }};
  crew.push(blocker);
  busy.wait();
  const std::array<muster::runtime::lane_item*, 3> all{&first, &second, &urgent};
  crew.push(all);
  crew.push(std::span<muster::runtime::lane_item* const>{});
  CHECK(crew.stats().ready == 3);
  go.open();
  crew.stop();
  CHECK(order == std::vector{0, 1, 2});
  order.clear();
  job after{[&] { order.push_back(3); }};
  job last{[&] { order.push_back(4); }};
  const std::array<muster::runtime::lane_item*, 2> late{&after, &last};
  crew.push(late); // at the end they run here
  CHECK(order == std::vector{3, 4});
}

TEST_CASE("an item that is asked back before it has come is not taken in", "[lane]") {
  lane crew{{.thread_name = "test", .workers = 1, .max_workers = 1}};
  lane other{{.thread_name = "other", .workers = 1, .max_workers = 1}};
  std::atomic<int> runs{0};
  job late{[&] { ++runs; }};
  job known{[&] { ++runs; }};
  CHECK_FALSE(crew.remove(late));
  CHECK_FALSE(crew.offer(late));
  CHECK(crew.offer(known));
  other.push(late); // it may go elsewhere
  crew.stop();
  other.stop();
  CHECK(runs == 2);
  job last{[&] { ++runs; }};
  CHECK_FALSE(crew.remove(last));
  CHECK_FALSE(crew.offer(last)); // nor does it run after the end
  CHECK(runs == 2);
}

TEST_CASE("the first wanted item can be taken and run here", "[lane]") {
  lane crew{{.thread_name = "test", .workers = 1, .max_workers = 1}};
  std::latch busy{1};
  gate go;
  std::thread::id ran_on;
  job blocker{[&] {
    busy.count_down();
    go.wait();
  }};
  job low{[&] { ran_on = std::this_thread::get_id(); }};
  job normal;
  low.urgency = priority::low;
  crew.push(blocker);
  busy.wait();
  crew.push(low);
  crew.push(normal);
  CHECK(crew.take_if([](const lane_item&) { return false; }) == nullptr);
  lane_item* found = crew.take_if([](const lane_item& item) { return item.urgency == priority::low; });
  REQUIRE(found == &low);
  lane::run_here(*found);
  CHECK(ran_on == std::this_thread::get_id());
  CHECK(crew.stats().ready == 1);
  go.open();
  crew.stop(); // before what its items use goes
}

TEST_CASE("a worker in one of our waits gives its place to another", "[lane]") {
  lane crew{{.thread_name = "test", .workers = 1, .max_workers = 1}};
  gate inner_done;
  std::latch done{1};
  bool replaced = false;
  job inner{[&] { inner_done.open(); }};
  job outer{[&] {
    crew.push(inner);
    {
      wait_region waiting;
      wait_region nested;
      replaced = nested.replaced();
      inner_done.wait();
    }
    done.count_down();
  }};
  crew.push(outer);
  done.wait();
  CHECK(replaced);
  crew.stop(); // before what its items use goes
}

TEST_CASE("a place that is given free also serves items that come later", "[lane]") {
  lane crew{{.thread_name = "test", .workers = 1, .max_workers = 1}};
  gate inner_done;
  std::latch waiting{1};
  job inner{[&] { inner_done.open(); }};
  job outer{[&] {
    wait_region region;
    waiting.count_down();
    inner_done.wait();
  }};
  crew.push(outer);
  waiting.wait();
  CHECK(crew.stats().waiting == 1);
  crew.push(inner);
  crew.stop();
}

TEST_CASE("a thousand nested waits work on a lane of one worker", "[lane]") {
  lane crew{{.thread_name = "test", .workers = 1, .max_workers = 1}};
  constexpr std::size_t levels = 1000;
  std::deque<gate> ended(levels + 1);
  std::deque<job> jobs(levels);
  std::uint64_t most_waiting = 0;
  for (std::size_t i = 0; i != levels; ++i)
    jobs[i].action = [&, i] {
      if (i + 1 == levels) {
        most_waiting = crew.stats().waiting;
      } else {
        crew.push(jobs[i + 1]);
        wait_region waiting;
        ended[i + 1].wait();
      }
      ended[i].open();
    };
  crew.push(jobs[0]);
  ended[0].wait();
  CHECK(most_waiting == levels - 1);
  crew.stop();
  CHECK(crew.stats().most_workers >= levels);
}

TEST_CASE("a wait is told when no thread can be had to replace it", "[lane]") {
  lane crew{{.thread_name = "test", .workers = 1, .max_workers = 1, .max_threads = 1}};
  std::latch done{1};
  bool before = false;
  bool with_item = true;
  bool after = false;
  int runs = 0;
  job inner{[&] { ++runs; }};
  job outer{[&] {
    {
      wait_region waiting;
      before = waiting.replaced(); // nothing is ready: nobody is needed
      crew.push(inner);
      with_item = waiting.replaced();
      if (lane_item* mine = crew.take_if([&](const lane_item& item) { return &item == &inner; }))
        lane::run_here(*mine);
      after = waiting.replaced();
    }
    done.count_down();
  }};
  crew.push(outer);
  done.wait();
  CHECK(before);
  CHECK_FALSE(with_item);
  CHECK(after);
  CHECK(runs == 1);
  crew.stop(); // before what its items use goes
}

TEST_CASE("a wait region outside the lane does nothing", "[lane]") {
  wait_region waiting;
  CHECK(waiting.replaced());
}

TEST_CASE("a worker that sleeps in foreign code is replaced", "[lane]") {
  lane crew{named(1)};
  gate go;
  job sleeper{[&] { go.wait(); }};
  job opener{[&] { go.open(); }};
  crew.push(sleeper);
  crew.push(opener);
  crew.stop();
  CHECK(crew.stats().most_workers == 2);
}

TEST_CASE("a lane grows until the one item is found that lets the others go on", "[lane]") {
  std::atomic<std::size_t> grown_to{0};
  lane crew{{.thread_name = "test", .workers = 2, .on_grown = [&](std::size_t n) { grown_to = n; }}};
  gate go;
  std::deque<job> sleepers;
  for (int i = 0; i != 40; ++i)
    sleepers.emplace_back([&] { go.wait(); });
  job opener{[&] { go.open(); }};
  for (auto& each : sleepers)
    crew.push(each);
  crew.push(opener);
  go.wait();
  crew.stop();
  CHECK(crew.stats().most_workers >= 41);
  CHECK(grown_to > 2);
}

TEST_CASE("a lane says that those it grew by have left, and that it grows again", "[lane]") {
  std::mutex mutex;
  std::vector<std::pair<std::string, std::size_t>> told;
  const auto tell = [&](const char* what) {
    return [&told, &mutex, what](std::size_t n) {
      const std::scoped_lock lock{mutex};
      told.emplace_back(what, n);
    };
  };
  lane crew{{.thread_name = "test", .workers = 1, .sample_every = 24h, .on_grown = tell("grown"),
             .on_shrunk = tell("shrunk")}};
  for (int round = 0; round != 2; ++round) {
    gate go;
    std::latch all{12};
    std::deque<job> sleepers;
    for (int i = 0; i != 12; ++i)
      sleepers
        .emplace_back([&] {
          all.count_down();
          go.wait();
        })
        .blocking = true;
    for (auto& each : sleepers)
      crew.push(each);
    all.wait();
    go.open();
    // Those that left say so in turn; the last to leave leaves one behind.
    for (bool alone = false; !alone; std::this_thread::yield()) {
      const std::scoped_lock lock{mutex};
      alone = !told.empty() && told.back() == std::pair{std::string{"shrunk"}, std::size_t{1}};
    }
    const std::scoped_lock lock{mutex};
    CHECK(told.front().first == "grown");
    CHECK(told.front().second >= 12);
    CHECK(std::ranges::is_sorted(told.begin() + 1, told.end(), std::ranges::greater{}));
    CHECK(std::ranges::count(told, "grown", [](const auto& t) { return t.first; }) == 1);
    told.clear();
  }
  crew.stop();
  CHECK(told.empty()); // its end is no shrinking
}

TEST_CASE("items that are said to block are replaced at once, without sampling", "[lane]") {
  lane crew{{.thread_name = "test", .workers = 1, .sample_every = 24h}};
  gate go;
  std::deque<job> sleepers;
  std::latch all{20};
  for (int i = 0; i != 20; ++i)
    sleepers
      .emplace_back([&] {
        all.count_down();
        go.wait();
      })
      .blocking = true;
  job last{[&] { go.open(); }};
  for (auto& each : sleepers)
    crew.push(each);
  all.wait();
  CHECK(crew.stats().blocked == 20);
  CHECK(crew.stats().running == 0);
  crew.push(last);
  go.wait();
  crew.stop(); // before what its items use goes
}

TEST_CASE("a lane that grows when stuck does not care why its worker does not come free", "[lane]") {
  lane crew{{.thread_name = "test", .workers = 1, .grows = growth::when_stuck}};
  std::atomic<bool> go{false};
  job spinner{[&] {
    while (!go) {}
  }};
  job opener{[&] { go = true; }};
  crew.push(spinner);
  crew.push(opener);
  crew.stop();
  CHECK(go);
}

TEST_CASE("a worker that sleeps at a lock of ours is not taken for blocked", "[lane]") {
  lane crew{{.thread_name = "test", .workers = 2, .sample_every = 1ms}};
  std::mutex ours;
  std::unique_lock held{ours};
  std::latch both{2};
  gate closed;
  job at_the_lock{[&] {
    both.count_down();
    static_cast<void>(lock_soon(ours));
  }};
  job blocked{[&] {
    both.arrive_and_wait();
    closed.wait();
  }};
  std::latch ran{1};
  job waiting{[&] { ran.count_down(); }};
  crew.push(at_the_lock);
  crew.push(blocked);
  crew.push(waiting);
  ran.wait(); // on a worker that was added for the blocked one; the other slept at its lock as long
  CHECK(crew.stats().blocked == 1);
  held.unlock();
  closed.open();
  crew.stop();
}

TEST_CASE("that all workers are blocked while items are ready is told once", "[lane]") {
  std::atomic<int> told{0};
  std::atomic<std::size_t> ready{0};
  lane crew{{.thread_name = "test", .workers = 1, .max_workers = 3, .on_saturated = [&](std::size_t n) {
               ready = n;
               ++told;
               told.notify_all();
             }}};
  gate go;
  std::deque<job> sleepers;
  for (int i = 0; i != 5; ++i)
    sleepers.emplace_back([&] { go.wait(); });
  for (auto& each : sleepers)
    crew.push(each);
  told.wait(0);
  const auto stats = crew.stats();
  CHECK(ready == 2);
  CHECK(stats.ready == 2);
  CHECK(stats.blocked == 3);
  CHECK(stats.running == 0);
  CHECK(stats.workers == 3);
  go.open();
  crew.stop();
  CHECK(told == 1);
  CHECK(crew.stats().saturated == 1);
}

TEST_CASE("the age of the oldest ready item is read on the lane's own clock", "[lane]") {
  const auto time = std::make_shared<manual_clock>();
  lane crew{{.thread_name = "test", .workers = 1, .max_workers = 1, .sample_every = 24h, .time = time}};
  gate go;
  std::latch busy{1};
  job blocker{[&] {
    busy.count_down();
    go.wait();
  }};
  job first;
  job second;
  crew.push(blocker);
  busy.wait();
  CHECK(crew.stats().oldest_ready == 0s);
  crew.push(first);
  time->advance(3s);
  crew.push(second);
  time->advance(4s);
  CHECK(crew.stats().oldest_ready == 7s);
  go.open();
  crew.stop(); // before what its items use goes
}

TEST_CASE("surplus workers leave when their waits have ended", "[lane]") {
  lane crew{{.thread_name = "test", .workers = 1, .max_workers = 1}};
  constexpr std::size_t count = 50;
  gate go;
  std::latch waiting{count};
  std::deque<job> waiters;
  for (std::size_t i = 0; i != count; ++i)
    waiters.emplace_back([&] {
      wait_region region;
      waiting.count_down();
      go.wait();
    });
  for (auto& each : waiters)
    crew.push(each);
  waiting.wait();
  CHECK(crew.stats().waiting == count);
  CHECK(crew.stats().running == 0);
  go.open();
  while (crew.stats().workers > 1)
    std::this_thread::yield();
  CHECK(crew.stats().waiting == 0);
  crew.stop(); // before what its items use goes
}
