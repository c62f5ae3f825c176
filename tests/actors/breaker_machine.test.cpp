/// The decisions of a circuit breaker, without threads: every transition of every option, the boundaries at their exact
/// moments, and long random lives beside a model that remembers everything and computes anew each time.
#include "breaker_machine.hpp"

#include "../catch.hpp"
#include "duration_text.hpp"
#include "misuse.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using muster::breaker_machine;
using muster::breaker_options;
using muster::breaker_state;
using muster::consecutive_failures;
using muster::count_window;
using muster::duration;
using muster::never;
using muster::time_point;
using muster::time_window;
using support::assertion_of;
using ticket = breaker_machine::ticket;
using verdict = breaker_machine::verdict;

namespace {

/// A machine with its present moment.
struct bench {
  breaker_machine machine;
  time_point now{1h};

  explicit bench(const breaker_options& o) : machine(o) {}

  [[nodiscard]] ticket begin() {
    auto t = machine.acquire(now);
    REQUIRE(t);
    return *t;
  }
  bool end(const ticket& t, verdict what) { return machine.report(t, what, now); }
  void fail() { CHECK(end(begin(), verdict::failure)); }
  void succeed() { CHECK(end(begin(), verdict::success)); }
  void ignore() { CHECK(end(begin(), verdict::ignored)); }
  /// A call that takes `d`.
  void take(duration d, verdict what) {
    const auto t = begin();
    now += d;
    CHECK(end(t, what));
  }
  void pass(duration d) { now += d; }
  [[nodiscard]] bool refuses() { return !machine.acquire(now).has_value(); }
  [[nodiscard]] breaker_state state() {
    machine.tick(now);
    return machine.state();
  }
  [[nodiscard]] std::string last_why() {
    const auto all = machine.take_changes();
    return all.empty() ? std::string{} : all.back().why;
  }
};

breaker_options after(std::size_t failures, duration open_for = 30s) {
  return {.opens_on = consecutive_failures{failures}, .open_for = open_for};
}

} // namespace

// -- consecutive failures ---------------------------------------------------------------------------------------------

TEST_CASE("a breaker opens at the last of its failures in a row and not before", "[breaker_machine]") {
  bench b{after(3)};
  b.fail();
  b.fail();
  CHECK(b.state() == breaker_state::closed);
  b.fail();
  CHECK(b.state() == breaker_state::open);
  CHECK(b.machine.open_until() == b.now + 30s);
  const auto changes = b.machine.take_changes();
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].from == breaker_state::closed);
  CHECK(changes[0].to == breaker_state::open);
  CHECK(changes[0].at == b.now);
  CHECK(changes[0].retry_at == b.now + 30s);
  CHECK(changes[0].why == "3 failures in a row");
  CHECK(b.machine.take_changes().empty());
}

TEST_CASE("a success between failures starts the count anew and an ignored call does not", "[breaker_machine]") {
  bench b{after(2)};
  b.fail();
  b.succeed();
  b.fail();
  CHECK(b.state() == breaker_state::closed);
  b.ignore();
  b.fail();
  CHECK(b.state() == breaker_state::open);
}

TEST_CASE("a success that was only marked starts the count anew as well", "[breaker_machine]") {
  bench b{after(2)};
  b.fail();
  b.machine.passed();
  b.fail();
  CHECK(b.state() == breaker_state::closed);
  b.fail();
  CHECK(b.state() == breaker_state::open);
}

TEST_CASE("a breaker of one failure opens at the first", "[breaker_machine]") {
  bench b{after(1)};
  b.fail();
  CHECK(b.state() == breaker_state::open);
}

// -- open and half-open -----------------------------------------------------------------------------------------------

