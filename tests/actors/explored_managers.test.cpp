// Races of managers and of the verbs, explored: shutdown, destruction, error lists, race, parallel, with_timeout,
// shields.
#include "explored.hpp"

using namespace support;

TEST_CASE("explored: shutting a manager down against spawning below it leaves nobody") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    muster::manager request{site, "request"};
    std::unique_ptr<muster::scope> crew;
    muster::task<void> task;
    verdict down;
    int ran = 0;
    const auto met = rivals(
        site, [&] { down = request.shutdown(0s); },
        [&] {
          crew.reset(new muster::scope(request.create_scope("crew")));
          task = crew->execute("worker", [&](context& ctx) { return ++ran, stays(ctx); });
        });
    const bool cancelled = task.get().cancelled();
    crew.reset();
    seen.saw(ran ? "ran" : "never began");
    return promised{}
        .that(met && down, "everybody leaves at once")
        .that(cancelled, "the task is cancelled")
        .that(request.create_scope("late").cancelled(), "later scopes are born cancelled")
        .books(request, 1, ran)
        .that(site.stats().tasks_live == 0, "nobody is left");
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"ran", "never began"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: a shutdown from inside against one from outside asks the body and both are answered") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    verdict inside;
    int ran = 0;
    muster::manager request{site, "request"};
    auto crew = request.create_scope("crew");
    auto task = crew.execute("worker", [&](context& ctx) {
      ++ran;
      inside = request.shutdown(0s);
      return ctx.wait_until_cancelled();
    });
    const auto outside = request.shutdown(0s);
    const auto whole = crew.wait();
    const auto& end = task.get();
    seen.saw(to_string(end.kind()));
    return promised{}
        .that(outside.has_value(), "from outside it returns when everybody has left")
        .that(!ran || is(inside, errc::would_deadlock), "from inside it only asks")
        .that(ran ? end.ok() && end.value().root_kind() == cancel_kind::shutdown : end.cancelled(), "the body is asked")
        .that(is(whole, errc::cancelled), "the scope was cancelled")
        .that(request.shutdown(0s).has_value(), "it may be asked again")
        .books(request, 1, ran);
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"ok", "cancelled"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: two who shut a manager down at once both return when nobody is left") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    muster::manager request{site, "request"};
    auto crew = request.create_scope("crew");
    auto task = crew.execute("worker", stays);
    verdict one;
    verdict other;
    bool gone = true;
    const auto met = rivals(
        site,
        [&] {
          one = request.shutdown(0s);
          gone = gone && task.ready();
          seen.saw("one");
        },
        [&] {
          other = request.shutdown(1h);
          gone = gone && task.ready();
          seen.saw(other ? "other" : "survivors");
        });
    return promised{}
        .that(met && one && other, "both say that everybody has left")
        .that(gone && task.get().cancelled(), "and then everybody has")
        .that(site.elapsed() == 0s, "the shorter drain counts");
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"one", "other"}) == lines{});
}

TEST_CASE("explored: a task that ends as a shutdown's time is up is ok and nobody survives") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    verdict slept;
    muster::manager request{site, "request"};
    auto crew = request.create_scope("crew");
    auto task = crew.execute("worker", [&](context& ctx) { slept = ctx.sleep_for(1s); });
    const auto down = request.shutdown(1s);
    const auto whole = crew.wait();
    seen.saw(std::string{slept ? "finished" : "was cancelled"} + (whole ? " and fine" : ""));
    return promised{}
        .that(down.has_value(), "everybody has left")
        .that(task.get().ok(), "a value stands")
        .that(whole.has_value() || is(whole, errc::cancelled), "the scope is fine or cancelled")
        .that(slept || !whole, "and cancelled if its task was")
        .that(site.elapsed() == 1s, "it takes as long as it was given")
        .books(request, 1, 1);
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"finished", "finished and fine", "was cancelled"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: a manager that ends below one that is cancelled joins all and tells one of the two reasons") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    muster::manager above{site, "above"};
    std::unique_ptr<muster::manager> request{new muster::manager{above, "request"}};
    std::unique_ptr<muster::scope> crew{new muster::scope(request->create_scope("crew"))};
    const auto task = crew->execute("worker", stays);
    const auto met = rivals(
        site, [&] { above.cancel(); }, [&] { request.reset(); });
    const bool joined = task.ready();
    crew.reset();
    const auto kind = task.get().reason().root_kind();
    seen.saw(to_string(kind));
    return promised{}
        .that(met && joined, "nobody outlives it")
        .that(task.get().cancelled() && (kind == cancel_kind::user || kind == cancel_kind::shutdown), "with a reason")
        .that(above.stats().tasks_cancelled == 1 && site.stats().tasks_live == 0, "and is counted once");
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"user", "shutdown"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: one failure that two scopes pass on at once is listed and told once") {
  int told = 0;
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    told = 0;
    muster::result<void> ends[2];
    auto crew = site.create_scope("crew");
    auto culprit = crew.execute("culprit", fails_at_once);
    const auto passes_on = [&](std::size_t i) {
      return [&, i](context& ctx) -> verdict {
        return ends[i] = ctx.with_timeout("inner", 1h, [&](muster::scope& inner) {
          inner.execute("asks", [&] { return culprit.get().as_result(); });
          return inner.wait();
        });
      };
    };
    const auto met = rivals(site, passes_on(0), passes_on(1));
    const auto whole = crew.wait();
    const bool both = !ends[0] && !ends[1] && same_origin(ends[0].error(), ends[1].error());
    seen.saw(both ? "both passed it on" : "the second was cancelled first");
    const bool listed = site.errors().errors.size() == 1;
    site.run_for(0s); // callbacks are called a little later
    return promised{}
        .that(!met && !whole && same_origin(met.error(), whole.error()), "both scopes give that failure")
        .that(!met && met.error().later().empty(), "and once")
        .that(listed && told == 1, "it is listed and told once");
  };
  explore_options options{.seeds = seeds};
  options.site.on_error = [&](const muster::error&) { ++told; };
  CHECK(explore(options, race));
  CHECK(seen.missing({"both passed it on", "the second was cancelled first"}) == lines{});
}

