// The manual clock, with engines that are only numbers.
#include "catch.hpp"

#include <muster/clock.hpp>

#include <map>
#include <mutex>
#include <thread>
#include <vector>

using namespace muster;
using namespace std::chrono_literals;

namespace {

/// Stands in for an engine: its timers are moments, and what they do is noted.
class fake_engine final : public clock::listener {
public:
  explicit fake_engine(manual_clock& time) : time_{time} { time_.attach(*this); }
  ~fake_engine() { time_.detach(*this); }

  void arm(time_point due, std::function<void()> what = [] {}) {
    {
      const std::scoped_lock lock{mutex_};
      due_.emplace(due, std::move(what));
    }
    time_.timers_changed();
  }
  std::optional<time_point> next_due() const override {
    const std::scoped_lock lock{mutex_};
    return due_.empty() ? std::nullopt : std::optional{due_.begin()->first};
  }
  void settle(time_point now) override {
    for (;;) {
      std::function<void()> what;
      {
        const std::scoped_lock lock{mutex_};
        if (due_.empty() || due_.begin()->first > now)
          return;
        what = std::move(due_.begin()->second);
        due_.erase(due_.begin());
      }
      fired.push_back(now);
      what();
    }
  }

  std::vector<time_point> fired;

private:
  manual_clock& time_;
  mutable std::mutex mutex_;
  std::multimap<time_point, std::function<void()>> due_;
};

} // namespace

TEST_CASE("adding to a moment never overflows", "[clock]") {
  CHECK(saturating_add(never, 1s) == never);
  CHECK(saturating_add(never - 1s, 2s) == never);
  CHECK(saturating_add(time_point::min() + 1s, -2s) == time_point::min());
  CHECK(saturating_add(time_point{} + 1s, 2s) == time_point{} + 3s);
}

TEST_CASE("the real clock is one object and never goes back", "[clock]") {
  CHECK(real_clock() == real_clock());
  CHECK_FALSE(real_clock()->is_manual());
  const auto before = std::chrono::steady_clock::now();
  const auto now = real_clock()->now();
  CHECK(before <= now);
  CHECK(now <= std::chrono::steady_clock::now());
}

TEST_CASE("a manual clock stands still until it is moved", "[clock]") {
  manual_clock time{time_point{5s}};
  CHECK(time.is_manual());
  CHECK(time.now() == time_point{5s});
  time.advance(0s);
  CHECK(time.now() == time_point{5s});
  time.advance(90min);
  CHECK(time.now() == time_point{90min + 5s});
}

TEST_CASE("each timer on the way fires at exactly its own moment, across engines", "[clock]") {
  manual_clock time;
  const auto start = time.now();
  fake_engine a{time};
  fake_engine b{time};
  a.arm(start + 3s);
  b.arm(start + 2s);
  a.arm(start + 1s);
  b.arm(start + 9s);
  time.advance(5s);
  CHECK(a.fired == std::vector{start + 1s, start + 3s});
  CHECK(b.fired == std::vector{start + 2s});
  CHECK(time.now() == start + 5s);
}

TEST_CASE("a timer that is set by another on the way fires on the same way", "[clock]") {
  manual_clock time;
  const auto start = time.now();
  fake_engine a{time};
  fake_engine b{time};
  a.arm(start + 1s, [&] { b.arm(time.now() + 1s, [&] { a.arm(time.now()); }); });
  time.advance(2s);
  CHECK(a.fired == std::vector{start + 1s, start + 2s});
  CHECK(b.fired == std::vector{start + 2s});
}

TEST_CASE("a timer whose moment has passed does not turn time back", "[clock]") {
  manual_clock time;
  const auto start = time.now();
  fake_engine a{time};
  a.arm(start - 1s);
  time.advance(1s);
  CHECK(a.fired == std::vector{start});
  CHECK(time.now() == start + 1s);
}

TEST_CASE("a test can wait until somebody has set a timer", "[clock]") {
  manual_clock time;
  const auto start = time.now();
  fake_engine a{time};
  std::thread sleeper{[&] {
    a.arm(start + 10s); // too late to count
    a.arm(start + 2s);
  }};
  time.await_timer_within(2s);
  CHECK(a.next_due() == start + 2s);
  sleeper.join();
}

TEST_CASE("an engine that has gone is not asked any more", "[clock]") {
  manual_clock time;
  {
    fake_engine gone{time};
    gone.arm(time.now() + 1s);
  }
  fake_engine stays{time};
  stays.arm(time.now() + 1s);
  time.advance(2s);
  CHECK(stays.fired.size() == 1);
}
