// Failure: what one child's failure does to its siblings, its dependants, its scope, and to nobody else.
#include "support.hpp"

#include <stdexcept>

using namespace support;

TEST_CASE("the first failure cancels its siblings at once and says who failed") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  gate started;
  muster::cancel_reason told;
  auto sibling = crew.execute("sibling", [&](context& ctx) -> muster::result<void> {
    started.open();
    told = ctx.wait_until_cancelled();
    return std::unexpected{told.to_error()};
  });
  started.wait();
  auto culprit = crew.execute("culprit", fails("card declined"));
  const auto why = error_of(crew.wait());
  CHECK(why.message() == "card declined");
  CHECK(why.path() == "site/crew/culprit");
  REQUIRE(sibling.get().cancelled());
  CHECK(told.kind() == cancel_kind::sibling_failed);
  CHECK(told.origin() == "site/crew/culprit");
  REQUIRE(told.cause() != nullptr);
  CHECK(same_origin(*told.cause(), culprit.get().error()));
  CHECK(same_origin(sibling.get().error(), culprit.get().error()));
  CHECK(crew.cancelled());
}

TEST_CASE("a failure cancels the siblings that had not started before they start") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew", {.max_parallel = 1});
  gate go;
  const let_go at_end{go};
  std::atomic<int> ran = 0;
  crew.execute("culprit", [&]() -> muster::result<void> {
    go.wait();
    return std::unexpected{muster::error{std::errc::io_error, "broken"}};
  });
  std::vector<muster::task<void>> others;
  for (int i = 0; i < 50; ++i)
    others.push_back(crew.execute("other", [&] { ran.fetch_add(1); }));
  go.open();
  CHECK(error_of(crew.wait()).message() == "broken");
  CHECK(ran == 0);
  for (const auto& each : others) {
    CHECK(each.get().cancelled());
    CHECK(each.get().reason().kind() == cancel_kind::sibling_failed);
  }
}

TEST_CASE("a child that is started after the failure is cancelled and never runs") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  auto culprit = crew.execute("culprit", fails("broken"));
  CHECK(culprit.get().failed());
  std::atomic<int> ran = 0;
  CHECK(crew.execute("late", [&] { ran.fetch_add(1); }).get().cancelled());
  CHECK_FALSE(crew.wait());
  CHECK(ran == 0);
}

TEST_CASE("a lone error is not wrapped") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  const muster::error original = muster::error{std::errc::no_space_on_device, "disk full"}.with_path("disk");
  crew.execute("worker", [&]() -> muster::result<void> { return std::unexpected{original}; });
  crew.execute("sibling", stays);
  const auto why = error_of(crew.wait());
  CHECK(why.code() == std::errc::no_space_on_device);
  CHECK(why.message() == "disk full");
  CHECK(why.path() == "disk");
  CHECK(why.cause() == nullptr);
  CHECK(why.later().empty());
  CHECK(same_origin(why, original));
}

TEST_CASE("the scope's result has the first failure first and every later one after it in order") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  gate started[2];
  auto second = crew.execute("second", [&](context& ctx) -> muster::result<void> {
    started[0].open();
    ctx.wait_until_cancelled();
    return std::unexpected{muster::error{std::errc::io_error, "two"}};
  });
  crew.execute("third", [&]() -> muster::result<void> {
    started[1].open();
    if (second.get().ok())
      return {};
    return std::unexpected{muster::error{std::errc::io_error, "three"}};
  });
  started[0].wait();
  started[1].wait();
  crew.execute("first", fails("one"));
  const auto why = error_of(crew.wait());
  CHECK(why.message() == "one");
  REQUIRE(why.later().size() == 2);
  CHECK(contains(to_line(why.later()[0]), "two"));
  CHECK(contains(to_line(why.later()[1]), "three"));
}

TEST_CASE("a failure leaves other scopes untouched") {
  muster::manager site{standing_still()};
  auto left = site.create_scope("left");
  auto right = site.create_scope("right");
  gate go;
  const let_go at_end{go};
  auto bystander = right.execute("bystander", [&](context& ctx) {
    go.wait();
    return ctx.cancelled();
  });
  left.execute("culprit", fails("broken"));
  CHECK_FALSE(left.wait());
  CHECK_FALSE(right.cancelled());
  CHECK_FALSE(site.cancelled());
  go.open();
  CHECK(right.wait());
  CHECK(bystander.get().as_result() == false);
}

