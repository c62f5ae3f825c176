// Supervision never waits behind work: whatever user code blocks, wherever it is called, a deadline is kept on time.
#include "support.hpp"

#include <functional>
#include <optional>
#include <stdexcept>

using namespace support;

namespace {

/// While something of the user's is stuck: a scope with a limit of eight seconds ends at eight seconds, not a moment
/// earlier, with what runs in it and what still waits for a worker both cancelled.
void expect_a_deadline_is_kept(muster::manager& site, muster::manual_clock& clock) {
  auto patient = site.create_scope("patient", {.timeout = 8s});
  auto worker = patient.execute("worker", stays);
  auto held = patient.execute({.name = "held", .after = {worker}}, succeeds);
  clock.advance(8s - 1ns);
  CHECK_FALSE(patient.cancelled());
  clock.advance(1ns);
  CHECK(error_of(patient.wait()).code() == errc::timed_out);
  CHECK(worker.get().cancelled());
  CHECK(worker.get().reason().kind() == cancel_kind::timeout);
  CHECK(held.get().cancelled());
}

/// And a cancel and a failure still reach their scopes.
void expect_supervision_works(muster::manager& site, muster::manual_clock& clock) {
  expect_a_deadline_is_kept(site, clock);
  auto crew = site.create_scope("called off");
  auto worker = crew.execute("worker", stays);
  crew.cancel();
  CHECK(error_of(crew.wait()).code() == errc::cancelled);
  CHECK(worker.get().cancelled());
  auto failing = site.create_scope("failing");
  auto sibling = failing.execute("sibling", stays);
  failing.execute("culprit", fails("broken"));
  CHECK(error_of(failing.wait()).message() == "broken");
  CHECK(sibling.get().cancelled());
}

/// A capture whose destructor blocks until the gate opens.
struct slow_to_die {
  gate* dying;
  gate* held;
  slow_to_die(gate& d, gate& h) : dying{&d}, held{&h} {}
  slow_to_die(slow_to_die&& other) noexcept : dying{std::exchange(other.dying, nullptr)}, held{other.held} {}
  slow_to_die& operator=(slow_to_die&&) = delete;
  ~slow_to_die() {
    if (dying == nullptr)
      return;
    dying->open();
    held->wait();
  }
};

} // namespace

TEST_CASE("a scope whose tasks spin on every core still times out on time") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew", {.timeout = 8s});
  std::atomic<int> spinning = 0;
  std::vector<muster::task<void>> spinners;
  for (int i = 0; i < 8; ++i)
    spinners.push_back(crew.execute("spins", [&](context& ctx) -> muster::result<void> {
      spinning.fetch_add(1);
      while (!ctx.cancelled()) {}
      return ctx.checkpoint();
    }));
  await([&] { return spinning.load() >= 2; });
  clock->advance(8s - 1ns);
  CHECK_FALSE(crew.cancelled());
  clock->advance(1ns);
  CHECK(error_of(crew.wait()).code() == errc::timed_out);
  for (const auto& each : spinners) {
    CHECK(each.get().cancelled());
    CHECK(each.get().reason().kind() == cancel_kind::timeout);
  }
}

TEST_CASE("a task that ignores cancellation delays no other scope's deadline") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  gate started;
  gate held;
  const let_go at_end{held};
  crew.execute("stubborn", [&] {
    started.open();
    held.wait();
  });
  started.wait();
  crew.cancel();
  expect_supervision_works(site, *clock);
  CHECK(site.stats().tasks_unresponsive == 1);
}

TEST_CASE("a deadline is kept while every worker is blocked and none can be added") {
  const auto clock = still_clock();
  muster::manager site{on(clock, {.workers = 2, .max_workers = 2})};
  auto crew = site.create_scope("crew");
  gate started[2];
  gate held;
  const let_go at_end{held};
  for (auto& each : started)
    crew.execute("blocked", [&] {
      each.open();
      held.wait();
    });
  for (const auto& each : started)
    each.wait();
  expect_a_deadline_is_kept(site, *clock);
  held.open();
  CHECK(crew.wait());
}

TEST_CASE("256 bodies blocked in foreign code stall the lane's work but never a deadline") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  gate held;
  std::atomic<int> blocked = 0;
  const let_go at_end{held};
  for (int i = 0; i < 256; ++i)
    crew.execute({.name = "blocked", .blocking = true}, [&] {
      blocked.fetch_add(1);
      held.wait();
    });
  await([&] { return blocked.load() == 256; });
  auto stalled = crew.execute("stalled", [] { return 1; });
  expect_a_deadline_is_kept(site, *clock);
  CHECK_FALSE(stalled.ready());
  CHECK(site.lane().workers == 256);
  held.open();
  CHECK(crew.wait());
  CHECK(stalled.get().ok());
}

TEST_CASE("a release that blocks for ever delays no other scope's deadline") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  gate started;
  gate held;
  CHECK(crew.register_resource("stuck", 1, [&](int&) {
    started.open();
    held.wait();
  }));
  const let_go at_end{held};
  crew.close();
  started.wait();
  expect_supervision_works(site, *clock);
}

