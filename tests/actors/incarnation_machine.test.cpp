// One incarnation after the other of a child: what is answered to what, in which state, and what must hold whatever
// happens in whichever order. Without threads, on a clock of the test's own.
#include "incarnation_machine.hpp"

#include "../catch.hpp"

#include <chrono>
#include <random>
#include <set>
#include <string>

using namespace std::chrono_literals;
using muster::incarnation_machine;
using muster::never;
using state = incarnation_machine::state;
using obstacle = incarnation_machine::obstacle;
using kind = incarnation_machine::command::kind;

namespace {

constexpr const char* verbs[] = {"make", "call off",     "up",        "late",        "stop", "kill",
                                 "unresponsive", "not begun", "not started", "gone", "left"};
constexpr const char* reasons[] = {"",         "not made",     "born dead", "ended", "said so",
                                   "too late", "told to stop", "cancelled", "over"};

std::string written(const incarnation_machine::command& c) {
  std::string text = verbs[static_cast<int>(c.what)];
  if (c.what == kind::not_started)
    text += std::string{": "} + reasons[static_cast<int>(c.why)] + (c.late ? " (known)" : "");
  if (c.what == kind::gone)
    text += c.asked ? " as asked" : " by itself";
  return text;
}

/// A child with 10 s for its start and 3 s for its stop.
struct child {
  explicit child(bool reports = true) : m{{.start = 10s, .stop = 3s, .reports = reports}} {}

  std::string said() {
    std::string all;
    while (const auto c = m.next())
      all += (all.empty() ? "" : ", ") + written(*c);
    return all;
  }
  child& in(state wanted) {
    m.begin(++which, now);
    if (wanted != state::making)
      m.made(false, now);
    if (wanted == state::up || wanted == state::stopping)
      m.said(which, true, now);
    if (wanted == state::stopping)
      m.halt(which, now);
    static_cast<void>(said());
    return *this;
  }
  std::string after(muster::duration d) {
    now += d;
    m.tick(now);
    return said();
  }

  incarnation_machine m;
  std::uint64_t which = 0;
  muster::time_point now{1h};
};

std::string event(child& c, const std::string& what) {
  if (what == "made")
    c.m.made(false, c.now);
  else if (what == "made dead")
    c.m.made(true, c.now);
  else if (what == "not made")
    c.m.not_made(false);
  else if (what == "ready")
    c.m.said(c.which, true, c.now);
  else if (what == "failed")
    c.m.said(c.which, false, c.now);
  else if (what == "gone")
    c.m.gone();
  else if (what == "halt")
    c.m.halt(c.which, c.now);
  else if (what == "cancel")
    c.m.cancel(c.now);
  else if (what == "end")
    c.m.end();
  else if (what == "overdue")
    c.m.overdue();
  else if (what == "due" && c.m.due() != never)
    c.m.tick(c.now = c.m.due());
  return c.said();
}

} // namespace

TEST_CASE("what an incarnation answers to what happens, in each state", "[incarnation_machine]") {
  struct row {
    state in;
    const char* happens;
    const char* answered;
  };
  const row rows[] = {
    {state::making, "made", ""},
    {state::making, "made dead", "stop"},
    {state::making, "not made", "not started: not made"},
    {state::making, "ready", ""},
    {state::making, "failed", ""},
    {state::making, "gone", ""},
    {state::making, "halt", "call off"},
    {state::making, "cancel", "call off"},
    {state::making, "end", "call off"},
    {state::making, "overdue", ""},
    {state::making, "due", "call off, late"},
    {state::starting, "made", ""},
    {state::starting, "not made", ""},
    {state::starting, "ready", "up"},
    {state::starting, "failed", "stop"},
    {state::starting, "gone", "not started: ended"},
    {state::starting, "halt", "stop"},
    {state::starting, "cancel", "stop"},
    {state::starting, "end", "stop"},
    {state::starting, "overdue", ""},
    {state::starting, "due", "stop"},
    {state::up, "ready", ""},
    {state::up, "failed", ""},
    {state::up, "gone", "gone by itself"},
    {state::up, "halt", "stop"},
    {state::up, "cancel", ""},
    {state::up, "end", "stop"},
    {state::up, "overdue", ""},
    {state::up, "due", ""},
    {state::stopping, "ready", ""},
    {state::stopping, "failed", ""},
    {state::stopping, "gone", "gone as asked"},
    {state::stopping, "halt", ""},
    {state::stopping, "cancel", ""},
    {state::stopping, "end", ""},
    {state::stopping, "overdue", "kill"},
    {state::stopping, "due", "unresponsive, kill"},
  };
  for (const auto& r : rows) {
    INFO("state " << static_cast<int>(r.in) << ", " << r.happens);
    child c;
    c.in(r.in);
    CHECK(event(c, r.happens) == r.answered);
  }
}

