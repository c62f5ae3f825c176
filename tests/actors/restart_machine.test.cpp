/// Restarts as Erlang/OTP's supervisor does them: who is stopped, started and forgotten in which order, when it is
/// enough, and what significant children bring about. Without threads.
#include "restart_support.hpp"

#include <vector>

using namespace muster_test;
using enum muster::child_kind;
using enum muster::restart_strategy;

namespace {

struct row {
  restart_strategy strategy;
  child_kind kind;
  bool abnormal;
  const char* what_follows;
};

/// a and c are permanent, b is of the kind in question, d is temporary.
crew four(restart_strategy strategy, child_kind kind) {
  crew c{patient(strategy), "a"};
  c.add("b", kind);
  c.add("c");
  c.add("d", temporary);
  return c;
}

void look_at(const row& r) {
  INFO("strategy " << static_cast<int>(r.strategy) << ", kind " << static_cast<int>(r.kind)
                   << (r.abnormal ? ", failed" : ", ended normally"));
}

} // namespace

TEST_CASE("a running child ends: what OTP stops, starts and forgets", "[restart_machine]") {
  const char* const all = "stop d1, forget d, stop c1, stop a1, start a2, start b2, start c2";
  const char* const rest = "stop d1, forget d, stop c1, start b2, start c2";
  const std::vector<row> table{
      {one_for_one, permanent, false, "start b2"},  {one_for_one, permanent, true, "start b2"},
      {one_for_one, transient, false, ""},          {one_for_one, transient, true, "start b2"},
      {one_for_one, temporary, false, "forget b"},  {one_for_one, temporary, true, "forget b"},
      {one_for_all, permanent, false, all},         {one_for_all, permanent, true, all},
      {one_for_all, transient, false, ""},          {one_for_all, transient, true, all},
      {one_for_all, temporary, false, "forget b"},  {one_for_all, temporary, true, "forget b"},
      {rest_for_one, permanent, false, rest},       {rest_for_one, permanent, true, rest},
      {rest_for_one, transient, false, ""},         {rest_for_one, transient, true, rest},
      {rest_for_one, temporary, false, "forget b"}, {rest_for_one, temporary, true, "forget b"},
  };
  for (const row& r : table) {
    look_at(r);
    crew c = four(r.strategy, r.kind);
    c.gone('b', 1, r.abnormal);
    CHECK(c.obeyed() == r.what_follows);
    const bool restarted = std::string_view{r.what_follows}.find("start") != std::string_view::npos;
    CHECK(c.m.window().size() == (restarted ? 1 : 0));
    CHECK(c.states("b") == (restarted ? "r" : r.kind == temporary ? " " : "-"));
    CHECK_FALSE(c.m.operating());
  }
}

TEST_CASE("a child that is starting again is gone: its start has failed, however it went", "[restart_machine]") {
  const std::vector<row> table{
      {one_for_one, permanent, false, "start b3"},
      {one_for_one, permanent, true, "start b3"},
      {one_for_one, transient, false, "start b3"},
      {one_for_one, transient, true, "start b3"},
      {one_for_all, permanent, false, "stop a2, start a3, start b3, start c2"},
      {one_for_all, permanent, true, "stop a2, start a3, start b3, start c2"},
      {one_for_all, transient, false, "stop a2, start a3, start b3, start c2"},
      {one_for_all, transient, true, "stop a2, start a3, start b3, start c2"},
      {rest_for_one, permanent, false, "start b3, start c2"},
      {rest_for_one, permanent, true, "start b3, start c2"},
      {rest_for_one, transient, false, "start b3, start c2"},
      {rest_for_one, transient, true, "start b3, start c2"},
  };
  for (const row& r : table) {
    for (const bool says_so : {true, false}) {
      look_at(r);
      crew c{patient(r.strategy), "a"};
      c.add("b", r.kind);
      c.add("c");
      c.fails('b');
      for (std::string said = c.said(); said != "start b2"; said = c.said()) {
        REQUIRE_FALSE(said.empty());
        said.starts_with("stop") ? c.ends(said[5]) : c.ready(said[6]);
      }
      says_so ? c.not_ready('b') : c.gone('b', 2, r.abnormal);
      CHECK(c.obeyed() == r.what_follows);
      CHECK(c.m.window().size() == 2);
    }
  }
}

TEST_CASE("a child that was told to stop by hand only acknowledges it", "[restart_machine]") {
  for (const auto strategy : {one_for_one, one_for_all, rest_for_one})
    for (const auto kind : {permanent, transient, temporary})
      for (const bool abnormal : {false, true}) {
        crew c = four(strategy, kind);
        CHECK(c.stop('b') == answer::ok);
        CHECK(c.said() == "stop b1");
        CHECK(c.states("b") == "s");
        c.gone('b', 1, abnormal);
        CHECK(c.said() == (kind == temporary ? "forget b" : ""));
        CHECK(c.states("b") == (kind == temporary ? " " : "-"));
        CHECK(c.m.window().empty());
      }
}

