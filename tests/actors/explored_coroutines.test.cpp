// Races of coroutine bodies, explored: each kind of suspension against whatever else may happen at that moment.
#include "explored.hpp"

#include <muster/resource_pool.hpp>

#include <algorithm>
#include <stdexcept>

using namespace support;
using muster::async_context;
using muster::coro;
using muster::result;

TEST_CASE("explored: a sleeping coroutine's end against its cancel is ok or cancelled, and runs once") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    int ran = 0;
    auto crew = site.create_scope("crew");
    auto t = crew.execute("sleeper", [&](async_context& ctx) -> coro<result<int>> {
      ++ran;
      if (auto slept = co_await ctx.sleep_for(1s); !slept)
        co_return std::unexpected{slept.error()};
      co_return 3;
    });
    auto other = crew.execute("canceller", [t](context& ctx) -> result<void> {
      auto slept = ctx.sleep_for(1s);
      t.cancel();
      return slept;
    });
    const auto whole = crew.wait();
    const auto& end = t.get();
    seen.saw(to_string(end.kind()));
    return promised{}
      .that(end.ok() || end.cancelled(), "the task is ok or cancelled")
      .that(ran == 1, "the body runs once")
      .that(whole.has_value(), "cancelling a task fails nobody else")
      .books(site, 2, 2);
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"ok", "cancelled"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: two coroutines await one task and both get its outcome, whoever ends first") {
  const auto race = [](simulation& site) -> verdict {
    auto crew = site.create_scope("crew");
    auto worker = crew.execute("worker", [](async_context& ctx) -> coro<int> {
      static_cast<void>(co_await ctx.yield());
      co_return 7;
    });
    const auto awaits = [worker](async_context& ctx) -> coro<result<int>> {
      const auto& one = co_await worker;
      static_cast<void>(co_await ctx.yield());
      const auto& again = co_await worker;
      co_return one.ok() && &one == &again ? one.value() : 0;
    };
    auto a = crew.execute("a", awaits);
    auto b = crew.execute("b", awaits);
    if (auto whole = crew.wait(); !whole)
      return whole;
    return promised{}
      .that(a.get().value() == 7 && b.get().value() == 7, "both have the outcome")
      .books(site, 3, 3);
  };
  CHECK(explore(seeds, race));
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: coroutines that wait for each other are told so, all but none of them for ever") {
  const auto race = [](simulation& site) -> verdict {
    auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
    muster::task<void> second;
    auto first = crew.execute("first", [&second](async_context& ctx) -> coro<result<void>> {
      while (!second.valid())
        static_cast<void>(co_await ctx.yield());
      const auto& other = co_await second;
      co_return other.as_result();
    });
    second = crew.execute("second", [first](async_context&) -> coro<result<void>> {
      const auto& other = co_await first;
      co_return other.as_result();
    });
    const auto whole = crew.wait();
    return promised{}
      .that(!whole && any_is(whole.error(), make_error_code(errc::would_deadlock)), "somebody is told of the circle")
      .books(site, 2, 2);
  };
  CHECK(explore(seeds, race));
}

TEST_CASE("explored: a lease given against the cancel of its waiter is never lost") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    muster::resource_pool<int> pool{site, 1, [] { return 1; }};
    auto crew = site.create_scope("crew");
    auto holder = crew.execute("holder", [&](async_context& ctx) -> coro<result<void>> {
      auto lease = co_await pool.acquire(ctx);
      if (!lease)
        co_return std::unexpected{lease.error()};
      co_return co_await ctx.sleep_for(1s);
    });
    auto waiter = crew.execute("waiter", [&](async_context& ctx) -> coro<result<void>> {
      auto lease = co_await pool.acquire(ctx);
      if (!lease)
        co_return std::unexpected{lease.error()};
      co_return result<void>{};
    });
    crew.execute("canceller", [waiter](context& ctx) -> result<void> {
      auto slept = ctx.sleep_for(1s);
      waiter.cancel();
      return slept;
    });
    const auto whole = crew.wait();
    seen.saw(to_string(waiter.get().kind()));
    auto later = site.create_scope("later");
    const auto after = later.execute("last", [&](context& ctx) { return pool.acquire(ctx, 1h).has_value(); });
    static_cast<void>(later.wait());
    return promised{}
      .that(whole.has_value(), "nobody fails")
      .that(after.get().ok() && after.get().value(), "the resource can be had afterwards")
      .that(pool.stats().in_use == 0, "nothing is lent");
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"ok", "cancelled"}) == lines{});
}

TEST_CASE("explored: a coroutine's timeout against the end of its sleep is ok or timed out") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
    auto t = crew.execute({.name = "sleeper", .timeout = 1s},
                          [](async_context& ctx) -> coro<result<void>> { co_return co_await ctx.sleep_for(1s); });
    const auto whole = crew.wait();
    const auto& end = t.get();
    seen.saw(to_string(end.kind()));
    return promised{}
      .that(end.ok() || end.timed_out(), "the task is ok or timed out")
      .that(whole.has_value() == end.ok(), "wait fails exactly if it timed out")
      .that(site.elapsed() == 1s, "it takes a second")
      .books(site, 1, 1);
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"ok", "timed_out"}) == lines{});
}

TEST_CASE("explored: a scope that is cancelled has joined all its suspended coroutines when it has ended") {
  const auto race = [](simulation& site) -> verdict {
    int begun = 0;
    int left = 0;
    auto crew = site.create_scope("crew");
    for (int i = 0; i < 5; ++i)
      crew.execute("sleeper", [&](async_context& ctx) -> coro<result<void>> {
        ++begun;
        auto below = ctx.create_scope("below");
        below.execute("child", [&](async_context& inner) -> coro<void> {
          ++begun;
          static_cast<void>(co_await inner.cancelled_event());
          ++left;
        });
        auto joined = co_await below;
        ++left;
        co_return joined;
      });
    crew.cancel();
    const auto whole = crew.wait();
    return promised{}
      .that(is(whole, errc::cancelled), "the scope says that it was cancelled")
      .that(begun == left, "whoever began has left")
      .that(crew.stats().tasks_live == 0, "nobody is left");
  };
  CHECK(explore(seeds, race));
  CHECK(explore(by_priority(), race));
}

