// What the commands say of a small trace that is known to the last nanosecond.
#include "trace_builder.hpp"

#include <nlohmann/json.hpp>

using namespace trace_tests;
using namespace muster::trace_viewer;

TEST_CASE("tree shows each node with its state, duration and error") {
  CHECK(said_by(run_tree, failed_checkout().model()) ==
        "manager site  ok  1.20 s\n"
        "└─ scope checkout  failed  1.10 s  card declined\n"
        "   ├─ task charge  failed  1.00 s  card declined\n"
        "   ├─ task stock  cancelled  1.10 s  cancelled: sibling failed\n"
        "   └─ task worker  skipped  skipped: site/checkout/charge did not end ok\n");
}

TEST_CASE("tree shows the tree as it was at a moment, with what is waited for") {
  CHECK(said_by(run_tree, failed_checkout().model(), {.at = "500ms"}) ==
        "manager site  open  500 ms\n"
        "└─ scope checkout  open  500 ms\n"
        "   ├─ task charge  running  500 ms\n"
        "   ├─ task stock  running  500 ms\n"
        "   └─ task worker  waiting  waits for task site/checkout/charge since 500 ms\n");
  CHECK(said_by(run_tree, failed_checkout().model(), {.at = "1.05s"}) ==
        "manager site  open  1.05 s\n"
        "└─ scope checkout  stopping  1.05 s\n"
        "   ├─ task charge  failed  1.00 s  card declined\n"
        "   ├─ task stock  stopping  1.05 s\n"
        "   └─ task worker  skipped  skipped: site/checkout/charge did not end ok\n");
}

TEST_CASE("tree can be asked for what failed alone, for a part, and in colour") {
  CHECK(said_by(run_tree, failed_checkout().model(), {.failed = true}) ==
        "manager site  ok  1.20 s\n"
        "└─ scope checkout  failed  1.10 s  card declined\n"
        "   └─ task charge  failed  1.00 s  card declined\n");
  CHECK(said_by(run_tree, failed_checkout().model(), {.path = "site/checkout/stock"}) ==
        "task stock  cancelled  1.10 s  cancelled: sibling failed\n");
  CHECK(contains(said_by(run_tree, failed_checkout().model(), {.colour = true}), "\x1b[31;1mfailed\x1b[0m"));
  CHECK(said_by(run_tree, failed_checkout().model(), {.width = 40, .path = "site/checkout/stock"}) ==
        "task stock  cancelled  1.10 s  cancelle…\n");
}

TEST_CASE("tree as JSON holds the same") {
  const auto all = nlohmann::json::parse(said_by(run_tree, failed_checkout().model(), {.json = true}));
  REQUIRE(all["nodes"].size() == 5);
  CHECK(all["nodes"][2]["path"] == "site/checkout/charge");
  CHECK(all["nodes"][2]["state"] == "failed");
  CHECK(all["nodes"][2]["duration_ns"] == second);
  CHECK(all["nodes"][2]["error"] == "card declined");
}

TEST_CASE("blame walks from the root cause to what is asked about") {
  CHECK(said_by(run_blame, failed_checkout().model(), {.path = "site/checkout/stock"}) ==
        "task site/checkout/stock: cancelled\n"
        "     +0.000000 s  task site/checkout/charge was admitted\n"
        "     +0.000000 s  the body of task site/checkout/charge began on thread 7\n"
        "  1. +1.000000 s  task site/checkout/charge failed: card declined\n"
        "  2. +1.000000 s  scope site/checkout cancelled all below it, since site/checkout/charge failed\n"
        "  3. +1.000000 s  task site/checkout/stock was asked to stop: a sibling failed (it began with "
        "site/checkout/charge)\n"
        "  4. +1.100000 s  task site/checkout/stock ended: cancelled: cancelled: sibling failed\n");
  // Without a path: the first that failed.
  CHECK(contains(said_by(run_blame, failed_checkout().model()), "task site/checkout/charge: failed\n"));
  CHECK(said_by(run_blame, failed_checkout().model(), {.path = "site"}) ==
        "manager site: ok; nothing went wrong with it\n");
}

