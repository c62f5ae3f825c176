// Races for the end of scopes and managers, explored: reasons, limits, permits, daemons, shutdown, destructors.
#include "explored.hpp"

using namespace support;

TEST_CASE("explored: cancelling a task and its scope gives it one of the two reasons") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    auto crew = site.create_scope("crew");
    auto task = crew.execute("worker", stays);
    const auto met = rivals(
        site, [&] { crew.cancel("scope"); }, [&] { task.cancel("task"); });
    const auto whole = crew.wait();
    if (!task.get().cancelled())
      return broken("the task is cancelled");
    const auto text = task.get().reason().text();
    seen.saw(text + (whole ? " and fine" : ""));
    return promised{}
        .that(met.has_value(), "the rivals are no children")
        .that(text == "scope" || text == "task", "one of the two reasons names it")
        .that(whole.has_value() || is(whole, errc::cancelled), "wait succeeds or says cancelled")
        .that(text == "task" || !whole, "a scope whose cancel reached a child fails")
        .that(crew.stats().tasks_cancelled == 1 && site.stats().tasks_live == 0, "it is counted once");
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"scope", "task", "task and fine"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: once a cancel has returned nobody below starts any more however deep") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    int ran = 0;
    auto crew = site.create_scope("crew");
    auto nested = crew.create_scope("nested");
    auto task = nested.execute("worker", [&] { ++ran; });
    crew.cancel();
    const bool had_started = task.state() >= muster::task_state::running;
    const auto whole = nested.wait();
    seen.saw(ran ? "ran" : had_started ? "discarded at once" : "discarded later");
    return promised{}
        .that(had_started || !ran, "what had not started does not start")
        .that(task.get().ok() == (ran == 1), "the body runs exactly if the task is ok")
        .that(ran || is(whole, errc::cancelled), "wait says so")
        .books(nested, 1, ran);
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"ran", "discarded at once", "discarded later"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: a failure against the scope's cancel keeps the failure") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    int ran = 0;
    auto crew = site.create_scope("crew");
    auto task = crew.execute("culprit", [&] { return ++ran, fails_at_once(); });
    crew.cancel();
    const auto why = error_of(crew.wait());
    const auto& end = task.get();
    seen.saw(std::string{to_string(end.kind())} + (ran ? "" : " before it began"));
    return promised{}
        .that(!ran || any_is(why, std::make_error_code(std::errc::io_error)), "what the body said is kept")
        .that(end.failed() || end.cancelled(), "the task is failed or cancelled")
        .that(end.failed() || why.code() == errc::cancelled, "a cancelled one makes wait say cancelled")
        .that(site.errors().errors.size() == static_cast<std::size_t>(ran), "the failure is listed once")
        .books(site, 1, ran);
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"failed", "cancelled", "cancelled before it began"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: a wait that comes to its limit against the end says not_ready or the answer") {
  for (const bool of_scope : {false, true}) {
    endings seen;
    const auto race = [&](simulation& site) -> verdict {
      auto crew = site.create_scope("crew");
      auto task = crew.execute("worker", [](context& ctx) { return ctx.sleep_for(1s); });
      const auto got = of_scope ? crew.wait_for(1s) : task.wait_for(1s);
      const bool ready = of_scope ? crew.ended() : task.ready();
      seen.saw(got ? "answer" : "not ready");
      return promised{}
          .that(got.has_value() || is(got, errc::not_ready), "it gives the answer or says not_ready")
          .that(!got || ready, "an answer is given only at the end")
          .that(crew.wait().has_value() && task.get().ok(), "the limit has changed nothing")
          .that(site.elapsed() == 1s, "it takes a second")
          .books(site, 1, 1);
    };
    CHECK(explore(seeds, race));
    CHECK(seen.missing({"answer", "not ready"}) == lines{});
    CHECK(explore(by_priority(), race));
  }
}

TEST_CASE("explored: everybody who waits for a scope gets the same answer though it is cancelled meanwhile") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    verdict answers[3];
    auto crew = site.create_scope("crew");
    crew.execute("worker", succeeds);
    const auto met = rivals(
        site, [&] { answers[0] = crew.wait(); },
        [&] {
          crew.cancel();
          answers[1] = crew.wait();
        });
    answers[2] = crew.wait();
    seen.saw(answers[0] ? "fine" : "cancelled");
    return promised{}
        .that(met.has_value(), "the rivals are no children")
        .that(answers[0].has_value() == answers[1].has_value() && answers[1].has_value() == answers[2].has_value(),
              "all have the same answer")
        .that(answers[0].has_value() ||
                  (is(answers[0], errc::cancelled) && same_origin(answers[0].error(), answers[1].error()) &&
                   same_origin(answers[1].error(), answers[2].error())),
              "and for the same reason");
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"fine", "cancelled"}) == lines{});
}

