// Races of tasks, explored: the same promises as in races.test.cpp, under a thousand schedules each that can be
// replayed.
#include "explored.hpp"

using namespace support;

TEST_CASE("explored: a cancel against the start of its task runs the body or cancels it but not both") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    int ran = 0;
    auto crew = site.create_scope("crew");
    auto task = crew.execute("worker", [&] { ++ran; });
    task.cancel();
    const auto& end = task.get();
    const auto whole = crew.wait();
    seen.saw(to_string(end.kind()));
    return promised{}
        .that(end.ok() || end.cancelled(), "the task is ok or cancelled")
        .that(ran == (end.ok() ? 1 : 0), "the body runs exactly if the task is ok")
        .that(whole.has_value(), "cancelling a task fails nobody else")
        .books(site, 1, ran);
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"ok", "cancelled"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: a cancel against the failure of its task is failed or cancelled and wait agrees") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    int ran = 0;
    auto crew = site.create_scope("crew");
    auto task = crew.execute("worker", [&] { return ++ran, fails_at_once(); });
    task.cancel();
    const auto whole = crew.wait();
    const auto& end = task.get();
    seen.saw(std::string{to_string(end.kind())} + (ran ? "" : " before it began"));
    return promised{}
        .that(end.failed() || end.cancelled(), "the task is failed or cancelled")
        .that(!ran || end.error().is(std::errc::io_error), "the error of the body is kept")
        .that(ran || end.cancelled(), "what did not run has not failed")
        .that(static_cast<bool>(end.reason()) == end.cancelled(), "it has a reason exactly if it is cancelled")
        .that(whole.has_value() == end.cancelled(), "wait fails exactly if the task has failed")
        .that(site.errors().errors.size() == static_cast<std::size_t>(ran), "what the body said is listed once")
        .books(site, 1, ran);
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"failed", "cancelled", "cancelled before it began"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: a scope's cancel against the end of its last task fails wait unless the task had ended") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    int ran = 0;
    auto crew = site.create_scope("crew");
    auto task = crew.execute("worker", [&] { return ++ran; });
    crew.cancel();
    const auto whole = crew.wait();
    const auto& end = task.get();
    seen.saw(std::string{to_string(end.kind())} + (whole ? " and fine" : " and not fine"));
    return promised{}
        .that(end.ok() || end.cancelled(), "the task is ok or cancelled")
        .that(ran == (end.ok() ? 1 : 0), "the body runs exactly if the task is ok")
        .that(whole.has_value() || is(whole, errc::cancelled), "wait succeeds or says cancelled")
        .that(end.ok() || !whole, "wait fails if the task was cancelled with its scope")
        .that(whole || crew.cancelled(), "a scope that fails so has been cancelled")
        .that(crew.wait().has_value() == whole.has_value(), "waiting again gives the same answer")
        .books(site, 1, ran);
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"ok and fine", "ok and not fine", "cancelled and not fine"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: a task's timeout against its value leaves the value standing") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    auto crew = site.create_scope("crew");
    auto task = crew.execute({.name = "worker", .timeout = 1s},
                             [](context& ctx) { return ctx.sleep_for(1s).has_value() ? 3 : 4; });
    const auto whole = crew.wait();
    const auto& end = task.get();
    if (!end.ok())
      return broken("a value stands even if the deadline passes");
    seen.saw(end.late() ? (end.value() == 3 ? "late" : "asked in its sleep") : "in time");
    return promised{}
        .that(end.late() == static_cast<bool>(end.reason()), "it is late if it was asked")
        .that(end.value() == 3 || end.late(), "a sleep ends early only for a request")
        .that(whole.has_value(), "nobody has failed")
        .that(site.elapsed() == 1s, "it takes a second")
        .books(site, 1, 1);
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"late", "asked in its sleep", "in time"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: a task's timeout against its failure is failed or timed out and wait agrees") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    auto crew = site.create_scope("crew");
    auto task = crew.execute({.name = "worker", .timeout = 1s},
                             [](context& ctx) { return static_cast<void>(ctx.sleep_for(1s)), fails_at_once(); });
    const auto whole = crew.wait();
    const auto& end = task.get();
    seen.saw(to_string(end.kind()));
    return promised{}
        .that(end.failed() || end.timed_out(), "the task is failed or timed out")
        .that(!end.ok() && end.error().is(std::errc::io_error), "the body's own error is kept")
        .that(is(whole, errc::timed_out) || end.failed(), "wait says timed out if the task is")
        .that(!whole && whole.error().code() == end.error().code(), "wait gives the task's error")
        .that(site.errors().errors.size() == (end.failed() ? 1 : 2),
              "the failure is listed once, and so is the timeout")
        .books(site, 1, 1);
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"failed", "timed_out"}) == lines{});
}