TEST_CASE("why an incarnation has not started is the first thing that came in its way", "[incarnation_machine]") {
  struct row {
    state in;
    const char* first;
    const char* second;
    const char* why;
  };
  const row rows[] = {
    {state::making, "halt", "not made", "not started: told to stop"},
    {state::making, "cancel", "not made", "not started: cancelled"},
    {state::making, "due", "not made", "not started: too late (known)"},
    {state::starting, "due", "gone", "not started: too late"},
    {state::starting, "failed", "gone", "not started: said so"},
    {state::starting, "halt", "gone", "not started: told to stop"},
    {state::starting, "cancel", "gone", "not started: cancelled"},
  };
  for (const auto& r : rows) {
    INFO("state " << static_cast<int>(r.in) << ", " << r.first);
    child c;
    c.in(r.in);
    event(c, r.first);
    CHECK(event(c, r.second) == r.why);
    CHECK(c.m.at() == state::down);
  }
}

TEST_CASE("one that is no longer wanted is stopped as soon as it has been made", "[incarnation_machine]") {
  for (const char* what : {"halt", "cancel", "end", "due"}) {
    INFO(what);
    child c{false};
    c.in(state::making);
    event(c, what);
    CHECK(event(c, "made") == "stop");
    CHECK(event(c, "ready").empty());
  }
}

TEST_CASE("a word that comes before the actor is taken up with it, and of two the first counts",
          "[incarnation_machine]") {
  child good;
  good.in(state::making);
  event(good, "ready");
  event(good, "failed");
  CHECK(event(good, "made") == "up");
  child bad;
  bad.in(state::making);
  event(bad, "failed");
  event(bad, "ready");
  CHECK(event(bad, "made") == "stop");
  CHECK(event(bad, "gone") == "not started: said so");
}

TEST_CASE("a factory that does not return is told of at its limit, and as unresponsive after the time for a stop",
          "[incarnation_machine]") {
  child c;
  c.in(state::making);
  CHECK(c.after(10s - 1ns).empty());
  CHECK(c.after(1ns) == "call off, late");
  CHECK(c.after(3s) == "unresponsive");
  CHECK(c.m.due() == never);
  CHECK(event(c, "halt") == "call off");
  CHECK(c.after(3s).empty()); // once is enough
  CHECK(event(c, "made") == "stop");
  CHECK(event(c, "gone") == "not started: too late (known)");
}

TEST_CASE("a stop has its time from the moment it is asked for, and of a stop for good the owner keeps it",
          "[incarnation_machine]") {
  child by_hand;
  by_hand.in(state::up);
  by_hand.now += 1h;
  CHECK(event(by_hand, "halt") == "stop");
  CHECK(by_hand.after(3s - 1ns).empty());
  CHECK(by_hand.after(1ns) == "unresponsive, kill");
  child at_end;
  at_end.in(state::up);
  event(at_end, "end");
  CHECK(at_end.m.due() == never);
  CHECK(event(at_end, "gone") == "gone as asked, left");
}

TEST_CASE("what is about an earlier incarnation is ignored", "[incarnation_machine]") {
  child c;
  c.in(state::up);
  event(c, "gone");
  c.in(state::starting);
  c.m.said(1, true, c.now);
  c.m.halt(1, c.now);
  CHECK(c.said().empty());
  CHECK(c.m.at() == state::starting);
}

