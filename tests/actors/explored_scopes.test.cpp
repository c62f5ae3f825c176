// Races of scopes, resources and callbacks, explored: what races_of_scopes.test.cpp promises, under replayable
// schedules.
#include "explored.hpp"

#include <optional>

using namespace support;

TEST_CASE("explored: registering a resource against the end of its scope releases it exactly once") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    int released = 0;
    verdict tool;
    auto crew = site.create_scope("crew");
    const auto met = rivals(
        site, [&] { static_cast<void>(crew.wait()); },
        [&] {
          if (auto kept = crew.register_resource("tool", 1, [&](int&) { ++released; }); !kept)
            tool = std::unexpected{kept.error()};
        });
    const auto whole = crew.wait();
    seen.saw(tool ? "kept" : "refused");
    return promised{}
        .that(met && whole, "nobody has failed")
        .that(tool || is(tool, errc::scope_closed), "what is refused is refused since the scope has ended")
        .that(released == 1, "it is released exactly once")
        .that(crew.stats().resources_released == (tool ? 1 : 0), "the scope counts what it took")
        .books(site, 2, 2);
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"kept", "refused"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: resources that tasks register at once are released once and in reverse though all is cancelled") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    lines registered;
    lines released;
    bool one_at_a_time = true;
    bool releasing = false;
    auto crew = site.create_scope("crew");
    for (const std::string worker : {"a", "b"})
      crew.execute(worker, [&, worker](context& ctx) {
        for (const std::string& tool : {worker + "1", worker + "2"}) {
          registered.push_back(tool);
          static_cast<void>(ctx.register_resource("tool", tool, [&](std::string& held) {
            one_at_a_time = one_at_a_time && !std::exchange(releasing, true);
            static_cast<void>(site.stats()); // others may run
            released.push_back(held);
            releasing = false;
          }));
        }
      });
    crew.cancel();
    const auto whole = crew.wait();
    const auto place = [&](const std::string& tool) { return std::ranges::find(released, tool) - released.begin(); };
    bool reverse = true;
    for (const std::string worker : {"a", "b"})
      reverse = reverse && (!std::ranges::count(registered, worker + "1") || place(worker + "2") < place(worker + "1"));
    seen.saw(std::to_string(registered.size()) + (whole ? " and fine" : ""));
    std::ranges::sort(registered);
    auto once = released;
    std::ranges::sort(once);
    return promised{}
        .that(whole.has_value() || is(whole, errc::cancelled), "wait succeeds or says cancelled")
        .that(once == registered, "each is released exactly once")
        .that(reverse, "in reverse order of registration")
        .that(one_at_a_time, "one after another")
        .that(crew.stats().resources_released == registered.size(), "each is counted once")
        .books(crew, 2, static_cast<int>(registered.size() / 2));
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"0", "2", "4", "4 and fine"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: a cancel against releases leaves none of them out and none is done twice") {
  for (const bool sticks : {false, true}) {
    endings seen;
    const auto race = [&](simulation& site) -> verdict {
      lines released;
      bool taken = true;
      auto crew = site.create_scope("crew");
      for (const std::string tool : {"first", "second", "third"}) {
        const auto kept = crew.register_resource("tool", tool, [&](std::string& held) -> verdict {
          released.push_back(held);
          return sticks && held == "second" ? fails_at_once() : verdict{};
        });
        taken = taken && kept.has_value();
      }
      auto task = crew.execute("worker", succeeds);
      crew.close(); // from here on it ends by itself
      crew.cancel();
      const auto whole = crew.wait();
      const bool ok = task.get().ok();
      seen.saw(std::string{to_string(task.get().kind())} + (whole ? " and fine" : ""));
      return promised{}
          .that(taken, "nothing was refused")
          .that(released == lines{"third", "second", "first"}, "each once, in reverse, whatever a release says")
          .that(sticks        ? is(whole, errc::release_failed)
                : ok && whole ? true
                              : is(whole, errc::cancelled),
                "wait says why")
          .that(crew.stats().resources_released == (sticks ? 2 : 3), "those that went well are counted")
          .books(crew, 1, ok ? 1 : 0);
    };
    CHECK(explore(seeds, race));
    CHECK(seen.missing(sticks ? lines{"ok", "cancelled"} : lines{"ok and fine", "ok", "cancelled"}) == lines{});
    CHECK(explore(by_priority(), race));
  }
}