TEST_CASE("an open breaker refuses until exactly its moment and then lets a probe through", "[breaker_machine]") {
  bench b{after(1)};
  b.fail();
  const auto until = b.now + 30s;
  b.pass(30s - 1ns);
  const auto refused = b.machine.acquire(b.now);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().state == breaker_state::open);
  CHECK(refused.error().until == until);
  CHECK(b.machine.next_due() == until);
  b.pass(1ns);
  CHECK(b.machine.acquire(b.now).has_value());
  CHECK(b.machine.state() == breaker_state::half_open);
  CHECK(b.machine.next_due() == never);
}

TEST_CASE("time alone makes an open breaker half-open", "[breaker_machine]") {
  bench b{after(1)};
  b.fail();
  b.machine.tick(b.now + 30s - 1ns);
  CHECK(b.machine.state() == breaker_state::open);
  b.machine.tick(b.now + 30s);
  CHECK(b.machine.state() == breaker_state::half_open);
}

TEST_CASE("half-open lets its probes through and refuses the next without a moment", "[breaker_machine]") {
  auto o = after(1);
  o.probes = 2;
  o.successes = 3;
  bench b{o};
  b.fail();
  b.pass(30s);
  const auto first = b.begin();
  const auto second = b.begin();
  const auto refused = b.machine.acquire(b.now);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().state == breaker_state::half_open);
  CHECK(refused.error().until == never);
  CHECK(b.end(first, verdict::success));
  const auto third = b.begin();
  CHECK(b.refuses());
  CHECK(b.end(second, verdict::success));
  CHECK(b.state() == breaker_state::half_open);
  CHECK(b.end(third, verdict::success));
  CHECK(b.state() == breaker_state::closed);
  CHECK(b.last_why() == "3 probes succeeded");
}

TEST_CASE("one failed probe opens again for a full open time and what the others find is late", "[breaker_machine]") {
  auto o = after(1);
  o.probes = 2;
  bench b{o};
  b.fail();
  b.pass(30s);
  const auto first = b.begin();
  const auto second = b.begin();
  CHECK(b.end(first, verdict::failure));
  CHECK(b.state() == breaker_state::open);
  CHECK(b.machine.open_until() == b.now + 30s);
  CHECK_FALSE(b.end(second, verdict::success));
  CHECK(b.state() == breaker_state::open);
}

TEST_CASE("an ignored probe gives its place back and decides nothing", "[breaker_machine]") {
  bench b{after(1)};
  b.fail();
  b.pass(30s);
  const auto probe = b.begin();
  CHECK(b.refuses());
  CHECK(b.end(probe, verdict::ignored));
  CHECK(b.machine.probes_out() == 0);
  b.succeed();
  CHECK(b.state() == breaker_state::closed);
}

TEST_CASE("results of an earlier generation mean nothing in any later state", "[breaker_machine]") {
  bench b{after(1)};
  const auto good = b.begin();
  const auto bad = b.begin();
  const auto slow = b.begin();
  b.fail();
  CHECK_FALSE(b.end(good, verdict::success));
  CHECK(b.state() == breaker_state::open);
  b.pass(30s);
  CHECK(b.state() == breaker_state::half_open);
  CHECK_FALSE(b.end(bad, verdict::failure));
  CHECK(b.state() == breaker_state::half_open);
  b.succeed();
  CHECK(b.state() == breaker_state::closed);
  CHECK_FALSE(b.end(slow, verdict::failure));
  CHECK(b.state() == breaker_state::closed);
}

TEST_CASE("the generation changes with every state", "[breaker_machine]") {
  bench b{after(1)};
  const auto first = b.machine.generation();
  b.fail();
  CHECK(b.machine.generation() == first + 1);
  b.pass(30s);
  CHECK(b.state() == breaker_state::half_open);
  CHECK(b.machine.generation() == first + 2);
  b.succeed();
  CHECK(b.machine.generation() == first + 3);
}