TEST_CASE("a child that a group stops only acknowledges it, and comes back unless it is temporary",
          "[restart_machine]") {
  for (const auto strategy : {one_for_all, rest_for_one})
    for (const auto kind : {permanent, transient, temporary})
      for (const bool abnormal : {false, true})
        for (const bool before_its_turn : {false, true}) {
          crew c = four(strategy, kind);
          c.fails('a');
          CHECK(c.said() == "stop d1");
          if (before_its_turn)
            c.gone('b', 1, abnormal);
          CHECK(c.said() == (before_its_turn && kind == temporary ? "forget b" : ""));
          c.gone('d', 1, abnormal);
          CHECK(c.said() == "forget d, stop c1");
          c.gone('c', 1, abnormal);
          if (!before_its_turn) {
            CHECK(c.said() == "stop b1");
            c.gone('b', 1, abnormal);
          }
          const std::string rest = kind == temporary ? "start a2, start c2" : "start a2, start b2, start c2";
          CHECK(c.obeyed() == (!before_its_turn && kind == temporary ? "forget b, " : "") + rest);
          CHECK(c.m.window().size() == 1);
        }
}

TEST_CASE("a child that is down has no end", "[restart_machine]") {
  for (const auto strategy : {one_for_one, one_for_all, rest_for_one}) {
    crew c = four(strategy, permanent);
    CHECK(c.stop('b') == answer::ok);
    CHECK(c.said() == "stop b1");
    c.ends('b');
    c.gone('b', 1, true);
    c.m.start_failed(crew::id('b'), 1, "", c.now);
    c.m.started(crew::id('b'), 1, c.now);
    c.gone('?', 1, true);
    CHECK(c.said().empty());
    CHECK(c.states("abcd") == "r-rr");
  }
}

TEST_CASE("a group restart brings back those that had ended or were stopped by hand", "[restart_machine]") {
  crew c{patient(rest_for_one), "a"};
  c.add("bcde", transient);
  CHECK(c.stop('a') == answer::ok);
  CHECK(c.stop('d') == answer::ok);
  CHECK(c.obeyed() == "stop a1, stop d1");
  c.ends('c');
  c.fails('b');
  CHECK(c.states("abcde") == "-wwwr");
  CHECK(c.obeyed() == "stop e1, start b2, start c2, start d2, start e2");
  CHECK(c.states("abcde") == "-rrrr"); // a is before b
  CHECK(c.m.restarts(crew::id('d')) == 1);
}

// -- how many --------------------------------------------------------------------------------------------------------

TEST_CASE("one restart too many stops all in reverse order, each awaited, and then gives up once",
          "[restart_machine]") {
  for (const auto strategy : {one_for_one, one_for_all, rest_for_one}) {
    crew c{{.strategy = strategy, .max_restarts = 0}, "abc"};
    c.add("t", temporary);
    c.fails('b');
    CHECK(c.m.gave_up());
    CHECK(c.m.operating());
    CHECK(c.said() == "stop t1");
    c.fails('t');
    CHECK(c.said() == "forget t, stop c1");
    c.fails('a'); // by itself, before its turn
    CHECK(c.said().empty());
    c.ends('c');
    CHECK(c.said() == "give up");
    CHECK(c.said().empty());
    CHECK_FALSE(c.m.operating());
    CHECK(c.m.gave_up());
    REQUIRE(c.m.window().size() == 1);
    CHECK(c.m.window()[0].who == crew::id('b'));
    CHECK(c.m.window()[0].why == "broken");
  }
}

TEST_CASE("a restart counts until exactly `within` has passed and not a nanosecond longer", "[restart_machine]") {
  for (const auto late : {0ns, 1ns}) {
    crew c{{.max_restarts = 2, .within = 5s}, "ab"};
    c.fails('a');
    CHECK(c.obeyed() == "start a2");
    c.now += 2s;
    c.fails('b');
    CHECK(c.obeyed() == "start b2");
    c.now += 3s + late;
    c.fails('b');
    CHECK(c.m.gave_up() == (late == 0ns));
    CHECK(c.m.window().size() == (late == 0ns ? 3 : 2));
    CHECK(c.obeyed() == (late == 0ns ? "stop a2, give up" : "start b3"));
  }
}

TEST_CASE("a window without length counts what happens at the same moment, one without end all", "[restart_machine]") {
  crew brief{{.max_restarts = 1, .within = 0s}, "ab"};
  for (int i = 0; i < 10; ++i, brief.now += 1ns) {
    brief.fails('a');
    CHECK(brief.obeyed() == "start a" + std::to_string(i + 2));
  }
  brief.fails('a');
  brief.fails('b');
  CHECK(brief.m.gave_up());
  crew endless{{.max_restarts = 1, .within = muster::duration::max()}, "a"};
  endless.fails('a');
  CHECK(endless.obeyed() == "start a2");
  endless.now += 24h * 365 * 100;
  endless.fails('a');
  CHECK(endless.obeyed() == "give up");
}

