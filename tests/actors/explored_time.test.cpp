// Races with time and among those who wait, explored: limits, grace periods, circles, daemons, plans, verbs, shutdown.
#include "explored.hpp"

using namespace support;

TEST_CASE("explored: a sleep that ends when its task is cancelled is one of the two") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    verdict slept;
    auto crew = site.create_scope("crew");
    auto task = crew.execute("sleeper", [&](context& ctx) { slept = ctx.sleep_for(1s); });
    auto other = site.create_scope("other");
    other.execute("cancels", [&](context& ctx) { return static_cast<void>(ctx.sleep_for(1s)), task.cancel(); });
    const auto whole = crew.wait();
    const auto cancelled = other.wait();
    seen.saw(slept ? "slept" : "was woken");
    return promised{}
        .that(whole && cancelled && task.get().ok(), "nobody has failed")
        .that(slept.has_value() || is(slept, errc::cancelled), "it slept, or was asked to stop")
        .that(slept.has_value() || task.get().late(), "who was asked is late")
        .that(site.elapsed() == 1s, "it takes a second");
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"slept", "was woken"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: an answer at the end of the grace period is in time or unresponsive but not both") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    int ran = 0;
    auto crew = site.create_scope("crew");
    auto slow = crew.execute("slow", [&](context& ctx) {
      ++ran;
      for (const auto until = ctx.now() + 1s; ctx.now() < until;) {}
      return 3;
    });
    const auto next = crew.execute({.name = "next", .after = {slow}}, succeeds);
    slow.cancel();
    static_cast<void>(crew.wait_for(1s)); // so that time passes in any case
    const auto whole = crew.wait();
    const bool accused = crew.stats().tasks_unresponsive == 1;
    seen.saw(!ran ? "never began" : accused ? "unresponsive" : "in time");
    const auto followed = !ran ? outcome_kind::skipped : accused ? outcome_kind::cancelled : outcome_kind::ok;
    return promised{}
        .that(ran ? slow.get().ok() : slow.get().cancelled(), "a value stands, also a late one")
        .that(!ran || slow.get().late(), "and is late, since it was asked")
        .that(!accused || ran, "only what ran is accused")
        .that(accused ? is(whole, errc::unresponsive) : whole.has_value(), "wait fails exactly if it was accused")
        .that(next.get().kind() == followed, "what comes after it follows, cancelled if it was accused")
        .that(site.errors().errors.size() == (accused ? 1 : 0), "the verdict is listed once")
        .that(site.stats().tasks_live == 0, "nobody is left");
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"never began", "unresponsive", "in time"}) == lines{});
}

TEST_CASE("explored: who waits inside Muster is not accused even if it goes on as its grace period ends") {
  const auto race = [&](simulation& site) -> verdict {
    auto crew = site.create_scope("crew");
    auto waits = crew.execute("waits", [&](context& ctx) {
      auto inner = ctx.create_scope("inner", {.grace = 5s});
      inner.execute("below",
                    [&](context& below) { return below.shield(2s, [](context& last) { return last.sleep_for(1s); }); });
      return inner.wait_for(2s).has_value();
    });
    waits.cancel();
    const auto whole = crew.wait();
    return promised{}
        .that(whole.has_value(), "cancelling a task fails nobody else")
        .that(crew.stats().tasks_unresponsive == 0, "nobody is accused")
        .that(site.stats().tasks_live == 0, "nobody is left");
  };
  CHECK(explore(seeds, race));
}

TEST_CASE("explored: of those that wait for each other in a circle at least one is refused and nobody hangs") {
  for (const std::size_t many : {2U, 3U}) {
    endings seen;
    const auto race = [&](simulation& site) -> verdict {
      int refused = 0;
      std::vector<muster::task<void>> circle(many);
      auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
      for (std::size_t i = 0; i < many; ++i)
        circle[i] = crew.execute("waits", [&, i](context& ctx) -> verdict {
          static_cast<void>(ctx.sleep_for(1ms)); // until all handles are there
          const auto& next = circle[(i + 1) % many];
          const auto end = next.get().as_result();
          refused += end || next.ready() ? 0 : 1;
          return end;
        });
      const auto why = error_of(crew.wait());
      seen.saw(std::to_string(refused));
      bool all_failed = true;
      for (const auto& each : circle)
        all_failed = all_failed && each.get().failed() && any_is(each.get().error(), errc::would_deadlock);
      return promised{}
          .that(refused >= 1, "one at least is refused")
          .that(all_failed && any_is(why, errc::would_deadlock), "its error goes round")
          .books(site, many, static_cast<int>(many));
    };
    CHECK(explore(seeds, race));
    CHECK(seen.missing({"1", "2"}) == lines{});
    CHECK(explore(by_priority(), race));
  }
}

