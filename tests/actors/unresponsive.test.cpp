// Two steps: a cancel or a deadline asks; who does not answer within the grace period is named, counted, and awaited.
#include "support.hpp"

#include <optional>

using namespace support;

namespace {

/// A body that pays no attention to anything until its gate opens.
auto ignores(gate& started, gate& held) {
  return [&] {
    started.open();
    held.wait();
  };
}

} // namespace

TEST_CASE("a task that has not answered within its grace period is unresponsive and the scope fails naming it") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  gate started;
  gate held;
  const let_go at_end{held};
  auto worker = crew.execute("stubborn", [&](context& ctx) -> muster::result<int> {
    if (auto here = ctx.checkpoint(); !here)
      return std::unexpected{here.error()};
    started.open();
    held.wait();
    return 3;
  });
  started.wait();
  crew.cancel();
  clock->advance(1s - 1ns);
  CHECK(site.stats().tasks_unresponsive == 0);
  clock->advance(1ns);
  CHECK(site.stats().tasks_unresponsive == 1);
  CHECK(crew.stats().tasks_unresponsive == 1);
  CHECK(error_of(crew.wait_for(0s)).code() == errc::not_ready);
  CHECK_FALSE(worker.ready());
  held.open();
  const auto why = error_of(crew.wait());
  CHECK(why.code() == errc::unresponsive);
  CHECK(contains(to_line(why), "site/crew/stubborn"));
  CHECK(contains(to_line(why), "unresponsive.test.cpp")); // where it last checked in
  CHECK(site.stats().tasks_unresponsive == 1);
}

TEST_CASE("an unresponsive task that returns a value after all is ok and late and the verdict stays") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  gate started;
  gate held;
  const let_go at_end{held};
  auto worker = crew.execute("stubborn", [&] {
    started.open();
    held.wait();
    return 3;
  });
  std::atomic<int> ran = 0;
  auto next = crew.execute({.name = "next", .after = {worker}}, [&] { ran.fetch_add(1); });
  started.wait();
  worker.cancel();
  clock->advance(1s);
  held.open();
  CHECK(error_of(crew.wait()).code() == errc::unresponsive);
  REQUIRE(worker.get().ok());
  CHECK(worker.get().value() == 3);
  CHECK(worker.get().late());
  CHECK(next.get().cancelled());
  CHECK(ran == 0);
}

TEST_CASE("an unresponsive task cancels its siblings") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  gate started;
  gate held;
  const let_go at_end{held};
  auto worker = crew.execute("stubborn", ignores(started, held));
  auto sibling = crew.execute("sibling", stays);
  started.wait();
  worker.cancel();
  CHECK_FALSE(sibling.ready());
  clock->advance(1s);
  REQUIRE(sibling.get().cancelled());
  CHECK(sibling.get().reason().kind() == cancel_kind::sibling_failed);
  CHECK(sibling.get().reason().origin() == "site/crew/stubborn");
  CHECK(crew.cancelled());
  held.open();
  CHECK(error_of(crew.wait()).code() == errc::unresponsive);
}

TEST_CASE("of a crowd that does not answer everybody is accused when its own grace period is over, and once") {
  const auto clock = still_clock();
  muster::manager site{on(clock, {.name = "site", .workers = 2, .max_workers = 400})};
  auto crew = site.create_scope("crew");
  constexpr std::uint64_t many = 300;
  std::atomic<std::uint64_t> running = 0;
  gate held;
  const let_go at_end{held};
  for (std::uint64_t i = 0; i < many; ++i)
    crew.execute({.name = "stubborn", .blocking = true, .grace = i % 100 == 0 ? 3s : 1s}, [&] {
      ++running;
      held.wait();
    });
  await([&] { return running == many; });
  crew.cancel();
  clock->advance(1s - 1ns);
  CHECK(site.stats().tasks_unresponsive == 0);
  clock->advance(1ns);
  CHECK(site.stats().tasks_unresponsive == many - 3);
  clock->advance(2s - 1ns);
  CHECK(site.stats().tasks_unresponsive == many - 3);
  clock->advance(1ns);
  CHECK(site.stats().tasks_unresponsive == many);
  clock->advance(1h);
  CHECK(site.stats().tasks_unresponsive == many);
  held.open();
  CHECK(error_of(crew.wait()).code() == errc::unresponsive);
}

