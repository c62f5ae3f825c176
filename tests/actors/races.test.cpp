// Races of tasks: two endings meet, thousands of times; exactly one legal outcome occurs, and the books agree with it.
#include "rival.hpp"

using namespace support;

TEST_CASE("race: a cancel against the start of its task runs the body or cancels it but not both") {
  muster::manager site{standing_still()};
  rival other;
  std::uint64_t ok = 0;
  auto crew = site.create_scope("crew");
  for (int i = 0; i < rounds; ++i) {
    std::atomic<int> ran = 0;
    auto task = crew.execute("worker", [&] { ran.fetch_add(1); });
    other.meet(
        i, [&] { task.cancel(); }, [&] { static_cast<void>(task.wait_for(1h)); });
    REQUIRE((task.get().ok() || task.get().cancelled()));
    REQUIRE(ran == (task.get().ok() ? 1 : 0));
    ok += task.get().ok() ? 1U : 0U;
  }
  CHECK(crew.wait());
  CHECK(site.stats().tasks_completed == ok);
  CHECK(site.stats().tasks_cancelled == rounds - ok);
  CHECK(site.stats().tasks_started == ok);
}

TEST_CASE("race: a cancel against a crowd of starts needs no worker to end the scope") {
  muster::manager site{on(still_clock(), {.workers = 1, .max_workers = 1})};
  auto elsewhere = site.create_scope("elsewhere");
  gate started;
  gate go;
  const let_go at_end{go};
  elsewhere.execute("has the only worker", [&] {
    started.open();
    go.wait();
  });
  started.wait();
  for (int i = 0; i < 100; ++i) {
    auto crew = site.create_scope("crew");
    std::atomic<int> spawned = 0;
    std::atomic<int> ran = 0;
    std::vector<std::thread> spawners;
    for (int k = 0; k < 4; ++k)
      spawners.emplace_back([&] {
        while (!crew.cancelled()) {
          crew.execute("never starts", [&] { ++ran; });
          ++spawned;
        }
      });
    await([&] { return spawned >= i; });
    crew.cancel();
    for (auto& each : spawners)
      each.join();
    REQUIRE_FALSE(crew.wait()); // the worker is held all the while
    REQUIRE(ran == 0);
  }
  go.open();
  CHECK(elsewhere.wait());
}

TEST_CASE("race: a cancel against the failure of its task is failed or cancelled and wait agrees") {
  muster::manager site{standing_still()};
  rival other;
  std::uint64_t failed = 0;
  for (int i = 0; i < rounds; ++i) {
    auto crew = site.create_scope("crew");
    gate go;
    gate started;
    auto task = crew.execute("worker", [&]() -> muster::result<void> {
      started.open();
      await([&] { return go.is_open(); });
      return std::unexpected{muster::error{std::errc::io_error, "broken"}};
    });
    started.wait();
    other.meet(
        i, [&] { task.cancel(); }, [&] { go.open(); });
    const auto whole = crew.wait();
    const auto& outcome = task.get();
    REQUIRE((outcome.failed() || outcome.cancelled()));
    REQUIRE(outcome.error().is(std::errc::io_error));
    REQUIRE(static_cast<bool>(outcome.reason()) == outcome.cancelled());
    REQUIRE(whole.has_value() == outcome.cancelled());
    failed += outcome.failed() ? 1U : 0U;
  }
  CHECK(site.stats().tasks_failed == failed);
  CHECK(site.stats().tasks_cancelled == rounds - failed);
  CHECK(site.stats().tasks_live == 0);
}

TEST_CASE("race: a scope's cancel against the end of its last task fails wait unless the task had ended") {
  muster::manager site{standing_still()};
  rival other;
  for (int i = 0; i < rounds; ++i) {
    auto crew = site.create_scope("crew");
    auto task = crew.execute("worker", [] { return 1; });
    other.meet(
        i, [&] { crew.cancel(); }, [&] { static_cast<void>(task.wait_for(1h)); });
    const auto whole = crew.wait();
    REQUIRE((task.get().ok() || task.get().cancelled()));
    REQUIRE((whole.has_value() || is(whole, errc::cancelled)));
    if (!task.get().ok())
      REQUIRE_FALSE(whole);
    REQUIRE(crew.wait().has_value() == whole.has_value());
  }
  CHECK(ended(site.stats()) == rounds);
  CHECK(site.stats().tasks_live == 0);
}