TEST_CASE("a start that fails counts, and a group restart counts once", "[restart_machine]") {
  crew c{{.strategy = one_for_all, .max_restarts = 2, .within = 1h}, "abc"};
  c.fails('b');
  CHECK(c.obeyed() == "stop c1, stop a1, start a2, start b2, start c2");
  CHECK(c.m.counted() == 1);
  c.fails('c');
  CHECK(c.said() == "stop b2");
  c.ends('b');
  CHECK(c.said() == "stop a2");
  c.ends('a');
  CHECK(c.said() == "start a3");
  CHECK(c.m.counted() == 2);
  c.not_ready('a');
  CHECK(c.m.counted() == 3);
  CHECK(c.said() == "give up");
}

TEST_CASE("giving up awaits those that were told to stop already and stops those that are starting",
          "[restart_machine]") {
  crew c{{.max_restarts = 2, .within = 1h, .delay = {.first = 1s}}, "abcd"};
  c.fails('b');
  c.fails('c');
  CHECK(c.stop('d') == answer::ok);
  CHECK(c.said() == "stop d1");
  c.now += 1s;
  CHECK(c.said() == "start b2, start c2");
  c.ready('b');
  c.fails('b');
  CHECK(c.states("abcd") == "r-Ss");
  CHECK(c.said().empty()); // d is being stopped
  c.ends('d');
  CHECK(c.said() == "stop c2");
  c.not_ready('c');
  CHECK(c.obeyed() == "stop a1, give up");
}

// -- significant children --------------------------------------------------------------------------------------------

TEST_CASE("any_significant ends the supervisor with the first significant child that is not restarted",
          "[restart_machine]") {
  struct line {
    child_kind kind;
    bool abnormal;
    bool ends;
  };
  for (const line l : {line{transient, false, true}, line{transient, true, false}, line{temporary, false, true},
                       line{temporary, true, true}}) {
    crew c{{.max_restarts = 9, .ends = auto_shutdown::any_significant}, "a"};
    c.add("s", l.kind, true);
    c.add("bt", transient);
    c.ends('t'); // not significant
    CHECK(c.said().empty());
    c.gone('s', 1, l.abnormal);
    CHECK(c.m.operating() == l.ends);
    CHECK_FALSE(c.m.gave_up());
    const std::string forget = l.kind == temporary ? "forget s, " : "";
    CHECK(c.obeyed() == (l.ends ? forget + "stop b1, stop a1, end" : "start s2"));
    CHECK(c.said().empty());
  }
}

TEST_CASE("all_significant ends the supervisor with the last one", "[restart_machine]") {
  crew c{{.max_restarts = 9, .within = 1h, .delay = {.first = 1s}, .ends = auto_shutdown::all_significant}, "a"};
  c.add("xyz", transient, true);
  c.ends('x');
  c.fails('y'); // waits for its restart, so it is not gone
  c.ends('z');
  CHECK(c.said().empty());
  c.now += 1s;
  CHECK(c.obeyed() == "start y2");
  c.ends('y');
  CHECK(c.obeyed() == "stop a1, end");
}

TEST_CASE("significant children that were stopped or removed end nothing, and keep nothing going",
          "[restart_machine]") {
  crew c{{.max_restarts = 9, .ends = auto_shutdown::all_significant}, "a"};
  c.add("xyz", transient, true);
  CHECK(c.stop('x') == answer::ok);
  CHECK(c.obeyed() == "stop x1");
  CHECK(c.remove('x') == answer::ok);
  CHECK(c.obeyed() == "forget x");
  CHECK(c.stop('y') == answer::ok);
  CHECK(c.said() == "stop y1");
  c.fails('y'); // on its way out
  CHECK(c.said().empty());
  CHECK(c.restart('y') == answer::ok);
  CHECK(c.said() == "start y2");
  c.not_ready('y'); // by hand: nobody's end
  CHECK(c.said().empty());
  c.ends('z');
  CHECK(c.obeyed() == "stop a1, end");

  crew last{{.ends = auto_shutdown::all_significant}, "a"};
  last.add("x", transient, true);
  CHECK(last.stop('x') == answer::ok);
  CHECK(last.obeyed() == "stop x1");
  CHECK_FALSE(last.m.operating());

  crew group{{.strategy = one_for_all, .max_restarts = 9, .ends = auto_shutdown::any_significant}, "a"};
  group.add("x", temporary, true);
  group.add("y", transient, true);
  group.fails('a');
  CHECK(group.obeyed() == "stop y1, stop x1, forget x, start a2, start y2");
  CHECK_FALSE(group.m.operating());
}

TEST_CASE("without auto_shutdown significant children are like any other", "[restart_machine]") {
  crew c{{}, "a"};
  c.add("x", transient, true);
  c.ends('x');
  CHECK(c.said().empty());
}
