// Deadlines: the earliest of all above counts, zero never runs, and an eight-second timeout takes no time to test.
#include "support.hpp"

#include <optional>

using namespace support;

TEST_CASE("a child's deadline is the earliest of its own and all above it") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  const auto start = clock->now();
  auto free = site.create_scope("free");
  CHECK(free.deadline() == muster::never);
  CHECK(free.time_left() == muster::duration::max());
  auto crew = site.create_scope("crew", {.timeout = 8s});
  auto tight = crew.create_scope("tight", {.timeout = 3s});
  auto loose = crew.create_scope("loose", {.timeout = 20s});
  CHECK(crew.deadline() == start + 8s);
  CHECK(crew.time_left() == 8s);
  CHECK(tight.deadline() == start + 3s);
  CHECK(loose.deadline() == start + 8s);
  const auto asks = [](context& ctx) { return ctx.deadline(); };
  CHECK(free.execute("worker", asks).get().value() == muster::never);
  CHECK(free.execute("worker", [](context& ctx) { return ctx.time_left(); }).get().value() == muster::duration::max());
  CHECK(crew.execute("inherits", asks).get().value() == start + 8s);
  CHECK(crew.execute({.name = "shorter", .timeout = 5s}, asks).get().value() == start + 5s);
  CHECK(crew.execute({.name = "longer", .timeout = 9s}, asks).get().value() == start + 8s);
  CHECK(loose.execute({.name = "longer", .timeout = 9s}, asks).get().value() == start + 8s);
  clock->advance(2s);
  CHECK(crew.time_left() == 6s);
  CHECK(tight.execute({.name = "own", .timeout = 2s}, asks).get().value() == start + 3s);
  auto inside = crew.execute({.name = "outer", .timeout = 4s}, [](context& ctx) {
    auto inner = ctx.create_scope("inner", {.timeout = 1h});
    return std::pair{inner.deadline(), ctx.time_left()};
  });
  CHECK(inside.get().value().first == start + 6s);
  CHECK(inside.get().value().second == 4s);
}

TEST_CASE("a timeout that reaches beyond the end of time is none") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew", {.timeout = muster::duration::max() - 1ns});
  CHECK(crew.deadline() == muster::never);
  auto task = crew.execute({.name = "worker", .timeout = muster::duration::max() - 5ns},
                           [](context& ctx) { return ctx.deadline(); });
  CHECK(task.get().value() == muster::never);
  CHECK(crew.wait());
}

TEST_CASE("a scope's deadline cancels its children and wait says timed out") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew", {.timeout = 8s});
  auto nested = crew.create_scope("nested");
  auto worker = crew.execute("worker", stays);
  auto below = nested.execute("below", stays);
  clock->advance(8s - 1ns);
  CHECK_FALSE(crew.cancelled());
  clock->advance(1ns);
  CHECK(crew.cancelled());
  const auto why = error_of(crew.wait());
  CHECK(why.code() == errc::timed_out);
  CHECK(why.is(std::errc::timed_out));
  CHECK(why.path() == "site/crew");
  REQUIRE(worker.get().cancelled());
  CHECK(worker.get().reason().kind() == cancel_kind::timeout);
  CHECK(worker.get().reason().origin() == "site/crew");
  REQUIRE(below.get().cancelled());
  CHECK(below.get().reason().kind() == cancel_kind::parent_cancelled);
  CHECK(below.get().reason().root_kind() == cancel_kind::timeout);
  CHECK(site.stats().tasks_cancelled == 2);
  CHECK(site.stats().tasks_timed_out == 0);
}

TEST_CASE("a scope's deadline that passes after its end changes nothing") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew", {.timeout = 8s});
  auto worker = crew.execute({.name = "worker", .timeout = 4s}, succeeds);
  CHECK(crew.wait());
  clock->advance(1h);
  CHECK(crew.wait());
  CHECK(worker.get().ok());
  CHECK_FALSE(worker.get().late());
}

TEST_CASE("a task's own timeout ends it as timed_out and counts as a failure of its scope") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  gate started;
  auto sibling = crew.execute("sibling", stays);
  auto worker = crew.execute({.name = "worker", .timeout = 3s}, [&](context& ctx) -> muster::result<void> {
    started.open();
    return ctx.sleep_for(1h);
  });
  auto next = crew.execute({.name = "next", .after = {worker}}, succeeds);
  started.wait();
  clock->advance(3s);
  REQUIRE(worker.get().timed_out());
  CHECK(worker.get().error().code() == errc::timed_out);
  CHECK(worker.get().error().path() == "site/crew/worker");
  CHECK(worker.get().reason().kind() == cancel_kind::timeout);
  CHECK(worker.get().reason().origin() == "site/crew/worker");
  const auto why = error_of(crew.wait());
  CHECK(why.code() == errc::timed_out);
  CHECK(why.path() == "site/crew/worker");
  CHECK(why.later().empty());
  REQUIRE(sibling.get().cancelled());
  CHECK(sibling.get().reason().kind() == cancel_kind::sibling_failed);
  CHECK(next.get().skipped());
  CHECK(site.stats().tasks_timed_out == 1);
  CHECK(site.errors().errors.size() == 1);
}

