/// Group restarts in which something comes in between: failures at the same time, starts that fail, newcomers, late
/// exits, and a supervisor that is shut down in the middle of it.
#include "restart_support.hpp"

using namespace muster_test;
using enum muster::child_kind;
using enum muster::restart_strategy;

TEST_CASE("rest_for_one stops later siblings in reverse order, one at a time, and starts them forward",
          "[restart_machine]") {
  crew c{patient(rest_for_one), "abcd"};
  c.fails('b');
  CHECK(c.states("abcd") == "rwrr");
  CHECK(c.said() == "stop d1");
  CHECK(c.said().empty());
  CHECK(c.states("abcd") == "rwrs");
  c.ends('d');
  CHECK(c.said() == "stop c1");
  c.ends('c');
  CHECK(c.said() == "start b2");
  CHECK(c.states("abcd") == "rSww");
  CHECK(c.said().empty());
  c.ready('b');
  CHECK(c.said() == "start c2");
  c.ready('c');
  CHECK(c.said() == "start d2");
  CHECK(c.m.operating());
  c.ready('d');
  CHECK(c.said().empty());
  CHECK_FALSE(c.m.operating());
}

TEST_CASE("an earlier sibling that fails while a rest_for_one restart stops widens the set", "[restart_machine]") {
  crew c{patient(rest_for_one), "abcd"};
  c.fails('c');
  CHECK(c.said() == "stop d1");
  c.fails('b');
  CHECK(c.said().empty()); // d is still awaited
  CHECK(c.m.counted() == 2);
  c.fails('d');
  CHECK(c.m.counted() == 2);
  CHECK(c.obeyed() == "start b2, start c2, start d2");
  CHECK(c.states("abcd") == "rrrr");
}

TEST_CASE("an earlier sibling that fails in the backoff widens the set and begins a new one", "[restart_machine]") {
  crew c{patient(rest_for_one, {.first = 1s}), "abcd"};
  c.fails('d');
  CHECK(c.said().empty());
  CHECK(c.m.due() == c.now + 1s);
  c.now += 400ms;
  c.fails('b');
  CHECK(c.m.due() == std::nullopt);
  CHECK(c.said() == "stop c1");
  c.ends('c');
  CHECK(c.said().empty());
  CHECK(c.m.due() == c.now + 2s);
  c.now += 2s;
  CHECK(c.obeyed() == "start b2, start c2, start d2");
}

TEST_CASE("an earlier sibling that fails while later ones start stops those first", "[restart_machine]") {
  crew c{patient(rest_for_one), "abcd"};
  c.fails('b');
  CHECK(c.said() == "stop d1");
  c.ends('d');
  CHECK(c.said() == "stop c1");
  c.ends('c');
  CHECK(c.said() == "start b2");
  c.ready('b');
  CHECK(c.said() == "start c2");
  c.fails('a');
  CHECK(c.said() == "stop c2"); // it has not said that it is ready
  c.ready('c');
  CHECK(c.said().empty());
  c.ends('c');
  CHECK(c.obeyed() == "stop b2, start a2, start b3, start c3, start d2");
}

TEST_CASE("one that fails after it was started again: those started before it in this round stay up",
          "[restart_machine]") {
  for (const auto strategy : {rest_for_one, one_for_all}) {
    crew c{patient(strategy), "abcd"};
    c.fails('a');
    CHECK(c.said() == "stop d1");
    c.ends('d');
    CHECK(c.said() == "stop c1");
    c.ends('c');
    CHECK(c.said() == "stop b1");
    c.ends('b');
    CHECK(c.said() == "start a2");
    c.ready('a');
    CHECK(c.said() == "start b2");
    c.ready('b');
    CHECK(c.said() == "start c2");
    c.fails('b');
    CHECK(c.m.counted() == 2);
    CHECK(c.obeyed() == (strategy == rest_for_one ? "stop c2, start b3, start c3, start d2"
                                                  : "stop c2, stop a2, start a3, start b3, start c3, start d2"));
  }
}

TEST_CASE("a start that fails in the middle of a group restart leads to a new attempt after a longer wait",
          "[restart_machine]") {
  for (const auto strategy : {rest_for_one, one_for_all}) {
    crew c{patient(strategy, {.first = 1s, .factor = 3}), "abc"};
    c.fails('a');
    CHECK(c.obeyed() == "stop c1, stop b1");
    c.now += 1s;
    CHECK(c.said() == "start a2");
    c.ready('a');
    CHECK(c.said() == "start b2");
    c.not_ready('b');
    CHECK(c.m.window().back().attempt == 2);
    CHECK(c.m.window().back().why == "no luck");
    CHECK(c.obeyed() == (strategy == rest_for_one ? "" : "stop a2"));
    CHECK(c.states("abc") == (strategy == rest_for_one ? "rww" : "www"));
    CHECK(c.m.due() == c.now + 3s);
    c.now += 3s;
    CHECK(c.obeyed() == (strategy == rest_for_one ? "start b3, start c2" : "start a3, start b3, start c2"));
  }
}