TEST_CASE("the open time grows with every failed probe up to its cap and begins anew after closing",
          "[breaker_machine]") {
  auto o = after(1, 10s);
  o.open_growth = 2;
  o.open_most = 35s;
  bench b{o};
  b.fail();
  for (const auto open_time : {10s, 20s, 35s, 35s}) {
    CHECK(b.machine.open_until() == b.now + open_time);
    b.pass(open_time);
    CHECK(b.state() == breaker_state::half_open);
    b.fail();
  }
  b.pass(35s);
  b.succeed();
  CHECK(b.state() == breaker_state::closed);
  b.fail();
  CHECK(b.machine.open_until() == b.now + 10s);
}

TEST_CASE("an open time may grow without a cap and never overflows", "[breaker_machine]") {
  auto o = after(1, 1h);
  o.open_growth = 1e6;
  bench b{o};
  b.fail();
  b.pass(1h);
  b.fail();
  CHECK(b.machine.open_until() == b.now + 1'000'000h);
  b.now = b.machine.open_until();
  b.fail();
  CHECK(b.machine.open_until() == never);
  CHECK(b.refuses());
}

// -- windows ----------------------------------------------------------------------------------------------------------

TEST_CASE("a count window decides nothing before its minimum and opens at exactly its rate", "[breaker_machine]") {
  bench b{{.opens_on = count_window{.calls = 10, .minimum = 4, .failure_rate = 0.5}}};
  b.fail();
  b.fail();
  b.fail();
  CHECK(b.state() == breaker_state::closed);
  SECTION("the call that makes up the minimum may be a success") {
    b.succeed();
    CHECK(b.state() == breaker_state::open);
    CHECK(b.last_why() == "3 of the last 4 calls failed");
  }
  SECTION("it may be a failure") {
    b.fail();
    CHECK(b.state() == breaker_state::open);
  }
}

TEST_CASE("a count window below its rate stays closed and an ignored call is not in it", "[breaker_machine]") {
  bench b{{.opens_on = count_window{.calls = 4, .minimum = 4, .failure_rate = 0.5}}};
  b.succeed();
  b.succeed();
  b.succeed();
  for (int i = 0; i < 10; ++i)
    b.ignore();
  b.fail();
  CHECK(b.state() == breaker_state::closed);
  b.fail(); // two of the last four
  CHECK(b.state() == breaker_state::open);
}

TEST_CASE("a count window forgets exactly the oldest", "[breaker_machine]") {
  bench b{{.opens_on = count_window{.calls = 3, .minimum = 3, .failure_rate = 0.66}}};
  b.fail();
  b.succeed();
  b.succeed();
  b.fail(); // the first failure has gone
  CHECK(b.state() == breaker_state::closed);
  b.fail();
  CHECK(b.state() == breaker_state::open);
}

TEST_CASE("a rate that a floating product overshoots still counts at its exact call", "[breaker_machine]") {
  // 0.07 * 100 is a little more than 7.
  bench b{{.opens_on = count_window{.calls = 100, .minimum = 100, .failure_rate = 0.07}}};
  for (int i = 0; i < 6; ++i)
    b.fail();
  for (int i = 0; i < 93; ++i)
    b.succeed();
  CHECK(b.state() == breaker_state::closed);
  b.fail();
  CHECK(b.state() == breaker_state::open);
}

TEST_CASE("a time window drops a result when it is exactly as old as the span", "[breaker_machine]") {
  const breaker_options o{.opens_on = time_window{.span = 10s, .minimum = 2, .failure_rate = 1}};
  SECTION("a moment earlier it counts") {
    bench b{o};
    b.fail();
    b.pass(10s - 1ns);
    b.fail();
    CHECK(b.state() == breaker_state::open);
    CHECK(b.last_why() == "2 of 2 calls in the last 10s failed");
  }
  SECTION("at the moment it is gone") {
    bench b{o};
    b.fail();
    b.pass(10s);
    b.fail();
    CHECK(b.state() == breaker_state::closed);
  }
}

