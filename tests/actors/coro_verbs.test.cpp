// The verbs, with coroutines: on objects that block, and awaited in coroutine bodies.
#include "support.hpp"

#include <numeric>

using namespace support;
using muster::async_context;
using muster::async_scope;
using muster::coro;
using muster::result;

namespace {

/// Runs a coroutine as the only task of a scope on a clock that stands still, and gives its outcome.
template <class F>
auto run(F body) {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
  auto t = crew.execute("body", std::move(body));
  static_cast<void>(crew.wait());
  return std::move(t).get().as_result();
}

} // namespace

TEST_CASE("verbs that block take coroutines among their steps") {
  muster::manager site{standing_still()};
  const auto both = site.parallel(
      "both", [](async_context& ctx) -> coro<int> { co_return (co_await ctx.yield()) ? 1 : 0; },
      [] { return std::string{"two"}; });
  REQUIRE(both.has_value());
  CHECK(std::get<0>(*both) == 1);
  CHECK(std::get<1>(*both) == "two");

  const std::vector<int> numbers{1, 2, 3};
  const auto squares =
      site.parallel("squares", numbers, [](async_context&, const int& n) -> coro<int> { co_return n* n; });
  CHECK(squares.value() == std::vector<int>{1, 4, 9});

  const auto chain = site.series(
    "chain", [](async_context&) -> coro<int> { co_return 20; },
    [](async_context&, const int& n) -> coro<result<int>> { co_return n + 1; }, [](const int& n) { return 2 * n; });
  REQUIRE(chain.has_value());
  CHECK(*chain == std::tuple{20, 21, 42});

  const auto first = site.race(
    "race", [](async_context& ctx) -> coro<result<int>> { co_return (co_await ctx.sleep_for(1h)) ? 1 : 2; },
    muster::step{{.name = "fast"}, [](async_context&) -> coro<int> { co_return 3; }});
  REQUIRE(first.has_value());
}

TEST_CASE("a plan has coroutine steps, which read the values they depend on") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  muster::plan steps;
  steps.step({.name = "one"}, [](async_context&) -> coro<int> { co_return 1; })
      .step({.name = "two", .after = {"one"}},
            [](async_context& ctx) -> coro<int> { co_return ctx.value_of<int>("one") + 1; });
  auto run = crew.execute(std::move(steps));
  REQUIRE(run.has_value());
  CHECK(run->at<int>("two").get().value() == 2);
}

TEST_CASE("parallel is awaited in a coroutine and gives the values in order") {
  const auto got = run([](async_context& ctx) -> coro<result<int>> {
    int seen = 0;
    auto both = ctx.parallel(
        "both", [&] { return seen = 4; },
        [](async_context& inner) -> coro<int> { co_return (co_await inner.yield()) ? 5 : 0; });
    auto values = co_await both;
    if (!values)
      co_return std::unexpected{values.error()};
    std::vector<int> numbers{1, 2, 3};
    auto squares = ctx.parallel("squares", numbers, [](const int& n) -> coro<int> { co_return n * n; });
    auto all = co_await squares;
    auto kept =
        ctx.parallel("kept", std::vector<std::string>{"a", "bb"}, [](const std::string& s) { return s.size(); });
    auto sizes = co_await kept;
    std::vector<std::function<int()>> calls{[] { return 1; }, [] { return 2; }};
    auto called = ctx.parallel("calls", calls);
    auto sums = co_await called;
    co_return std::get<0>(*values) + std::get<1>(*values) + std::accumulate(all->begin(), all->end(), 0) +
      static_cast<int>(sizes->at(1)) + sums->at(1) + (seen == 4 ? 100 : 0);
  });
  CHECK(got.value() == 9 + 14 + 2 + 2 + 100);
}

TEST_CASE("the first failure of an awaited parallel is its result and the others are cancelled and joined") {
  bool left = false;
  const auto got = run([&](async_context& ctx) -> coro<result<void>> {
    auto both = ctx.parallel("both", fails("broken"), [&](async_context& inner) -> coro<result<void>> {
      auto slept = co_await inner.sleep_for(1h);
      left = true;
      co_return slept;
    });
    auto values = co_await both;
    co_return values ? result<void>{} : result<void>{std::unexpected{values.error()}};
  });
  CHECK(error_of(got).message() == "broken");
}

