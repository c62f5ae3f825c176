// The simulation: time that jumps, runs that repeat, deadlocks that are told, bugs that are found.
#include "../planted/outcome_before_end.hpp"
#include "support.hpp"

#include <muster/testing.hpp>

#include <set>

using namespace support;
using muster::testing::explore;
using muster::testing::simulation;

TEST_CASE("simulation: a timeout of seconds over bodies that sleep for seconds is exact") {
  simulation sim{1};
  const auto done = sim.run([](simulation& site) {
    return site.with_timeout("checkout", 8s, [](muster::scope& crew) {
      crew.execute("quick", [](context& ctx) { return ctx.sleep_for(3s); });
      crew.execute("slow", [](context& ctx) { return ctx.sleep_for(20s); });
      return crew.wait();
    });
  });
  REQUIRE_FALSE(done);
  CHECK(done.error().is(errc::timed_out));
  CHECK(sim.elapsed() == 8s);
  CHECK(sim.stats().tasks_completed == 1);
  CHECK(sim.stats().tasks_cancelled == 1);
}

TEST_CASE("simulation: the verbs run on it as they are, without run") {
  simulation sim{7};
  const auto both = sim.parallel("both", [](context& ctx) { return ctx.sleep_for(1s).has_value() ? 1 : 0; },
                                 [](context& ctx) { return ctx.sleep_for(2s).has_value() ? 2 : 0; });
  REQUIRE(both);
  CHECK(*both == std::tuple{1, 2});
  CHECK(sim.elapsed() == 2s);
}

TEST_CASE("simulation: a seed gives the same trace byte for byte and others give others") {
  const auto run = [](std::uint64_t seed) {
    simulation sim{seed};
    static_cast<void>(sim.run([](simulation& site) {
      auto crew = site.create_scope("crew", {.timeout = 2s});
      for (int i = 0; i < 5; ++i)
        crew.execute("worker", [i](context& ctx) -> muster::result<void> {
          for (int n = 0; n < i; ++n)
            if (auto slept = ctx.sleep_for(500ms * n); !slept)
              return slept;
          return {};
        });
      return crew.wait();
    }));
    return sim.trace();
  };
  std::set<std::string> different;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto first = run(seed);
    REQUIRE_FALSE(first.empty());
    REQUIRE(first == run(seed));
    different.insert(first);
  }
  CHECK(different.size() > 10);
}

TEST_CASE("simulation: run_until and run_for let happen exactly what is due by then") {
  simulation sim{1};
  auto crew = sim.create_scope("crew");
  journal seen;
  for (int i = 1; i <= 3; ++i)
    crew.execute("sleeper", [&seen, i](context& ctx) {
      if (ctx.sleep_for(1s * i))
        seen.write(std::to_string(i));
    });
  sim.run_for(1s);
  CHECK(seen.lines() == lines{"1"});
  sim.run_for(999ms);
  CHECK(seen.lines() == lines{"1"});
  sim.run_until(sim.now() + 1ms);
  CHECK(seen.lines() == lines{"1", "2"});
  CHECK(crew.wait());
  CHECK(sim.elapsed() == 3s);
}

TEST_CASE("simulation: a deadlock is told at once with everybody who waits and for what") {
  simulation sim{1};
  const auto done = sim.run([](simulation& site) -> muster::result<void> {
    auto crew = site.create_scope("crew");
    crew.execute("idle", [](context& ctx) { ctx.wait_until_cancelled(); });
    return crew.wait();
  });
  REQUIRE_FALSE(done);
  CHECK(done.error().code() == errc::would_deadlock);
  CHECK(contains(done.error().message(), "site/crew/idle waits for sleep"));
  CHECK(contains(done.error().message(), "the simulation's own thread waits for scope site/crew"));
  CHECK(sim.elapsed() == 0s);
}

TEST_CASE("simulation: who waits for what never comes is let go so that the run can end") {
  simulation sim{1};
  muster::task<int> task;
  const auto done = sim.run([&](simulation& site) -> muster::result<void> {
    auto crew = site.create_scope("crew");
    auto other = site.create_scope("other");
    auto idle = other.execute("idle", [](context& ctx) { return ctx.wait_until_cancelled(), 1; });
    task = crew.execute("waiter", [idle](context&) -> muster::result<int> { return idle.get().as_result(); });
    return crew.wait();
  });
  REQUIRE_FALSE(done);
  CHECK(done.error().code() == errc::would_deadlock);
  CHECK(contains(done.error().message(), "site/crew/waiter waits for task site/other/idle"));
  CHECK(task.ready());
}

TEST_CASE("simulation: a body that polls does not keep time from passing") {
  simulation sim{3};
  const auto done = sim.run([](simulation& site) {
    auto crew = site.create_scope("crew", {.timeout = 5s});
    crew.execute("poller", [](context& ctx) {
      while (!ctx.cancelled()) {
      }
    });
    return crew.wait();
  });
  REQUIRE_FALSE(done);
  CHECK(done.error().is(errc::timed_out));
  CHECK(sim.elapsed() == 5s);
}

