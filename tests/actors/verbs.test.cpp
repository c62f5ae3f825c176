// The verbs: parallel, series and race, the same on a manager, a scope and a context (as is with_timeout).
#include "support.hpp"

#include <algorithm>
#include <functional>
#include <ranges>
#include <stdexcept>
#include <tuple>
#include <variant>

using namespace support;

namespace {

/// A value that tells how many of its kind are alive.
struct counted {
  std::shared_ptr<int> token;
};

} // namespace

TEST_CASE("parallel gives the values of all in order") {
  muster::manager site{standing_still()};
  const auto got = site.parallel(
      "all", [] { return 1; }, [](context& ctx) { return ctx.path(); }, [] {},
      []() -> muster::result<double> { return 2.5; });
  REQUIRE(got);
  static_assert(
      std::same_as<std::remove_cvref_t<decltype(*got)>, std::tuple<int, std::string, std::monostate, double>>);
  CHECK(std::get<0>(*got) == 1);
  CHECK(std::get<1>(*got) == "site/all/2");
  CHECK(std::get<3>(*got) == 2.5);
}

TEST_CASE("parallel runs all of them at the same time") {
  muster::manager site{standing_still()};
  gate a;
  gate b;
  const auto meet = [](gate& mine, gate& other) {
    return [&] {
      mine.open();
      other.wait();
    };
  };
  CHECK(site.parallel("both", meet(a, b), meet(b, a)));
}

TEST_CASE("parallel gives the first error and cancels the rest") {
  muster::manager site{standing_still()};
  gate started;
  muster::cancel_reason told;
  const auto got = site.parallel(
      "all",
      [&](context& ctx) {
        started.open();
        told = ctx.wait_until_cancelled();
        return 1;
      },
      [&]() -> muster::result<int> {
        started.wait();
        return std::unexpected{muster::error{std::errc::io_error, "broken"}};
      });
  CHECK(messages(error_of(got)) == lines{"broken"});
  CHECK(error_of(got).path() == "site/all/2");
  CHECK(told.kind() == cancel_kind::sibling_failed);
}

TEST_CASE("parallel takes steps with options and a scope with options") {
  muster::manager site{standing_still()};
  std::atomic<int> inside = 0;
  std::atomic<int> together = 0;
  const auto alone = [&](context& ctx) {
    if (inside.fetch_add(1) != 0)
      together.fetch_add(1);
    std::this_thread::yield();
    inside.fetch_sub(1);
    return ctx.name();
  };
  const auto got = site.parallel("all", muster::scope_options{.max_parallel = 1}, muster::step{{.name = "load"}, alone},
                                 alone, muster::step{{.name = "store", .priority = muster::priority::high}, alone});
  REQUIRE(got);
  CHECK(*got == std::tuple<std::string, std::string, std::string>{"load", "2", "store"});
  CHECK(together == 0);
}

TEST_CASE("a step's own timeout fails parallel") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  std::thread hand{[&] {
    clock->await_timer_within(2s);
    clock->advance(2s);
  }};
  const auto got = site.parallel("all", muster::step{{.name = "slow", .timeout = 2s}, stays}, stays);
  hand.join();
  CHECK(error_of(got).code() == errc::timed_out);
  CHECK(error_of(got).path() == "site/all/slow");
}

TEST_CASE("parallel over a range of callables gives a vector in the range's order") {
  muster::manager site{standing_still()};
  std::vector<std::function<int()>> callables;
  for (int i = 0; i < 50; ++i)
    callables.emplace_back([i] { return i * i; });
  const auto copied = site.parallel("copied", callables);
  const auto given = site.parallel("given", std::move(callables));
  REQUIRE(copied);
  REQUIRE(given);
  CHECK(copied->size() == 50);
  CHECK((*copied)[7] == 49);
  CHECK(*given == *copied);
}

TEST_CASE("parallel over nothing gives an empty vector") {
  muster::manager site{standing_still()};
  const auto got = site.parallel("none", std::vector<std::function<int()>>{});
  REQUIRE(got);
  CHECK(got->empty());
  const auto items = site.parallel("none", std::vector<int>{}, [](int i) { return i; });
  REQUIRE(items);
  CHECK(items->empty());
}

TEST_CASE("parallel over items calls the function for every item and keeps the order") {
  muster::manager site{standing_still()};
  std::vector<std::string> items{"a", "bb", "ccc"};
  const auto sizes = site.parallel("sizes", items, [](const std::string& item) { return item.size(); });
  REQUIRE(sizes);
  CHECK(*sizes == std::vector<std::size_t>{1, 2, 3});
  const auto changed = site.parallel("change", items, [](context& ctx, std::string& item) {
    item += "!";
    return ctx.name();
  });
  REQUIRE(changed);
  CHECK(*changed == lines{"1", "2", "3"});
  CHECK(items == lines{"a!", "bb!", "ccc!"});
}