TEST_CASE("in a time window old successes go and the rate is that of what is left", "[breaker_machine]") {
  bench b{{.opens_on = time_window{.span = 10s, .minimum = 3, .failure_rate = 0.5}}};
  for (int i = 0; i < 5; ++i)
    b.succeed();
  b.pass(5s);
  b.fail();
  b.fail();
  b.fail();
  CHECK(b.state() == breaker_state::closed); // 3 of 8
  b.pass(5s);
  b.succeed(); // 3 of 4
  CHECK(b.state() == breaker_state::open);
}

TEST_CASE("windows are empty after the breaker has closed again", "[breaker_machine]") {
  for (const breaker_options& o :
       {breaker_options{.opens_on = count_window{.calls = 4, .minimum = 2, .failure_rate = 0.5}, .open_for = 1s},
        breaker_options{.opens_on = time_window{.span = 1h, .minimum = 2, .failure_rate = 0.5}, .open_for = 1s}}) {
    bench b{o};
    b.fail();
    b.fail();
    b.pass(1s);
    b.succeed();
    CHECK(b.state() == breaker_state::closed);
    b.fail();
    CHECK(b.state() == breaker_state::closed);
    b.fail();
    CHECK(b.state() == breaker_state::open);
  }
}

// -- slow calls -------------------------------------------------------------------------------------------------------

TEST_CASE("a call is slow from exactly its limit on", "[breaker_machine]") {
  auto o = after(1);
  o.slow_after = 2s;
  bench b{o};
  b.take(2s - 1ns, verdict::success);
  CHECK(b.state() == breaker_state::closed);
  b.take(2s, verdict::success);
  CHECK(b.state() == breaker_state::open);
}

TEST_CASE("a window opens at its rate of slow calls though none failed", "[breaker_machine]") {
  for (const breaker_options& o :
       {breaker_options{.opens_on = count_window{.calls = 4, .minimum = 4, .failure_rate = 1, .slow_rate = 0.5},
       .slow_after = 1s},
        breaker_options{.opens_on = time_window{.span = 1h, .minimum = 4, .failure_rate = 1, .slow_rate = 0.5},
        .slow_after = 1s}}) {
    bench b{o};
    b.take(1s, verdict::success);
    b.succeed();
    b.succeed();
    CHECK(b.state() == breaker_state::closed);
    b.take(1s, verdict::failure); // slow, and failed: one of four failed, two were slow
    CHECK(b.state() == breaker_state::open);
    CHECK(b.last_why().ends_with("were slow"));
  }
}

TEST_CASE("without a limit nothing is slow", "[breaker_machine]") {
  bench b{{.opens_on = count_window{.calls = 2, .minimum = 1, .failure_rate = 1, .slow_rate = 0.01}}};
  b.take(1000h, verdict::success);
  b.take(1000h, verdict::success);
  CHECK(b.state() == breaker_state::closed);
}

TEST_CASE("a slow probe opens again and a slow ignored one does not", "[breaker_machine]") {
  auto o = after(1);
  o.slow_after = 1s;
  bench b{o};
  b.fail();
  b.pass(30s);
  b.take(1s, verdict::ignored);
  CHECK(b.state() == breaker_state::half_open);
  b.take(1s, verdict::success);
  CHECK(b.state() == breaker_state::open);
  CHECK(b.last_why() == "a probe was slow");
}

// -- overdue calls ----------------------------------------------------------------------------------------------------

TEST_CASE("a call on its way for exactly its limit is a failure and its result is ignored", "[breaker_machine]") {
  auto o = after(2);
  o.overdue_after = 5s;
  bench b{o};
  const auto call = b.begin();
  CHECK(b.machine.next_due() == b.now + 5s);
  b.machine.tick(b.now + 5s - 1ns);
  CHECK(b.machine.overdue() == 0);
  b.pass(5s);
  b.machine.tick(b.now);
  CHECK(b.machine.overdue() == 1);
  CHECK(b.machine.next_due() == never);
  CHECK_FALSE(b.end(call, verdict::success)); // it does not start the count anew
  b.fail();
  CHECK(b.state() == breaker_state::open);
}

