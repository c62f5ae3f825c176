// Everything at once, from several threads; meant for the thread sanitizer.
#include "catch.hpp"

#include "control_loop.hpp"
#include "lane.hpp"
#include "parking.hpp"

#include <atomic>
#include <deque>
#include <latch>
#include <random>
#include <thread>
#include <vector>

using namespace muster;
using namespace muster::runtime;
using namespace std::chrono_literals;

namespace {

class job final : public lane_item {
public:
  std::function<void()> action = [] {};

private:
  void run_on_lane() noexcept override { action(); }
};

class post_back final : public control_item {
public:
  std::function<void()> action = [] {};

private:
  void run_control() noexcept override { action(); }
};

class counting_timer final : public timer {
public:
  std::atomic<int> fired{0};
  std::atomic<int> references{0};

private:
  void on_due(time_point) noexcept override { ++fired; }
  void retain() noexcept override { ++references; }
  void release() noexcept override { --references; }
};

} // namespace

TEST_CASE("every item runs or is taken back, whoever pushes and removes", "[stress]") {
  const unsigned workers = GENERATE(1U, 2U, 4U);
  lane crew{{.thread_name = "stress", .workers = workers, .sample_every = 100us}};
  constexpr std::size_t producers = 3;
  constexpr std::size_t each = 3000;
  std::atomic<std::size_t> ran{0};
  std::atomic<std::size_t> taken{0};
  std::deque<job> jobs(producers * each);
  std::vector<std::thread> threads;
  for (std::size_t p = 0; p != producers; ++p)
    threads.emplace_back([&, p] {
      std::mt19937 random{static_cast<unsigned>(p)};
      for (std::size_t i = 0; i != each; ++i) {
        job& j = jobs[p * each + i];
        j.action = [&] { ++ran; };
        j.urgency = static_cast<priority>(random() % 3);
        j.blocking = random() % 64 == 0;
        crew.push(j);
        if (random() % 4 == 0 && crew.remove(j))
          ++taken;
      }
    });
  for (auto& t : threads)
    t.join();
  crew.stop();
  CHECK(ran + taken == jobs.size());
}

TEST_CASE("waits, blocking and work share the lane, and it always gets on", "[stress]") {
  std::atomic<int> told{0};
  lane crew{{.thread_name = "stress", .workers = 2, .max_workers = 8, .sample_every = 200us,
             .on_saturated = [&](std::size_t) { ++told; }, .on_grown = [&](std::size_t) { ++told; }}};
  constexpr std::size_t rounds = 200;
  std::deque<job> outer(rounds);
  std::deque<job> inner(rounds);
  std::deque<job> foreign(rounds / 10);
  std::deque<std::atomic<bool>> flags(rounds);
  std::deque<std::atomic<bool>> opened(rounds / 10);
  for (std::size_t i = 0; i != rounds; ++i) {
    inner[i].action = [&, i] {
      flags[i] = true;
      unpark_all(&flags[i]);
    };
    outer[i].action = [&, i] {
      crew.push(inner[i]);
      wait_region waiting;
      while (!waiting.replaced()) {}
      park(&flags[i], [&] { return flags[i].load(); });
    };
  }
  for (std::size_t i = 0; i != foreign.size(); ++i)
    foreign[i].action = [&, i] { opened[i].wait(false); };
  for (std::size_t i = 0; i != rounds; ++i) {
    crew.push(outer[i]);
    if (i % 10 == 0)
      crew.push(foreign[i / 10]);
    static_cast<void>(crew.stats());
  }
  for (auto& each : opened) {
    each = true;
    each.notify_all();
  }
  crew.stop();
  for (const auto& flag : flags)
    CHECK(flag);
}

TEST_CASE("timers that are armed and disarmed everywhere keep their references right", "[stress]") {
  control_loop loop{real_clock(), 2};
  std::deque<counting_timer> all(64);
  std::vector<std::thread> threads;
  for (unsigned n = 0; n != 3; ++n)
    threads.emplace_back([&, n] {
      std::mt19937 random{n};
      for (int i = 0; i != 5000; ++i) {
        auto& t = all[random() % all.size()];
        if (random() % 2 == 0)
          loop.due().arm(t, loop.now() + std::chrono::microseconds{random() % 300});
        else
          loop.due().disarm(t);
      }
    });
  for (auto& t : threads)
    t.join();
  for (auto& t : all)
    loop.due().disarm(t);
  loop.stop();
  for (auto& t : all)
    CHECK(t.references == 0);
}

TEST_CASE("threads that park with a time limit are woken by whichever comes first", "[stress]") {
  control_loop loop{real_clock(), 2};
  std::atomic<unsigned> generation{0};
  std::atomic<bool> end{false};
  std::atomic<unsigned> woken{0};
  std::vector<std::thread> sleepers;
  for (unsigned n = 0; n != 3; ++n)
    sleepers.emplace_back([&, n] {
      for (unsigned i = 0; i != 1000; ++i) {
        const auto seen = generation.load();
        const auto until = loop.now() + std::chrono::microseconds{20 * n};
        woken += park_until(&generation, loop.due(), until, [&] { return generation.load() != seen; }) ? 1U : 0U;
      }
    });
  std::thread waker{[&] {
    while (!end) {
      ++generation;
      unpark_all(&generation);
    }
  }};
  for (auto& t : sleepers)
    t.join();
  end = true;
  waker.join();
  CHECK(loop.due().armed() == 0);
}

TEST_CASE("items may go back and forth between lane and control threads while both stop", "[stress]") {
  for (int round = 0; round != 30; ++round) {
    control_loop loop{real_clock(), 2};
    lane crew{{.thread_name = "stress", .workers = 2}};
    constexpr std::size_t balls = 16;
    std::deque<job> bodies(balls);
    std::deque<post_back> posts(balls);
    std::deque<int> hops(balls);
    std::atomic<int> ended{0};
    for (std::size_t i = 0; i != balls; ++i) {
      bodies[i].action = [&, i] {
        if (++hops[i] == 50)
          ++ended;
        else
          loop.post(posts[i]);
      };
      posts[i].action = [&, i] { crew.push(bodies[i]); };
    }
    for (auto& each : bodies)
      crew.push(each);
    crew.stop();
    loop.stop();
    CHECK(ended == static_cast<int>(balls));
  }
}

TEST_CASE("a manual clock may be advanced while engines come and go", "[stress]") {
  const auto time = std::make_shared<manual_clock>();
  std::atomic<bool> end{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> owners;
  for (int n = 0; n != 2; ++n)
    owners.emplace_back([&] {
      for (int i = 0; i != 100; ++i) {
        control_loop loop{time, 2};
        int object = 0;
        wrong += park_until(&object, loop.due(), time->now() + 1ms, [] { return false; }) ? 1 : 0;
      }
    });
  std::thread mover{[&] {
    while (!end)
      time->advance(1ms);
  }};
  for (auto& t : owners)
    t.join();
  end = true;
  mover.join();
  CHECK(wrong == 0);
}