TEST_CASE("simulation: a run that goes round in circles is told as such") {
  simulation sim{muster::testing::simulation_options{.seed = 1, .max_steps = 20'000}};
  const auto done = sim.run([](simulation& site) {
    auto crew = site.create_scope("crew");
    crew.execute("poller", [](context& ctx) {
      while (!ctx.cancelled()) {
      }
    });
    return crew.wait();
  });
  REQUIRE_FALSE(done);
  CHECK(done.error().code() == errc::would_deadlock);
  CHECK(contains(done.error().message(), "20000 steps"));
}

TEST_CASE("simulation: what the body throws goes on to the caller") {
  simulation sim{1};
  CHECK_THROWS_AS(sim.run([] { throw std::runtime_error{"from the body"}; }), std::runtime_error);
  CHECK(sim.run([] { return 5; }).value() == 5);
}

TEST_CASE("simulation: nested scopes, resources, callbacks and managers below it work") {
  const auto found = explore(50, [](simulation& site) {
    journal order;
    muster::manager request{site, "request"};
    auto crew = request.create_scope("crew", {.timeout = 10s, .max_parallel = 2});
    static_cast<void>(crew.register_resource("first", 1, [&](int&) { order.write("first"); }));
    static_cast<void>(crew.register_resource("second", 2, [&](int&) { order.write("second"); }));
    auto outer = crew.execute("outer", [](context& ctx) -> muster::result<int> {
      auto inner = ctx.create_scope("inner");
      auto a = inner.execute("a", [](context& c) { return c.sleep_for(1s).has_value() ? 1 : 0; });
      auto b =
          inner.execute({.name = "b", .after = {a}}, [](context& c) { return c.sleep_for(1s).has_value() ? 2 : 0; });
      if (auto done = inner.wait(); !done)
        return std::unexpected{done.error()};
      return a.get().value() + b.get().value();
    });
    std::atomic<int> called = 0;
    crew.execute({.name = "listener", .timeout = 3s, .grace = 1s}, [&](context& ctx) {
      const auto kept = ctx.on_cancel([&] { called.fetch_add(1); });
      return muster::result<void>{std::unexpected{ctx.wait_until_cancelled().to_error()}};
    });
    const auto done = crew.wait();
    return !done && done.error().is(errc::timed_out) && outer.get().ok() && outer.get().value() == 3 && called == 1 &&
           order.lines() == lines{"second", "first"} && site.now() == request.now();
  });
  CHECK(found);
  CHECK(found.runs == 50);
}

TEST_CASE("simulation: a thousand bodies asleep at once are a thousand waits and not a thousand seconds") {
  simulation sim{1};
  auto crew = sim.create_scope("crew");
  for (int i = 0; i < 1'000; ++i)
    crew.execute("sleeper", [i](context& ctx) { return ctx.sleep_for(1s * i); });
  CHECK(crew.wait());
  CHECK(sim.elapsed() == 999s);
}

TEST_CASE("exploration: a lost update between two calls is found and its seed gives the same run") {
  const auto racy = [](simulation& site) {
    int balance = 0;
    auto crew = site.create_scope("crew");
    for (int i = 0; i < 2; ++i)
      crew.execute("adder", [&](context& ctx) {
        const int seen = balance;
        static_cast<void>(ctx.checkpoint());
        balance = seen + 1;
      });
    return crew.wait().has_value() && balance == 2;
  };
  const auto found = explore(1'000, racy);
  REQUIRE_FALSE(found);
  CHECK(found.failure == "the body returned false");
  const auto again = explore({.seeds = 1, .first_seed = *found.failing_seed}, racy);
  REQUIRE_FALSE(again);
  CHECK(again.trace == found.trace);
  const auto by_priority = explore({.seeds = 1'000, .priority_changes = 1}, racy);
  CHECK_FALSE(by_priority);
}

TEST_CASE("exploration: errors, exceptions and deadlocks are failures and success is not") {
  CHECK(explore(10, [] {}));
  CHECK(explore(10, [] { return muster::result<int>{1}; }).runs == 10);
  CHECK(explore(10, []() -> muster::result<int> {
          return std::unexpected{muster::error{errc::timed_out, "late"}};
        }).runs == 1);
  CHECK(contains(explore(10, [] { throw std::runtime_error{"boom"}; }).failure, "boom"));
  CHECK(contains(explore(10, [](simulation& site) {
                   auto crew = site.create_scope("crew");
                   crew.execute("idle", [](context& ctx) { ctx.wait_until_cancelled(); });
                   return crew.wait();
                 }).failure, "site/crew/idle"));
}

TEST_CASE("exploration: a task's outcome counts before its scope is over, however they meet") {
  // The same exploration finds the scope out in which the two have changed places: tests/planted.
  const auto found = planted::explore_outcome_before_end();
  CHECK(found);
  CHECK(found.runs == 1'000);
}