TEST_CASE("one that was started again and ends normally is not started twice in a round", "[restart_machine]") {
  crew c{patient(one_for_all)};
  c.add("ab", transient);
  c.fails('a');
  CHECK(c.said() == "stop b1");
  c.ends('b');
  CHECK(c.said() == "start a2");
  c.ready('a');
  c.ends('a'); // before anybody asked what follows
  CHECK(c.obeyed() == "start b2");
  CHECK(c.states("ab") == "-r");
}

TEST_CASE("a child stopped or started by hand when its group restarts is awaited and brought back",
          "[restart_machine]") {
  crew c{patient(rest_for_one), "abcd"};
  CHECK(c.stop('d') == answer::ok);
  CHECK(c.obeyed() == "stop d1");
  CHECK(c.restart('d') == answer::ok);
  CHECK(c.stop('c') == answer::ok);
  CHECK(c.said() == "stop c1, start d2");
  c.fails('b');
  CHECK(c.said() == "stop d2");
  c.not_ready('d');
  CHECK(c.said().empty());
  c.ends('c');
  CHECK(c.obeyed() == "start b2, start c2, start d3");
  CHECK(c.m.counted() == 1);
}

TEST_CASE("a start by hand that nobody was told of yet becomes one of the group", "[restart_machine]") {
  crew c{patient(rest_for_one, {.first = 1s}), "abc"};
  CHECK(c.stop('c') == answer::ok);
  CHECK(c.obeyed() == "stop c1");
  CHECK(c.restart('c') == answer::ok);
  c.fails('b');
  CHECK(c.said().empty());
  CHECK(c.states("abc") == "rww");
  c.now += 1s;
  CHECK(c.said() == "start b2");
  c.ready('b');
  CHECK(c.said() == "start c2");
  c.not_ready('c');
  CHECK(c.m.counted() == 2);
  CHECK(c.m.restarts(crew::id('c')) == 1);
}

TEST_CASE("what is done by hand before its group does not come between", "[restart_machine]") {
  crew c{patient(rest_for_one), "abcd"};
  CHECK(c.stop('a') == answer::ok);
  CHECK(c.obeyed() == "stop a1");
  CHECK(c.restart('a') == answer::ok);
  CHECK(c.stop('b') == answer::ok);
  CHECK(c.said() == "stop b1, start a2");
  c.fails('c');
  CHECK(c.said() == "stop d1");
  c.ends('d');
  CHECK(c.said() == "start c2");
  c.not_ready('a');
  c.ends('b');
  c.ready('c');
  CHECK(c.obeyed() == "start d2");
  CHECK(c.states("abcd") == "--rr");
}

TEST_CASE("a newcomer is stopped with a group that stops, and left alone by one that waits or starts",
          "[restart_machine]") {
  crew c{patient(rest_for_one, {.first = 1s}), "abc"};
  c.fails('b');
  CHECK(c.said() == "stop c1");
  c.add("d");
  c.add("t", temporary);
  CHECK(c.said().empty()); // one at a time
  c.ends('c');
  CHECK(c.obeyed() == "stop t1, forget t, stop d1");
  c.add("e");
  c.add("f", transient);
  c.ends('f');
  CHECK(c.said().empty());
  CHECK(c.states("abcdef") == "rwwwr-");
  c.now += 1s;
  CHECK(c.said() == "start b2");
  c.add("g");
  c.ready('b');
  CHECK(c.obeyed() == "start c2, start d2");
  CHECK(c.states("abcdefg") == "rrrrr-r");
}

TEST_CASE("a newcomer that fails in the middle of a round ends the round from where it was", "[restart_machine]") {
  crew c{patient(rest_for_one), "ab"};
  c.fails('a');
  CHECK(c.said() == "stop b1");
  c.ends('b');
  CHECK(c.said() == "start a2");
  c.add("c");
  c.ready('a');
  CHECK(c.said() == "start b2");
  c.fails('c');
  CHECK(c.obeyed() == "stop b2, start b3, start c2");
  CHECK(c.m.counted() == 2);
}

TEST_CASE("exits of earlier incarnations that arrive late are ignored", "[restart_machine]") {
  for (const auto strategy : {one_for_one, one_for_all, rest_for_one}) {
    crew c{patient(strategy, {.first = 1s}), "ab"};
    c.fails('a');
    (void)c.obeyed();
    c.gone('a', 1, true); // while it waits
    c.now += 1s;
    const std::string first = c.said();
    CHECK(first == "start a2");
    c.gone('a', 1, true); // while it starts
    c.m.start_failed(crew::id('a'), 1, "", c.now);
    c.m.started(crew::id('a'), 1, c.now);
    c.ready('a');
    (void)c.obeyed();
    c.gone('a', 1, true); // while it runs
    c.gone('a', 3, true); // and one that never was
    CHECK(c.said().empty());
    CHECK(c.states("ab") == "rr");
    CHECK(c.m.counted() == 1);
  }
}

