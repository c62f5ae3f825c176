// wait(): it joins, releases and closes; it gives the same answer for ever; and it fails for exactly the listed
// reasons.
#include "support.hpp"

#include <barrier>
#include <optional>

using namespace support;

TEST_CASE("waiting for a scope without children succeeds and closes it") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  CHECK_FALSE(crew.ended());
  CHECK(crew.wait());
  CHECK(crew.ended());
  CHECK(crew.execute("too late", succeeds).get().cancelled());
  CHECK(crew.wait());
}

TEST_CASE("wait returns when the last child has ended") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  std::atomic<int> done = 0;
  for (int i = 0; i < 100; ++i)
    crew.execute("worker", [&] { done.fetch_add(1); });
  CHECK(crew.wait());
  CHECK(done == 100);
  CHECK(crew.ended());
}

TEST_CASE("waiting twice gives the same answer: success") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  crew.execute("worker", succeeds);
  CHECK(crew.wait());
  CHECK(crew.wait());
  CHECK(crew.wait_for(0s));
}

TEST_CASE("waiting twice gives the same answer: the first failure with every later one behind it") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
  crew.execute("a", fails("one"));
  crew.execute("b", fails("two"));
  const auto first = error_of(crew.wait());
  const auto second = error_of(crew.wait());
  const auto third = error_of(crew.wait_for(1s));
  CHECK(messages(first).size() == 2);
  CHECK(messages(second) == messages(first));
  CHECK(messages(third) == messages(first));
  CHECK(same_origin(first, second));
}

TEST_CASE("waiting from several threads at the same time gives the same answer") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  gate go;
  const let_go at_end{go};
  crew.execute("worker", [&]() -> muster::result<void> {
    go.wait();
    return std::unexpected{muster::error{std::errc::io_error, "broken"}};
  });
  std::vector<std::optional<muster::result<void>>> answers(6);
  std::vector<std::thread> waiters;
  for (auto& answer : answers)
    waiters.emplace_back([&] { answer = crew.wait(); });
  go.open();
  for (auto& each : waiters)
    each.join();
  for (const auto& answer : answers) {
    REQUIRE(answer.has_value());
    CHECK(error_of(*answer).message() == "broken");
    CHECK(same_origin(error_of(*answer), error_of(crew.wait())));
  }
}

TEST_CASE("running children may start others until the last has ended") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  std::atomic<int> ran = 0;
  struct chain {
    muster::scope& crew;
    std::atomic<int>& ran;
    int left;
    void operator()() const {
      ran.fetch_add(1);
      if (left > 0)
        crew.execute("next", chain{crew, ran, left - 1});
    }
  };
  crew.execute("first", chain{crew, ran, 200});
  CHECK(crew.wait());
  CHECK(ran == 201);
}

TEST_CASE("wait_for that comes to its limit returns not_ready and neither cancels nor closes") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  gate go;
  auto worker = crew.execute("worker", [&](context& ctx) -> muster::result<bool> {
    go.wait();
    return ctx.cancelled();
  });
  const let_go at_end{go};
  CHECK(error_of(crew.wait_for(0s)).code() == errc::not_ready);
  CHECK(error_of(crew.wait_for(-1s)).code() == errc::not_ready);
  std::thread hand{[&] {
    clock->await_timer_within(3s);
    clock->advance(3s);
  }};
  CHECK(error_of(crew.wait_for(3s)).code() == errc::not_ready);
  hand.join();
  CHECK_FALSE(crew.cancelled());
  CHECK_FALSE(crew.ended());
  auto another = crew.execute("another", [] { return 1; });
  CHECK(another.get().ok());
  go.open();
  CHECK(crew.wait());
  CHECK(worker.get().as_result() == false);
  CHECK(crew.wait_for(0s));
}

