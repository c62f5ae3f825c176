// The conductor with a control loop, a lane and parked threads, without actors: one step at a time, and it ends.
#include "conductor.hpp"
#include "control_loop.hpp"
#include "lane.hpp"
#include "mutex.hpp"
#include "parking.hpp"

#include "catch.hpp"

#include <functional>
#include <string>
#include <vector>

using namespace muster::runtime;
using namespace std::chrono_literals;

namespace {

class simulated : public muster::clock {
public:
  explicit simulated(std::uint64_t seed) : by{{.schedule = {.seed = seed}}} { by.begin(); }
  ~simulated() override { by.end(); }
  [[nodiscard]] muster::time_point now() const noexcept override { return by.now(); }
  [[nodiscard]] bool is_manual() const noexcept override { return true; }
  [[nodiscard]] muster::runtime::conductor* conductor() const noexcept override { return &by; }

  mutable muster::runtime::conductor by;
};

/// A whole without actors: what an engine is made of.
struct site {
  explicit site(std::uint64_t seed, unsigned workers = 4)
      : time{std::make_shared<simulated>(seed)}, control{time, 1}, work{{.workers = workers, .time = time}} {}

  std::shared_ptr<simulated> time;
  control_loop control;
  lane work;
};

class item final : public lane_item {
public:
  explicit item(std::function<void()> what) : what_{std::move(what)} {}

private:
  void run_on_lane() noexcept override { what_(); }
  std::function<void()> what_;
};

} // namespace

TEST_CASE("conductor: one thread at a time runs, whatever is on the lane") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    site s{seed};
    mutex lock;
    int inside = 0; // not atomic: the thread sanitizer sees that nobody else is there
    int most = 0;
    std::vector<std::unique_ptr<item>> items;
    for (int i = 0; i < 10; ++i)
      items.push_back(std::make_unique<item>([&] {
        most = std::max(most, ++inside);
        for (int n = 0; n < 5; ++n)
          const std::scoped_lock here{lock};
        --inside;
      }));
    for (auto& each : items)
      s.work.push(*each);
    s.work.stop();
    REQUIRE(inside == 0);
    REQUIRE(most >= 1);
    REQUIRE(most <= 4);
  }
}

TEST_CASE("conductor: threads that wait for each other's steps all come to their ends") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    site s{seed, 2};
    int turn = 0;
    std::string order;
    std::vector<std::unique_ptr<item>> items;
    for (int i = 9; i >= 0; --i)
      items.push_back(std::make_unique<item>([&, i] {
        const wait_region region; // so that the others find a worker, though they come later
        park(&turn, [&] { return turn == i; });
        order += std::to_string(i);
        ++turn;
        unpark_all(&turn);
      }));
    for (auto& each : items)
      s.work.push(*each);
    park(&turn, [&] { return turn == 10; });
    REQUIRE(order == "0123456789");
  }
}

TEST_CASE("conductor: time jumps to what is due and stands still otherwise") {
  site s{1};
  const auto start = s.time->now();
  bool never_true = false;
  CHECK_FALSE(park_until(&never_true, s.control.due(), start + 3s, [&] { return never_true; }));
  CHECK(s.time->now() == start + 3s);
  std::vector<std::unique_ptr<item>> items;
  std::vector<long> woke;
  for (int i : {5, 2, 9})
    items.push_back(std::make_unique<item>([&, i] {
      const wait_region region;
      static_cast<void>(park_until(&never_true, s.control.due(), start + 1s * i, [&] { return never_true; }));
      woke.push_back((s.time->now() - start) / 1s);
    }));
  for (auto& each : items)
    s.work.push(*each);
  s.time->by.rest(start + 6s);
  CHECK(woke == std::vector<long>{3, 5}); // the one that was due before is late at once
  CHECK(s.time->now() == start + 6s);
  s.time->by.rest(start + 60s);
  CHECK(woke == std::vector<long>{3, 5, 9});
}

TEST_CASE("conductor: when nobody can go on the hook hears who waits and what it does helps") {
  site s{1};
  bool let_go = false;
  std::string heard;
  s.time->by.on_stuck([&](const std::string& report) {
    heard = report;
    let_go = true;
    unpark_all(&let_go);
  });
  const auto what = [] { return std::string{"the test waits for Godot"}; };
  CHECK(park(&let_go, [&] { return let_go; }, {what, true}));
  CHECK(heard.find("the test waits for Godot") != std::string::npos);
  CHECK(s.time->by.take_report() == heard);
  CHECK(s.time->by.take_report() == std::nullopt);
}

TEST_CASE("conductor: a wait that nobody can end is called off if it may be") {
  site s{1};
  bool never_true = false;
  const auto what = [] { return std::string{"the test waits for Godot"}; };
  CHECK_FALSE(park(&never_true, [&] { return never_true; }, {what, true}));
  CHECK(s.time->by.take_report().has_value());
}