TEST_CASE("blame says where the chain is cut because events were overwritten") {
  trace_builder t;
  t.data().events_dropped = 3;
  t.scope(0, 2, 1, "crew");
  t.skip();
  const auto asked = t.add(5 * ms, event_kind::cancel_asked, 3, 2, 3, "site");
  t.end(6 * ms, 3, muster::outcome_kind::cancelled, asked, "cancelled");
  CHECK(said_by(run_blame, t.model(), {.path = "id:3"}) ==
        "task ?task:3: cancelled\n"
        "  The chain is cut here: its earlier part, from event 2 back, was overwritten.\n"
        "  1. +0.005000 s  task ?task:3 was asked to stop: what is above it was cancelled (it began with site)\n"
        "  2. +0.006000 s  task ?task:3 ended: cancelled: cancelled\n");
}

TEST_CASE("a call of cancel is blamed on the body that made it") {
  trace_builder t;
  t.manager(0, 1, "site");
  t.scope(0, 2, 1, "crew");
  const auto caller = t.running(0, 3, 2, "foreman");
  t.running(0, 4, 2, "mason");
  const auto asked = t.add(5 * ms, event_kind::cancel_asked, 4, caller, 0, "site/crew/mason");
  t.end(6 * ms, 4, muster::outcome_kind::cancelled, asked);
  CHECK(contains(said_by(run_blame, t.model(), {.path = "mason"}),
                 "task site/crew/mason was cancelled by a call of cancel, made in task site/crew/foreman\n"));
}

TEST_CASE("unknown and ambiguous paths are answered with the nearest there are") {
  CHECK(refused_by(run_blame, failed_checkout().model(), {.path = "site/checkout/chrage"}) ==
        "there is no 'site/checkout/chrage' in this trace; did you mean\n  site/checkout/charge");
  CHECK(refused_by(run_blame, failed_checkout().model(), {.path = "zzzzzzzzzz"}) ==
        "there is no 'zzzzzzzzzz' in this trace");
  CHECK(refused_by(run_tree, failed_checkout().model(), {.at = "soon"}).starts_with("'soon' is not a moment"));
  trace_builder t;
  t.manager(0, 1, "site");
  t.running(0, 2, 1, "worker");
  t.running(0, 3, 1, "worker");
  CHECK(refused_by(run_blame, t.model(), {.path = "site/worker"}) ==
        "'site/worker' is the path of 2 nodes; say which:\n  site/worker#1\n  site/worker#2");
  CHECK(said_by(run_tree, t.model(), {.path = "site/worker#2"}) == "task worker#2  running  0 ns\n");
}

TEST_CASE("timeline draws a bar for each node") {
  CHECK(said_by(run_timeline, failed_checkout().model(), {.width = 60}) ==
        "          +0.000000 s                           +1.200000 s\n"
        "site      ────────────────────────────────────────────────✓\n"
        " checkout ─────────────────────────────────────────▓▓▓✗\n"
        "  charge  ████████████████████████████████████████✗\n"
        "  stock   █████████████████████████████████████████▓▓▓C\n"
        "  worker  ········································s\n"
        "█ runs  ▒ waits in its body  ░ waits for a worker  · waits to be admitted  ▓ was asked to stop, releases  ─ "
        "is open\n");
}

TEST_CASE("waits tells who waits for whom, and who is still here though asked to stop") {
  CHECK(said_by(run_waits, failed_checkout().model(), {.at = "500ms"}) ==
        "    500 ms  a thread outside waits for scope site/checkout\n"
        "    500 ms  task site/checkout/worker comes after task site/checkout/charge\n");
  CHECK(said_by(run_waits, failed_checkout().model(), {.at = "1.05s"}) ==
        "    1.05 s  a thread outside waits for scope site/checkout\n"
        "asked to stop, and still here\n"
        "   50.0 ms  task site/checkout/stock was asked to stop (thread 8)\n");
  CHECK(said_by(run_waits, failed_checkout().model()) == "nobody waits\n");
}