TEST_CASE("explored: a task's timeout against its start runs the body or times out but not both") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    int ran = 0;
    auto crew = site.create_scope("crew");
    auto task = crew.execute({.name = "worker", .timeout = 1s, .priority = muster::priority::low}, [&] { ++ran; });
    // If it comes first it keeps the only worker up to the very moment of the other's timeout: looking is no wait, so
    // nobody takes its place. What could start only at that moment does not.
    crew.execute({.name = "busy", .priority = muster::priority::high}, [](context& ctx) {
      for (const auto until = ctx.now() + 1s; ctx.now() < until;) {}
    });
    static_cast<void>(crew.wait_for(1s)); // time passes for those who wait for it, not for those who look at it
    const auto whole = crew.wait();
    const auto& end = task.get();
    seen.saw(to_string(end.kind()));
    return promised{}
        .that(end.ok() || end.timed_out(), "the task is ok or timed out")
        .that(ran == (end.ok() ? 1 : 0), "the body runs exactly if the task is ok")
        .that(end.ok() ? whole.has_value() : is(whole, errc::timed_out), "wait fails exactly if it timed out")
        .books(site, 2, 1 + ran);
  };
  CHECK(explore({.seeds = seeds, .site = {.name = "site", .workers = 1}}, race));
  CHECK(seen.missing({"ok", "timed_out"}) == lines{});
}

TEST_CASE("explored: a scope's deadline against the end of its task") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    auto crew = site.create_scope("crew", {.timeout = 1s});
    auto task = crew.execute("worker", [](context& ctx) { return ctx.sleep_for(1s); });
    const auto whole = crew.wait();
    const auto& end = task.get();
    seen.saw(std::string{to_string(end.kind())} + (whole ? " and fine" : " and not fine"));
    return promised{}
        .that(end.ok() || end.cancelled(), "the task is ok or cancelled")
        .that(whole.has_value() || is(whole, errc::timed_out), "wait succeeds or says timed out")
        .that(end.ok() || !whole, "wait fails if the task was cancelled")
        .that(whole || (crew.cancelled() && crew.reason().kind() == cancel_kind::timeout), "the scope knows why")
        .that(site.elapsed() == 1s, "it takes a second")
        .books(site, 1, 1);
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"ok and fine", "ok and not fine", "cancelled and not fine"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: a task that is spawned at the moment of its scope's deadline never runs") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    int ran = 0;
    muster::task<void> task;
    auto crew = site.create_scope("crew", {.timeout = 1s});
    auto spawner = site.create_scope("spawner");
    spawner.execute("spawns", [&](context& ctx) {
      static_cast<void>(ctx.sleep_for(1s));
      seen.saw(crew.cancelled() ? "after the deadline was told" : "before");
      task = crew.execute("worker", [&] { ++ran; });
    });
    const auto spawned = spawner.wait();
    const auto whole = crew.wait();
    return promised{}
        .that(spawned.has_value(), "the spawner is none of its children")
        .that(task.get().cancelled() && ran == 0, "the task is cancelled and its body does not run")
        .that(is(whole, errc::timed_out), "wait says that the time was up")
        .books(crew, 1, 0);
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"before", "after the deadline was told"}) == lines{});
}