TEST_CASE("explored: a held task's admission against its cancel never loses the permit") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    int ran = 0;
    auto crew = site.create_scope("crew", {.max_parallel = 1});
    auto first = crew.execute("first", succeeds);
    auto held = crew.execute("held", [&] { ++ran; });
    held.cancel();
    const auto last = crew.execute("last", succeeds);
    const auto whole = crew.wait();
    seen.saw(to_string(held.get().kind()));
    return promised{}
        .that(first.get().ok() && last.get().ok(), "the others run")
        .that(held.get().ok() || held.get().cancelled(), "the held task is ok or cancelled")
        .that(ran == (held.get().ok() ? 1 : 0), "its body runs exactly if it is ok")
        .that(whole.has_value(), "cancelling a task fails nobody else")
        .books(site, 3, 2 + ran);
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"ok", "cancelled"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: a permit that is lent comes back and no two bodies ever hold it") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    int inside = 0;
    int most = 0;
    lines order;
    auto crew = site.create_scope("crew", {.max_parallel = 1});
    const auto works = [&](context& ctx) {
      most = std::max(most, ++inside);
      ctx.note("others may run");
      --inside;
    };
    for (const std::string name : {"a", "b"})
      crew.execute(name, [&, name](context& ctx) {
        works(ctx);
        auto sibling = crew.execute("sibling", [&](context& below) {
          works(below);
          return 4;
        });
        const bool got = sibling.get().ok();
        works(ctx);
        order.push_back(got ? name : "nothing");
      });
    const auto whole = crew.wait();
    seen.saw(order.empty() ? "nobody" : order.front());
    return promised{}
        .that(whole.has_value(), "nobody has failed")
        .that(most == 1, "one body at a time, those that wait not counted")
        .that(order.size() == 2 && !std::ranges::count(order, "nothing"), "each gets its sibling's value")
        .books(site, 4, 4);
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"a", "b"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: a permit that is lent for a task that is cancelled is not lost") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    muster::task<void> sibling;
    bool ran = false;
    auto crew = site.create_scope("crew", {.max_parallel = 1});
    auto first = crew.execute("first", [&] {
      sibling = crew.execute("sibling", [&] { ran = true; });
      return sibling.get().kind();
    });
    auto other = crew.execute("other", [&] {
      if (sibling.valid())
        sibling.cancel();
    });
    const auto whole = crew.wait();
    seen.saw(to_string(sibling.get().kind()));
    return promised{}
        .that(whole.has_value(), "nobody has failed")
        .that(first.get().ok() && first.get().value() == sibling.get().kind(), "who waits for it sees how it ended")
        .that(ran == sibling.get().ok(), "it runs exactly if it is ok")
        .that(other.get().ok(), "the other runs meanwhile or afterwards")
        .books(site, 3, ran ? 3 : 2);
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"ok", "cancelled"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: a scope's destructor against those who look at it and its tasks") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    std::unique_ptr<muster::scope> crew{new muster::scope(site.create_scope("crew"))};
    const auto task = crew->execute("worker", stays);
    bool got = false;
    const auto met = rivals(
        site, [&] { crew.reset(); },
        [&] {
          static_cast<void>(task.state());
          task.cancel("by hand");
          static_cast<void>(site.tree());
          static_cast<void>(site.stats());
          got = task.get().cancelled();
        });
    seen.saw(task.get().reason().text() == "by hand" ? "by hand" : "by the destructor");
    return promised{}
        .that(met && got, "the task is cancelled")
        .that(site.tree().nodes.size() == 1, "nothing is left in the tree")
        .that(site.stats().tasks_cancelled == 1 && site.stats().tasks_live == 0, "it is counted once");
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"by hand", "by the destructor"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: a stop from outside against the end of its scope") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    std::stop_source outside;
    std::unique_ptr<muster::scope> crew{new muster::scope(site.create_scope("crew", {.parent = outside.get_token()}))};
    const auto first = crew->execute("first", succeeds);
    const auto task = crew->execute({.name = "worker", .after = {first}}, [] { return 1; });
    verdict whole;
    const auto met = rivals(
        site, [&] { outside.request_stop(); },
        [&] {
          whole = crew->wait();
          crew.reset();
        });
    const auto& end = task.get();
    seen.saw(std::string{to_string(end.kind())} + (whole ? " and fine" : ""));
    return promised{}
        .that(met.has_value(), "the rivals are no children")
        .that(end.ok() || ((end.cancelled() || end.skipped()) && !whole), "the task is ok, or not and wait says so")
        .that(whole.has_value() || is(whole, errc::cancelled), "wait succeeds or says cancelled")
        .that(ended(site.stats()) == 4 && site.stats().tasks_live == 0, "the books agree");
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"ok and fine", "ok", "cancelled"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: the last task of a scope against the spawning of a nested scope's") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    int ran = 0;
    int ran_at_end = -1;
    auto crew = site.create_scope("crew");
    auto nested = crew.create_scope("nested");
    crew.execute("last", succeeds);
    muster::task<void> below;
    verdict whole;
    const auto met = rivals(
        site,
        [&] {
          whole = crew.wait();
          ran_at_end = ran;
        },
        [&] { below = nested.execute("below", [&] { ++ran; }); });
    const auto& end = below.get();
    seen.saw(to_string(end.kind()));
    return promised{}
        .that(met && whole, "nobody has failed")
        .that(end.ok() || end.cancelled(), "the task is ok or cancelled")
        .that(ran_at_end == (end.ok() ? 1 : 0), "the wait was for it if it was taken")
        .that(nested.wait().has_value(), "the nested scope has ended too")
        .books(crew, 2, 1 + ran);
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"ok", "cancelled"}) == lines{});
  CHECK(explore(by_priority(), race));
}