TEST_CASE("a series is awaited, stops at its first failure, and passes values on") {
  const auto good = run([](async_context& ctx) -> coro<result<std::tuple<int, int, std::monostate>>> {
    auto all = ctx.series(
      "all", [](async_context&) -> coro<int> { co_return 1; }, [](const int& n) { return n + 1; },
      [](async_context&, const int&) -> coro<void> { co_return; });
    co_return co_await all;
  });
  REQUIRE(good.has_value());
  CHECK(std::get<1>(*good) == 2);
  bool ran = false;
  const auto bad = run([&](async_context& ctx) -> coro<result<void>> {
    auto all = ctx.series("all", fails("first"), [&] { ran = true; });
    auto got = co_await all;
    co_return got ? result<void>{} : result<void>{std::unexpected{got.error()}};
  });
  CHECK(error_of(bad).message() == "first");
  CHECK_FALSE(ran);
}

TEST_CASE("the winner of an awaited race gives its value and the loser is cancelled") {
  const auto got = run([](async_context& ctx) -> coro<result<int>> {
    auto race = ctx.race(
      "race", [](async_context& inner) -> coro<result<int>> {
        if (auto slept = co_await inner.sleep_for(1h); !slept)
          co_return std::unexpected{slept.error()};
        co_return 1;
      },
      [] { return 2; });
    co_return co_await race;
  });
  CHECK(got.value() == 2);
}

TEST_CASE("with_timeout runs a coroutine in a scope and has joined it on every way out") {
  journal said;
  const auto got = run([&](async_context& ctx) -> coro<result<int>> {
    auto body = ctx.with_timeout("inner", 1h, [&](async_scope& crew) -> coro<result<int>> {
      crew.execute("child", [&](context& c) {
        c.wait_until_cancelled();
        said.write("child left");
      });
      co_return std::unexpected{muster::error{std::errc::io_error, "no luck"}};
    });
    auto value = co_await body;
    said.write("joined");
    co_return value;
  });
  CHECK(error_of(got).message() == "no luck");
  CHECK(said.lines().back() == "joined");

  const auto value = run([&](async_context& ctx) -> coro<result<int>> {
    auto body = ctx.with_timeout("inner", 1h, [](async_scope& crew) -> coro<int> {
      auto t = crew.execute("child", [] { return 5; });
      auto whole = co_await crew; // the body does not hold the scope open while it waits for it
      co_return whole ? t.get().value() : 0;
    });
    co_return co_await body;
  });
  CHECK(value.value() == 5);
  const auto never = run([&](async_context& ctx) -> coro<result<int>> {
    auto body = ctx.with_timeout("inner", 0s, [](async_scope&) -> coro<int> { co_return 1; });
    co_return co_await body;
  });
  CHECK(error_of(never).code() == errc::timed_out);
}

TEST_CASE("what is shielded goes on although the task was asked to stop, until its own time is up") {
  auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  auto t = crew.execute("body", [](async_context& ctx) -> coro<result<std::string>> {
    static_cast<void>(co_await ctx.cancelled_event());
    auto last = ctx.shield(10s, [](async_context& inner) -> coro<std::string> {
      const bool first = (co_await inner.sleep_for(5s)).has_value();
      const bool second = (co_await inner.sleep_for(1h)).has_value();
      co_return std::string{first ? "first " : ""} + (second ? "second" : "cut off");
    });
    auto words = co_await last;
    if (auto slept = co_await ctx.sleep_for(1h); slept)
      words = "slept";
    co_return words;
  });
  await([&] { return waits(crew.tree(), "body"); });
  t.cancel();
  const auto await_sleep = [&] { // that has just begun
    await([&] {
      const auto tree = crew.tree();
      for (const auto& node : tree.nodes)
        if (node.name == "body" && node.waits_for == "sleep" && node.waiting_since == 0s)
          return true;
      return false;
    });
  };
  await_sleep();
  clock->advance(5s);
  await_sleep();
  clock->advance(5s);
  CHECK(t.get().value() == "first cut off");
}