TEST_CASE("parallel over items that the range only hands out keeps them itself") {
  muster::manager site{standing_still()};
  const auto got = site.parallel("iota", muster::scope_options{.max_parallel = 3}, std::views::iota(0, 100),
                                 [](int i) { return std::to_string(i); });
  REQUIRE(got);
  CHECK(got->size() == 100);
  CHECK(got->at(99) == "99");
  const auto failed = site.parallel("iota", std::views::iota(0, 100), [](int i) -> muster::result<int> {
    if (i == 50)
      return std::unexpected{muster::error{std::errc::io_error, "fifty"}};
    return i;
  });
  CHECK(error_of(failed).message() == "fifty");
}

TEST_CASE("parallel over items may be void and then gives one monostate each") {
  muster::manager site{standing_still()};
  std::atomic<int> sum = 0;
  const auto got = site.parallel("sum", std::views::iota(1, 5), [&](int i) { sum.fetch_add(i); });
  REQUIRE(got);
  CHECK(got->size() == 4);
  CHECK(sum == 10);
}

TEST_CASE("series runs one after another and each may take the value before") {
  muster::manager site{standing_still()};
  journal written;
  const auto got = site.series(
      "all",
      [&] {
        written.write("one");
        return 20;
      },
      [&](context& ctx, const int& before) {
        written.write(ctx.name());
        return std::to_string(before + 1);
      },
      muster::step{{.name = "third"}, [&](context& ctx) { written.write(ctx.name()); }},
      [&](const std::monostate&) { return 4; });
  REQUIRE(got);
  static_assert(std::same_as<std::remove_cvref_t<decltype(*got)>, std::tuple<int, std::string, std::monostate, int>>);
  CHECK(std::get<0>(*got) == 20);
  CHECK(std::get<1>(*got) == "21");
  CHECK(std::get<3>(*got) == 4);
  CHECK(written.lines() == lines{"one", "2", "third"});
}

TEST_CASE("after a failure in a series the rest never start") {
  muster::manager site{standing_still()};
  std::atomic<int> ran = 0;
  const auto got = site.series(
      "all", [] { return 1; },
      [](const int&) -> muster::result<int> {
        return std::unexpected{muster::error{std::errc::io_error, "broken"}};
      },
      [&](const int& before) {
        ran.fetch_add(1);
        return before;
      });
  CHECK(messages(error_of(got)) == lines{"broken"});
  CHECK(error_of(got).path() == "site/all/2");
  CHECK(ran == 0);
  const auto threw = site.series(
      "all", []() -> int { throw std::runtime_error{"thrown"}; }, [&](const int&) { ran = 1; });
  CHECK(error_of(threw).as<std::runtime_error>() != nullptr);
  CHECK(ran == 0);
}

TEST_CASE("a race is won by the first that succeeds and the others are cancelled and awaited") {
  muster::manager site{standing_still()};
  std::atomic<int> losers_gone = 0;
  const auto loses = [&](context& ctx) -> muster::result<int> {
    ctx.wait_until_cancelled();
    losers_gone.fetch_add(1);
    return std::unexpected{muster::error{std::errc::io_error, "called off"}};
  };
  gate started;
  const auto got = site.race(
      "first", loses,
      [&](context& ctx) -> muster::result<int> {
        started.open();
        return loses(ctx);
      },
      [&]() -> muster::result<int> {
        started.wait();
        return 7;
      });
  REQUIRE(got);
  static_assert(std::same_as<std::remove_cvref_t<decltype(*got)>, int>);
  CHECK(*got == 7);
  CHECK(losers_gone >= 1);
  CHECK(site.stats().tasks_live == 0);
}

TEST_CASE("a failure does not end a race while another may still succeed") {
  muster::manager site{standing_still()};

  auto crew = site.create_scope("crew");
  const auto got = crew.race(
      "first",
      [&]() -> muster::result<int> {
        return std::unexpected{muster::error{std::errc::io_error, "no"}};
      },
      [&](context& ctx) {
        await([&] { return site.stats().tasks_failed == 1; });
        return ctx.cancelled() ? 0 : 3;
      });
  REQUIRE(got);
  CHECK(*got == 3);
  CHECK(crew.wait());
}

TEST_CASE("a race that nobody wins gives the first error with the others behind it") {
  muster::manager site{standing_still()};
  const auto got = site.race("first", fails("one"), fails("two"), fails("three"));
  auto said = messages(error_of(got));
  std::sort(said.begin(), said.end());
  CHECK(said == lines{"one", "three", "two"});
}