TEST_CASE("waits marks circles, also through scopes and pools") {
  trace_builder t;
  t.manager(0, 1, "site");
  t.scope(0, 2, 1, "a");
  t.scope(0, 3, 1, "b");
  t.running(0, 4, 2, "left");
  t.running(0, 5, 3, "right");
  t.add(1, event_kind::wait_began, 4, 0, 3); // left waits for scope b, in which right waits for scope a, where left is
  t.add(2, event_kind::wait_began, 5, 0, 2);
  t.add(0, event_kind::pool_created, 6, 0, 1, "db");
  t.running(0, 7, 1, "holder");
  t.add(3, event_kind::lease_granted, 6, 0, 7);
  t.add(4, event_kind::wait_began, 7, 0, 6, "db"); // a second one, of which there is none
  const auto all = nlohmann::json::parse(said_by(run_waits, t.model(), {.json = true}));
  REQUIRE(all["circles"].size() == 2);
  CHECK(all["circles"][0] == nlohmann::json{"site/a/left", "site/b", "site/b/right", "site/a"});
  CHECK(all["circles"][1] == nlohmann::json{"site/holder", "site/db"});
  for (const auto& w : all["waits"])
    CHECK(w.contains("circle"));
}

TEST_CASE("waits names who holds up a shutdown, the longest first") {
  trace_builder t;
  t.manager(0, 1, "site");
  t.scope(0, 2, 1, "crew");
  t.running(0, 3, 2, "deaf", 99);
  t.add(ms, event_kind::resource_registered, 4, 0, 2, "socket");
  t.add(second, event_kind::manager_shutdown_began, 1, 0, 5 * second);
  t.add(2 * second, event_kind::cancel_asked, 3, 0, 4, "site");
  t.add(3 * second, event_kind::unresponsive, 3, 0, second, "main.cpp");
  t.add(3 * second, event_kind::release_started, 4, 0, second);
  t.add(5 * second, event_kind::note, 3, 0, 0, "still here");
  CHECK(said_by(run_waits, t.model()) ==
        "nobody waits\n"
        "the shutdown of manager site is held up by\n"
        "    3.00 s  task site/crew/deaf was asked to stop and does not answer (thread 99)\n"
        "    2.00 s  resource site/crew/socket is being released\n");
  CHECK(said_by(run_stuck, t.model()) ==
        "    3.00 s  task site/crew/deaf  was asked to stop and does not answer (thread 99)\n"
        "    2.00 s  resource site/crew/socket  is being released\n");
}

TEST_CASE("critical follows dependencies and joins, and the shares make up the whole") {
  trace_builder t;
  t.manager(0, 1, "site");
  t.scope(0, 2, 1, "crew");
  t.running(0, 3, 2, "dig");
  t.running(0, 4, 2, "paint");
  t.add(0, event_kind::task_created, 5, 0, 2, "build");
  t.add(0, event_kind::dependency, 5, 0, 3);
  t.end(10 * ms, 4);
  t.end(40 * ms, 3);
  t.add(45 * ms, event_kind::task_ready, 5, 0, 1);
  t.add(50 * ms, event_kind::task_started, 5, 0, 7);
  t.end(90 * ms, 5);
  t.add(90 * ms, event_kind::scope_joined, 2);
  t.add(100 * ms, event_kind::scope_ended, 2);
  CHECK(said_by(run_critical, t.model(), {.path = "site/crew"}) ==
        "scope site/crew: 100 ms\n"
        "  +0.000000 s    40.0 ms   40.0 %  runs      task site/crew/dig\n"
        "  +0.040000 s    5.00 ms    5.0 %  held      task site/crew/build\n"
        "  +0.045000 s    5.00 ms    5.0 %  queued    task site/crew/build\n"
        "  +0.050000 s    40.0 ms   40.0 %  runs      task site/crew/build\n"
        "  +0.090000 s    10.0 ms   10.0 %  releases  scope site/crew\n");
}