TEST_CASE("a task whose own time passes while its scope's cancel awaits an answer is accused once, after its grace") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  gate started;
  gate held;
  const let_go at_end{held};
  auto worker = crew.execute({.name = "stubborn", .timeout = 1s, .grace = 1s}, ignores(started, held));
  started.wait();
  clock->advance(500ms);
  crew.cancel();
  clock->advance(1s - 1ns);
  CHECK(site.stats().tasks_unresponsive == 0);
  clock->advance(1ns);
  CHECK(site.stats().tasks_unresponsive == 1);
  clock->advance(1h);
  CHECK(site.stats().tasks_unresponsive == 1);
  held.open();
  CHECK(error_of(crew.wait()).code() == errc::unresponsive);
}

TEST_CASE("a task that answers within its grace period is not accused") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  gate started;
  gate held;
  const let_go at_end{held};
  auto worker = crew.execute("slow", ignores(started, held));
  started.wait();
  worker.cancel();
  clock->advance(999ms);
  held.open();
  CHECK(worker.get().ok());
  clock->advance(1h);
  CHECK(crew.wait());
  CHECK(site.stats().tasks_unresponsive == 0);
}

TEST_CASE("a task that does not answer its own timeout is unresponsive one grace period later") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  gate started;
  gate held;
  const let_go at_end{held};
  auto worker = crew.execute({.name = "stubborn", .timeout = 5s}, [&](context& ctx) -> muster::result<void> {
    started.open();
    held.wait();
    return ctx.checkpoint();
  });
  started.wait();
  clock->advance(5s);
  CHECK(site.stats().tasks_unresponsive == 0);
  clock->advance(1s);
  CHECK(site.stats().tasks_unresponsive == 1);
  held.open();
  CHECK(error_of(crew.wait()).code() == errc::unresponsive);
  CHECK(worker.get().timed_out());
}

TEST_CASE("a task that does not answer its scope's deadline is unresponsive one grace period later") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew", {.timeout = 8s});
  gate started;
  gate held;
  const let_go at_end{held};
  crew.execute("stubborn", ignores(started, held));
  started.wait();
  clock->advance(8s);
  CHECK(site.stats().tasks_unresponsive == 0);
  clock->advance(1s);
  CHECK(site.stats().tasks_unresponsive == 1);
  held.open();
  const auto why = error_of(crew.wait());
  CHECK(any_is(why, errc::unresponsive));
  CHECK(contains(to_string(why), "site/crew/stubborn"));
}

TEST_CASE("the grace period is the task's own or else the scope's or else inherited from above") {
  const auto clock = still_clock();
  muster::manager site{on(clock, {.grace = 40s})};
  auto inherits = site.create_scope("inherits");
  auto crew = site.create_scope("crew", {.grace = 20s});
  auto nested = crew.create_scope("nested");
  gate started[4];
  gate held;
  const let_go at_end{held};
  crew.execute({.name = "own", .grace = 10s}, ignores(started[0], held));
  auto below = nested.execute("below", ignores(started[1], held));
  auto plain = crew.execute("plain", ignores(started[2], held));
  inherits.execute("from the manager", ignores(started[3], held));
  for (auto& each : started)
    each.wait();
  site.cancel();
  const auto accused = [&] { return site.stats().tasks_unresponsive; };
  clock->advance(10s - 1ns);
  CHECK(accused() == 0);
  clock->advance(1ns);
  CHECK(accused() == 1);
  clock->advance(10s - 1ns);
  CHECK(accused() == 1);
  clock->advance(1ns);
  CHECK(accused() == 3);
  clock->advance(20s);
  CHECK(accused() == 4);
}

TEST_CASE("only the leaf is accused and never a task that waits for what is below it") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  gate started;
  gate held;
  const let_go at_end{held};
  muster::error inner_why{errc::bad_argument};
  auto outer = crew.execute("outer", [&](context& ctx) -> muster::result<void> {
    auto inner = ctx.create_scope("inner");
    inner.execute("stubborn", ignores(started, held));
    inner_why = error_of(inner.wait());
    return ctx.checkpoint();
  });
  auto waits_for_sibling = crew.execute("waits", [&]() -> muster::result<void> {
    if (outer.get().ok())
      return {};
    return std::unexpected{outer.get().error()};
  });
  started.wait();
  await([&] { return waits(site.tree(), "outer") && waits(site.tree(), "waits"); });
  crew.cancel();
  clock->advance(1s);
  CHECK(site.stats().tasks_unresponsive == 1);
  clock->advance(1h);
  CHECK(site.stats().tasks_unresponsive == 1);
  held.open();
  CHECK(error_of(crew.wait()).code() == errc::cancelled);
  CHECK(inner_why.code() == errc::unresponsive);
  CHECK(contains(to_line(inner_why), "site/crew/outer/inner/stubborn"));
  CHECK(outer.get().cancelled());
}