TEST_CASE("an overdue call counts though nobody has looked before it returns", "[breaker_machine]") {
  auto o = after(1);
  o.overdue_after = 5s;
  bench b{o};
  const auto call = b.begin();
  b.pass(5s);
  CHECK_FALSE(b.end(call, verdict::success));
  CHECK(b.state() == breaker_state::open);
}

TEST_CASE("calls become overdue one after another in the order of their beginnings", "[breaker_machine]") {
  auto o = after(3);
  o.overdue_after = 5s;
  bench b{o};
  static_cast<void>(b.begin());
  b.pass(1s);
  const auto second = b.begin();
  b.pass(1s);
  static_cast<void>(b.begin());
  CHECK(b.end(second, verdict::ignored));
  b.pass(3s);
  b.machine.tick(b.now);
  CHECK(b.machine.overdue() == 1);
  CHECK(b.machine.next_due() == b.now + 2s);
  b.pass(2s);
  b.machine.tick(b.now);
  CHECK(b.machine.overdue() == 2);
  CHECK(b.state() == breaker_state::closed);
}

TEST_CASE("when overdue calls open it the rest of those on their way is late and not overdue", "[breaker_machine]") {
  auto o = after(1);
  o.overdue_after = 5s;
  bench b{o};
  const auto first = b.begin();
  const auto second = b.begin();
  b.pass(5s);
  CHECK(b.refuses());
  CHECK(b.machine.overdue() == 1);
  CHECK(b.machine.open_until() == b.now + 30s);
  CHECK_FALSE(b.end(first, verdict::failure));
  CHECK_FALSE(b.end(second, verdict::failure));
}

TEST_CASE("a probe that hangs opens again by itself and cannot keep it half-open", "[breaker_machine]") {
  auto o = after(1);
  o.overdue_after = 5s;
  bench b{o};
  b.fail();
  b.pass(30s);
  const auto hangs = b.begin();
  CHECK(b.refuses());
  b.pass(5s);
  CHECK(b.state() == breaker_state::open);
  b.pass(30s);
  CHECK_FALSE(b.end(hangs, verdict::success));
  CHECK(b.state() == breaker_state::half_open);
  b.succeed();
  CHECK(b.state() == breaker_state::closed);
}

TEST_CASE("an overdue call is slow as well if the limits say so", "[breaker_machine]") {
  breaker_options o{.opens_on = count_window{.calls = 2, .minimum = 2, .failure_rate = 1, .slow_rate = 0.5},
                    .slow_after = 5s,
                    .overdue_after = 5s};
  bench b{o};
  static_cast<void>(b.begin());
  b.pass(5s);
  b.machine.tick(b.now);
  b.succeed();
  CHECK(b.state() == breaker_state::open);
  CHECK(b.last_why() == "1 of the last 2 calls were slow");
}

// -- by hand ----------------------------------------------------------------------------------------------------------

TEST_CASE("forced open from any state it stays open until it is reset", "[breaker_machine]") {
  for (int from = 0; from < 3; ++from) {
    bench b{after(1)};
    const auto before = b.begin();
    if (from > 0)
      b.fail();
    if (from > 1) {
      b.pass(30s);
      CHECK(b.state() == breaker_state::half_open);
    }
    static_cast<void>(b.machine.take_changes());
    b.machine.force_open(b.now);
    b.machine.force_open(b.now);
    CHECK(b.machine.take_changes().size() == (from == 1 ? 0U : 1U));
    CHECK(b.machine.next_due() == never);
    CHECK_FALSE(b.end(before, verdict::success));
    b.pass(10000h);
    const auto refused = b.machine.acquire(b.now);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().until == never);
    b.machine.reset(b.now);
    CHECK(b.state() == breaker_state::closed);
    b.succeed();
  }
}