TEST_CASE("after a cancel or the end nothing is begun", "[incarnation_machine]") {
  child cancelled;
  event(cancelled, "cancel");
  cancelled.m.begin(1, cancelled.now);
  CHECK(cancelled.said() == "not begun");
  child ended;
  CHECK(event(ended, "end") == "left");
  ended.m.begin(1, ended.now);
  CHECK(ended.said() == "not begun");
  CHECK(event(ended, "end").empty());
}

namespace {

/// Says what it finds wrong in the order of commands.
struct witness {
  std::set<std::string> wrong;
  std::uint64_t making = 0; ///< the incarnation that was told to be made and is not answered
  bool up = false;
  bool asked = false;
  bool left = false;
  bool over = false; ///< cancelled or ended
  int stops = 0;

  void expect(bool right, const char* sentence) {
    if (!right)
      wrong.insert(sentence);
  }
  void saw(const incarnation_machine::command& c) {
    expect(!left || c.what == kind::not_begun, "nothing follows `left`");
    switch (c.what) {
    case kind::make:
      expect(making == 0 && !over, "one at a time is made, and none after a cancel or the end");
      making = c.which;
      stops = 0;
      up = asked = false;
      break;
    case kind::up:
      expect(making == c.which && !up && !asked, "it comes up once, and not after it was told to stop");
      up = true;
      break;
    case kind::stop:
      expect(making == c.which && ++stops == 1, "an actor is asked to stop once");
      asked = true;
      break;
    case kind::kill: expect(asked, "who is killed was asked first"); break;
    case kind::not_started:
      expect(making == c.which && !up && c.why != obstacle::none, "one that was not up has not started, for a reason");
      making = 0;
      break;
    case kind::gone:
      expect(making == c.which && up && c.asked == asked, "one that was up is gone, asked to or not");
      making = 0;
      break;
    case kind::late:
    case kind::call_off: expect(making == c.which && !up && !asked, "only what is being made is called off"); break;
    case kind::left:
      expect(making == 0, "it leaves when nothing is there");
      left = true;
      break;
    case kind::unresponsive:
    case kind::not_begun: break;
    }
  }
};

} // namespace

TEST_CASE("whatever happens to a child in whichever order, what must hold holds", "[incarnation_machine]") {
  for (std::uint32_t seed = 1; seed <= 20'000; ++seed) {
    std::mt19937 draw{seed};
    const auto below = [&](unsigned n) { return draw() % n; };
    incarnation_machine m{{.start = 10s, .stop = 3s, .reports = below(2) == 0}};
    witness saw;
    std::uint64_t which = 0;
    muster::time_point now{1h};
    for (int step = 0; step < 40; ++step) {
      switch (below(12)) {
      case 0:
      case 1:
        if (m.at() == state::down)
          m.begin(++which, now);
        break;
      case 2:
      case 3: m.made(below(8) == 0, now); break;
      case 4: m.not_made(below(2) == 0); break;
      case 5: m.said(which - below(2) * (which > 0 ? 1 : 0), below(3) != 0, now); break;
      case 6:
        if (m.at() != state::making)
          m.gone();
        break;
      case 7: m.halt(which, now); break;
      case 8: m.tick(now += std::chrono::seconds{below(8)}); break;
      case 9: m.overdue(); break;
      case 10: m.can_be_called_off(); break;
      default:
        if (below(6) == 0) {
          saw.over = true;
          below(2) == 0 ? m.cancel(now) : m.end();
        }
      }
      while (const auto c = m.next())
        saw.saw(*c);
      saw.expect(m.due() == never || m.at() == state::making || m.at() == state::starting || m.at() == state::stopping,
                 "there is a limit only while something is awaited");
    }
    // It comes to its end whatever went before.
    saw.over = true;
    m.end();
    m.not_made(false);
    m.gone();
    while (const auto c = m.next())
      saw.saw(*c);
    saw.expect(saw.left && saw.making == 0, "it comes to its end");
    INFO("seed " << seed << ": " << (saw.wrong.empty() ? std::string{} : *saw.wrong.begin()));
    REQUIRE(saw.wrong.empty());
  }
}
