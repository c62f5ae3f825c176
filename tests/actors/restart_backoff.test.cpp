/// How long a restart waits, when that begins anew, and which options are refused.
#include "backoff_delay.hpp"
#include "restart_support.hpp"

#include <limits>
#include <set>

using namespace muster_test;
using muster::backoff_delay;
using muster::duration;
using enum muster::child_kind;
using enum muster::restart_strategy;

TEST_CASE("the n-th delay is min(cap, first * factor^(n-1)), exactly", "[restart_machine]") {
  const muster::backoff how{.first = 100ms, .factor = 2, .cap = 5s};
  for (const auto& [n, expected] : std::map<std::uint64_t, duration>{
           {0, 0s}, {1, 100ms}, {2, 200ms}, {3, 400ms}, {6, 3200ms}, {7, 5s}, {8, 5s}, {1'000'000, 5s}})
    CHECK(backoff_delay(how, n, 0.5) == expected);
  CHECK(backoff_delay({.first = 7ns, .factor = 1}, 1'000'000'000, 0) == 7ns);
  CHECK(backoff_delay({.first = 10ns, .factor = 1.5}, 3, 0) == 23ns); // 22.5
  CHECK(backoff_delay({.first = 100ms, .factor = 1.1}, 3, 0) == 121ms);
  CHECK(backoff_delay({.first = 0s, .jitter = 1}, 5, 0.9) == 0s);
}

TEST_CASE("delays do not overflow", "[restart_machine]") {
  const duration most = duration::max();
  CHECK(backoff_delay({.first = 1s, .factor = 1e300, .cap = most}, std::numeric_limits<std::uint64_t>::max(), 0) ==
        most);
  CHECK(backoff_delay({.first = most, .factor = 2, .cap = most, .jitter = 1}, 9, 0x1.fffffffffffffp-1) <= most);
  CHECK(backoff_delay({.first = most, .factor = 1, .cap = most, .jitter = 0.5}, 1, 0) < most);
  crew c{patient(one_for_one, {.first = most, .cap = most}), "a"};
  c.fails('a');
  CHECK(c.m.due() == muster::never);
  CHECK(c.said().empty());
}

TEST_CASE("jitter replaces its part of the delay by a random share", "[restart_machine]") {
  const muster::backoff how{.first = 1s, .jitter = 0.25};
  CHECK(backoff_delay(how, 1, 0) == 750ms);
  CHECK(backoff_delay(how, 1, 0.5) == 875ms);
  CHECK(backoff_delay({.first = 1s, .jitter = 1}, 1, 0) == 0s);

  const auto drawn = [](std::uint64_t seed) {
    crew c{patient(one_for_one, {.first = 1s, .factor = 1, .jitter = 0.25, .seed = seed}), "a"};
    std::vector<duration> all;
    for (int i = 0; i < 50; ++i) {
      c.fails('a');
      all.push_back(*c.m.due() - c.now);
      CHECK(all.back() >= 750ms);
      CHECK(all.back() < 1s);
      c.now = *c.m.due();
      CHECK(c.obeyed().starts_with("start a"));
    }
    return all;
  };
  const auto first = drawn(1);
  CHECK(first == drawn(1));
  CHECK(first != drawn(2));
  CHECK(std::set<duration>(first.begin(), first.end()).size() > 45);
}

TEST_CASE("a child starts at the end of its backoff and not a nanosecond earlier", "[restart_machine]") {
  for (const auto strategy : {one_for_one, one_for_all, rest_for_one}) {
    crew c{patient(strategy, {.first = 1s}), "a"};
    c.fails('a');
    CHECK(c.said().empty());
    CHECK(c.states("a") == "w");
    CHECK(c.m.due() == c.now + 1s);
    c.now += 1s - 1ns;
    CHECK(c.said().empty());
    c.now += 1ns;
    CHECK(c.said() == "start a2");
    CHECK_FALSE(c.m.due());
  }
}

TEST_CASE("each child has its own backoff with one_for_one, and several may wait", "[restart_machine]") {
  crew c{patient(one_for_one, {.first = 1s}), "abc"};
  c.fails('b');
  c.now += 100ms;
  c.fails('a');
  CHECK(c.said().empty());
  CHECK(c.states("abc") == "wwr");
  CHECK(c.m.due() == c.now + 900ms);
  c.now += 900ms;
  CHECK(c.said() == "start b2");
  c.not_ready('b'); // the second in a row: 2 s
  CHECK(c.m.due() == c.now + 100ms);
  c.now += 100ms;
  CHECK(c.obeyed() == "start a2");
  CHECK(c.m.due() == c.now + 1900ms);
}

TEST_CASE("backoffs that end at the same moment start in the order of the children", "[restart_machine]") {
  crew c{patient(one_for_one, {.first = 1s}), "abc"};
  for (const char who : {'c', 'a', 'b'})
    c.fails(who);
  c.now += 1s;
  CHECK(c.said() == "start a2, start b2, start c2");
}

TEST_CASE("the time that stopping takes is part of a group's backoff", "[restart_machine]") {
  crew c{patient(one_for_all, {.first = 1s}), "ab"};
  c.fails('a');
  CHECK(c.said() == "stop b1");
  CHECK_FALSE(c.m.due());
  c.now += 300ms;
  c.ends('b');
  CHECK(c.said().empty());
  CHECK(c.m.due() == c.now + 700ms);
  c.now += 700ms;
  CHECK(c.obeyed() == "start a2, start b2");
  c.fails('b'); // 2 s
  CHECK(c.said() == "stop a2");
  c.now += 5s;
  c.ends('a');
  CHECK(c.obeyed() == "start a3, start b3");
}

TEST_CASE("after a quiet period the delay is the first again", "[restart_machine]") {
  for (const auto strategy : {one_for_one, one_for_all, rest_for_one})
    for (const bool by_default : {true, false}) {
      muster::restart policy = patient(strategy, {.first = 1s, .quiet = by_default ? 0s : 10s});
      policy.within = by_default ? 10s : 1h;
      crew c{policy, "a"};
      c.now += 1h; // up for long before the first failure
      const auto delay = [&](duration up) {
        c.now += up;
        c.fails('a');
        CHECK(c.said().empty());
        const auto waits = *c.m.due() - c.now;
        c.now = *c.m.due();
        CHECK(c.obeyed().starts_with("start a"));
        return waits;
      };
      CHECK(delay(0s) == 1s);
      CHECK(delay(0s) == 2s);
      CHECK(delay(10s - 1ns) == 4s);
      CHECK(delay(0s) == 8s);
      CHECK(delay(0s) == 16s); // the backoff itself is no quiet period
      CHECK(delay(10s) == 1s);
    }
}

TEST_CASE("a start that fails after a long time is no quiet period", "[restart_machine]") {
  for (const auto strategy : {one_for_one, one_for_all, rest_for_one}) {
    crew c{patient(strategy, {.first = 1s, .quiet = 1s}), "a"};
    c.fails('a');
    c.now += 1s;
    CHECK(c.said() == "start a2");
    c.now += 1min;
    c.not_ready('a');
    CHECK(c.m.window().back().attempt == 2);
    CHECK(c.m.window().back().delay == 2s);
  }
}

TEST_CASE("options that make no sense are refused with a sentence", "[restart_machine]") {
  using muster::complaint_about;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_FALSE(complaint_about({}));
  CHECK_FALSE(complaint_about({.max_restarts = 0, .within = 0s}));
  CHECK_FALSE(complaint_about({.delay = {.first = 30s, .factor = 1, .jitter = 1}}));
  CHECK(complaint_about({.within = -1ns}) == "restart::within must not be negative");
  CHECK(complaint_about({.delay = {.first = -1ns}}) == "backoff::first must not be negative");
  CHECK(complaint_about({.delay = {.cap = -1ns}}) == "backoff::cap must not be negative");
  CHECK(complaint_about({.delay = {.quiet = -1ns}}) == "backoff::quiet must not be negative");
  for (const double bad : {0.99, 0.0, -2.0, nan})
    CHECK(complaint_about({.delay = {.factor = bad}}) == "backoff::factor must be at least 1");
  for (const double bad : {-0.01, 1.01, nan})
    CHECK(complaint_about({.delay = {.jitter = bad}}) == "backoff::jitter must be between 0 and 1");
  CHECK(complaint_about({.delay = {.first = 31s}}) == "backoff::cap must not be shorter than backoff::first");
}

TEST_CASE("the defaults are those of OTP: one_for_one, one restart in five seconds, no delay", "[restart_machine]") {
  CHECK(muster::restart{} == muster::restart{.strategy = one_for_one, .max_restarts = 1, .within = 5s});
  crew c{{}, "a"};
  c.fails('a');
  CHECK(c.obeyed() == "start a2");
  c.fails('a');
  CHECK(c.obeyed() == "give up");
}

TEST_CASE("a child's state has a word", "[restart_machine]") {
  CHECK(to_string(child_state::starting) == "starting");
  CHECK(to_string(child_state::running) == "running");
  CHECK(to_string(child_state::stopping) == "stopping");
  CHECK(to_string(child_state::waiting) == "waiting");
  CHECK(to_string(child_state::stopped) == "stopped");
}
