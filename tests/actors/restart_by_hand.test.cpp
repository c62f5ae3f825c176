/// What can be asked of a supervisor's children by hand: restart, stop, remove, and what is answered in which state.
#include "restart_support.hpp"

using namespace muster_test;
using enum muster::child_kind;
using enum muster::restart_strategy;

TEST_CASE("what can be asked of a child in which state", "[restart_machine]") {
  struct line {
    const char* state;
    answer restart, stop, remove;
  };
  const auto asked = [](char verb, auto& c) {
    return verb == 'r' ? c.restart('b') : verb == 's' ? c.stop('b') : c.remove('b');
  };
  for (const line l :
       {line{"r", answer::running, answer::ok, answer::running},
        line{"S", answer::running, answer::ok, answer::running}, line{"s", answer::busy, answer::ok, answer::busy},
        line{"w", answer::busy, answer::ok, answer::busy}, line{"-", answer::ok, answer::ok, answer::ok},
        line{" ", answer::unknown, answer::unknown, answer::unknown}})
    for (const char verb : {'r', 's', 'm'}) {
      const char state = l.state[0];
      crew c{patient(one_for_one, {.first = 1s}), "abc"};
      c.fails('a'); // that others are busy does not matter
      if (state == 'S' || state == 'w')
        c.fails('b');
      if (state == 'S')
        c.now += 1s;
      if (state == 's' || state == '-' || state == ' ')
        CHECK(c.stop('b') == answer::ok);
      (void)c.said();
      if (state == '-' || state == ' ')
        c.ends('b');
      if (state == ' ')
        CHECK(c.remove('b') == answer::ok);
      (void)c.said();
      CHECK(c.states("b") == l.state);
      INFO("state " << state << ", verb " << verb);
      CHECK(asked(verb, c) == (verb == 'r' ? l.restart : verb == 's' ? l.stop : l.remove));
    }
}

TEST_CASE("a child restarted by hand starts at once, uncounted, with a new backoff", "[restart_machine]") {
  crew c{patient(one_for_one, {.first = 1s}), "ab"};
  c.fails('a');
  CHECK(c.stop('a') == answer::ok); // cancels its backoff
  CHECK_FALSE(c.m.due());
  CHECK(c.states("a") == "-");
  CHECK(c.restart('a') == answer::ok);
  CHECK(c.m.due() == c.now);
  CHECK(c.obeyed() == "start a2");
  CHECK(c.m.restarts(crew::id('a')) == 0);
  CHECK(c.m.counted() == 1);
  c.fails('a');
  CHECK(c.m.due() == c.now + 1s);
}

TEST_CASE("a start by hand that fails leaves the child stopped, as in OTP, whatever the limit", "[restart_machine]") {
  for (const auto strategy : {one_for_one, one_for_all, rest_for_one}) {
    crew c{{.strategy = strategy, .max_restarts = 0}, "ab"};
    CHECK(c.stop('a') == answer::ok);
    CHECK(c.obeyed() == "stop a1");
    CHECK(c.restart('a') == answer::ok);
    CHECK(c.said() == "start a2");
    c.not_ready('a');
    CHECK(c.said().empty());
    CHECK(c.states("ab") == "-r");
    CHECK_FALSE(c.m.gave_up());
  }
}

TEST_CASE("stopping a child that is starting stops that incarnation", "[restart_machine]") {
  crew c{patient(one_for_one), "a"};
  c.fails('a');
  CHECK(c.said() == "start a2");
  CHECK(c.stop('a') == answer::ok);
  CHECK(c.said() == "stop a2");
  c.ready('a'); // it had said so before it heard
  CHECK(c.states("a") == "s");
  c.ends('a');
  CHECK(c.said().empty());
  CHECK(c.states("a") == "-");
}

TEST_CASE("during a group restart nothing can be asked for, and of one that ends neither", "[restart_machine]") {
  for (const auto strategy : {one_for_all, rest_for_one}) {
    crew c{{.strategy = strategy, .max_restarts = 1, .delay = {.first = 1s}}, "abc"};
    c.fails('b');
    for (const char who : {'a', 'b', 'c'}) {
      CHECK(c.stop(who) == answer::busy);
      CHECK(c.restart(who) == answer::busy);
      CHECK(c.remove(who) == answer::busy);
    }
    CHECK(c.stop('?') == answer::unknown);
    c.fails('a');
    CHECK(c.m.gave_up() == (strategy == rest_for_one)); // one_for_all was to stop it anyway
    if (!c.m.gave_up())
      c.m.shut_down();
    CHECK(c.stop('a') == answer::ending);
    CHECK(c.restart('a') == answer::ending);
    CHECK(c.remove('a') == answer::ending);
    CHECK(c.stop('?') == answer::unknown);
  }
}