TEST_CASE("critical leads from what was cancelled to what brought that about") {
  CHECK(said_by(run_critical, failed_checkout().model(), {.path = "site/checkout"}) ==
        "scope site/checkout: 1.10 s\n"
        "  +0.000000 s     1.00 s   90.9 %  runs      task site/checkout/charge\n"
        "  +1.000000 s     100 ms    9.1 %  stops     task site/checkout/stock\n");
}

TEST_CASE("diff matches by path and order and finds what is new, gone, slower and failing") {
  const auto run = [](std::uint64_t ids, bool second_run) {
    trace_builder t;
    const auto id = [&](std::uint64_t n) { return ids + n; };
    const auto crew = static_cast<std::int64_t>(id(2));
    t.manager(0, id(1), "site");
    t.scope(0, id(2), static_cast<std::int64_t>(id(1)), "crew");
    t.running(0, id(3), crew, "worker");
    t.end(10 * ms, id(3));
    t.running(0, id(4), crew, "worker");
    t.end((second_run ? 30 : 10) * ms, id(4));
    t.running(0, id(5), crew, "mixer");
    t.end(10 * ms, id(5), second_run ? muster::outcome_kind::failed : muster::outcome_kind::ok, 0,
          second_run ? "stuck" : "");
    t.running(0, id(6), crew, second_run ? "crane" : "ladder");
    t.end(10 * ms, id(6));
    return t.model();
  };
  output out;
  const auto code = run_diff(run(0, false), run(1'000, true), {}, out);
  REQUIRE(code.has_value());
  CHECK(out.text() == "failing (1)\n"
                      "  task site/crew/mixer  ok → failed  stuck\n"
                      "slower (3)\n"
                      "  manager site  10.0 ms → 30.0 ms (×3.00)\n"
                      "  scope site/crew  10.0 ms → 30.0 ms (×3.00)\n"
                      "  task site/crew/worker#2  10.0 ms → 30.0 ms (×3.00)\n"
                      "new (1)\n"
                      "  task site/crew/crane\n"
                      "gone (1)\n"
                      "  task site/crew/ladder\n"
                      "1 node the same\n");
  output same;
  REQUIRE(run_diff(run(0, false), run(500, false), {}, same).has_value());
  CHECK(same.text() == "no difference in 6 nodes\n");
}

TEST_CASE("lint points at slow cancels, scopes that nobody waited for, slow releases, storms and starving") {
  trace_builder t;
  t.manager(0, 1, "site");
  t.scope(0, 2, 1, "crew");
  t.running(0, 3, 2, "deaf");
  t.add(ms, event_kind::cancel_asked, 3, 0, 0);
  t.end(301 * ms, 3, muster::outcome_kind::cancelled);
  t.add(301 * ms, event_kind::wait_began, 0, 0, 2, "its destructor");
  t.add(301 * ms, event_kind::scope_ended, 2, 0, 1);
  t.add(301 * ms, event_kind::resource_registered, 4, 0, 1, "socket");
  t.add(302 * ms, event_kind::release_started, 4);
  t.add(502 * ms, event_kind::release_ended, 4);
  t.add(503 * ms, event_kind::actor_started, 5, 0, 1, "sensor");
  for (std::int64_t i = 1; i <= 3; ++i) {
    t.add((503 + i) * ms, event_kind::actor_ended, 5, 0, 1, "broke");
    t.add((503 + i) * ms, event_kind::restart_done, 5, 0, i, "sensor");
  }
  t.add(600 * ms, event_kind::task_created, 6, 0, 1, "low");
  t.add(600 * ms, event_kind::task_ready, 6, 0, 0);
  t.add(700 * ms, event_kind::task_created, 7, 0, 1, "high");
  t.add(700 * ms, event_kind::task_ready, 7, 0, 2);
  t.add(800 * ms, event_kind::task_started, 7);
  t.end(900 * ms, 7);
  t.add(2'600 * ms, event_kind::task_started, 6);
  t.end(2'700 * ms, 6);
  output out;
  const auto code = run_lint(t.model(), {.width = 200}, out);
  REQUIRE(code.has_value());
  CHECK(*code == 1);
  CHECK(
      out.text() ==
      "slow to answer a cancel (1): more than 100 ms\n"
      "  +0.001000 s  task site/crew/deaf: ended 300 ms after it was asked to stop; it never looked\n"
      "scopes that nobody waited for (1)\n"
      "  +0.000000 s  scope site/crew: 1 task in it, 1 cut off by its destructor; call wait() before it is destroyed\n"
      "slow to release (1): more than 100 ms\n"
      "  +0.302000 s  resource site/socket: its release took 200 ms\n"
      "restart storms (1): 3 restarts or more in 10 s\n"
      "  +0.504000 s  actor site/sensor: 3 restarts in 10 s, 3 in all\n"
      "starved by work of a higher priority (1): ready for more than 1.00 s\n"
      "  +0.600000 s  task site/low: ready for 2.00 s while 1 task of a higher priority that came later went first\n");
  output clean;
  CHECK(run_lint(failed_checkout().model(), {}, clean) == 0);
  CHECK(clean.text() == "nothing found\n");
  // The thresholds are options.
  output strict;
  CHECK(run_lint(failed_checkout().model(), {.slow_cancel = 99 * ms}, strict) == 1);
}

TEST_CASE("check passes for what was killed and tells of damage") {
  auto t = failed_checkout();
  CHECK(said_by(run_check, t.model()) == "whole: version 1.0, 23 events, 9 texts\n");
  t.data().ended_cleanly = false;
  t.data().events.resize(12);
  t.data().torn = 1;
  output killed;
  CHECK(run_check(t.model(), {}, killed) == 0);
  CHECK(contains(killed.text(), "did not end cleanly"));
  CHECK(contains(killed.text(), "5 nodes had not ended"));
  CHECK(contains(killed.text(), "1 record that was being written, left out"));
  t.data().problems.push_back({4096, "the segment's checksum is wrong"});
  output damaged;
  CHECK(run_check(t.model(), {}, damaged) == 1);
  CHECK(contains(damaged.text(), "the segment's checksum is wrong (at byte 4096)"));
}

TEST_CASE("ps lists processes and top says what one is doing") {
  output out;
  REQUIRE(run_ps({{.pid = 7, .program = "shop\x1b", .running = true, .file = "/run/a", .started_wall_ns = 0},
                  {.pid = 6, .program = "shop", .running = false, .file = "/run/b", .started_wall_ns = 0}},
                 {}, out));
  CHECK(out.text() == "     pid  state     program                   file\n"
                      "       7  running   shop\\x1b                  /run/a\n"
                      "       6  ended     shop                      /run/b\n");
  trace_builder t;
  t.data().live = true;
  t.manager(0, 1, "site");
  t.scope(0, 2, 1, "crew");
  t.running(0, 3, 2, "mason", 31);
  t.running(ms, 4, 2, "waiter", 32);
  t.add(2 * ms, event_kind::wait_began, 4, 0, 3);
  const trace_model now{t.data(), 10 * ms};
  output top;
  REQUIRE(run_top(now, {}, 24, top));
  CHECK(top.text() == "site (pid 42), up 10.0 ms; 1 scope open; workers: ?\n"
                      "tasks: 2 running\n"
                      "\n"
                      "       for  who, and what\n"
                      "   10.0 ms  task site/crew/mason  runs (thread 31)\n"
                      "   8.00 ms  task site/crew/waiter  waits for task site/crew/mason (thread 32)\n");
  CHECK(said_by(run_stuck, now) == "   10.0 ms  task site/crew/mason  runs (thread 31)\n"
                                   "            keeps waiting: task site/crew/waiter\n"
                                   "   8.00 ms  task site/crew/waiter  waits for task site/crew/mason (thread 32)\n");
}