TEST_CASE("isolate runs on after a failure and reports all failures in wait") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate, .max_parallel = 1});
  std::vector<muster::task<void>> bad;
  std::vector<muster::task<int>> good;
  for (int i = 0; i < 4; ++i) {
    bad.push_back(crew.execute("bad", fails("failure " + std::to_string(i))));
    good.push_back(crew.execute("good", [i] { return i; }));
  }
  const auto why = error_of(crew.wait());
  CHECK(messages(why) == lines{"failure 0", "failure 1", "failure 2", "failure 3"});
  for (std::size_t i = 0; i < good.size(); ++i)
    CHECK(good[i].get().value() == static_cast<int>(i));
  CHECK_FALSE(crew.cancelled());
  CHECK(crew.stats().tasks_failed == 4);
}

TEST_CASE("a failed dependency makes its dependants skipped and they never start") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  gate go;
  const let_go at_end{go};
  std::atomic<int> ran = 0;
  auto culprit = crew.execute("culprit", [&]() -> muster::result<void> {
    go.wait();
    return std::unexpected{muster::error{std::errc::io_error, "broken"}};
  });
  auto next = crew.execute({.name = "next", .after = {culprit}}, [&] { ran.fetch_add(1); });
  auto last = crew.execute({.name = "last", .after = {next}}, [&] { ran.fetch_add(1); });
  go.open();
  CHECK(error_of(crew.wait()).message() == "broken");
  CHECK(error_of(crew.wait()).later().empty());
  REQUIRE(next.get().skipped());
  CHECK(next.get().error().code() == errc::skipped);
  CHECK(contains(next.get().error().message(), "site/crew/culprit"));
  REQUIRE(next.get().error().cause() != nullptr);
  CHECK(same_origin(*next.get().error().cause(), culprit.get().error()));
  CHECK(next.get().error().path() == "site/crew/next");
  REQUIRE(last.get().skipped());
  CHECK(contains(last.get().error().message(), "site/crew/next"));
  CHECK(last.get().error().is(std::errc::io_error));
  CHECK(ran == 0);
  CHECK(site.stats().tasks_skipped == 2);
  CHECK(site.errors().errors.size() == 1);
}

TEST_CASE("a task that comes after one that has failed already is skipped") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
  auto culprit = crew.execute("culprit", fails("broken"));
  CHECK(culprit.get().failed());
  auto next = crew.execute({.name = "next", .after = {culprit}}, succeeds);
  CHECK(next.get().skipped());
  auto unaffected = crew.execute("unaffected", succeeds);
  CHECK(unaffected.get().ok());
  CHECK(messages(error_of(crew.wait())) == lines{"broken"});
}

TEST_CASE("a task that comes after one that has ended ok already starts") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  auto first = crew.execute("first", [] { return 20; });
  CHECK(first.get().ok());
  auto next = crew.execute({.name = "next", .after = {first}}, [&] { return first.get().value() + 1; });
  CHECK(next.get().value() == 21);
  CHECK(crew.wait());
}

TEST_CASE("a task starts only after all that it comes after have ended ok") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  gate go[3];
  std::atomic<int> ended = 0;
  muster::dependencies all;
  for (auto& each : go)
    all.add(crew.execute("before", [&each, &ended] {
      each.wait();
      ended.fetch_add(1);
    }));
  auto last = crew.execute({.name = "last", .after = all}, [&] { return ended.load(); });
  CHECK(last.state() == muster::task_state::waiting);
  for (auto& each : go)
    each.open();
  CHECK(crew.wait());
  CHECK(last.get().value() == 3);
}

TEST_CASE("one dependency that does not end ok is enough to be skipped and the others run on") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
  gate go;
  const let_go at_end{go};
  auto good = crew.execute("good", [&] { go.wait(); });
  auto bad = crew.execute("bad", fails("broken"));
  auto next = crew.execute({.name = "next", .after = {good, bad}}, succeeds);
  CHECK(next.get().skipped());
  CHECK_FALSE(good.ready());
  go.open();
  CHECK_FALSE(crew.wait());
  CHECK(good.get().ok());
}

TEST_CASE("the dependants of a task that was cancelled alone are skipped and wait succeeds") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  auto one = crew.execute("one", stays);
  auto next = crew.execute({.name = "next", .after = {one}}, succeeds);
  one.cancel("not needed");
  REQUIRE(next.get().skipped());
  CHECK(next.get().error().code() == errc::skipped);
  CHECK(contains(next.get().error().message(), "site/crew/one"));
  CHECK(crew.wait());
  CHECK_FALSE(crew.cancelled());
}

