// Races of scopes, resources, callbacks and managers: two endings meet, and exactly one legal outcome occurs.
#include "rival.hpp"

#include <deque>
#include <optional>

using namespace support;

TEST_CASE("race: registering a resource against the end of its scope releases it exactly once") {
  muster::manager site{standing_still()};
  rival other;
  std::uint64_t refused = 0;
  for (int i = 0; i < rounds; ++i) {
    auto crew = site.create_scope("crew");
    std::atomic<int> released = 0;
    std::optional<bool> accepted;
    other.meet(
        i, [&] { static_cast<void>(crew.wait()); },
        [&] {
          const auto tool = crew.register_resource("tool", 1, [&](int&) { released.fetch_add(1); });
          accepted = tool.has_value();
          if (!tool && tool.error().code() != errc::scope_closed)
            released = -100;
        });
    REQUIRE(crew.wait());
    REQUIRE(released == 1);
    refused += *accepted ? 0U : 1U;
  }
  CHECK(refused <= rounds);
}

TEST_CASE("race: destroying a registration against the cancel never runs it afterwards") {
  muster::manager site{standing_still()};
  rival other;
  auto crew = site.create_scope("crew");
  for (int i = 0; i < rounds; ++i) {
    gate go;
    gate started;
    auto task = crew.execute("worker", [&](context& ctx) {
      std::atomic<int> calls = 0;
      {
        const auto kept = ctx.on_cancel([&] { calls.fetch_add(1); });
        started.open();
        await([&] { return go.is_open(); });
      }
      const int at_end = calls;
      ctx.wait_until_cancelled();
      return at_end <= 1 && calls == at_end;
    });
    started.wait();
    other.meet(
        i, [&] { task.cancel(); }, [&] { go.open(); });
    REQUIRE(task.get().ok());
    REQUIRE(task.get().value());
  }
  CHECK(crew.wait());
}

TEST_CASE("race: registering a callback against the cancel runs it exactly once") {
  muster::manager site{standing_still()};
  rival other;
  auto crew = site.create_scope("crew");
  for (int i = 0; i < rounds; ++i) {
    gate go;
    gate started;
    std::atomic<int> calls = 0;
    auto task = crew.execute("worker", [&](context& ctx) {
      started.open();
      await([&] { return go.is_open(); });
      gate called;
      const auto kept = ctx.on_cancel([&] {
        calls.fetch_add(1);
        called.open();
      });
      called.wait();
    });
    started.wait();
    other.meet(
        i, [&] { task.cancel(); }, [&] { go.open(); });
    REQUIRE(task.get().ok());
    REQUIRE(calls == 1);
  }
  CHECK(crew.wait());
}

TEST_CASE("race: letting the last handle go against the end of its task destroys the value once") {
  muster::manager site{standing_still()};
  rival other;
  auto crew = site.create_scope("crew");
  std::deque<gate> gates; // that a value has gone says nothing of when its task last looked at one
  for (int i = 0; i < rounds; ++i) {
    gate& go = gates.emplace_back();
    auto token = std::make_shared<int>(i);
    const std::weak_ptr<int> watched = token;
    auto task = crew.execute("worker", [&go, token = std::move(token)] {
      await([&] { return go.is_open(); });
      return token;
    });
    other.meet(
        i, [&] { go.open(); }, [&] { task = {}; });
    await([&] { return watched.expired(); });
  }
  CHECK(crew.wait());
  CHECK(site.stats().tasks_completed == rounds);
}

TEST_CASE("race: a nested scope that is opened while its parent is cancelled is cancelled too") {
  muster::manager site{standing_still()};
  rival other;
  for (int i = 0; i < rounds; ++i) {
    auto crew = site.create_scope("crew");
    std::unique_ptr<muster::scope> nested;
    muster::task<void> below;
    other.meet(
        i, [&] { crew.cancel(); },
        [&] {
          nested.reset(new muster::scope(crew.create_scope("nested")));
          below = nested->execute("below", stays);
        });
    REQUIRE(nested->cancelled());
    REQUIRE(below.get().cancelled());
    REQUIRE(is(nested->wait(), errc::cancelled));
    REQUIRE(is(crew.wait(), errc::cancelled));
  }
  CHECK(site.stats().tasks_cancelled == rounds);
}

TEST_CASE("race: cancelling a task and its scope gives it one of the two reasons") {
  muster::manager site{standing_still()};
  rival other;
  for (int i = 0; i < rounds; ++i) {
    auto crew = site.create_scope("crew");
    auto task = crew.execute("worker", stays);
    other.meet(
        i, [&] { crew.cancel("scope"); }, [&] { task.cancel("task"); });
    const auto whole = crew.wait();
    REQUIRE(task.get().cancelled());
    const auto text = task.get().reason().text();
    REQUIRE((text == "scope" || text == "task"));
    REQUIRE((whole.has_value() || is(whole, errc::cancelled)));
    if (text == "scope")
      REQUIRE_FALSE(whole);
  }
  CHECK(site.stats().tasks_cancelled == rounds);
}