TEST_CASE("a reset closes from any state and forgets counts, growth and calls on their way", "[breaker_machine]") {
  auto o = after(2, 10s);
  o.open_growth = 3;
  o.overdue_after = 1h;
  bench b{o};
  b.fail();
  const auto before = b.begin();
  b.machine.reset(b.now);
  CHECK(b.machine.take_changes().empty());
  CHECK(b.machine.next_due() == never);
  CHECK_FALSE(b.end(before, verdict::failure));
  b.fail();
  CHECK(b.state() == breaker_state::closed);
  b.fail();
  b.pass(10s);
  b.fail();
  CHECK(b.machine.open_until() == b.now + 30s);
  b.machine.reset(b.now);
  CHECK(b.last_why() == "it was reset");
  b.fail();
  b.fail();
  CHECK(b.machine.open_until() == b.now + 10s);
}

// -- misuse -----------------------------------------------------------------------------------------------------------

TEST_CASE("options of a breaker that make no sense are refused with a sentence", "[breaker_machine]") {
  const auto said = [](const breaker_options& o) { return assertion_of([&] { breaker_machine{o}; }); };
  CHECK(said(breaker_options{}).empty());
  CHECK(said(after(0)).contains("at least one failure"));
  CHECK(said(after(5, 0s)).contains("open_for"));
  CHECK(said(after(5, -1s)).contains("open_for"));
  CHECK(said(breaker_options{.open_growth = 0.5}).contains("open_growth"));
  CHECK(said(breaker_options{.open_most = 1s}).contains("open_most"));
  CHECK(said(breaker_options{.probes = 0}).contains("one probe"));
  CHECK(said(breaker_options{.successes = 0}).contains("one success"));
  CHECK(said(breaker_options{.slow_after = 0s}).contains("slow_after"));
  CHECK(said(breaker_options{.overdue_after = -1s}).contains("overdue_after"));
  CHECK(said(breaker_options{.opens_on = count_window{.calls = 5, .minimum = 6}}).contains("minimum"));
  CHECK(said(breaker_options{.opens_on = count_window{.minimum = 0}}).contains("at least one call"));
  CHECK(said(breaker_options{.opens_on = count_window{.failure_rate = 0}}).contains("failure_rate"));
  CHECK(said(breaker_options{.opens_on = count_window{.failure_rate = 1.01}}).contains("failure_rate"));
  CHECK(said(breaker_options{.opens_on = time_window{.slow_rate = -0.1}}).contains("slow_rate"));
  CHECK(said(breaker_options{.opens_on = time_window{.span = 0s}}).contains("spans more than zero"));
}

TEST_CASE("durations are written as people write them", "[breaker_machine]") {
  CHECK(muster::in_words(30s) == "30s");
  CHECK(muster::in_words(1500ms) == "1.5s");
  CHECK(muster::in_words(250ms) == "250ms");
  CHECK(muster::in_words(100s) == "100s");
  CHECK(muster::in_words(0s) == "0s");
  CHECK(muster::in_words(7ns) == "7ns");
  CHECK(muster::in_words(-2us) == "-2us");
}

// -- random lives -----------------------------------------------------------------------------------------------------

namespace {

/// Says the same as the machine in another way: it keeps the whole history and looks through it each time.
class model {
public:
  explicit model(const breaker_options& o) : o_(o) {}

  struct call {
    bool admitted = false;
    int era = 0;
    time_point started{};
    bool over = false;
  };

  std::size_t acquire(time_point now) {
    catch_up(now);
    call c{.admitted = state != breaker_state::open && (state != breaker_state::half_open || probing() < o_.probes),
           .era = era_,
           .started = now};
    c.over = !c.admitted;
    calls.push_back(c);
    return calls.size() - 1;
  }
  bool report(std::size_t which, verdict what, time_point now) {
    catch_up(now);
    auto& c = calls[which];
    if (c.over || c.era != era_)
      return false;
    c.over = true;
    if (what != verdict::ignored)
      judge(what == verdict::failure, o_.slow_after != muster::no_timeout && now - c.started >= o_.slow_after, now);
    return true;
  }
  void force_open(time_point now) {
    catch_up(now);
    if (state != breaker_state::open)
      move_to(breaker_state::open);
    until = never;
  }
  void reset(time_point now) {
    catch_up(now);
    reopened_ = 0;
    move_to(breaker_state::closed);
  }
  void catch_up(time_point now) {
    if (o_.overdue_after != muster::no_timeout)
      for (auto& c : calls)
        if (!c.over && c.era == era_ && now - c.started >= o_.overdue_after) {
          c.over = true;
          ++overdue;
          judge(true, o_.overdue_after >= o_.slow_after, now);
        }
    if (state == breaker_state::open && until != never && now >= until)
      move_to(breaker_state::half_open);
  }
  [[nodiscard]] std::size_t probing() const {
    return static_cast<std::size_t>(
        std::count_if(calls.begin(), calls.end(), [&](const call& c) { return !c.over && c.era == era_; }));
  }