TEST_CASE("a task that destroys a nested scope is not accused while it joins") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  gate started;
  gate held;
  const let_go at_end{held};
  crew.execute("outer", [&](context& ctx) {
    auto inner = ctx.create_scope("inner");
    inner.execute("stubborn", ignores(started, held));
    started.wait();
  });
  await([&] { return waits(site.tree(), "outer"); });
  crew.cancel();
  clock->advance(1h);
  held.open();
  static_cast<void>(crew.wait());
  lines accused;
  for (const auto& each : site.errors().errors)
    if (each.is(errc::unresponsive))
      accused.push_back(to_line(each));
  REQUIRE(accused.size() == 1);
  CHECK(contains(accused[0], "site/crew/outer/inner/stubborn"));
}

TEST_CASE("every unresponsive task is counted and named: the first first and the others behind it") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  gate started[2];
  gate held;
  const let_go at_end{held};
  crew.execute({.name = "early", .grace = 1s}, ignores(started[0], held));
  crew.execute({.name = "later", .grace = 2s}, ignores(started[1], held));
  for (auto& each : started)
    each.wait();
  crew.cancel();
  clock->advance(2s);
  CHECK(site.stats().tasks_unresponsive == 2);
  held.open();
  const auto why = error_of(crew.wait());
  CHECK(why.code() == errc::unresponsive);
  CHECK(contains(to_line(why), "site/crew/early"));
  REQUIRE(why.later().size() == 1);
  CHECK(contains(to_line(why.later()[0]), "site/crew/later"));
}

TEST_CASE("an unresponsive task is joined all the same: its scope's destructor waits for it") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  gate started;
  gate held;
  std::atomic<bool> done = false;
  std::thread hand;
  {
    auto crew = site.create_scope("crew");
    crew.execute("stubborn", [&] {
      started.open();
      held.wait();
      done = true;
    });
    started.wait();
    hand = std::thread{[&] {
      clock->await_timer_within(1s);
      clock->advance(1s);
      held.open();
    }};
  }
  CHECK(done);
  hand.join();
  CHECK(site.stats().tasks_unresponsive == 1);
}

TEST_CASE("a destructor that is held up says so through the log hook every grace period") {
  const auto clock = still_clock();
  std::atomic<int> told = 0;
  auto options = on(clock);
  options.log = [&](const muster::log_record& record) {
    if (contains(record.path + " " + record.text, "crew"))
      told.fetch_add(1);
  };
  muster::manager site{std::move(options)};
  gate started;
  gate held;
  std::unique_ptr<muster::scope> scope{new muster::scope(site.create_scope("crew"))};
  const let_go at_end{held};
  scope->execute("stubborn", ignores(started, held));
  started.wait();
  std::thread destroys{[&] { scope.reset(); }};
  int before = 0;
  for (int i = 0; i < 3; ++i) {
    clock->await_timer_within(1s);
    clock->advance(1s);
    await([&] { return told.load() > before; });
    before = told.load();
  }
  held.open();
  destroys.join();
  CHECK(before >= 3);
}

TEST_CASE("a release that takes longer than its limit is reported and still awaited") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew", {.release_timeout = 3s});
  gate started;
  gate held;
  std::atomic<bool> done = false;
  CHECK(crew.register_resource("slow pump", 1, [&](int&) {
    started.open();
    held.wait();
    done = true;
  }));
  const let_go at_end{held};
  crew.close();
  started.wait();
  clock->advance(3s);
  CHECK(error_of(crew.wait_for(0s)).code() == errc::not_ready);
  held.open();
  const auto why = error_of(crew.wait());
  CHECK(done);
  CHECK(any_is(why, errc::unresponsive));
  CHECK(contains(to_string(why), "slow pump"));
  CHECK(site.stats().tasks_unresponsive == 0);
}

TEST_CASE("a release within its own limit is not reported although the scope's grace is shorter") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  gate started;
  gate held;
  CHECK(crew.register_resource(muster::resource_options{.name = "pump", .timeout = 10s}, 1, [&](int&) {
    started.open();
    held.wait();
  }));
  const let_go at_end{held};
  crew.close();
  started.wait();
  clock->advance(9s);
  held.open();
  CHECK(crew.wait());
}
