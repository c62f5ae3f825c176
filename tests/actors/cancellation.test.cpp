// Cancellation: it has a reason, reaches everybody below, can be asked twice, and every child is still joined.
#include "support.hpp"

#include <optional>

using namespace support;

TEST_CASE("a cancel has a kind and a path where it began and a text and a moment") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  clock->advance(5s);
  gate started;
  auto worker = crew.execute("worker", [&](context& ctx) {
    started.open();
    return ctx.wait_until_cancelled();
  });
  started.wait();
  CHECK_FALSE(crew.cancelled());
  CHECK_FALSE(crew.reason());
  crew.cancel("rain");
  CHECK(crew.cancelled());
  CHECK_FALSE(crew.wait());
  for (const auto& reason : {crew.reason(), worker.get().reason(), worker.get().value()}) {
    CHECK(reason.kind() == cancel_kind::user);
    CHECK(reason.origin() == "site/crew");
    CHECK(reason.text() == "rain");
    CHECK(reason.since() == clock->now());
  }
}

TEST_CASE("a cancel reaches every descendant: parent cancelled and what it began with") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  gate started[3];
  muster::cancel_reason told[3];
  auto nested = crew.create_scope("nested");
  nested.execute("worker", [&](context& ctx) {
    started[0].open();
    told[0] = ctx.wait_until_cancelled();
  });
  crew.execute("outer", [&](context& ctx) {
    auto inner = ctx.create_scope("inner");
    inner.execute("worker", [&](context& below) {
      started[1].open();
      told[1] = below.wait_until_cancelled();
    });
    static_cast<void>(inner.wait());
    told[2] = inner.reason();
    started[2].open();
  });
  started[0].wait();
  started[1].wait();
  crew.cancel("rain");
  CHECK_FALSE(crew.wait());
  for (const auto& reason : told) {
    CHECK(reason.kind() == cancel_kind::parent_cancelled);
    CHECK(reason.root_kind() == cancel_kind::user);
    CHECK(reason.origin() == "site/crew");
    CHECK(reason.text() == "rain");
  }
  CHECK(error_of(nested.wait()).code() == errc::cancelled);
}

TEST_CASE("a manager's cancel reaches every scope and later scopes are born cancelled") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  gate started;
  auto worker = crew.execute("worker", [&](context& ctx) {
    started.open();
    return ctx.wait_until_cancelled();
  });
  started.wait();
  site.cancel("rain");
  site.cancel("snow");
  CHECK(site.cancelled());
  CHECK(error_of(crew.wait()).code() == errc::cancelled);
  CHECK(worker.get().value().kind() == cancel_kind::parent_cancelled);
  CHECK(worker.get().value().root_kind() == cancel_kind::user);
  CHECK(worker.get().value().text() == "rain");
  CHECK(worker.get().value().origin() == "site");
  auto late = site.create_scope("late");
  CHECK(late.cancelled());
  CHECK(late.execute("worker", succeeds).get().cancelled());
  CHECK(error_of(late.wait()).code() == errc::cancelled);
}

TEST_CASE("cancelling is idempotent: the first reason stays") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  gate started;
  auto worker = crew.execute("worker", [&](context& ctx) {
    started.open();
    return ctx.wait_until_cancelled();
  });
  started.wait();
  crew.cancel("first");
  crew.cancel("second");
  worker.cancel("third");
  CHECK_FALSE(crew.wait());
  CHECK(crew.reason().text() == "first");
  CHECK(worker.get().reason().text() == "first");
}

TEST_CASE("a task that was asked alone keeps its own reason when its scope is cancelled") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  gate asked;
  gate go;
  const let_go at_end{go};
  auto worker = crew.execute("worker", [&](context& ctx) -> muster::result<void> {
    ctx.wait_until_cancelled();
    asked.open();
    go.wait();
    return ctx.checkpoint();
  });
  await_start(worker);
  worker.cancel("mine");
  asked.wait();
  crew.cancel("all");
  go.open();
  CHECK_FALSE(crew.wait());
  REQUIRE(worker.get().cancelled());
  CHECK(worker.get().reason().kind() == cancel_kind::user);
  CHECK(worker.get().reason().text() == "mine");
  CHECK(worker.get().reason().origin() == "site/crew/worker");
}

TEST_CASE("a task that is cancelled before it starts never runs") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew", {.max_parallel = 1});
  gate started;
  gate go;
  const let_go at_end{go};
  std::atomic<int> ran = 0;
  auto first = crew.execute("first", [&] {
    started.open();
    go.wait();
  });
  started.wait();
  auto held = crew.execute("held", [&] { ran.fetch_add(1); });
  auto waiting = crew.execute({.name = "waiting", .after = {first}}, [&] { ran.fetch_add(1); });
  held.cancel("not needed");
  waiting.cancel();
  CHECK(held.get().cancelled());
  CHECK(held.get().error().is(errc::cancelled));
  CHECK(held.get().reason().text() == "not needed");
  CHECK(waiting.get().cancelled());
  go.open();
  CHECK(crew.wait());
  CHECK(ran == 0);
  CHECK(site.stats().tasks_started == 1);
  CHECK(site.stats().tasks_cancelled == 2);
}

TEST_CASE("a task that is ready but has no worker never runs once it is cancelled") {
  muster::manager site{on(still_clock(), {.workers = 1, .max_workers = 1})};
  auto crew = site.create_scope("crew");
  gate started;
  gate go;
  const let_go at_end{go};
  std::atomic<int> ran = 0;
  crew.execute("first", [&] {
    started.open();
    go.wait();
  });
  started.wait();
  auto queued = crew.execute("queued", [&] { ran.fetch_add(1); });
  CHECK(queued.state() == muster::task_state::ready);
  queued.cancel();
  CHECK(queued.get().cancelled());
  go.open();
  CHECK(crew.wait());
  CHECK(ran == 0);
}

