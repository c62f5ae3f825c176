// Callbacks of a cancel: on a worker kept for them, without locks, once, and never after their registration is gone.
#include "support.hpp"

#include <optional>
#include <stdexcept>
#include <stop_token>

using namespace support;

TEST_CASE("an on_cancel function runs once when the task is asked to stop") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  gate started;
  gate called;
  std::atomic<int> calls = 0;
  std::thread::id on_thread;
  auto worker = crew.execute("worker", [&](context& ctx) {
    const auto kept = ctx.on_cancel([&] {
      calls.fetch_add(1);
      on_thread = std::this_thread::get_id();
      called.open();
    });
    started.open();
    called.wait();
    return std::this_thread::get_id();
  });
  started.wait();
  CHECK(calls == 0);
  crew.cancel();
  crew.cancel();
  CHECK_FALSE(crew.wait());
  CHECK(calls == 1);
  CHECK(on_thread != worker.get().value());
  CHECK(on_thread != std::this_thread::get_id());
}

TEST_CASE("an on_cancel function that is registered after the cancel runs at once") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  auto worker = crew.execute("worker", [](context& ctx) {
    ctx.wait_until_cancelled();
    gate called;
    const auto kept = ctx.on_cancel([&] { called.open(); });
    called.wait();
    return true;
  });
  await_start(worker);
  worker.cancel();
  CHECK(worker.get().ok());
  CHECK(crew.wait());
}

TEST_CASE("every on_cancel function of a task runs") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  gate called[20];
  auto worker = crew.execute("worker", [&](context& ctx) {
    std::vector<muster::cancel_registration> kept;
    for (auto& each : called)
      kept.push_back(ctx.on_cancel([&each] { each.open(); }));
    for (const auto& each : called)
      each.wait();
  });
  await_start(worker);
  worker.cancel();
  CHECK(worker.get().ok());
  CHECK(crew.wait());
}

TEST_CASE("an on_cancel function never runs if nobody asks the task to stop") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  std::atomic<int> calls = 0;
  muster::cancel_registration kept;
  auto worker = crew.execute("worker", [&](context& ctx) { kept = ctx.on_cancel([&] { calls.fetch_add(1); }); });
  CHECK(worker.get().ok());
  worker.cancel();
  crew.cancel();
  static_cast<void>(crew.wait());
  kept = {};
  CHECK(calls == 0);
}

TEST_CASE("a registration that is destroyed takes its function back") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  std::atomic<int> calls = 0;
  gate last_called;
  gate started;
  auto worker = crew.execute("worker", [&](context& ctx) {
    auto moved = ctx.on_cancel([&] { calls.fetch_add(1); });
    { const auto taken = std::move(moved); }
    {
      const auto never = ctx.on_cancel([&] { calls.fetch_add(1); });
    }
    const auto kept = ctx.on_cancel([&] { last_called.open(); });
    started.open();
    last_called.wait();
  });
  started.wait();
  crew.cancel();
  CHECK_FALSE(crew.wait());
  CHECK(calls == 0);
}

TEST_CASE("destroying a registration waits for its running function") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  for (int i = 0; i < 50; ++i) {
    gate running;
    gate finish;
    std::atomic<bool> finished = false;
    gate registered;
    std::atomic<bool> leaving = false;
    auto worker = crew.execute("worker", [&](context& ctx) {
      {
        const auto kept = ctx.on_cancel([&] {
          running.open();
          finish.wait();
          finished = true;
        });
        registered.open();
        running.wait();
        leaving = true;
      }
      return finished.load();
    });
    registered.wait();
    worker.cancel();
    await([&] { return leaving.load(); });
    finish.open();
    REQUIRE(worker.get().ok());
    REQUIRE(worker.get().value());
  }
  CHECK(crew.wait());
}

TEST_CASE("destroying a registration inside its own function does not wait for itself") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  gate started;
  gate called;
  auto worker = crew.execute("worker", [&](context& ctx) {
    std::optional<muster::cancel_registration> kept;
    gate is_kept;
    kept.emplace(ctx.on_cancel([&] {
      is_kept.wait();
      kept.reset();
      called.open();
    }));
    is_kept.open();
    started.open();
    called.wait();
  });
  started.wait();
  worker.cancel();
  CHECK(worker.get().ok());
  CHECK(crew.wait());
}

TEST_CASE("a registration may outlive its task") {
  muster::cancel_registration kept;
  {
    muster::manager site{standing_still()};
    auto crew = site.create_scope("crew");
    auto worker = crew.execute("worker", [&](context& ctx) { kept = ctx.on_cancel([] {}); });
    CHECK(worker.get().ok());
    CHECK(crew.wait());
  }
  kept = {};
  SUCCEED();
}

