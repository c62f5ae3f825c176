// The schedule: what is drawn depends on the seed alone, nobody is left out, and priorities mean what they say.
#include "schedule.hpp"

#include "catch.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

using muster::runtime::pause;
using muster::runtime::schedule;

namespace {

int things[8];

std::vector<int> drawn(const muster::runtime::schedule_options& options, int many = 8) {
  schedule s{options};
  for (int i = 0; i < many; ++i)
    s.add({.who = &things[i], .priority = s.new_priority()});
  std::vector<int> order;
  while (s.ready() != 0)
    order.push_back(static_cast<int>(static_cast<int*>(s.next().who) - things));
  return order;
}

} // namespace

TEST_CASE("schedule: a seed always draws the same and everybody once") {
  for (const bool by_priority : {false, true})
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      const muster::runtime::schedule_options options{
        .seed = seed, .priority_changes = 2, .by_priority = by_priority, .expected_steps = 8};
      auto order = drawn(options);
      REQUIRE(order == drawn(options));
      std::ranges::sort(order);
      REQUIRE(order == std::vector{0, 1, 2, 3, 4, 5, 6, 7});
    }
}

TEST_CASE("schedule: a walk and priorities alike reach every order of four within their seeds") {
  for (const bool by_priority : {false, true}) {
    std::set<std::vector<int>> seen;
    for (std::uint64_t seed = 0; seed < 1'000; ++seed)
      seen.insert(drawn({.seed = seed, .by_priority = by_priority}, 4));
    CHECK(seen.size() == 24);
  }
}

TEST_CASE("schedule: a walk takes each of those that are ready about equally often") {
  std::map<int, int> first;
  for (std::uint64_t seed = 0; seed < 8'000; ++seed)
    ++first[drawn({.seed = seed}).front()];
  for (const auto& [who, times] : first)
    CHECK((times > 800 && times < 1'200));
}

TEST_CASE("schedule: with priorities whoever has the highest runs on until it drops") {
  schedule s{{.seed = 1, .priority_changes = 1, .by_priority = true, .expected_steps = 1}};
  s.add({.who = &things[0], .priority = std::uint64_t{1} << 40U});
  s.add({.who = &things[1], .priority = std::uint64_t{1} << 39U});
  // The one change is at the first step: the highest drops before it has run.
  auto now = s.next();
  CHECK(now.who == &things[1]);
  CHECK_FALSE(s.interrupts(pause::call, now.priority));
  CHECK_FALSE(s.interrupts(pause::inside, now.priority));
  CHECK(s.next().who == &things[0]);
}

TEST_CASE("schedule: with priorities whoever only looks lets the others go first") {
  schedule s{{.seed = 1, .by_priority = true}};
  s.add({.who = &things[0], .priority = std::uint64_t{1} << 40U});
  s.add({.who = &things[1], .priority = 1});
  auto looks = s.next();
  REQUIRE(looks.who == &things[0]);
  // Its priority is now below all that dropping gave so far, but not below a lower one given by hand.
  CHECK_FALSE(s.interrupts(pause::look, looks.priority));
  s.add({.who = &things[2], .priority = s.new_priority()});
  CHECK(s.interrupts(pause::look, looks.priority));
}

TEST_CASE("schedule: a walk passes over most pauses inside and none at a call") {
  schedule s{{.seed = 5}};
  s.add({.who = &things[0]});
  std::uint64_t priority = 0;
  int inside = 0;
  for (int i = 0; i < 1'000; ++i) {
    REQUIRE(s.interrupts(pause::call, priority));
    inside += s.interrupts(pause::inside, priority) ? 1 : 0;
  }
  CHECK((inside > 150 && inside < 350));
  static_cast<void>(s.next());
  CHECK_FALSE(s.interrupts(pause::call, priority));
}