TEST_CASE("a body that ends with an error after its own timeout is timed_out and that error is the cause") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  gate started;
  auto worker = crew.execute({.name = "worker", .timeout = 3s}, [&](context& ctx) -> muster::result<void> {
    started.open();
    ctx.wait_until_cancelled();
    return std::unexpected{muster::error{std::errc::io_error, "broken"}};
  });
  started.wait();
  clock->advance(3s);
  REQUIRE(worker.get().timed_out());
  CHECK(worker.get().error().code() == errc::timed_out);
  CHECK(worker.get().error().is(std::errc::io_error));
  CHECK(any_is(error_of(crew.wait()), std::make_error_code(std::errc::io_error)));
}

TEST_CASE("a value stands even if the deadline passed while it was being made") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  gate started;
  gate go;
  const let_go at_end{go};
  auto worker = crew.execute({.name = "worker", .timeout = 3s}, [&] {
    started.open();
    go.wait();
    return 6;
  });
  started.wait();
  clock->advance(3s + 500ms);
  go.open();
  REQUIRE(worker.get().ok());
  CHECK(worker.get().value() == 6);
  CHECK(worker.get().late());
  CHECK(worker.get().reason().kind() == cancel_kind::timeout);
  CHECK(crew.wait());
}

TEST_CASE("a task with a timeout of zero or less never runs") {
  muster::manager site{standing_still()};
  std::atomic<int> ran = 0;
  for (const muster::duration d : {muster::duration{0}, muster::duration{-1}, muster::duration::min()}) {
    auto crew = site.create_scope("crew");
    auto worker = crew.execute({.name = "worker", .timeout = d}, [&] { ran.fetch_add(1); });
    REQUIRE(worker.get().timed_out());
    CHECK(worker.get().error().code() == errc::timed_out);
    CHECK(error_of(crew.wait()).code() == errc::timed_out);
  }
  CHECK(ran == 0);
  CHECK(site.stats().tasks_started == 0);
}

TEST_CASE("in a scope with a timeout of zero or less nothing runs") {
  muster::manager site{standing_still()};
  std::atomic<int> ran = 0;
  for (const muster::duration d : {muster::duration{0}, muster::duration{-1}, muster::duration::min()}) {
    auto crew = site.create_scope("crew", {.timeout = d});
    CHECK(crew.time_left() == 0s);
    auto worker = crew.execute("worker", [&] { ran.fetch_add(1); });
    auto nested = crew.create_scope("nested");
    auto below = nested.execute("below", [&] { ran.fetch_add(1); });
    CHECK(worker.get().cancelled());
    CHECK(worker.get().reason().root_kind() == cancel_kind::timeout);
    CHECK(below.get().cancelled());
    CHECK(error_of(crew.wait()).code() == errc::timed_out);
  }
  CHECK(ran == 0);
}

TEST_CASE("with_timeout of zero or less does not run its body") {
  muster::manager site{standing_still()};
  int ran = 0;
  for (const muster::duration d : {muster::duration{0}, muster::duration{-1}, muster::duration::min()}) {
    const auto got = site.with_timeout("checkout", d, [&](muster::scope&) { return ++ran; });
    CHECK(error_of(got).code() == errc::timed_out);
  }
  CHECK(ran == 0);
}

TEST_CASE("a task's own timeout starts when its dependencies admit it") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  gate started;
  gate go;
  const let_go at_end{go};
  auto first = crew.execute("first", [&] {
    started.open();
    go.wait();
  });
  auto next =
      crew.execute({.name = "next", .timeout = 1s, .after = {first}}, [](context& ctx) { return ctx.time_left(); });
  started.wait();
  clock->advance(1h);
  go.open();
  REQUIRE(next.get().ok());
  CHECK(next.get().value() == 1s);
  CHECK(crew.wait());
}

TEST_CASE("a task's own timeout starts when max_parallel admits it") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew", {.max_parallel = 1});
  gate started;
  gate go;
  const let_go at_end{go};
  crew.execute("first", [&] {
    started.open();
    go.wait();
  });
  started.wait();
  auto next = crew.execute({.name = "next", .timeout = 1s}, [](context& ctx) { return ctx.time_left(); });
  clock->advance(1h);
  CHECK(next.state() == muster::task_state::held);
  go.open();
  REQUIRE(next.get().ok());
  CHECK(next.get().value() == 1s);
  CHECK(crew.wait());
}