  breaker_state state = breaker_state::closed;
  time_point until{};
  std::vector<call> calls;
  std::uint64_t overdue = 0;

private:
  struct seen {
    time_point at;
    bool failed;
    bool slow;
  };

  void judge(bool failed, bool slow, time_point now) {
    history_.push_back({now, failed, slow});
    if (state == breaker_state::half_open) {
      if (failed || slow)
        open(now);
      else if (history_.size() == o_.successes) {
        reopened_ = 0;
        move_to(breaker_state::closed);
      }
    } else if (must_open(now)) {
      open(now);
    }
  }
  [[nodiscard]] bool must_open(time_point now) const {
    if (const auto* row = std::get_if<consecutive_failures>(&o_.opens_on)) {
      std::size_t n = 0;
      for (auto i = history_.rbegin(); i != history_.rend() && (i->failed || i->slow); ++i)
        ++n;
      return n >= row->failures;
    }
    std::vector<seen> in;
    if (const auto* w = std::get_if<count_window>(&o_.opens_on)) {
      in.assign(history_.end() - static_cast<std::ptrdiff_t>(std::min(w->calls, history_.size())), history_.end());
      return over(*w, in);
    }
    const auto& w = std::get<time_window>(o_.opens_on);
    std::copy_if(history_.begin(), history_.end(), std::back_inserter(in),
                 [&](const seen& s) { return s.at > now - w.span; });
    return over(w, in);
  }
  template <class Window>
  [[nodiscard]] bool over(const Window& w, const std::vector<seen>& in) const {
    const auto part = [&](bool seen::*which) {
      return static_cast<long double>(std::count_if(in.begin(), in.end(), [&](const seen& s) { return s.*which; })) /
             static_cast<long double>(in.size());
    };
    return in.size() >= w.minimum && (part(&seen::failed) >= w.failure_rate ||
                                      (o_.slow_after != muster::no_timeout && part(&seen::slow) >= w.slow_rate));
  }
  void open(time_point now) {
    auto d = o_.open_for;
    for (int i = 0; i < reopened_; ++i)
      d = std::min(o_.open_most, d * static_cast<int>(o_.open_growth));
    ++reopened_;
    until = now + d;
    move_to(breaker_state::open);
  }
  void move_to(breaker_state s) {
    state = s;
    ++era_;
    history_.clear();
  }