TEST_CASE("explored: two failures at once are both kept and each once") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    auto crew = site.create_scope("crew");
    // The first moment at which anything is due comes when both have begun.
    const auto culprit = [](context& ctx) { return static_cast<void>(ctx.sleep_for(1ms)), fails_at_once(); };
    const auto one = crew.execute("one", culprit);
    const auto other = crew.execute("other", culprit);
    const auto why = error_of(crew.wait());
    const auto& first = one.get();
    const auto& second = other.get();
    seen.saw(std::string{to_string(first.kind())} + " and " + std::string{to_string(second.kind())});
    if (first.ok() || second.ok())
      return broken("a body that returns an error does not end ok");
    return promised{}
        .that(why.message() == "broken" && why.later().size() == 1, "both failures are in the scope's result")
        .that(mentions(why, first.error()) && mentions(why, second.error()), "each of them is")
        .that(first.failed() || second.failed(), "the first to fail was not asked to stop")
        .that(site.errors().errors.size() == 2, "each is listed once")
        .books(site, 2, 2);
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"failed and failed", "failed and cancelled", "cancelled and failed"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: spawning against cancelling gives tasks that ran or were cancelled") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    int ran = 0;
    std::vector<muster::task<void>> tasks;
    auto crew = site.create_scope("crew");
    const auto met = rivals(
        site, [&] { crew.cancel(); },
        [&] {
          for (int each = 0; each < 4; ++each)
            tasks.push_back(crew.execute("worker", [&] { ++ran; }));
        });
    const bool late = crew.execute("late", [&] { ran += 100; }).get().cancelled();
    static_cast<void>(crew.wait());
    int ok = 0;
    bool legal = met.has_value() && late;
    for (const auto& each : tasks) {
      legal = legal && (each.get().ok() || each.get().cancelled());
      ok += each.get().ok() ? 1 : 0;
    }
    seen.saw(std::to_string(ok));
    return promised{}
        .that(legal, "each is ok or cancelled, and cancelled after the cancel")
        .that(ran == ok, "the bodies of those that are ok ran and no others")
        .books(crew, 5, ran);
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"0", "1", "2", "3", "4"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: spawning against waiting or closing gives a child that is waited for or refused") {
  for (const bool closes : {false, true}) {
    endings seen;
    const auto race = [&](simulation& site) -> verdict {
      int ran = 0;
      int ran_at_end = -1;
      muster::task<void> task;
      muster::result<void> whole;
      auto crew = site.create_scope("crew");
      crew.execute("first", succeeds);
      const auto met = rivals(
          site,
          [&] {
            if (closes)
              crew.close();
            whole = crew.wait();
            ran_at_end = ran;
          },
          [&] { task = crew.execute("worker", [&] { ++ran; }); });
      const auto& end = task.get();
      seen.saw(to_string(end.kind()));
      return promised{}
          .that(met && whole, "nobody has failed")
          .that(end.ok() || end.cancelled(), "the task is ok or cancelled")
          .that(ran == (end.ok() ? 1 : 0), "the body runs exactly if the task is ok")
          .that(ran_at_end == ran, "the wait was for it too")
          .books(crew, 2, 1 + ran);
    };
    CHECK(explore(seeds, race));
    CHECK(seen.missing({"ok", "cancelled"}) == lines{});
  }
}

TEST_CASE("explored: a dependant that is added while its dependency ends is started or skipped as it should") {
  for (const bool good : {false, true}) {
    endings seen;
    const auto race = [&](simulation& site) -> verdict {
      bool first_ended = false;
      bool in_order = true;
      auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
      auto first = crew.execute("first", [&]() -> muster::result<void> {
        first_ended = true;
        return good ? muster::result<void>{} : fails_at_once();
      });
      seen.saw(to_string(first.state()));
      auto next = crew.execute({.name = "next", .after = {first}}, [&] { in_order = first_ended; });
      const auto whole = crew.wait();
      return promised{}
          .that(whole.has_value() == good, "wait fails exactly if the dependency has failed")
          .that(next.get().kind() == (good ? outcome_kind::ok : outcome_kind::skipped),
                "the dependant starts if the dependency is ok, else it is skipped")
          .that(in_order, "it never starts before the dependency has ended")
          .books(site, 2, good ? 2 : 1);
    };
    CHECK(explore(seeds, race));
    CHECK(seen.missing({"ready", "running", "ending", "ended"}) == lines{});
    CHECK(explore(by_priority(), race));
  }
}

TEST_CASE("explored: a dependant's cancel against the end of its dependency") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    int ran = 0;
    auto crew = site.create_scope("crew");
    auto first = crew.execute("first", succeeds);
    auto next = crew.execute({.name = "next", .after = {first}}, [&] { ++ran; });
    auto last = crew.execute({.name = "last", .after = {next}}, [&] { ++ran; });
    next.cancel();
    const auto whole = crew.wait();
    const auto& end = next.get();
    seen.saw(to_string(end.kind()));
    return promised{}
        .that(whole.has_value(), "cancelling a task fails nobody else")
        .that(end.ok() || end.cancelled(), "the task is ok or cancelled")
        .that(last.get().kind() == (end.ok() ? outcome_kind::ok : outcome_kind::skipped), "what comes after it follows")
        .that(ran == (end.ok() ? 2 : 0), "the bodies run exactly if the tasks are ok")
        .books(site, 3, 1 + ran);
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"ok", "cancelled"}) == lines{});
  CHECK(explore(by_priority(), race));
}