TEST_CASE("wait_for of a task that comes to its limit returns not_ready and nothing else has happened") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  gate go;
  auto worker = crew.execute("worker", [&] { go.wait(); });
  const let_go at_end{go};
  std::thread hand{[&] {
    clock->await_timer_within(3s);
    clock->advance(3s);
  }};
  CHECK(error_of(worker.wait_for(3s)).code() == errc::not_ready);
  hand.join();
  CHECK_FALSE(worker.ready());
  go.open();
  CHECK(worker.wait_for(1h));
  CHECK(worker.get().ok());
  CHECK_FALSE(worker.get().late());
}

TEST_CASE("get does not mark an error as handled: wait still fails") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  auto worker = crew.execute("worker", fails("broken"));
  CHECK(worker.get().failed());
  CHECK(error_of(crew.wait()).message() == "broken");
}

TEST_CASE("cancelling one task does not make wait fail") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  auto one = crew.execute("one", stays);
  auto after = crew.execute({.name = "after", .after = {one}}, succeeds);
  auto other = crew.execute("other", [] { return 1; });
  one.cancel();
  CHECK(crew.wait());
  CHECK(one.get().cancelled());
  CHECK(after.get().skipped());
  CHECK(other.get().ok());
  CHECK(site.errors().errors.empty());
}

TEST_CASE("a scope that is cancelled when its last child has ended already is waited for with success") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  CHECK(crew.execute("worker", succeeds).get().ok());
  crew.cancel();
  CHECK(crew.cancelled());
  CHECK(crew.wait());
}

TEST_CASE("a scope that is cancelled before it ever had a child fails with cancelled") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  crew.cancel("changed my mind");
  const auto why = error_of(crew.wait());
  CHECK(why.code() == errc::cancelled);
  CHECK(why.is(std::errc::operation_canceled));
  CHECK(why.path() == "site/crew");
}

TEST_CASE("a scope that is cancelled while a child lives fails with cancelled even if that child succeeds") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  auto worker = crew.execute("worker", [](context& ctx) {
    ctx.wait_until_cancelled();
    return 1;
  });
  await_start(worker);
  crew.cancel("that will do");
  const auto why = error_of(crew.wait());
  CHECK(why.code() == errc::cancelled);
  CHECK(contains(why.message(), "that will do"));
  CHECK(worker.get().ok());
}

TEST_CASE("cancelling an ended scope changes nothing about its answer") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  crew.execute("worker", succeeds);
  CHECK(crew.wait());
  crew.cancel();
  CHECK(crew.wait());
}

TEST_CASE("wait closes nested scopes whose handles are still there but idle") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  auto idle = crew.create_scope("idle");
  auto used = crew.create_scope("used");
  auto below = used.create_scope("below");
  CHECK(used.execute("worker", succeeds).get().ok());
  CHECK(crew.wait());
  CHECK(idle.ended());
  CHECK(used.ended());
  CHECK(below.ended());
  CHECK(idle.wait());
  CHECK(below.execute("too late", succeeds).get().cancelled());
}

TEST_CASE("wait waits for what runs in nested scopes and for what is started there meanwhile") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  auto nested = crew.create_scope("nested");
  gate go;
  const let_go at_end{go};
  std::atomic<int> done = 0;
  nested.execute("first", [&] {
    go.wait();
    nested.execute("second", [&] { done.fetch_add(1); });
    done.fetch_add(1);
  });
  go.open();
  CHECK(crew.wait());
  CHECK(done == 2);
}

TEST_CASE("close lets what is there run to its end and takes nothing more") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  gate go;
  const let_go at_end{go};
  std::atomic<int> nested_ran = 0;
  muster::outcome_kind from_inside = outcome_kind::ok;
  auto worker = crew.execute("worker", [&](context& ctx) -> muster::result<bool> {
    go.wait();
    from_inside = crew.execute("too late", succeeds).get().kind();
    auto inner = ctx.create_scope("inner");
    inner.execute("below", [&] { nested_ran.fetch_add(1); });
    if (auto done = inner.wait(); !done)
      return std::unexpected{done.error()};
    return ctx.cancelled();
  });
  auto dependant = crew.execute({.name = "dependant", .after = {worker}}, [] { return 2; });
  crew.close();
  crew.close();
  auto late = crew.execute("late", succeeds);
  CHECK(late.get().cancelled());
  CHECK_FALSE(crew.cancelled());
  CHECK_FALSE(crew.ended());
  go.open();
  CHECK(crew.wait());
  CHECK(worker.get().as_result() == false);
  CHECK(dependant.get().ok());
  CHECK(nested_ran == 1);
  CHECK(from_inside == outcome_kind::cancelled);
}

