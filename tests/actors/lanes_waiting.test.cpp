// Waiting never deadlocks the lane: a body may block, or wait for its own nested scope, on a lane of one worker.
#include "support.hpp"

#include <mutex>
#include <optional>

using namespace support;

namespace {

/// A site with a single worker and no more to be had for bodies that block in foreign code.
[[nodiscard]] muster::manager_options one_worker(std::shared_ptr<muster::manual_clock> clock = still_clock()) {
  return on(std::move(clock), {.workers = 1, .max_workers = 1});
}

/// Opens a scope, runs itself in it one level deeper, and waits for that.
struct descends {
  int levels;
  muster::result<int> operator()(context& ctx) const {
    if (levels == 0)
      return 0;
    auto inner = ctx.create_scope("level");
    auto below = inner.execute("below", descends{levels - 1});
    if (auto done = inner.wait(); !done)
      return std::unexpected{done.error()};
    return below.get().value() + 1;
  }
};

} // namespace

TEST_CASE("a body may wait for its nested scope on a lane of one worker") {
  muster::manager site{one_worker()};
  auto crew = site.create_scope("crew");
  auto outer = crew.execute("outer", descends{1});
  CHECK(crew.wait());
  CHECK(outer.get().value() == 1);
}

TEST_CASE("bodies may wait for nested scopes a thousand blocking levels deep on a lane of one worker") {
  muster::manager site{one_worker()};
  auto crew = site.create_scope("crew");
  auto outer = crew.execute("outer", descends{1000});
  CHECK(crew.wait());
  REQUIRE(outer.get().ok());
  CHECK(outer.get().value() == 1000);
}

TEST_CASE("a failure comes up through a thousand blocking levels") {
  struct falls {
    int levels;
    muster::result<void> operator()(context& ctx) const {
      if (levels == 0)
        return std::unexpected{muster::error{std::errc::io_error, "at the bottom"}};
      auto inner = ctx.create_scope("level");
      inner.execute("below", falls{levels - 1});
      return inner.wait();
    }
  };
  muster::manager site{one_worker()};
  auto crew = site.create_scope("crew");
  crew.execute("outer", falls{1000});
  CHECK(messages(error_of(crew.wait())) == lines{"at the bottom"});
  CHECK(site.errors().errors.size() == 1);
}

TEST_CASE("a body may get the value of a sibling on a lane of one worker") {
  muster::manager site{one_worker()};
  auto crew = site.create_scope("crew");
  auto first = crew.execute("first", [&] {
    auto sibling = crew.execute("sibling", [] { return 4; });
    return sibling.get().value();
  });
  CHECK(crew.wait());
  CHECK(first.get().value() == 4);
}

TEST_CASE("a task that waits for a sibling gives its max_parallel permit back meanwhile") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew", {.max_parallel = 1});
  auto first = crew.execute("first", [&] {
    auto sibling = crew.execute("sibling", [] { return 4; });
    return sibling.get().value();
  });
  CHECK(crew.wait());
  CHECK(first.get().value() == 4);
}

TEST_CASE("no more bodies than max_parallel run at the same time") {
  muster::manager site{on(still_clock(), {.workers = 4})};
  auto crew = site.create_scope("crew", {.max_parallel = 2});
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  for (int i = 0; i < 200; ++i)
    crew.execute("worker", [&] {
      const int now = inside.fetch_add(1) + 1;
      int seen = most;
      while (seen < now && !most.compare_exchange_weak(seen, now)) {}
      std::this_thread::yield();
      inside.fetch_sub(1);
    });
  CHECK(crew.wait());
  CHECK(most <= 2);
}

TEST_CASE("a body may destroy a nested scope without waiting on a lane of one worker") {
  muster::manager site{one_worker()};
  auto crew = site.create_scope("crew");
  auto outer = crew.execute("outer", [](context& ctx) {
    auto inner = ctx.create_scope("inner");
    inner.execute("below", stays);
    return 1;
  });
  CHECK(crew.wait());
  CHECK(outer.get().ok());
}