TEST_CASE("a cancelled wait still waits: children are always joined") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  gate asked;
  gate go;
  const let_go at_end{go};
  std::atomic<bool> done = false;
  auto worker = crew.execute("worker", [&](context& ctx) {
    ctx.wait_until_cancelled();
    asked.open();
    go.wait();
    done = true;
  });
  await_start(worker);
  crew.cancel();
  asked.wait();
  CHECK(error_of(crew.wait_for(0s)).code() == errc::not_ready);
  CHECK_FALSE(crew.ended());
  go.open();
  CHECK_FALSE(crew.wait());
  CHECK(done);
}

TEST_CASE("a cancel marks the scope before it returns: a task spawned afterwards is cancelled") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  auto nested = crew.create_scope("nested");
  auto deeper = nested.create_scope("deeper");
  std::atomic<int> ran = 0;
  crew.cancel("rain");
  CHECK(crew.cancelled());
  CHECK(nested.cancelled());
  CHECK(deeper.cancelled());
  auto late = crew.execute("late", [&] { ran.fetch_add(1); });
  REQUIRE(late.get().cancelled());
  CHECK(late.get().reason().text() == "rain");
  CHECK(nested.execute("late", [&] { ran.fetch_add(1); }).get().cancelled());
  CHECK(deeper.execute("late", [&] { ran.fetch_add(1); }).get().cancelled());
  auto born = crew.create_scope("born cancelled");
  CHECK(born.cancelled());
  CHECK(born.execute("late", [&] { ran.fetch_add(1); }).get().cancelled());
  CHECK_FALSE(crew.wait());
  CHECK(ran == 0);
}

TEST_CASE("a body that cancels its own scope is asked as well") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  auto worker = crew.execute("worker", [&](context& ctx) {
    crew.cancel("enough");
    return ctx.cancelled();
  });
  CHECK(error_of(crew.wait()).code() == errc::cancelled);
  REQUIRE(worker.get().ok());
  CHECK(worker.get().value());
}

TEST_CASE("cancelling one task leaves its siblings alone") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  gate go;
  const let_go at_end{go};
  auto one = crew.execute("one", stays);
  auto other = crew.execute("other", [&](context& ctx) {
    go.wait();
    return ctx.cancelled();
  });
  one.cancel();
  CHECK(one.get().cancelled());
  CHECK(one.get().error().path() == "site/crew/one");
  go.open();
  CHECK(crew.wait());
  CHECK(other.get().as_result() == false);
}

TEST_CASE("cancelling one task reaches the scopes that it opened") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  gate started;
  muster::cancel_reason told;
  auto outer = crew.execute("outer", [&](context& ctx) {
    auto inner = ctx.create_scope("inner");
    inner.execute("worker", [&](context& below) {
      started.open();
      told = below.wait_until_cancelled();
    });
    return inner.wait();
  });
  started.wait();
  outer.cancel("enough");
  CHECK(outer.get().cancelled());
  CHECK(told.kind() == cancel_kind::parent_cancelled);
  CHECK(told.origin() == "site/crew/outer");
  CHECK(crew.wait());
}

TEST_CASE("a token from outside that is stopped cancels the scope") {
  muster::manager site{standing_still()};
  std::stop_source outside;
  auto crew = site.create_scope("crew", {.parent = outside.get_token()});
  gate started;
  auto worker = crew.execute("worker", [&](context& ctx) {
    started.open();
    return ctx.wait_until_cancelled();
  });
  started.wait();
  outside.request_stop();
  CHECK(error_of(crew.wait()).code() == errc::cancelled);
  CHECK(crew.reason().kind() == cancel_kind::parent_cancelled);
  CHECK(worker.get().value().kind() == cancel_kind::parent_cancelled);
}

TEST_CASE("a token from outside that is stopped already makes a scope that is born cancelled") {
  muster::manager site{standing_still()};
  std::stop_source outside;
  outside.request_stop();
  auto crew = site.create_scope("crew", {.parent = outside.get_token()});
  std::atomic<int> ran = 0;
  auto worker = crew.execute("worker", [&] { ran.fetch_add(1); });
  CHECK(worker.get().cancelled());
  CHECK(error_of(crew.wait()).code() == errc::cancelled);
  CHECK(ran == 0);
}

TEST_CASE("a token from outside may be stopped when its scope is long gone") {
  muster::manager site{standing_still()};
  std::stop_source outside;
  {
    auto crew = site.create_scope("crew", {.parent = outside.get_token()});
    crew.execute("worker", succeeds);
    CHECK(crew.wait());
  }
  outside.request_stop();
  CHECK(site.stats().tasks_completed == 1);
}

TEST_CASE("a token from outside that is stopped cancels the manager") {
  std::stop_source outside;
  auto options = standing_still();
  options.parent = outside.get_token();
  muster::manager site{std::move(options)};
  auto crew = site.create_scope("crew");
  gate started;
  auto worker = crew.execute("worker", [&](context& ctx) {
    started.open();
    return ctx.wait_until_cancelled();
  });
  started.wait();
  outside.request_stop();
  CHECK_FALSE(crew.wait());
  CHECK(site.cancelled());
  CHECK(worker.get().value().kind() == cancel_kind::parent_cancelled);
}

TEST_CASE("cancelling an ended task has no effect") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  auto worker = crew.execute("worker", [] { return 1; });
  CHECK(worker.get().ok());
  worker.cancel();
  CHECK(worker.get().ok());
  CHECK_FALSE(worker.get().late());
  auto next = crew.execute({.name = "next", .after = {worker}}, succeeds);
  CHECK(next.get().ok());
  CHECK(crew.wait());
}