TEST_CASE("explored: of two that finish a race at once exactly one wins and the other's value is destroyed") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    int made = 0;
    int destroyed = 0;
    const auto runs = [&](int who) {
      return [&, who](context& ctx) -> muster::result<std::shared_ptr<int>> {
        if (auto slept = ctx.sleep_for(1s); !slept)
          return std::unexpected{slept.error()};
        ++made;
        return std::shared_ptr<int>(new int{who}, [&](int* held) {
          ++destroyed;
          delete held;
        });
      };
    };
    auto won = site.race("race", runs(1), runs(2));
    if (!won)
      return std::unexpected{won.error()};
    seen.saw(std::to_string(**won) + " of " + std::to_string(made));
    const bool kept = destroyed == made - 1;
    won = nullptr;
    return promised{}
        .that(made >= 1 && kept, "of what was made only the winner's is kept")
        .that(destroyed == made, "and goes with its owner")
        .that(site.elapsed() == 1s, "nobody is waited for any longer")
        .books(site, 2, 2);
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"1 of 1", "1 of 2", "2 of 1", "2 of 2"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: a failure against a sibling's value in parallel is the result though the value stands") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    int made = 0;
    const auto both = site.parallel("both", fails_at_once, [&] { return ++made; });
    seen.saw(made ? "made" : "cancelled");
    return promised{}
        .that(!both && both.error().message() == "broken", "the failure is the result")
        .that(both.error().later().empty(), "and alone: to be cancelled for it is no second one")
        .that(site.errors().errors.size() == 1, "it is listed once")
        .books(site, 2, 1 + made);
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"made", "cancelled"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: with_timeout whose last child ends at its limit gives the value or says timed out") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    bool released = false;
    bool joined = true;
    const auto got = site.with_timeout("checkout", 1s, [&](muster::scope& crew) {
      static_cast<void>(crew.register_resource("till", 1, [&](int&) { released = true; }));
      crew.execute("slow", [&](context& ctx) {
        joined = false;
        const auto slept = ctx.sleep_for(1s);
        joined = true;
        return slept;
      });
      return 7;
    });
    seen.saw(got ? "value" : "timed out");
    return promised{}
        .that(got ? *got == 7 : got.error().code() == errc::timed_out, "the value, or timed out")
        .that(joined && released, "everybody has left and everything is handed back")
        .that(site.elapsed() == 1s, "it takes a second")
        .books(site, 1, 1);
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"value", "timed out"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: a shield against the cancel that it stands before lets nothing through") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    bool held = true;
    bool asked_after = false;
    auto crew = site.create_scope("crew");
    auto task = crew.execute("worker", [&](context& ctx) {
      const auto slept = ctx.shield(2s, [&](context& inner) {
        const auto before = inner.checkpoint();
        const auto during = inner.sleep_for(1s);
        held = before && during && !inner.cancelled();
        return during;
      });
      asked_after = ctx.cancelled();
      return slept;
    });
    task.cancel();
    const auto whole = crew.wait();
    const auto& end = task.get();
    seen.saw(to_string(end.kind()));
    return promised{}
        .that(end.ok() || end.cancelled(), "the task is ok or cancelled")
        .that(held, "under the shield nobody is asked")
        .that(end.cancelled() || (asked_after && end.late()), "behind it everybody is")
        .that(whole.has_value() && crew.stats().tasks_unresponsive == 0, "nobody is to blame");
  };
  CHECK(explore({.seeds = seeds, .site = {.name = "site", .grace = 5s}}, race));
  CHECK(seen.missing({"ok", "cancelled"}) == lines{});
}