TEST_CASE("race: a task's timeout against its value leaves the value standing") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  rival other;
  for (int i = 0; i < rounds; ++i) {
    auto crew = site.create_scope("crew");
    gate go;
    gate started;
    auto task = crew.execute({.name = "worker", .timeout = 1s}, [&] {
      started.open();
      await([&] { return go.is_open(); });
      return 3;
    });
    started.wait();
    other.meet(
        i, [&] { clock->advance(1s); }, [&] { go.open(); });
    REQUIRE(crew.wait());
    REQUIRE(task.get().ok());
    REQUIRE(task.get().value() == 3);
  }
  CHECK(site.stats().tasks_completed == rounds);
}

TEST_CASE("race: a task's timeout against its failure is failed or timed out and wait agrees") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  rival other;
  std::uint64_t failed = 0;
  for (int i = 0; i < rounds; ++i) {
    auto crew = site.create_scope("crew");
    gate go;
    gate started;
    auto task = crew.execute({.name = "worker", .timeout = 1s}, [&]() -> muster::result<void> {
      started.open();
      await([&] { return go.is_open(); });
      return std::unexpected{muster::error{std::errc::io_error, "broken"}};
    });
    started.wait();
    other.meet(
        i, [&] { clock->advance(1s); }, [&] { go.open(); });
    const auto whole = crew.wait();
    REQUIRE((task.get().failed() || task.get().timed_out()));
    REQUIRE(task.get().error().is(std::errc::io_error));
    REQUIRE_FALSE(whole);
    REQUIRE(whole.error().code() == task.get().error().code());
    failed += task.get().failed() ? 1U : 0U;
  }
  CHECK(site.stats().tasks_failed == failed);
  CHECK(site.stats().tasks_timed_out == rounds - failed);
}

TEST_CASE("race: a task's timeout against its start runs the body or times out but not both") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  rival other;
  for (int i = 0; i < rounds; ++i) {
    auto crew = site.create_scope("crew");
    std::atomic<int> ran = 0;
    muster::task<void> task;
    other.meet(
        i, [&] { clock->advance(1s); },
        [&] { task = crew.execute({.name = "worker", .timeout = 1s}, [&] { ran.fetch_add(1); }); });
    const auto whole = crew.wait();
    REQUIRE((task.get().ok() || task.get().timed_out()));
    REQUIRE(ran == (task.get().ok() ? 1 : 0));
    REQUIRE(whole.has_value() == task.get().ok());
  }
  CHECK(ended(site.stats()) == rounds);
}

TEST_CASE("race: a scope's deadline against the end of its task") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  rival other;
  for (int i = 0; i < rounds; ++i) {
    auto crew = site.create_scope("crew", {.timeout = 1s});
    gate go;
    auto task = crew.execute("worker", [&](context& ctx) -> muster::result<int> {
      await([&] { return go.is_open() || ctx.cancelled(); });
      if (auto here = ctx.checkpoint(); !here)
        return std::unexpected{here.error()};
      return 1;
    });
    other.meet(
        i, [&] { clock->advance(1s); }, [&] { go.open(); });
    const auto whole = crew.wait();
    REQUIRE((task.get().ok() || task.get().cancelled()));
    if (task.get().cancelled())
      REQUIRE(is(whole, errc::timed_out));
    else
      REQUIRE((whole.has_value() || is(whole, errc::timed_out)));
  }
  CHECK(site.stats().tasks_failed + site.stats().tasks_timed_out == 0);
}

TEST_CASE("race: two failures at once are both kept and each once") {
  muster::manager site{standing_still()};
  rival other;
  for (int i = 0; i < rounds; ++i) {
    auto crew = site.create_scope("crew");
    gate go[2];
    gate started[2];
    std::vector<muster::task<void>> tasks;
    for (std::size_t each = 0; each < 2; ++each)
      tasks.push_back(crew.execute("culprit", [&, each]() -> muster::result<void> {
        started[each].open();
        await([&] { return go[each].is_open(); });
        return std::unexpected{muster::error{std::errc::io_error, "broken"}};
      }));
    started[0].wait();
    started[1].wait();
    other.meet(
        i, [&] { go[0].open(); }, [&] { go[1].open(); });
    const auto why = error_of(crew.wait());
    REQUIRE(why.message() == "broken");
    REQUIRE(why.later().size() == 1);
    REQUIRE((mentions(why, tasks[0].get().error()) && mentions(why, tasks[1].get().error())));
    REQUIRE((tasks[0].get().failed() || tasks[1].get().failed()));
    for (const auto& each : tasks)
      REQUIRE((each.get().failed() || each.get().cancelled()));
  }
  CHECK(ended(site.stats()) == 2 * rounds);
}