TEST_CASE("explored: daemons are stopped when the last other child has ended whatever they do just then") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    bool worked = false;
    bool left_too_early = false;
    auto crew = site.create_scope("crew");
    auto leaves = crew.execute({.name = "leaves", .daemon = true}, [](context& ctx) { return ctx.sleep_for(1s); });
    auto serves = crew.execute({.name = "serves", .daemon = true}, [&](context& ctx) {
      ctx.wait_until_cancelled();
      left_too_early = !worked;
    });
    crew.execute("worker", [&](context& ctx) {
      static_cast<void>(ctx.sleep_for(1s));
      worked = true;
    });
    const auto whole = crew.wait();
    seen.saw(to_string(leaves.get().kind()));
    return promised{}
        .that(whole.has_value(), "nobody has failed")
        .that(leaves.get().ok() || leaves.get().cancelled(), "who leaves by itself is ok or cancelled")
        .that(serves.get().ok() && !left_too_early, "who serves is not stopped before the last other child has ended")
        .that(site.errors().errors.empty(), "being stopped is no failure")
        .books(site, 3, 3);
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"ok", "cancelled"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: a task that a daemon starts as the last child ends is waited for or refused") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    int ran = 0;
    muster::task<void> extra;
    auto crew = site.create_scope("crew");
    crew.execute("worker", succeeds);
    auto daemon = crew.execute({.name = "daemon", .daemon = true}, [&](context& ctx) {
      extra = crew.execute("extra", [&] { ++ran; });
      ctx.wait_until_cancelled();
    });
    const auto whole = crew.wait();
    const int ran_at_end = ran;
    seen.saw(!extra.valid() ? "never asked for" : to_string(extra.get().kind()));
    return promised{}
        .that(whole.has_value(), "nobody has failed")
        .that(!extra.valid() || extra.get().ok() || extra.get().cancelled(), "it is ok or cancelled")
        .that(ran == (extra.valid() && extra.get().ok() ? 1 : 0) && ran == ran_at_end, "the wait was for it if it ran")
        .that(daemon.get().ok() || daemon.get().cancelled(), "the daemon is stopped")
        .that(site.stats().tasks_live == 0, "nobody is left");
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"ok", "cancelled", "never asked for"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: a daemon that fails as the last child ends fails the scope unless it had been stopped") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    auto crew = site.create_scope("crew");
    auto daemon = crew.execute({.name = "daemon", .daemon = true},
                               [](context& ctx) { return static_cast<void>(ctx.sleep_for(1s)), fails_at_once(); });
    auto worker = crew.execute("worker", [](context& ctx) { return ctx.sleep_for(1s); });
    const auto whole = crew.wait();
    const auto& end = daemon.get();
    seen.saw(std::string{to_string(end.kind())} + " beside " + std::string{to_string(worker.get().kind())});
    return promised{}
        .that(end.failed() || end.cancelled(), "the daemon is failed or cancelled")
        .that(end.error().is(std::errc::io_error), "its own error is kept")
        .that(whole.has_value() == end.cancelled(), "wait fails exactly if it has failed")
        .that(worker.get().ok() || end.failed(), "the worker is cancelled only for a failure")
        .books(site, 2, 2);
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"failed beside ok", "failed beside cancelled", "cancelled beside ok"}) == lines{});
}

TEST_CASE("explored: a plan that is cancelled half-way runs no step before those that it comes after") {
  for (const bool whole_scope : {false, true}) {
    endings seen;
    const auto race = [&](simulation& site) -> verdict {
      std::map<std::string, bool> done;
      bool in_order = true;
      const auto after = [&](std::string name, lines needs) {
        return [&, name = std::move(name), needs = std::move(needs)] {
          for (const auto& each : needs)
            in_order = in_order && done[each];
          done[name] = true;
        };
      };
      auto crew = site.create_scope("crew");
      muster::plan steps;
      steps.step({.name = "a"}, after("a", {}))
          .step({.name = "d", .after = {"b", "c"}}, after("d", {"b", "c"}))
          .step({.name = "b", .after = {"a"}}, after("b", {"a"}))
          .step({.name = "c", .after = {"a"}}, after("c", {"a"}));
      const auto run = crew.execute(std::move(steps));
      if (!run)
        return std::unexpected{run.error()};
      if (whole_scope)
        crew.cancel();
      else
        run->at<void>("b").cancel();
      const auto whole = crew.wait();
      bool agrees = true;
      std::string ok;
      for (const std::string name : {"a", "b", "c", "d"}) {
        const auto kind = run->at<void>(name).get().kind();
        agrees = agrees && done[name] == (kind == outcome_kind::ok) &&
                 (kind == outcome_kind::ok || kind == outcome_kind::cancelled ||
                  (!whole_scope && kind == outcome_kind::skipped));
        ok += kind == outcome_kind::ok ? name : "";
      }
      seen.saw(ok);
      return promised{}
          .that(agrees, "each is ok exactly if it ran; in a cancelled scope the others are cancelled and not skipped")
          .that(in_order, "no step runs before those that it comes after")
          .that(whole ? !whole_scope || ok == "abcd" : whole_scope && is(whole, errc::cancelled), "wait agrees")
          .books(site, 4, static_cast<int>(ok.size()));
    };
    CHECK(explore(seeds, race));
    CHECK(seen.missing(whole_scope ? lines{"", "a", "ab", "ac", "abc", "abcd"} : lines{"ac", "abcd"}) == lines{});
    CHECK(explore(by_priority(), race));
  }
}