TEST_CASE("the verbs work inside a body on a lane of one worker") {
  muster::manager site{one_worker()};
  auto crew = site.create_scope("crew");
  auto outer = crew.execute("outer", [](context& ctx) -> muster::result<int> {
    auto both = ctx.parallel(
        "both", [] { return 1; }, [] { return 2; });
    if (!both)
      return std::unexpected{both.error()};
    return std::get<0>(*both) + std::get<1>(*both);
  });
  CHECK(crew.wait());
  CHECK(outer.get().as_result() == 3);
}

TEST_CASE("while a body sleeps another runs on the lane's only worker") {
  const auto clock = still_clock();
  muster::manager site{one_worker(clock)};
  auto crew = site.create_scope("crew");
  auto sleeper = crew.execute("sleeper", [](context& ctx) { return ctx.sleep_for(5s); });
  clock->await_timer_within(5s);
  CHECK(crew.execute("other", [] { return 1; }).get().ok());
  CHECK_FALSE(sleeper.ready());
  clock->advance(5s);
  CHECK(sleeper.get().ok());
  CHECK(crew.wait());
}

TEST_CASE("a wait with a limit ends at its limit on a lane whose only worker is taken") {
  const auto clock = still_clock();
  muster::manager site{one_worker(clock)};
  auto crew = site.create_scope("crew");
  gate started;
  gate held;
  const let_go at_end{held};
  std::optional<muster::error> why;
  auto waiter = crew.execute("waiter", [&](context& ctx) {
    auto inner = ctx.create_scope("inner");
    inner.execute("blocked", [&] {
      started.open();
      held.wait();
    });
    why = error_of(inner.wait_for(2s));
    held.open();
    return inner.wait();
  });
  started.wait();
  clock->await_timer_within(2s);
  clock->advance(2s);
  CHECK(crew.wait());
  CHECK(waiter.get().ok());
  REQUIRE(why);
  CHECK(why->code() == errc::not_ready);
}

TEST_CASE("a body that blocks in foreign code makes room for the one that would let it go") {
  muster::manager site{on(still_clock(), {.workers = 1, .max_workers = 4})};
  auto crew = site.create_scope("crew");
  gate go;
  crew.execute("blocked", [&] { go.wait(); });
  crew.execute("opens", [&] { go.open(); });
  CHECK(crew.wait());
}

TEST_CASE("a task that is said to block makes room at once") {
  muster::manager site{on(still_clock(), {.workers = 1, .max_workers = 64})};
  auto crew = site.create_scope("crew");
  gate go;
  std::atomic<int> blocked = 0;
  for (int i = 0; i < 40; ++i)
    crew.execute({.name = "blocked", .blocking = true}, [&] {
      if (blocked.fetch_add(1) + 1 == 40)
        go.open();
      go.wait();
    });
  CHECK(crew.wait());
}

TEST_CASE("when no more threads can be had a wait ends with an error or runs what it waits for but never hangs") {
  muster::manager site{on(still_clock(), {.workers = 1, .max_workers = 1, .max_threads = 3})};
  auto crew = site.create_scope("crew");
  auto deep = crew.execute("deep", descends{50});
  const auto got = deep.get().as_result();
  if (!got)
    CHECK(got.error().is(errc::no_threads));
  else
    CHECK(*got == 50);
  const auto whole = crew.wait();
  CHECK(whole.has_value() == got.has_value());
}

TEST_CASE("a wait never runs unrelated work on its stack even when no more threads can be had") {
  muster::manager site{on(still_clock(), {.workers = 1, .max_workers = 1, .max_threads = 1})};
  auto crew = site.create_scope("crew");
  auto elsewhere = site.create_scope("elsewhere");
  gate queued;
  static thread_local bool holds_a_lock = false;
  std::atomic<int> nested_in_the_lock = 0;
  auto waiter = crew.execute("waiter", [&](context& ctx) -> muster::result<int> {
    queued.wait();
    auto inner = ctx.create_scope("inner");
    auto below = inner.execute("below", [] { return 1; });
    holds_a_lock = true;
    const auto done = inner.wait();
    holds_a_lock = false;
    if (!done)
      return std::unexpected{done.error()};
    return below.get().value();
  });
  std::vector<muster::task<void>> unrelated;
  for (int i = 0; i < 10; ++i)
    unrelated.push_back(elsewhere.execute("unrelated", [&] { nested_in_the_lock.fetch_add(holds_a_lock ? 1 : 0); }));
  queued.open();
  const auto got = waiter.get().as_result();
  if (!got)
    CHECK(got.error().is(errc::no_threads));
  CHECK(elsewhere.wait());
  CHECK(nested_in_the_lock == 0);
}