TEST_CASE("a closed scope without children ends by itself") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  crew.close();
  await([&] { return crew.ended(); });
  CHECK(crew.wait());
}

TEST_CASE("spawning on an ended scope gives a cancelled task that never runs") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  CHECK(crew.wait());
  std::atomic<int> ran = 0;
  auto late = crew.execute("late", [&] { ran.fetch_add(1); });
  CHECK(late.ready());
  CHECK(late.get().cancelled());
  CHECK(late.path() == "site/crew/late");
  auto dependant = crew.execute({.name = "dependant", .after = {late}}, [&] { ran.fetch_add(1); });
  CHECK_FALSE(dependant.get().ok());
  auto nested = crew.create_scope("nested");
  CHECK(nested.execute("late", [&] { ran.fetch_add(1); }).get().cancelled());
  CHECK(crew.wait());
  CHECK(ran == 0);
}

TEST_CASE("waiting for the scope that a body runs in is an error that names the path") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  std::vector<muster::error> refused;
  muster::task<void> worker;
  gate handle_is_there;
  worker = crew.execute("worker", [&](context& ctx) {
    handle_is_there.wait();
    refused.push_back(error_of(crew.wait()));
    refused.push_back(error_of(crew.wait_for(1h)));
    refused.push_back(error_of(worker.wait_for(1h)));
    refused.push_back(worker.get().error());
    auto inner = ctx.create_scope("inner");
    inner.execute("below", [&] {
      refused.push_back(error_of(crew.wait()));
      refused.push_back(error_of(inner.wait()));
      refused.push_back(worker.get().error());
    });
    if (!inner.wait())
      refused.clear();
  });
  handle_is_there.open();
  CHECK(crew.wait());
  CHECK(worker.get().ok());
  REQUIRE(refused.size() == 7);
  for (const auto& each : refused) {
    CHECK(each.code() == errc::would_deadlock);
    CHECK(each.is(std::errc::resource_deadlock_would_occur));
    CHECK(contains(to_line(each), "site/crew"));
  }
}

TEST_CASE("waiting for its own scope from a release is an error and the release goes on") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  std::optional<muster::error> refused;
  CHECK(crew.register_resource("tool", 1, [&](int&) { refused = error_of(crew.wait()); }));
  crew.execute("worker", succeeds);
  CHECK(crew.wait());
  REQUIRE(refused);
  CHECK(refused->code() == errc::would_deadlock);
}

TEST_CASE("waiting for its own scope from a cancel callback is an error") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  std::optional<muster::error> refused;
  gate called;
  gate started;
  crew.execute("worker", [&](context& ctx) {
    const auto kept = ctx.on_cancel([&] {
      refused = error_of(crew.wait());
      called.open();
    });
    started.open();
    called.wait();
  });
  started.wait();
  crew.cancel();
  CHECK_FALSE(crew.wait());
  REQUIRE(refused);
  CHECK(refused->code() == errc::would_deadlock);
}

TEST_CASE("waiting on another branch from a body is allowed") {
  muster::manager site{standing_still()};
  auto left = site.create_scope("left");
  auto right = site.create_scope("right");
  right.execute("worker", succeeds);
  auto task = left.execute("waits", [&] { return right.wait(); });
  CHECK(left.wait());
  CHECK(task.get().ok());
}

TEST_CASE("a wait with a limit that ends first leaves nested scopes open") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  auto inner = crew.create_scope("inner");
  CHECK(error_of(crew.wait_for(0s)).code() == errc::not_ready);
  CHECK(inner.execute("worker", succeeds).get().ok());
  CHECK(inner.wait());
  CHECK(crew.wait());
}