TEST_CASE("a race of different types is a variant whose index tells who won") {
  muster::manager site{standing_still()};
  const auto got = site.race(
      "first",
      [](context& ctx) -> muster::result<int> { return std::unexpected{ctx.wait_until_cancelled().to_error()}; },
      [] { return std::string{"won"}; });
  REQUIRE(got);
  static_assert(std::same_as<std::remove_cvref_t<decltype(*got)>, std::variant<int, std::string>>);
  CHECK(got->index() == 1);
  CHECK(std::get<1>(*got) == "won");
  const auto same = site.race(
      "void", [] {}, [](context& ctx) { ctx.wait_until_cancelled(); });
  static_assert(std::same_as<std::remove_cvref_t<decltype(*same)>, std::monostate>);
  CHECK(same);
}

TEST_CASE("what the losers of a race made is destroyed and only the winner's value is kept") {
  muster::manager site{standing_still()};
  for (int i = 0; i < 200; ++i) {
    std::weak_ptr<int> made[3];
    const auto racer = [&](std::size_t index) {
      return [&made, index] {
        auto token = std::make_shared<int>(static_cast<int>(index));
        made[index] = token;
        return counted{std::move(token)};
      };
    };
    const auto got = site.race("first", racer(0), racer(1), racer(2));
    REQUIRE(got);
    int alive = 0;
    for (const auto& each : made)
      alive += each.expired() ? 0 : 1;
    REQUIRE(alive == 1);
    REQUIRE(made[static_cast<std::size_t>(*got->token)].lock() == got->token);
  }
}

TEST_CASE("a race with one runner is that runner's result") {
  muster::manager site{standing_still()};
  CHECK(site.race("alone", [] { return 1; }) == 1);
  CHECK(error_of(site.race("alone", fails("broken"))).message() == "broken");
}

TEST_CASE("the verbs exist on scope and context and belong to it") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  CHECK(std::get<0>(crew.parallel("p", [](context& ctx) { return ctx.path(); }).value()) == "site/crew/p/1");
  CHECK(std::get<0>(crew.series("s", [](context& ctx) { return ctx.path(); }).value()) == "site/crew/s/1");
  CHECK(crew.race("r", [](context& ctx) { return ctx.path(); }) == "site/crew/r/1");
  CHECK(crew.with_timeout("w", 1s, [](muster::scope& inner) { return inner.path(); }) == "site/crew/w");
  auto inside = crew.execute("task", [](context& ctx) {
    return lines{std::get<0>(ctx.parallel("p", [](context& in) { return in.path(); }).value()),
                 std::get<0>(ctx.series("s", [](context& in) { return in.path(); }).value()),
                 ctx.race("r", [](context& in) { return in.path(); }).value(),
                 ctx.with_timeout("w", 1s, [](muster::scope& inner) { return inner.path(); }).value()};
  });
  CHECK(crew.wait());
  CHECK(inside.get().value() ==
        lines{"site/crew/task/p/1", "site/crew/task/s/1", "site/crew/task/r/1", "site/crew/task/w"});
}

TEST_CASE("the verbs on a cancelled scope run nothing and say cancelled") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  crew.cancel();
  std::atomic<int> ran = 0;
  const auto body = [&] { return ran.fetch_add(1); };
  CHECK(error_of(crew.parallel("p", body, body)).code() == errc::cancelled);
  CHECK(error_of(crew.parallel("p", std::vector{1, 2}, [&](int) { return body(); })).code() == errc::cancelled);
  CHECK(error_of(crew.series("s", body, body)).code() == errc::cancelled);
  CHECK(error_of(crew.race("r", body, body)).code() == errc::cancelled);
  CHECK(error_of(crew.with_timeout("w", 1s, [&](muster::scope&) { return body(); })).code() == errc::cancelled);
  CHECK(ran == 0);
}

TEST_CASE("a step that is skipped or a daemon makes its own error the result of parallel and race") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
  auto bad = crew.execute("bad", fails("broken"));
  const auto skipped = [&] { return muster::step{{.name = "behind", .after = {bad}}, [] { return 1; }}; };
  CHECK(error_of(site.parallel("all", skipped(), [] { return 2; })).code() == errc::skipped);
  CHECK(error_of(site.race("race", skipped(), skipped())).code() == errc::skipped);
  const auto daemon = muster::step{{.name = "daemon", .daemon = true}, [](context& ctx) -> muster::result<int> {
                                     return std::unexpected{ctx.wait_until_cancelled().to_error()};
                                   }};
  CHECK(error_of(site.parallel("with a daemon", daemon, [] { return 2; })).code() == errc::cancelled);
  CHECK_FALSE(crew.wait());
}
