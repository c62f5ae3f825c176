// Parked threads. A test that forgot to wake somebody would hang, not fail by time.
#include "catch.hpp"

#include "control_loop.hpp"
#include "parking.hpp"

#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

using namespace muster;
using namespace muster::runtime;
using namespace std::chrono_literals;

TEST_CASE("parking does not block when it is ready already", "[parking]") {
  int object = 0;
  park(&object, [] { return true; });
  control_loop loop{real_clock(), 1};
  CHECK(park_until(&object, loop.due(), loop.now() + 1h, [] { return true; }));
  CHECK(loop.due().armed() == 0);
}

TEST_CASE("everybody who is parked on an address is woken, and nobody else is asked", "[parking]") {
  std::atomic<bool> ready{false};
  std::atomic<int> parked{0};
  std::atomic<int> asked_elsewhere{0};
  int elsewhere = 0;
  std::atomic<bool> end{false};
  std::vector<std::thread> threads;
  for (int i = 0; i != 4; ++i)
    threads.emplace_back([&] {
      bool first = true;
      park(&ready, [&] {
        if (std::exchange(first, false)) {
          ++parked;
          parked.notify_all();
        }
        return ready.load();
      });
    });
  threads.emplace_back([&] {
    park(&elsewhere, [&] {
      if (asked_elsewhere++ == 0) {
        ++parked;
        parked.notify_all();
      }
      return end.load();
    });
  });
  for (int n = parked; n != 5; n = parked)
    parked.wait(n);
  ready = true;
  unpark_all(&ready);
  for (int i = 0; i != 4; ++i)
    threads[static_cast<std::size_t>(i)].join();
  end = true;
  unpark_all(&elsewhere);
  threads[4].join();
}

TEST_CASE("a parked thread goes on when its time has come", "[parking]") {
  const auto time = std::make_shared<manual_clock>();
  control_loop loop{time, 1};
  int object = 0;
  std::atomic<bool> answer{true};
  std::thread sleeper{[&] { answer = park_until(&object, loop.due(), time->now() + 8s, [] { return false; }); }};
  time->await_timer_within(8s);
  time->advance(7s);
  CHECK(loop.due().armed() == 1);
  time->advance(1s);
  sleeper.join();
  CHECK_FALSE(answer);
}

TEST_CASE("a thread that is woken before its time leaves no timer behind", "[parking]") {
  const auto time = std::make_shared<manual_clock>();
  control_loop loop{time, 1};
  std::atomic<bool> ready{false};
  std::atomic<bool> answer{false};
  std::thread sleeper{[&] { answer = park_until(&ready, loop.due(), time->now() + 8s, [&] { return ready.load(); }); }};
  time->await_timer_within(8s);
  ready = true;
  unpark_all(&ready);
  sleeper.join();
  CHECK(answer);
  CHECK(loop.due().armed() == 0);
  time->advance(1h);
}

TEST_CASE("without an end of time parking sets no timer", "[parking]") {
  timers due{[] {}};
  std::atomic<bool> ready{false};
  std::atomic<bool> answer{false};
  std::atomic<bool> parked{false};
  std::thread sleeper{[&] {
    answer = park_until(&ready, due, never, [&] {
      parked = true;
      parked.notify_all();
      return ready.load();
    });
  }};
  parked.wait(false);
  CHECK(due.armed() == 0);
  ready = true;
  unpark_all(&ready);
  sleeper.join();
  CHECK(answer);
}

TEST_CASE("time and wake-up may come at the same moment", "[parking]") {
  control_loop loop{real_clock(), 2};
  for (int round = 0; round != 2000; ++round) {
    std::atomic<bool> ready{false};
    std::thread waker;
    if (round % 4 == 0)
      waker = std::thread{[&] {
        ready = true;
        unpark_all(&ready);
      }};
    const auto until = loop.now() + std::chrono::microseconds{round % 4 == 0 ? 50 : 1};
    const bool answer = park_until(&ready, loop.due(), until, [&] { return ready.load(); });
    CHECK((!answer || round % 4 == 0));
    if (waker.joinable())
      waker.join();
  }
  CHECK(loop.due().armed() == 0);
}

namespace {

/// Sleeps without a thread, and says when it is woken.
struct dozer final : sleeper {
  dozer(std::vector<dozer*>& woken) : woken_{&woken} {}
  bool rouse() noexcept override { return std::exchange(asleep, false); }
  void go() noexcept override { woken_->push_back(this); }
  bool asleep = true;

private:
  std::vector<dozer*>* woken_;
};

} // namespace

TEST_CASE("those who sleep without a thread are woken at their address, in the order in which they lay down",
          "[parking]") {
  std::vector<dozer*> woken;
  std::vector<std::unique_ptr<dozer>> all;
  const std::vector<char> address(20'000); // enough for every bucket's table to grow
  for (int round = 0; round != 2; ++round)
    for (const char& each : address)
      lie_down(&each, *all.emplace_back(std::make_unique<dozer>(woken)));
  bool in_order = true;
  for (std::size_t i = 0; i != address.size(); ++i) {
    woken.clear();
    unpark_all(&address[i]);
    in_order = in_order && woken == std::vector<dozer*>{all[i].get(), all[i + address.size()].get()};
  }
  CHECK(in_order);
  woken.clear();
  unpark_all(&address[0]); // they are there still, but awake
  CHECK(woken.empty());
  for (auto& each : all) {
    get_up(*each);
    each->asleep = true;
  }
  for (const char& each : address)
    unpark_all(&each);
  CHECK(woken.empty());
}

TEST_CASE("a thread and one without a thread are woken at one address", "[parking]") {
  std::vector<dozer*> woken;
  dozer quiet{woken};
  std::atomic<bool> ready{false};
  lie_down(&ready, quiet);
  std::thread parked{[&] { park(&ready, [&] { return ready.load(); }); }};
  ready = true;
  unpark_all(&ready);
  parked.join();
  CHECK(woken == std::vector<dozer*>{&quiet});
  get_up(quiet);
}

TEST_CASE("many lie down, are woken and get up on many threads", "[parking]") {
  struct one final : sleeper {
    bool rouse() noexcept override { return !woken.exchange(true); }
    void go() noexcept override { gone.store(true); }
    std::atomic<bool> woken{false};
    std::atomic<bool> gone{false};
  };
  const std::vector<char> address(64);
  std::atomic<bool> over{false};
  std::thread waker{[&] {
    while (!over)
      for (const char& each : address)
        unpark_all(&each);
  }};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t != 3; ++t)
    threads.emplace_back([&, t] {
      for (std::size_t round = 0; round != 300; ++round) {
        one sleeps;
        lie_down(&address[(t + round) % address.size()], sleeps);
        while (!sleeps.gone)
          std::this_thread::yield();
        get_up(sleeps);
      }
    });
  for (auto& each : threads)
    each.join();
  over = true;
  waker.join();
}
