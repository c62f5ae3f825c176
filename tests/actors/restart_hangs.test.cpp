// Factories that hang, and children that would wait for themselves: told at once, never a hang.
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
  return {[](int n) { return n; }, [self](const std::string&) { self->quit(caf::sec::runtime_error); }};
}

const restart patient{.max_restarts = 1'000, .within = 1h};

/// Writes down its end, before anybody is told of that.
class last_words : public caf::event_based_actor {
public:
  last_words(caf::actor_config& cfg, journal* ends) : caf::event_based_actor{cfg}, ends_{ends} {}
  caf::behavior make_behavior() override { return counting(this); }
  void on_exit() override {
    ends_->write("ended");
    caf::event_based_actor::on_exit();
  }

private:
  journal* ends_;
};

/// A factory that does not return until the gate is open, from its n-th call on. It writes down its actors' ends.
muster::actor_factory hanging(gate& until, gate& inside, journal& ends, int from = 1) {
  return [&, from, calls = std::make_shared<std::atomic<int>>(0)](caf::actor_system& system) {
    if (++*calls >= from) {
      inside.open();
      until.wait();
    }
    return caf::actor{system.spawn<last_words>(&ends)};
  };
}

} // namespace

TEST_CASE("a first start whose factory hangs fails at its time limit, and the late actor is stopped when it comes") {
  const auto clock = still_clock();
  journal logged;
  journal seen;
  journal ends;
  gate held;
  gate inside;
  muster::manager site{
    {.name = "site", .clock = clock, .log = [&](const muster::log_record& r) { logged.write(r.text); }}};
  auto crew =
      site.create_scope("crew", {.on_failure = patient, .release_timeout = 5s, .on_child = [&](const child_event& e) {
                                   seen.write(std::string{to_string(e.what)});
                                 }});
  const let_go at_last{held};
  auto caller = site.create_scope("caller");
  auto start = caller.execute("start", [&](context&) {
    return muster::spawn_actor(crew, {.name = "slow", .start_timeout = 2s}, hanging(held, inside, ends));
  });
  inside.wait();
  await([&] { return waits(site.tree(), "start"); });
  clock->advance(2s);
  REQUIRE(start.get().failed()); // though the factory has not returned
  CHECK(start.get().error().is(errc::timed_out));
  CHECK(ends.size() == 0);
  await([&] { return logged.size() == 1; });
  CHECK(contains(logged.lines().front(), "its factory has not returned"));
  await([&] { return seen.lines() == lines{"start failed"}; });
  // Nothing more can be done than to say so; nobody else suffers for it.
  clock->advance(5s);
  await([&] { return seen.lines() == lines{"start failed", "unresponsive"}; });
  CHECK(site.stats().actors_unresponsive == 1);
  CHECK_FALSE(crew.cancelled());
  auto other = muster::spawn_actor(crew, {.name = "other"}, counting);
  CHECK(other);
  CHECK(error_of(muster::spawn_actor(crew, {.name = "slow"}, counting)).code() == errc::bad_argument);
  // The end waits for the factory, and names it.
  crew.close();
  crew.cancel();
  await([&] { return crew.children().at(0).state == "stopping"; }); // it was started first, so its turn is the last
  clock->advance(5s);
  await([&] { return site.stats().actors_unresponsive == 2; });
  CHECK_FALSE(crew.ended());
  held.open();
  const auto done = crew.wait();
  CHECK(ends.lines() == lines{"ended"});
  CHECK(any_is(error_of(done), errc::unresponsive));
  CHECK(contains(to_string(error_of(done)), "its factory has not returned"));
}

TEST_CASE("a restart whose factory hangs is reported at its time limit and counts as failed when it is over") {
  const auto clock = still_clock();
  journal seen;
  journal ends;
  gate held;
  gate inside;
  muster::manager site{{.name = "site", .clock = clock}};
  auto crew = site.create_scope("crew", {.on_failure = patient, .on_child = [&](const child_event& e) {
                                           seen.write(std::string{to_string(e.what)} + std::to_string(e.incarnation));
                                         }});
  const let_go at_last{held};
  auto a = muster::spawn_actor(crew, {.name = "a", .start_timeout = 2s}, hanging(held, inside, ends, 2));
  REQUIRE(a);
  caf::anon_send(*a, std::string{"end"});
  inside.wait();
  clock->advance(2s);
  await([&] { return seen.size() == 4; });
  CHECK(seen.lines() == lines{"started1", "ended1", "restarting2", "start failed2"});
  held.open();
  await([&] { return seen.size() == 6; }); // it is over only now, and only now is another begun
  CHECK(lines{seen.lines()[4], seen.lines()[5]} == lines{"restarting3", "started3"});
  CHECK(ends.size() == 2);
  crew.cancel();
  static_cast<void>(crew.wait());
}

TEST_CASE("who would wait for a child from its own factory is told so, with the path, and nothing has happened") {
  const auto found = explore(200, [](simulation& sim) -> verdict {
    muster::scope* own = nullptr;
    std::vector<muster::result<void>> said;
    auto crew = sim.create_scope("crew", {.on_failure = patient});
    own = &crew;
    const auto asking = [&](caf::actor_system& system) {
      said = {own->stop_child("a"), own->restart_child("a"), own->remove_child("a"), own->wait()};
      return system.spawn(counting);
    };
    auto a = muster::spawn_actor(crew, {.name = "a"}, asking);
    if (!a)
      return std::unexpected{a.error()};
    promised all;
    for (int round = 0; round < 2; ++round) { // of the first start and of a restart
      all.that(said.size() == 4, "the factory was called");
      for (const auto& each : said) {
        all.that(is(each, errc::would_deadlock), "would_deadlock is what it is told");
        if (!each)
          all.that(contains(each.error().message(), "site/crew"), "with the path");
      }
      said.clear();
      if (round == 0) {
        caf::anon_send(*a, std::string{"end"});
        sim.run_for(0s);
      }
    }
    const auto children = crew.children();
    all.that(children.size() == 1 && children[0].state == "running", "and the child is up");
    crew.cancel();
    static_cast<void>(crew.wait());
    return all;
  });
  CHECK(found);
}

TEST_CASE("who would wait for a supervisor from its setup, or from a factory below it, is told so") {
  const auto found = explore(200, [](simulation& sim) -> verdict {
    muster::result<void> from_setup;
    muster::result<void> from_below;
    auto crew = sim.create_scope("crew", {.on_failure = patient});
    const auto made = crew.supervise({.name = "inner"}, {.on_failure = patient}, [&](muster::scope& below) {
      from_setup = crew.stop_child("inner");
      auto child = muster::spawn_actor(below, {.name = "a"}, [&](caf::actor_system& system) {
        from_below = crew.stop_child("inner");
        return system.spawn(counting);
      });
      return child ? muster::result<void>{} : std::unexpected{child.error()};
    });
    promised all;
    all.that(made.has_value(), "it is set up")
      .that(is(from_setup, errc::would_deadlock), "the setup is told")
      .that(is(from_below, errc::would_deadlock) && contains(from_below.error().message(), "site/crew/inner"),
            "and the factory below, with the path");
    // From outside it is an order like any other.
    all.that(crew.stop_child("inner").has_value(), "it can be stopped");
    crew.cancel();
    static_cast<void>(crew.wait());
    return all;
  });
  CHECK(found);
}