TEST_CASE(
    "explored: a coroutine that leaves a scope open has its outcome when the children are gone, also if it is "
    "cancelled") {
  const auto race = [](simulation& site) -> verdict {
    bool child_runs = false;
    bool released = false;
    bool opened = false;
    auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
    auto t = crew.execute("leaver", [&](async_context& ctx) -> coro<int> {
      auto below = ctx.create_scope("below");
      opened = true;
      static_cast<void>(below.register_resource("thing", 1, [&](int&) { released = true; }));
      below.execute("child", [&](async_context& inner) -> coro<void> {
        child_runs = true;
        static_cast<void>(co_await inner.sleep_for(1h));
        child_runs = false;
      });
      static_cast<void>(co_await ctx.yield());
      throw std::runtime_error{"out"};
    });
    crew.execute("canceller", [t] { t.cancel(); });
    const bool gone = (static_cast<void>(t.get()), !child_runs && released == opened);
    static_cast<void>(crew.wait());
    return promised{}
      .that(gone, "children and releases come before the outcome")
      .that(site.elapsed() == 0s, "nobody sleeps to the end");
  };
  CHECK(explore(seeds, race));
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: a blocking call against a cancel runs to its end, or not at all") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    int began = 0;
    int finished = 0;
    auto crew = site.create_scope("crew");
    auto t = crew.execute("body", [&](async_context& ctx) -> coro<result<int>> {
      auto job = ctx.blocking([&](context& plain) {
        ++began;
        static_cast<void>(plain.sleep_for(1s));
        ++finished;
        return 5;
      });
      co_return co_await job;
    });
    crew.execute("canceller", [t] { t.cancel(); });
    const auto whole = crew.wait();
    const auto& end = t.get();
    seen.saw(std::string{to_string(end.kind())} + (began ? ", called" : ""));
    return promised{}
      .that(began == finished && began <= 1, "it is called at most once, and ends")
      .that(end.ok() == (began == 1), "its value stands")
      .that(whole.has_value(), "nobody fails");
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"ok, called", "cancelled"}) == lines{});
}

TEST_CASE("explored: no more coroutines than permits are at work, whoever waits for whom") {
  const auto race = [](simulation& site) -> verdict {
    int inside = 0;
    int most = 0;
    auto crew = site.create_scope("crew", {.max_parallel = 1});
    for (int i = 0; i < 3; ++i)
      crew.execute("outer", [&](async_context&) -> coro<void> {
        most = std::max(most, ++inside);
        auto child = crew.execute("child", [&](context& ctx) {
          most = std::max(most, ++inside);
          static_cast<void>(ctx.checkpoint());
          --inside;
        });
        --inside;
        static_cast<void>(co_await child);
        most = std::max(most, ++inside);
        --inside;
      });
    const auto whole = crew.wait();
    return promised{}.that(whole.has_value(), "nobody fails").that(most == 1, "one at a time").books(site, 6, 6);
  };
  CHECK(explore(seeds, race));
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: a shield's own end against the sleep inside it, while the task is asked to stop") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    auto crew = site.create_scope("crew");
    auto t = crew.execute("body", [](async_context& ctx) -> coro<bool> {
      auto last = ctx.shield(
          1s, [](async_context& inner) -> coro<bool> { co_return (co_await inner.sleep_for(1s)).has_value(); });
      co_return co_await last;
    });
    crew.execute("canceller", [t] { t.cancel(); });
    const auto whole = crew.wait();
    const auto& end = t.get();
    if (!end.ok() && !end.cancelled())
      return broken("it is ok, or cancelled before it began");
    seen.saw(end.ok() ? (end.value() ? "slept" : "cut off") : "never began");
    return promised{}.that(whole.has_value(), "nobody fails");
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"slept", "cut off"}) == lines{});
}

TEST_CASE("a coroutine that nobody can wake is named in the report of a simulation, and the run ends") {
  simulation sim{1};
  const auto stuck = sim.run([](simulation& site) {
    auto crew = site.create_scope("crew");
    crew.execute("forlorn",
                 [](async_context& ctx) -> coro<void> { static_cast<void>(co_await ctx.cancelled_event()); });
    return crew.wait();
  });
  REQUIRE(!stuck);
  CHECK(stuck.error().code() == errc::would_deadlock);
  CHECK(contains(stuck.error().message(), "site/crew/forlorn waits for being asked to stop"));
}

TEST_CASE("two runs of one seed with coroutines give the same trace") {
  const auto trace_of = [](std::uint64_t seed) {
    simulation sim{seed};
    static_cast<void>(sim.run([](simulation& site) {
      auto crew = site.create_scope("crew");
      auto first =
          crew.execute("first", [](async_context& ctx) -> coro<result<void>> { co_return co_await ctx.sleep_for(1s); });
      for (int i = 0; i < 3; ++i)
        crew.execute("other", [first](async_context& ctx) -> coro<result<void>> {
          static_cast<void>(co_await ctx.yield());
          co_return (co_await first).as_result();
        });
      return crew.wait();
    }));
    return sim.trace();
  };
  CHECK(trace_of(7) == trace_of(7));
  CHECK(contains(trace_of(7), "task_suspended"));
  CHECK(contains(trace_of(7), "task_resumed"));
}