TEST_CASE("the dependants of a sibling that was cancelled for a failure are cancelled and not skipped") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  gate go;
  const let_go at_end{go};
  auto culprit = crew.execute("culprit", [&]() -> muster::result<void> {
    go.wait();
    return std::unexpected{muster::error{std::errc::io_error, "broken"}};
  });
  auto bystander = crew.execute("bystander", stays);
  auto behind = crew.execute({.name = "behind", .after = {bystander}}, succeeds);
  auto skipped = crew.execute({.name = "skipped", .after = {culprit}}, succeeds);
  go.open();
  CHECK_FALSE(crew.wait());
  CHECK(bystander.get().cancelled());
  CHECK(behind.get().cancelled());
  CHECK(behind.get().reason().kind() == cancel_kind::sibling_failed);
  CHECK(skipped.get().skipped());
}

TEST_CASE("a nested scope's failure is its own: the parent runs on and the error is listed once") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  auto nested = crew.create_scope("nested");
  nested.execute("culprit", fails("broken"));
  CHECK(error_of(nested.wait()).message() == "broken");
  CHECK_FALSE(crew.cancelled());
  CHECK(crew.execute("worker", succeeds).get().ok());
  CHECK(crew.wait());
  CHECK(site.errors().errors.size() == 1);
}

TEST_CASE("an error that wait has returned already and a body passes on is not attached twice") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  auto outer = crew.execute("outer", [](context& ctx) -> muster::result<void> {
    auto inner = ctx.create_scope("inner");
    inner.execute("culprit", fails("broken"));
    return inner.wait();
  });
  const auto why = error_of(crew.wait());
  CHECK(messages(why) == lines{"broken"});
  CHECK(why.path() == "site/crew/outer/inner/culprit");
  CHECK(outer.get().failed());
  CHECK(site.errors().errors.size() == 1);
  CHECK(messages(site.errors().errors.front()) == lines{"broken"});
}

TEST_CASE("one failure that several tasks pass on is not listed again and again") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
  auto shared = site.create_scope("shared");
  shared.execute("culprit", fails("broken"));
  CHECK_FALSE(shared.wait());
  auto a = crew.execute("a", [&] { return shared.wait(); });
  auto b = crew.execute("b", [&] { return shared.wait(); });
  const auto why = error_of(crew.wait());
  CHECK(a.get().failed());
  CHECK(b.get().failed());
  CHECK(messages(why) == lines{"broken"});
  CHECK(site.errors().errors.size() == 1);
}

TEST_CASE("two scopes that fail at once each keep their own failure") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  auto left = crew.create_scope("left");
  auto right = crew.create_scope("right");
  gate go;
  const let_go at_end{go};
  for (auto* each : {&left, &right}) {
    each->execute("culprit", [&go, each]() -> muster::result<void> {
      go.wait();
      return std::unexpected{muster::error{std::errc::io_error, each->name()}};
    });
    each->execute("sibling", stays);
  }
  go.open();
  CHECK(messages(error_of(left.wait())) == lines{"left"});
  CHECK(messages(error_of(right.wait())) == lines{"right"});
  CHECK(crew.wait());
  CHECK(site.errors().errors.size() == 2);
}

TEST_CASE("two children that fail at once are both in the scope's result") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  gate started[2];
  gate go;
  const let_go at_end{go};
  for (auto& each : started)
    crew.execute("culprit", [&]() -> muster::result<void> {
      each.open();
      go.wait();
      return std::unexpected{muster::error{std::errc::io_error, "broken"}};
    });
  for (auto& each : started)
    each.wait();
  go.open();
  const auto why = error_of(crew.wait());
  CHECK(why.message() == "broken");
  REQUIRE(why.later().size() == 1);
  CHECK(contains(to_line(why.later()[0]), "broken"));
  CHECK(site.errors().errors.size() == 2);
}

TEST_CASE("an exception in one child fails the scope like an error does") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  crew.execute("sibling", stays);
  crew.execute("culprit", [] { throw std::out_of_range{"no such brick"}; });
  const auto why = error_of(crew.wait());
  REQUIRE(why.as<std::out_of_range>() != nullptr);
  CHECK(why.path() == "site/crew/culprit");
}