TEST_CASE("a release that blocks for ever delays no other scope's releases") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  gate held;
  std::vector<std::unique_ptr<muster::scope>> stuck;
  std::atomic<int> started = 0;
  const let_go at_end{held};
  for (int i = 0; i < 8; ++i) {
    stuck.emplace_back(new muster::scope(site.create_scope("stuck")));
    CHECK(stuck.back()->register_resource("stuck", 1, [&](int&) {
      started.fetch_add(1);
      held.wait();
    }));
    stuck.back()->close();
  }
  await([&] { return started.load() == 8; });
  auto crew = site.create_scope("crew");
  std::atomic<int> released = 0;
  for (int i = 0; i < 10; ++i)
    CHECK(crew.register_resource("tool", 1, [&](int&) { released.fetch_add(1); }));
  CHECK(crew.wait());
  CHECK(released == 10);
  held.open();
}

TEST_CASE("an error callback that blocks for ever delays no deadline") {
  const auto clock = still_clock();
  gate started;
  gate held;
  auto options = on(clock);
  options.on_error = [&](const muster::error&) {
    started.open();
    held.wait();
  };
  muster::manager site{std::move(options)};
  const let_go at_end{held};
  auto crew = site.create_scope("crew");
  crew.execute("culprit", fails("broken"));
  CHECK_FALSE(crew.wait());
  started.wait();
  expect_supervision_works(site, *clock);
}

TEST_CASE("an on_cancel callback that blocks for ever delays no deadline and no other callback") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  gate started;
  gate called;
  gate held;
  const let_go at_end{held};
  auto stuck = crew.execute("stuck", [&](context& ctx) {
    const auto kept = ctx.on_cancel([&] {
      called.open();
      held.wait();
    });
    started.open();
    ctx.wait_until_cancelled();
  });
  started.wait();
  crew.cancel();
  called.wait();
  expect_supervision_works(site, *clock);
  auto other = site.create_scope("other");
  auto worker = other.execute("worker", [](context& ctx) {
    gate let_out;
    const auto kept = ctx.on_cancel([&] { let_out.open(); });
    let_out.wait();
  });
  await_start(worker);
  other.cancel();
  CHECK_FALSE(other.wait());
  CHECK(worker.get().ok());
  CHECK_FALSE(stuck.ready()); // its registration waits for the running callback
}

TEST_CASE("a stop callback that blocks for ever delays no deadline") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  gate called;
  gate held;
  const std::stop_callback callback{crew.stop_token(), [&] {
                                      called.open();
                                      held.wait();
                                    }};
  const let_go at_end{held};
  crew.cancel();
  called.wait();
  expect_supervision_works(site, *clock);
}

TEST_CASE("a log hook that blocks for ever delays no deadline") {
  const auto clock = still_clock();
  gate called;
  gate held;
  auto options = on(clock);
  options.log = [&](const muster::log_record&) {
    called.open();
    held.wait();
  };
  muster::manager site{std::move(options)};
  const let_go at_end{held};
  auto crew = site.create_scope("crew");
  auto worker = crew.execute("worker", [&](context& ctx) {
    const auto kept = ctx.on_cancel([] { throw std::runtime_error{"something to log"}; });
    ctx.wait_until_cancelled();
    called.wait();
  });
  await_start(worker);
  worker.cancel();
  called.wait();
  expect_supervision_works(site, *clock);
}

TEST_CASE("a progress hook that blocks for ever delays no deadline") {
  const auto clock = still_clock();
  gate called;
  gate held;
  auto options = on(clock);
  options.on_progress = [&](const muster::progress_report&) {
    called.open();
    held.wait();
  };
  muster::manager site{std::move(options)};
  const let_go at_end{held};
  auto crew = site.create_scope("crew");
  auto worker = crew.execute("worker", [](context& ctx) {
    for (std::uint64_t i = 0; i < 100; ++i)
      ctx.progress(i, 100);
  });
  called.wait();
  CHECK(worker.get().ok());
  expect_supervision_works(site, *clock);
}

TEST_CASE("the destructor of a capture that blocks for ever delays no deadline") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  gate dying;
  gate held;
  const let_go at_end{held};
  auto worker = crew.execute("worker", [kept = slow_to_die{dying, held}] { return 1; });
  dying.wait();
  expect_supervision_works(site, *clock);
  CHECK_FALSE(worker.ready());
  held.open();
  CHECK(worker.get().ok());
  CHECK(crew.wait());
}

TEST_CASE("the destructor of a capture of a task that never ran delays neither its cancel nor a deadline") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew", {.max_parallel = 1});
  gate dying;
  gate held;
  const let_go at_end{held};
  crew.execute("first", stays);
  auto never = crew.execute("never", [kept = slow_to_die{dying, held}] { return 1; });
  never.cancel();
  dying.wait();
  expect_supervision_works(site, *clock);
  held.open();
  CHECK(never.get().cancelled());
}

TEST_CASE("the destructor of a value that nobody keeps and that blocks for ever delays no deadline") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  gate dying;
  gate held;
  const let_go at_end{held};
  gate go;
  crew.execute("worker", [&] {
    go.wait();
    return slow_to_die{dying, held};
  });
  go.open(); // by now the handle is gone
  dying.wait();
  expect_supervision_works(site, *clock);
}