TEST_CASE("explored: destroying a registration against the cancel never runs it afterwards") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    int calls = 0;
    int at_end = 0;
    auto crew = site.create_scope("crew");
    auto task = crew.execute("worker", [&](context& ctx) {
      {
        const auto kept = ctx.on_cancel([&] { ++calls; });
      }
      at_end = calls;
      ctx.wait_until_cancelled();
    });
    task.cancel();
    const auto whole = crew.wait();
    const auto& end = task.get();
    seen.saw(end.cancelled() ? "never began" : calls ? "called" : "taken back");
    return promised{}
        .that(end.ok() || end.cancelled(), "the task is ok or cancelled")
        .that(calls <= 1 && calls == at_end, "what has been taken back is not called any more")
        .that(whole.has_value(), "nobody has failed")
        .books(site, 1, end.ok() ? 1 : 0);
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"never began", "called", "taken back"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: registering a callback against the cancel runs it exactly once") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    int calls = 0;
    bool finished = false;
    bool awaited = false;
    auto crew = site.create_scope("crew");
    auto task = crew.execute("worker", [&](context& ctx) {
      seen.saw(ctx.cancelled() ? "registered after it" : "registered before it");
      {
        const auto kept = ctx.on_cancel([&] {
          ++calls;
          static_cast<void>(site.stats()); // others may run
          finished = true;
        });
        ctx.wait_until_cancelled();
      }
      awaited = finished;
    });
    task.cancel();
    const auto whole = crew.wait();
    const int ran = task.get().ok() ? 1 : 0;
    return promised{}
        .that(task.get().ok() || task.get().cancelled(), "the task is ok or cancelled")
        .that(calls == ran, "it is called exactly once")
        .that(!ran || awaited, "destroying the registration waits for it")
        .that(whole.has_value(), "nobody has failed")
        .books(site, 1, ran);
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"registered before it", "registered after it"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: a registration that another's function destroys while both are triggered is called once") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    std::string calls;
    auto crew = site.create_scope("crew");
    auto task = crew.execute("worker", [&](context& ctx) {
      std::optional<muster::cancel_registration> other;
      auto kept = ctx.on_cancel([&] {
        other.reset();
        calls += "k";
      });
      other.emplace(ctx.on_cancel([&] { calls += "o"; }));
      ctx.wait_until_cancelled();
    });
    task.cancel();
    const auto whole = crew.wait();
    const int ran = task.get().ok() ? 1 : 0;
    seen.saw(calls);
    return promised{}
        .that(ran ? calls == "ko" || calls == "ok" : calls.empty(), "each is called exactly once")
        .that(whole.has_value(), "nobody has failed")
        .books(site, 1, ran);
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"", "ok"}) == lines{});
}

TEST_CASE("explored: letting the last handle go against the end of its task destroys the value once") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    int destroyed = 0;
    auto token = std::shared_ptr<int>(new int{1}, [&](int* held) {
      ++destroyed;
      delete held;
    });
    const std::weak_ptr<int> watched = token;
    auto crew = site.create_scope("crew");
    auto task = crew.execute("worker", [token = std::move(token)] { return token; });
    seen.saw(to_string(task.state()));
    task = {};
    const auto whole = crew.wait();
    site.run_for(0s); // where nobody may be held up by a destructor it takes place a little later
    return promised{}
        .that(watched.expired() && destroyed == 1, "the value is destroyed exactly once")
        .that(whole.has_value(), "nobody has failed")
        .books(site, 1, 1);
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"ready", "running", "ending", "ended"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: a nested scope that is opened while its parent is cancelled is cancelled too") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    auto crew = site.create_scope("crew");
    std::unique_ptr<muster::scope> nested;
    muster::task<void> below;
    const auto met = rivals(
        site, [&] { crew.cancel(); },
        [&] {
          nested.reset(new muster::scope(crew.create_scope("nested")));
          seen.saw(nested->cancelled() ? "born cancelled" : "opened before");
          below = nested->execute("below", stays);
        });
    const bool told = nested->cancelled();
    return promised{}
        .that(met.has_value() && told, "the nested scope is cancelled when its parent is")
        .that(below.get().cancelled(), "and what is in it")
        .that(is(nested->wait(), errc::cancelled), "its wait says so")
        .that(is(crew.wait(), errc::cancelled), "and its parent's")
        .that(crew.stats().tasks_cancelled == 1 && site.stats().tasks_live == 0, "nobody is left");
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"born cancelled", "opened before"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: a body's nested scope that is opened while the body is cancelled ends with it") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    int ran = 0;
    muster::task<void> below;
    auto crew = site.create_scope("crew");
    auto outer = crew.execute("outer", [&](context& ctx) -> verdict {
      auto nested = ctx.create_scope("nested");
      below = nested.execute("below", [&](context& inner) { return ++ran, stays(inner); });
      return nested.wait();
    });
    outer.cancel();
    const auto whole = crew.wait();
    seen.saw(!below.valid() ? "never opened" : ran ? "ran" : "opened only");
    return promised{}
        .that(outer.get().cancelled(), "the body is cancelled")
        .that(!below.valid() || (below.ready() && below.get().cancelled()), "nobody outlives the body that opened it")
        .that(whole.has_value(), "cancelling a task fails nobody else")
        .that(site.errors().errors.empty(), "nothing has failed")
        .that(site.stats().tasks_live == 0, "nobody is left");
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"never opened", "opened only", "ran"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: a body that leaves a nested scope behind is not over before it even when cancelled") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    std::unique_ptr<muster::scope> left;
    bool below_ended = false;
    auto crew = site.create_scope("crew");
    auto outer = crew.execute("outer", [&](context& ctx) {
      left.reset(new muster::scope(ctx.create_scope("left")));
      left->execute("below", [&](context& inner) {
        inner.wait_until_cancelled();
        below_ended = true;
      });
    });
    outer.cancel();
    const auto& end = outer.get();
    const bool in_order = !left || left->ended();
    const auto whole = crew.wait();
    seen.saw(!left ? "never opened" : below_ended ? "joined" : "cancelled before it began");
    return promised{}
        .that(end.ok() || end.cancelled(), "the task is ok or cancelled")
        .that(in_order, "the scope that it left has ended before it")
        .that(whole.has_value(), "nobody has failed")
        .that(site.stats().tasks_live == 0, "nobody is left");
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"never opened", "joined", "cancelled before it began"}) == lines{});
  CHECK(explore(by_priority(), race));
}