TEST_CASE("an on_cancel function runs under no lock: it may ask and change everything") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  gate started;
  gate called;
  std::optional<muster::outcome_kind> late;
  muster::task<void> worker;
  gate handle_is_there;
  worker = crew.execute("worker", [&](context& ctx) {
    handle_is_there.wait();
    const auto kept = ctx.on_cancel([&] {
      late = crew.execute("late", succeeds).get().kind();
      worker.cancel();
      crew.cancel("again");
      static_cast<void>(crew.tree());
      static_cast<void>(crew.children());
      static_cast<void>(crew.stats());
      static_cast<void>(site.tree());
      static_cast<void>(site.stats());
      static_cast<void>(site.errors());
      auto beside = site.create_scope("beside");
      static_cast<void>(beside.execute("other", succeeds).get());
      static_cast<void>(beside.wait());
      called.open();
    });
    started.open();
    called.wait();
  });
  handle_is_there.open();
  started.wait();
  crew.cancel();
  CHECK_FALSE(crew.wait());
  CHECK(late == outcome_kind::cancelled);
}

TEST_CASE("what an on_cancel function throws goes to the log hook and the others still run") {
  std::atomic<int> told = 0;
  auto options = standing_still();
  options.log = [&](const muster::log_record& record) {
    if (contains(record.text, "clumsy"))
      told.fetch_add(1);
  };
  muster::manager site{std::move(options)};
  auto crew = site.create_scope("crew");
  gate started;
  gate called;
  auto worker = crew.execute("worker", [&](context& ctx) {
    const auto before = ctx.on_cancel([&] { throw std::runtime_error{"clumsy"}; });
    const auto after = ctx.on_cancel([&] { called.open(); });
    started.open();
    called.wait();
    await([&] { return told.load() == 1; });
  });
  started.wait();
  worker.cancel();
  CHECK(worker.get().ok());
  CHECK(crew.wait());
}

TEST_CASE("a stop_callback on a task's token runs when the task is asked to stop") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  gate started;
  auto worker = crew.execute("worker", [&](context& ctx) {
    gate called;
    std::thread::id on_thread;
    const auto token = ctx.stop_token();
    const bool before = token.stop_requested();
    const std::stop_callback callback{token, [&] {
                                        on_thread = std::this_thread::get_id();
                                        called.open();
                                      }};
    started.open();
    called.wait();
    return !before && token.stop_requested() && on_thread != std::this_thread::get_id();
  });
  started.wait();
  worker.cancel();
  REQUIRE(worker.get().ok());
  CHECK(worker.get().value());
  CHECK(crew.wait());
}

TEST_CASE("a task's token that is asked for after the cancel has been asked to stop") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  auto worker = crew.execute("worker", [&](context& ctx) {
    ctx.wait_until_cancelled();
    gate called;
    const std::stop_callback callback{ctx.stop_token(), [&] { called.open(); }};
    called.wait();
  });
  await_start(worker);
  worker.cancel();
  CHECK(worker.get().ok());
  CHECK(crew.wait());
}

TEST_CASE("a scope's token is asked to stop when the scope is and may outlive it") {
  muster::manager site{standing_still()};
  std::stop_token kept;
  std::stop_token unasked;
  {
    auto crew = site.create_scope("crew");
    auto nested = crew.create_scope("nested");
    auto quiet = site.create_scope("quiet");
    kept = nested.stop_token();
    unasked = quiet.stop_token();
    gate called;
    const std::stop_callback callback{kept, [&] { called.open(); }};
    CHECK_FALSE(kept.stop_requested());
    crew.cancel();
    called.wait();
    CHECK(quiet.wait());
  }
  CHECK(kept.stop_requested());
  CHECK_FALSE(unasked.stop_requested());
}

TEST_CASE("an on_cancel function runs when the task's own timeout passes") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  gate called;
  gate started;
  auto worker = crew.execute({.name = "worker", .timeout = 2s}, [&](context& ctx) -> muster::result<void> {
    const auto kept = ctx.on_cancel([&] { called.open(); });
    started.open();
    called.wait();
    return ctx.checkpoint();
  });
  started.wait();
  clock->advance(2s);
  CHECK(worker.get().timed_out());
  CHECK_FALSE(crew.wait());
}

TEST_CASE("an on_cancel function may let a third party's blocking call go") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  gate socket;
  auto worker = crew.execute({.name = "worker", .blocking = true}, [&](context& ctx) -> muster::result<void> {
    const auto kept = ctx.on_cancel([&] { socket.open(); });
    socket.wait();
    return ctx.checkpoint();
  });
  crew.execute("culprit", fails("broken"));
  CHECK(error_of(crew.wait()).message() == "broken");
  CHECK(worker.get().cancelled());
}
