// What the on_child hook is told: every transition, in one order, all of it before the scope has ended.
#include <muster/caf.hpp>

#include "explored.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

using namespace support;
using muster::child_event;
using muster::child_transition;
using muster::restart;
using muster::restart_strategy;

namespace {

caf::behavior counting(caf::event_based_actor* self) {
  return {[](int n) { return n; },
          [self](const std::string& word) {
            if (word == "crash")
              throw std::runtime_error{"crashed as it was told to"};
            self->quit();
          }};
}

/// It does not stop when it is asked to.
muster::actor_factory deaf() {
  return [](caf::actor_system& system) {
    return system.spawn([](caf::event_based_actor* self) -> caf::behavior {
      self->set_exit_handler([](const caf::exit_msg&) {});
      return {[](int n) { return n; }};
    });
  };
}

std::string short_of(const child_event& e) {
  const auto name = e.path.substr(e.path.rfind('/') + 1);
  return name + " " + std::string{to_string(e.what)} + (e.incarnation != 0 ? " " + std::to_string(e.incarnation) : "") +
         (e.for_good ? " for good" : "");
}

restart patient(restart_strategy strategy = restart_strategy::one_for_one) {
  return {.strategy = strategy, .max_restarts = 1'000, .within = 1h};
}

void crash(simulation& sim, const muster::result<caf::actor>& whom) {
  caf::anon_send(*whom, std::string{"crash"});
  sim.run_for(0s);
}

} // namespace

TEST_CASE("every transition is told, in the order in which it happened, the last before the scope has ended") {
  const auto found = explore(200, [](simulation& sim) -> verdict {
    lines seen;
    auto crew = sim.create_scope("crew", {.on_failure = patient(restart_strategy::rest_for_one),
                                          .on_child = [&](const child_event& e) { seen.push_back(short_of(e)); }});
    auto a = muster::spawn_actor(crew, {.name = "a"}, counting);
    auto b = muster::spawn_actor(crew, {.name = "b"}, counting);
    auto c = muster::spawn_actor(crew, {.name = "c"}, counting);
    if (!a || !b || !c)
      return broken("all start");
    crash(sim, b);
    if (!crew.stop_child("c"))
      return broken("c can be stopped");
    crew.cancel();
    static_cast<void>(crew.wait());
    const lines all{"a started 1",  "b started 1",    "c started 1",  "b ended 1",   "c stopped 1", "b restarting 2",
                    "b started 2", "c restarting 2", "c started 2", "c stopped 2", "b stopped 2 for good",
                    "a stopped 1 for good"};
    return promised{}.that(seen == all, "all is told in order when the scope has ended");
  });
  CHECK(found);
}

TEST_CASE("that a child does not stop at the scope's end is told, and that it has gone after all") {
  simulation sim{1};
  lines seen;
  auto crew = sim.create_scope(
    "crew", {.on_failure = patient(), .on_child = [&](const child_event& e) { seen.push_back(short_of(e)); }});
  REQUIRE(muster::spawn_actor(crew, {.name = "deaf", .stop_timeout = 2s}, deaf()));
  crew.cancel();
  CHECK(any_is(error_of(crew.wait()), errc::unresponsive));
  CHECK(seen == lines{"deaf started 1", "deaf unresponsive", "deaf stopped 1 for good"});
  CHECK(crew.stats().actors_unresponsive == 1);
}

TEST_CASE("the hook is told one thing at a time, however long it takes and whoever else is busy") {
  const auto found = explore(300, [](simulation& sim) -> verdict {
    int inside = 0;
    int most = 0;
    lines seen;
    auto hook = [&](const child_event& e) {
      most = std::max(most, ++inside);
      seen.push_back(short_of(e));
      static_cast<void>(sim.tree()); // where others may come in between
      --inside;
    };
    auto crew = sim.create_scope("crew", {.on_failure = patient(), .on_child = hook});
    auto a = muster::spawn_actor(crew, {.name = "a"}, counting);
    auto b = muster::spawn_actor(crew, {.name = "b"}, counting);
    if (!a || !b)
      return broken("both start");
    caf::anon_send(*a, std::string{"crash"});
    caf::anon_send(*b, std::string{"crash"});
    sim.run_for(0s);
    crew.cancel();
    static_cast<void>(crew.wait());
    // Of each child by itself the order is known.
    lines of_a;
    for (const auto& line : seen)
      if (line.starts_with("a "))
        of_a.push_back(line);
    return promised{}
      .that(most == 1, "one at a time")
      .that(seen.size() == 10, "nothing is left out")
      .that(of_a == lines{"a started 1", "a ended 1", "a restarting 2", "a started 2", "a stopped 2 for good"},
            "of one child in order");
  });
  CHECK(found);
}

TEST_CASE("a hook that throws is logged, and is told the rest") {
  journal logged;
  muster::manager site{
    {.name = "site", .clock = still_clock(), .log = [&](const muster::log_record& r) { logged.write(r.text); }}};
  journal seen;
  {
    auto crew = site.create_scope("crew", {.on_failure = patient(), .on_child = [&](const child_event& e) {
                                             seen.write(short_of(e));
                                             throw std::runtime_error{"no paper left"};
                                           }});
    REQUIRE(muster::spawn_actor(crew, {.name = "a"}, counting));
    crew.cancel();
    static_cast<void>(crew.wait());
    CHECK(seen.lines() == lines{"a started 1", "a stopped 1 for good"});
  }
  await([&] { return logged.size() == 2; });
  CHECK(contains(logged.lines().front(), "no paper left"));
}

TEST_CASE("a hook that has not returned holds up the end, and is named") {
  muster::manager site{{.name = "site", .grace = 0s, .clock = still_clock()}};
  gate held;
  gate inside;
  auto hook = [&](const child_event&) {
    inside.open();
    held.wait();
  };
  auto crew = site.create_scope("crew", {.on_failure = patient(), .release_timeout = 1h, .on_child = hook});
  const let_go at_last{held};
  REQUIRE(muster::spawn_actor(crew, {.name = "a"}, counting));
  inside.wait();
  crew.close();
  crew.cancel();
  await([&] { return crew.children().empty(); });
  const auto left = site.shutdown(0s);
  REQUIRE_FALSE(left);
  CHECK(contains(left.error().message(), "site/crew (an on_child hook)"));
  CHECK_FALSE(crew.ended());
  held.open();
  static_cast<void>(crew.wait());
  CHECK(crew.ended());
}

TEST_CASE("a hook that waits for its scope is told that this would never end") {
  simulation sim{1};
  muster::result<void> said;
  muster::scope* own = nullptr;
  auto crew = sim.create_scope("crew", {.on_failure = patient(), .on_child = [&](const child_event& e) {
                                          if (e.what == child_transition::ended)
                                            said = own->wait();
                                        }});
  own = &crew;
  auto a = muster::spawn_actor(crew, {.name = "a"}, counting);
  crash(sim, a);
  CHECK(is(said, errc::would_deadlock));
  CHECK(contains(said.error().message(), "site/crew"));
  crew.cancel();
  static_cast<void>(crew.wait());
}