TEST_CASE("time in the lane's queue counts: a task whose timeout passes there never runs") {
  const auto clock = still_clock();
  muster::manager site{on(clock, {.workers = 1, .max_workers = 1})};
  auto blocker = site.create_scope("blocker");
  auto crew = site.create_scope("crew");
  gate started;
  gate go;
  const let_go at_end{go};
  blocker.execute("first", [&] {
    started.open();
    go.wait();
  });
  started.wait();
  std::atomic<int> ran = 0;
  auto queued = crew.execute({.name = "queued", .timeout = 1s}, [&] { ran.fetch_add(1); });
  clock->advance(1s);
  REQUIRE(queued.get().timed_out());
  CHECK(error_of(crew.wait()).code() == errc::timed_out);
  go.open();
  CHECK(blocker.wait());
  CHECK(ran == 0);
}

TEST_CASE("sleeping ends when its time has come and a sleep of zero or less is a checkpoint") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  gate started;
  const auto start = clock->now();
  auto worker = crew.execute("worker", [&](context& ctx) -> muster::result<muster::time_point> {
    for (const auto& at_once : {ctx.sleep_for(0s), ctx.sleep_for(-1h), ctx.sleep_until(ctx.now() - 1h)})
      if (!at_once)
        return std::unexpected{at_once.error()};
    started.open();
    if (auto slept = ctx.sleep_for(5s); !slept)
      return std::unexpected{slept.error()};
    if (auto slept = ctx.sleep_until(start + 7s); !slept)
      return std::unexpected{slept.error()};
    return ctx.now();
  });
  started.wait();
  clock->await_timer_within(5s);
  clock->advance(5s);
  clock->await_timer_within(2s);
  clock->advance(2s);
  REQUIRE(worker.get().ok());
  CHECK(worker.get().value() == start + 7s);
  CHECK(crew.wait());
}

TEST_CASE("a sleep ends early when the task is asked to stop and says why") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
  const auto sleeps = [](context& ctx) { return ctx.sleep_for(1h); };
  auto timed = crew.execute({.name = "timed", .timeout = 2s}, sleeps);
  auto asked = crew.execute("asked", sleeps);
  auto beyond =
      crew.execute({.name = "beyond", .timeout = 2s}, [](context& ctx) { return ctx.sleep_until(muster::never); });
  clock->await_timer_within(2s);
  await([&] { return waits(site.tree(), "timed") && waits(site.tree(), "asked") && waits(site.tree(), "beyond"); });
  asked.cancel();
  CHECK(asked.get().cancelled());
  CHECK(asked.get().error().is(errc::cancelled));
  clock->advance(2s);
  CHECK(timed.get().timed_out());
  CHECK(timed.get().error().is(errc::timed_out));
  CHECK(beyond.get().timed_out());
  CHECK_FALSE(crew.wait());
}

TEST_CASE("a timeout of an inner scope fails the task that was not asked itself") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  auto outer = crew.execute("outer", [](context& ctx) -> muster::result<void> {
    auto inner = ctx.create_scope("inner", {.timeout = 2s});
    inner.execute("worker", stays);
    return inner.wait();
  });
  await([&] { return waits(site.tree(), "outer"); });
  clock->advance(2s);
  REQUIRE(outer.get().failed());
  CHECK(outer.get().error().is(errc::timed_out));
  CHECK(outer.get().error().path() == "site/crew/outer/inner");
  CHECK_FALSE(outer.get().reason());
  CHECK(error_of(crew.wait()).code() == errc::timed_out);
  CHECK(site.stats().tasks_failed == 1);
  CHECK(site.stats().tasks_timed_out == 0);
}

TEST_CASE("a checkout with a limit of eight seconds times out in no time on a manual clock") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  std::thread hand{[&] {
    await([&] { return waits(site.tree(), "charge"); });
    clock->advance(8s);
  }};
  muster::task<void> charge;
  const auto got = site.with_timeout("checkout", 8s, [&](muster::scope& crew) {
    charge = crew.execute("charge", stays);
    return crew.wait();
  });
  hand.join();
  CHECK(error_of(got).code() == errc::timed_out);
  CHECK(error_of(got).path() == "site/checkout");
  CHECK(charge.get().cancelled());
}

TEST_CASE("what with_timeout opens inside a body inherits the task's deadline") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  const auto start = clock->now();
  auto crew = site.create_scope("crew", {.timeout = 3s});
  auto outer = crew.execute("outer", [](context& ctx) {
    return ctx.with_timeout("longer", 10s, [](muster::scope& inner) { return inner.deadline(); });
  });
  CHECK(outer.get().value() == start + 3s);
  CHECK(crew.wait());
}