  breaker_options o_;
  int era_ = 0;
  int reopened_ = 0;
  std::vector<seen> history_;
};

breaker_options random_options(std::mt19937_64& dice) {
  const auto pick = [&](auto... of) {
    const std::common_type_t<decltype(of)...> all[] = {of...};
    return all[dice() % sizeof...(of)];
  };
  breaker_options o;
  const double rate = pick(0.25, 0.5, 0.75, 1.0); // whole in binary, so that the model's quotient is exact
  const double slow = pick(0.25, 0.5, 1.0);
  switch (dice() % 3) {
  case 0: o.opens_on = consecutive_failures{pick(1U, 2U, 5U)}; break;
  case 1: {
    const std::size_t calls = pick(1U, 4U, 7U);
    o.opens_on = count_window{calls, 1 + dice() % calls, rate, slow};
    break;
  }
  default: o.opens_on = time_window{pick(1s, 3s, 20s), pick(1U, 2U, 6U), rate, slow};
  }
  o.open_for = pick(1s, 3s, 10s);
  o.open_growth = pick(1, 2, 3);
  o.open_most = pick(duration{10s}, duration{30s}, duration{1000h});
  o.probes = pick(1U, 2U, 4U);
  o.successes = pick(1U, 2U, 3U);
  o.slow_after = pick(muster::no_timeout, duration{1s}, duration{2s});
  o.overdue_after = pick(muster::no_timeout, muster::no_timeout, duration{1s}, duration{4s});
  return o;
}

/// One life; the first thing that went wrong, or nothing.
std::string live(std::uint64_t seed) {
  std::mt19937_64 dice{seed};
  const auto options = random_options(dice);
  breaker_machine machine{options};
  model wanted{options};
  time_point now{1h};
  std::vector<ticket> tickets; // by the model's number
  std::vector<std::size_t> out;
  const auto healthy = 1 + dice() % 9; // how many of ten calls succeed
  for (int step = 0; step < 400; ++step) {
    const auto die = dice() % 100;
    if (die < 35) {
      const auto got = machine.acquire(now);
      const auto number = wanted.acquire(now);
      if (got.has_value() != wanted.calls[number].admitted)
        return "admission";
      tickets.push_back(got.value_or(ticket{}));
      if (got)
        out.push_back(number);
      else if (got.error().until != (wanted.state == breaker_state::open ? wanted.until : never))
        return "the moment of a refusal";
    } else if (die < 70 && !out.empty()) {
      const auto at = static_cast<std::ptrdiff_t>(dice() % out.size());
      const auto number = out[static_cast<std::size_t>(at)];
      out.erase(out.begin() + at);
      const auto what = dice() % 8 == 0         ? verdict::ignored
                        : dice() % 10 < healthy ? verdict::success
                                                : verdict::failure;
      if (machine.report(tickets[number], what, now) != wanted.report(number, what, now))
        return "what is late";
    } else if (die < 96) {
      now += std::chrono::milliseconds{250} * (dice() % 6);
      if (dice() % 2) {
        machine.tick(now);
        wanted.catch_up(now);
      }
    } else if (die == 96) {
      machine.force_open(now);
      wanted.force_open(now);
    } else if (die == 97) {
      machine.reset(now);
      wanted.reset(now);
    } else if (machine.next_due() != never && machine.next_due() > now) {
      now = machine.next_due(); // exactly
      machine.tick(now);
      wanted.catch_up(now);
    }
    if (machine.state() != wanted.state || machine.overdue() != wanted.overdue)
      return "the state";
    if (machine.state() == breaker_state::open && machine.open_until() != wanted.until)
      return "the open time";
    if (machine.state() == breaker_state::half_open &&
        (machine.probes_out() > options.probes || machine.probes_out() != wanted.probing()))
      return "the probes";
  }
  // The dependency is well again, whatever is still on its way vanishes, and nobody forces it any more.
  for (const auto number : out)
    machine.report(tickets[number], verdict::ignored, now);
  if (machine.state() == breaker_state::open && machine.open_until() == never)
    machine.reset(now);
  for (std::size_t i = 0; i < options.successes + 1 && machine.state() != breaker_state::closed; ++i) {
    if (machine.state() == breaker_state::open)
      now = std::max(now, machine.open_until());
    const auto probe = machine.acquire(now);
    if (!probe)
      return "stuck";
    machine.report(*probe, verdict::success, now);
  }
  return machine.state() == breaker_state::closed ? "" : "it did not close";
}

} // namespace

TEST_CASE("in ten thousand random lives it does what a model with a full memory does", "[breaker_machine]") {
  for (std::uint64_t seed = 1; seed <= 10'000; ++seed) {
    const auto wrong = live(seed);
    INFO("seed " << seed);
    REQUIRE(wrong == "");
  }
}