TEST_CASE("race: spawning against cancelling gives tasks that ran or were cancelled") {
  muster::manager site{standing_still()};
  rival other;
  for (int i = 0; i < rounds; ++i) {
    auto crew = site.create_scope("crew");
    std::atomic<int> ran = 0;
    std::vector<muster::task<void>> tasks;
    other.meet(
        i, [&] { crew.cancel(); },
        [&] {
          for (int each = 0; each < 4; ++each)
            tasks.push_back(crew.execute("worker", [&] { ran.fetch_add(1); }));
        });
    REQUIRE_FALSE(crew.execute("late", [&] { ran.fetch_add(100); }).get().ok());
    static_cast<void>(crew.wait());
    int ok = 0;
    for (const auto& each : tasks) {
      REQUIRE((each.get().ok() || each.get().cancelled()));
      ok += each.get().ok() ? 1 : 0;
    }
    REQUIRE(ran == ok);
  }
  CHECK(ended(site.stats()) == 5 * rounds);
  CHECK(site.stats().tasks_live == 0);
}

TEST_CASE("race: spawning against waiting or closing gives a child that is waited for or refused") {
  muster::manager site{standing_still()};
  rival other;
  for (int i = 0; i < rounds; ++i) {
    auto crew = site.create_scope("crew");
    std::atomic<int> ran = 0;
    crew.execute("first", [] {});
    muster::task<void> task;
    int ran_at_end = -1;
    muster::result<void> whole;
    other.meet(
        i,
        [&] {
          if (i % 2 == 0)
            crew.close();
          whole = crew.wait();
          ran_at_end = ran;
        },
        [&] { task = crew.execute("worker", [&] { ran.fetch_add(1); }); });
    REQUIRE(whole);
    REQUIRE((task.get().ok() || task.get().cancelled()));
    REQUIRE(ran_at_end == (task.get().ok() ? 1 : 0));
    REQUIRE(ran == ran_at_end);
  }
  CHECK(site.stats().tasks_live == 0);
}

TEST_CASE("race: a dependant that is added while its dependency ends is started or skipped as it should") {
  muster::manager site{standing_still()};
  rival other;
  for (int i = 0; i < rounds; ++i) {
    auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
    const bool good = i % 2 == 0;
    gate go;
    auto first = crew.execute("first", [&, good]() -> muster::result<void> {
      await([&] { return go.is_open(); });
      if (good)
        return {};
      return std::unexpected{muster::error{std::errc::io_error, "broken"}};
    });
    muster::task<void> next;
    other.meet(
        i, [&] { go.open(); }, [&] { next = crew.execute({.name = "next", .after = {first}}, succeeds); });
    REQUIRE(crew.wait().has_value() == good);
    REQUIRE(next.get().kind() == (good ? outcome_kind::ok : outcome_kind::skipped));
  }
  CHECK(site.stats().tasks_skipped == rounds / 2);
}

TEST_CASE("race: a dependant's cancel against the end of its dependency") {
  muster::manager site{standing_still()};
  rival other;
  for (int i = 0; i < rounds; ++i) {
    auto crew = site.create_scope("crew");
    gate go;
    std::atomic<int> ran = 0;
    auto first = crew.execute("first", [&] { await([&] { return go.is_open(); }); });
    auto next = crew.execute({.name = "next", .after = {first}}, [&] { ran.fetch_add(1); });
    other.meet(
        i, [&] { go.open(); }, [&] { next.cancel(); });
    REQUIRE(crew.wait());
    REQUIRE((next.get().ok() || next.get().cancelled()));
    REQUIRE(ran == (next.get().ok() ? 1 : 0));
  }
  CHECK(ended(site.stats()) == 2 * rounds);
}