TEST_CASE("giving up in the middle of a group restart stops what is up and forgets the rest of the plan",
          "[restart_machine]") {
  crew c{{.strategy = rest_for_one, .max_restarts = 1, .within = 1h}, "abcd"};
  c.fails('b');
  CHECK(c.said() == "stop d1");
  c.ends('d');
  CHECK(c.said() == "stop c1");
  c.ends('c');
  CHECK(c.said() == "start b2");
  c.ready('b');
  CHECK(c.said() == "start c2");
  c.not_ready('c');
  CHECK(c.m.gave_up());
  CHECK(c.obeyed() == "stop b2, stop a1, give up");
  CHECK(c.states("abcd") == "----");
}

TEST_CASE("a significant child that ends in the middle of a group restart ends the supervisor", "[restart_machine]") {
  crew c{{.strategy = rest_for_one, .max_restarts = 9, .delay = {.first = 1s}, .ends = auto_shutdown::all_significant}};
  c.add("s", transient, true);
  c.add("ab");
  c.add("t", temporary, true); // goes with the group, so that s is the last
  c.fails('a');
  CHECK(c.said() == "stop t1");
  c.ends('s');
  CHECK(c.obeyed().empty());
  c.ends('t');
  CHECK(c.obeyed() == "forget t, stop b1, end");
  CHECK_FALSE(c.m.due());
}

TEST_CASE("a newcomer while the supervisor gives up is stopped before that", "[restart_machine]") {
  crew c{{.max_restarts = 0}, "ab"};
  c.fails('a');
  CHECK(c.said() == "stop b1");
  c.add("c");
  c.ends('b');
  CHECK(c.obeyed() == "stop c1, give up");
}

// -- shut down -------------------------------------------------------------------------------------------------------

TEST_CASE("a supervisor that is shut down while its group stops says nothing any more", "[restart_machine]") {
  crew c{patient(one_for_all), "ab"};
  c.add("t", temporary);
  c.fails('a');
  CHECK(c.said() == "stop t1");
  c.m.shut_down();
  CHECK_FALSE(c.m.operating());
  CHECK(c.said().empty());
  c.ends('t');
  CHECK(c.said() == "forget t");
  c.fails('b');
  c.add("c");
  c.fails('c');
  CHECK(c.said().empty());
  CHECK(c.states("abct") == "--- ");
  CHECK(c.m.counted() == 1);
}

TEST_CASE("a start that succeeds after the shutdown leaves the child running for its owner to stop",
          "[restart_machine]") {
  for (const auto strategy : {one_for_one, one_for_all, rest_for_one}) {
    crew c{patient(strategy), "ab"};
    c.fails('b');
    (void)c.stop('?');
    while (c.states("b") != "S") {
      const std::string said = c.said();
      if (said == "stop a1")
        c.ends('a');
      else if (said == "start a2")
        c.ready('a');
    }
    c.m.shut_down();
    c.ready('b');
    CHECK(c.states("b") == "r");
    CHECK(c.said().empty());
    c.fails('b');
    CHECK(c.states("b") == "-");
    CHECK(c.said().empty());
  }
}

TEST_CASE("a shutdown drops backoffs, starts and stops that nobody was told of", "[restart_machine]") {
  crew c{patient(one_for_one, {.first = 1s}), "abc"};
  c.add("t", temporary);
  c.fails('a');
  CHECK(c.stop('b') == answer::ok);
  c.ends('t');
  c.m.shut_down();
  CHECK_FALSE(c.m.due());
  CHECK(c.states("abc") == "-rr");
  CHECK(c.said() == "forget t");
  c.now += 1h;
  CHECK(c.said().empty());

  crew group{patient(rest_for_one, {.first = 1s}), "ab"};
  group.fails('a');
  CHECK(group.obeyed() == "stop b1");
  group.m.shut_down();
  CHECK_FALSE(group.m.due());
  CHECK(group.states("ab") == "--");
}

TEST_CASE("a shutdown while giving up leaves the rest to the owner", "[restart_machine]") {
  crew c{{.max_restarts = 0}, "abc"};
  c.fails('a');
  CHECK(c.said() == "stop c1");
  c.m.shut_down();
  c.ends('c');
  CHECK(c.said().empty());
  CHECK(c.m.gave_up());
  CHECK_FALSE(c.m.operating());
}