TEST_CASE("race: a failure against the scope's cancel keeps the failure") {
  muster::manager site{standing_still()};
  rival other;
  for (int i = 0; i < rounds; ++i) {
    auto crew = site.create_scope("crew");
    gate go;
    gate started;
    auto task = crew.execute("culprit", [&]() -> muster::result<void> {
      started.open();
      await([&] { return go.is_open(); });
      return std::unexpected{muster::error{std::errc::io_error, "broken"}};
    });
    started.wait();
    other.meet(
        i, [&] { go.open(); }, [&] { crew.cancel(); });
    const auto why = error_of(crew.wait());
    REQUIRE(any_is(why, std::make_error_code(std::errc::io_error)));
    REQUIRE((task.get().failed() || task.get().cancelled()));
    REQUIRE((task.get().failed() || why.code() == errc::cancelled));
  }
  CHECK(ended(site.stats()) == rounds);
}

TEST_CASE("race: a wait that comes to its limit against the end says not_ready or the answer") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  rival other;
  for (int i = 0; i < rounds; ++i) {
    auto crew = site.create_scope("crew");
    gate go;
    auto task = crew.execute("worker", [&] { await([&] { return go.is_open(); }); });
    muster::result<void> got;
    std::thread waiter{[&] { got = i % 2 == 0 ? crew.wait_for(1s) : task.wait_for(1s); }};
    clock->await_timer_within(1s);
    other.meet(
        i, [&] { go.open(); }, [&] { clock->advance(1s); });
    waiter.join();
    REQUIRE((got.has_value() || is(got, errc::not_ready)));
    REQUIRE(crew.wait());
    REQUIRE(task.get().ok());
  }
}

TEST_CASE("race: a held task's admission against its cancel never loses the permit") {
  muster::manager site{standing_still()};
  rival other;
  auto crew = site.create_scope("crew", {.max_parallel = 1});
  std::uint64_t ok = 0;
  for (int i = 0; i < rounds; ++i) {
    gate go;
    std::atomic<int> ran = 0;
    auto first = crew.execute("first", [&] { await([&] { return go.is_open(); }); });
    auto held = crew.execute("held", [&] { ran.fetch_add(1); });
    other.meet(
        i, [&] { go.open(); }, [&] { held.cancel(); });
    REQUIRE(first.get().ok());
    REQUIRE((held.get().ok() || held.get().cancelled()));
    REQUIRE(ran == (held.get().ok() ? 1 : 0));
    ok += held.get().ok() ? 1U : 0U;
  }
  CHECK(crew.execute("last", succeeds).get().ok());
  CHECK(crew.wait());
  CHECK(site.stats().tasks_completed == rounds + ok + 1);
}

TEST_CASE("race: a scope's destructor against those who look at it and its tasks") {
  muster::manager site{standing_still()};
  rival other;
  for (int i = 0; i < rounds; ++i) {
    std::optional<muster::task<void>> task;
    std::unique_ptr<muster::scope> crew{new muster::scope(site.create_scope("crew"))};
    task = crew->execute("worker", stays);
    other.meet(
        i, [&] { crew.reset(); },
        [&] {
          static_cast<void>(site.tree());
          static_cast<void>(site.stats());
          static_cast<void>(task->state());
          task->cancel();
          static_cast<void>(task->get());
        });
    REQUIRE(task->get().cancelled());
  }
  CHECK(site.stats().tasks_cancelled == rounds);
}

TEST_CASE("race: a stop from outside against the end of its scope") {
  muster::manager site{standing_still()};
  rival other;
  for (int i = 0; i < rounds; ++i) {
    std::stop_source outside;
    std::unique_ptr<muster::scope> crew{new muster::scope(site.create_scope("crew", {.parent = outside.get_token()}))};
    auto task = crew->execute("worker", [] { return 1; });
    other.meet(
        i, [&] { outside.request_stop(); },
        [&] {
          static_cast<void>(crew->wait());
          crew.reset();
        });
    REQUIRE((task.get().ok() || task.get().cancelled()));
  }
  CHECK(ended(site.stats()) == rounds);
}

TEST_CASE("race: shutting a manager down against spawning below it leaves nobody") {
  muster::manager site{standing_still()};
  rival other;
  for (int i = 0; i < rounds; ++i) {
    muster::manager request{site, "request"};
    std::unique_ptr<muster::scope> crew;
    muster::task<void> task;
    muster::result<void> down;
    other.meet(
        i, [&] { down = request.shutdown(0s); },
        [&] {
          crew.reset(new muster::scope(request.create_scope("crew")));
          task = crew->execute("worker", stays);
        });
    REQUIRE(down);
    REQUIRE(task.get().cancelled());
    crew.reset();
    REQUIRE(request.stats().tasks_live == 0);
  }
  CHECK(site.stats().tasks_cancelled == rounds);
}

TEST_CASE("race: the last task of a scope against the spawning of a nested scope's") {
  muster::manager site{standing_still()};
  rival other;
  for (int i = 0; i < rounds; ++i) {
    auto crew = site.create_scope("crew");
    auto nested = crew.create_scope("nested");
    std::atomic<int> ran = 0;
    muster::task<void> below;
    muster::result<void> whole;
    int ran_at_end = -1;
    other.meet(
        i,
        [&] {
          whole = crew.wait();
          ran_at_end = ran;
        },
        [&] { below = nested.execute("below", [&] { ran.fetch_add(1); }); });
    REQUIRE(whole);
    REQUIRE((below.get().ok() || below.get().cancelled()));
    REQUIRE(ran_at_end == (below.get().ok() ? 1 : 0));
  }
  CHECK(site.stats().tasks_live == 0);
}