TEST_CASE("the lane's figures show who runs and who waits and the age of the oldest ready task") {
  const auto clock = still_clock();
  muster::manager site{one_worker(clock)};
  auto crew = site.create_scope("crew");
  gate started;
  gate held;
  const let_go at_end{held};
  auto waiter = crew.execute("waiter", [&](context& ctx) { ctx.wait_until_cancelled(); });
  await([&] { return site.lane().waiting == 1; });
  crew.execute("blocked", [&] {
    started.open();
    held.wait();
  });
  started.wait();
  crew.execute("queued", succeeds);
  await([&] { return site.lane().ready == 1 && site.lane().saturated >= 1; });
  clock->advance(5s);
  const auto figures = site.lane();
  CHECK(figures.workers == 2);
  CHECK(figures.waiting == 1);
  CHECK(figures.running + figures.blocked == 1);
  CHECK(figures.oldest_ready == 5s);
  CHECK(figures.most_workers == 2);
  held.open();
  waiter.cancel();
  CHECK(crew.wait());
  CHECK(site.lane().ready == 0);
}

TEST_CASE("ready tasks are taken by priority and first in first out within one priority") {
  muster::manager site{one_worker()};
  auto crew = site.create_scope("crew");
  gate started;
  gate held;
  const let_go at_end{held};
  crew.execute("blocker", [&] {
    started.open();
    held.wait();
  });
  started.wait();
  journal written;
  for (const char* name : {"low 1", "low 2"})
    crew.execute({.name = name, .priority = muster::priority::low}, [&](context& ctx) { written.write(ctx.name()); });
  for (const char* name : {"normal 1", "normal 2"})
    crew.execute(name, [&](context& ctx) { written.write(ctx.name()); });
  for (const char* name : {"high 1", "high 2"})
    crew.execute({.name = name, .priority = muster::priority::high}, [&](context& ctx) { written.write(ctx.name()); });
  held.open();
  CHECK(crew.wait());
  CHECK(written.lines() == lines{"high 1", "high 2", "normal 1", "normal 2", "low 1", "low 2"});
}

TEST_CASE("a low task cannot starve for ever behind high ones") {
  muster::manager site{one_worker()};
  auto crew = site.create_scope("crew");
  std::atomic<bool> low_ran = false;
  struct pushes {
    muster::scope& crew;
    std::atomic<bool>& low_ran;
    void operator()() const {
      if (!low_ran)
        crew.execute({.name = "high", .priority = muster::priority::high}, pushes{crew, low_ran});
    }
  };
  for (int i = 0; i < 4; ++i)
    crew.execute({.name = "high", .priority = muster::priority::high}, pushes{crew, low_ran});
  crew.execute({.name = "low", .priority = muster::priority::low}, [&] { low_ran = true; });
  CHECK(crew.wait());
  CHECK(low_ran);
}

TEST_CASE("two tasks that wait for each other are refused instead of hanging") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
  muster::task<void> left;
  muster::task<void> right;
  gate both;
  const auto waits_for = [&](muster::task<void>& other) {
    return [&](context&) -> muster::result<void> {
      both.wait();
      return other.get().as_result();
    };
  };
  left = crew.execute("left", waits_for(right));
  right = crew.execute("right", waits_for(left));
  both.open();
  const auto why = error_of(crew.wait());
  CHECK(any_is(why, errc::would_deadlock));
  CHECK(left.get().failed());
  CHECK(right.get().failed());
}

TEST_CASE("a permit that was lent is not waited for on the only thread there is") {
  auto options = standing_still();
  options.workers = 1;
  options.max_threads = 1;
  muster::manager site{options};
  auto crew = site.create_scope("crew", {.max_parallel = 1});
  auto outer = crew.execute("a", [&] {
    auto b = crew.execute("b", succeeds);
    crew.execute("c", succeeds);
    return b.get().ok();
  });
  CHECK(outer.get().value());
  CHECK(crew.wait());
}
