// What CAF does to actors that a supervisor has to know better about: each trap by its name, and ours is right in it.
#include <muster/caf.hpp>

#include "explored.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>

using namespace support;
using muster::restart;

namespace {

const restart patient{.max_restarts = 1'000, .within = 1h};

caf::behavior counting(caf::event_based_actor* self) {
  return {[](int n) { return n; },
          [self](const std::string& word) {
            if (word == "crash")
              throw std::runtime_error{"crashed as it was told to"};
            self->quit();
          }};
}

muster::tree_node only_child(const muster::scope& of) {
  const auto all = of.children();
  return all.size() == 1 ? all.front() : muster::tree_node{};
}

/// One that tells how many states of it there are.
struct counted_state {
  counted_state() { most = std::max(most, ++alive); }
  ~counted_state() { --alive; }
  static inline int alive = 0;
  static inline int most = 0;
};

} // namespace

TEST_CASE("a child is gone when its state has been destroyed, for who stops it and for the next incarnation") {
  const auto found = explore(300, [](simulation& sim) -> verdict {
    counted_state::alive = counted_state::most = 0;
    auto crew = sim.create_scope("crew", {.on_failure = patient});
    auto a = muster::spawn_actor(crew, {.name = "a"}, [](caf::actor_system& system) {
      return system.spawn([](caf::stateful_actor<counted_state>* self) { return counting(self); });
    });
    if (!a)
      return std::unexpected{a.error()};
    const auto met = rivals(
      sim, [&] { caf::anon_send(*a, std::string{"crash"}); }, [&] { caf::anon_send(*a, std::string{"end"}); });
    sim.run_for(0s);
    promised all;
    all.that(met.has_value() && counted_state::alive == 1, "it is up again");
    all.that(crew.stop_child("a").has_value() && counted_state::alive == 0, "when it has stopped its state is gone");
    all.that(crew.restart_child("a").has_value(), "it can be started");
    crew.cancel();
    static_cast<void>(crew.wait());
    return all.that(counted_state::alive == 0 && counted_state::most == 1, "there are never two states");
  });
  CHECK(found);
}

TEST_CASE("kill is only a message: an actor inside a handler is awaited after it was killed") {
  const auto clock = still_clock();
  gate held;
  gate inside;
  muster::manager site{{.name = "site", .clock = clock}};
  auto crew = site.create_scope("crew", {.on_failure = patient});
  const let_go at_last{held};
  std::atomic<bool> left_handler = false;
  auto a = muster::spawn_actor(crew, {.name = "a", .stop_timeout = 2s}, [&](caf::event_based_actor*) {
    return caf::behavior{[&](int) {
      inside.open();
      held.wait();
      left_handler = true;
    }};
  });
  REQUIRE(a);
  caf::anon_send(*a, 1);
  inside.wait();
  crew.close();
  crew.cancel();
  await([&] { return only_child(crew).state == "stopping"; });
  clock->advance(2s); // it is killed now
  await([&] { return site.stats().actors_unresponsive == 1; });
  CHECK_FALSE(crew.ended());
  held.open();
  const auto done = crew.wait();
  CHECK(left_handler);
  CHECK(any_is(error_of(done), errc::unresponsive));
}

TEST_CASE("a kill from anybody is an end like any other, after which the child is started again") {
  simulation sim{1};
  auto crew = sim.create_scope("crew", {.on_failure = patient});
  auto a = muster::spawn_actor(crew, {.name = "a", .kind = muster::child_kind::transient}, counting);
  caf::anon_send_exit(*a, caf::exit_reason::kill);
  sim.run_for(0s);
  CHECK(only_child(crew).state == "running");
  CHECK(only_child(crew).restarts == 1);
  CHECK(contains(only_child(crew).last_error, "kill"));
  crew.cancel();
  static_cast<void>(crew.wait());
}

TEST_CASE("a normal exit, which does not travel over CAF's links, is noticed") {
  simulation sim{1};
  auto crew = sim.create_scope("crew", {.on_failure = patient});
  auto a = muster::spawn_actor(crew, {.name = "a"}, counting);
  caf::anon_send(*a, std::string{"end"});
  sim.run_for(0s);
  CHECK(only_child(crew).restarts == 1);
  CHECK(only_child(crew).last_error.empty());
  crew.cancel();
  static_cast<void>(crew.wait());
}

TEST_CASE("the text of an exception that ended an actor is kept, in the tree and in the error") {
  simulation sim{1};
  auto crew = sim.create_scope("crew", {.on_failure = restart{.max_restarts = 1}});
  auto a = muster::spawn_actor(crew, {.name = "a"}, counting);
  for (int i = 0; i < 2; ++i) {
    caf::anon_send(*a, std::string{"crash"});
    sim.run_for(0s);
    if (i == 0)
      CHECK(contains(only_child(crew).last_error, "crashed as it was told to"));
  }
  CHECK(contains(to_string(error_of(crew.wait())), "crashed as it was told to"));
}

TEST_CASE("a child that takes itself off all links and monitors that CAF knows of is supervised all the same") {
  simulation sim{1};
  auto crew = sim.create_scope("crew", {.on_failure = patient});
  caf::actor home = muster::actor_of(crew);
  auto a = muster::spawn_actor(crew, {.name = "a"}, [&](caf::event_based_actor* self) -> caf::behavior {
    return {[self, home](int) { self->unlink_from(home); },
            [](const std::string&) { throw std::runtime_error{"gone"}; }};
  });
  caf::anon_send(*a, 1);
  caf::anon_send(*a, std::string{"crash"});
  sim.run_for(0s);
  CHECK(only_child(crew).restarts == 1);
  crew.cancel();
  CHECK(is(crew.wait(), errc::cancelled));
}

TEST_CASE("the exit of an earlier incarnation that arrives late is ignored") {
  simulation sim{1};
  auto crew = sim.create_scope("crew", {.on_failure = patient});
  std::vector<caf::actor_addr> all;
  auto a = muster::spawn_actor(crew, {.name = "a"}, [&](caf::actor_system& system) {
    auto made = system.spawn(counting);
    all.push_back(made.address());
    return made;
  });
  caf::anon_send(*a, std::string{"crash"});
  sim.run_for(0s);
  REQUIRE(all.size() == 2);
  caf::anon_send(*a, caf::down_msg{all[0], caf::make_error(caf::sec::runtime_error)});
  sim.run_for(0s);
  CHECK(only_child(crew).state == "running");
  CHECK(only_child(crew).restarts == 1);
  CHECK(all.size() == 2);
  crew.cancel();
  static_cast<void>(crew.wait());
}

TEST_CASE("what is sent to an incarnation that has ended, though nobody has noticed, waits for the next") {
  const auto found = explore(500, [](simulation& sim) -> verdict {
    auto crew =
        sim.create_scope("crew", {.on_failure = restart{.max_restarts = 9, .within = 1h, .delay = {.first = 1s}}});
    int got = 0;
    bool dead = false;
    auto a = muster::spawn_actor(crew, {.name = "a"}, [&](caf::actor_system& system) {
      return system.spawn([&](caf::event_based_actor* self) -> caf::behavior {
        self->attach_functor([&](const caf::error&) { dead = true; });
        return {[&](int n) { got += n; }, [](const std::string&) { throw std::runtime_error{"crashed"}; }};
      });
    });
    if (!a)
      return std::unexpected{a.error()};
    caf::anon_send(*a, std::string{"crash"});
    auto sender = sim.create_scope("sender");
    sender.execute("sender", [&](context& ctx) {
      while (!dead && ctx.sleep_for(0s)) {
      }
      caf::anon_send(*a, 1);
    });
    const bool sent = sender.wait().has_value();
    sim.run_for(1s);
    crew.cancel();
    static_cast<void>(crew.wait());
    return promised{}
      .that(sent && got == 1, "it gets what was sent after the last one had ended")
      .that(crew.stats().messages_refused == 0, "nothing was refused");
  });
  CHECK(found);
}

TEST_CASE("every message that reached no incarnation is counted, whatever became of the child") {
  simulation sim{1};
  const auto in_backoff = restart{.max_restarts = 9, .within = 1h, .delay = {.first = 1s}};
  auto crew = sim.create_scope("crew", {.on_failure = in_backoff});
  auto a = muster::spawn_actor(crew, {.name = "a", .held_messages = 2}, counting);
  auto b = muster::spawn_actor(crew, {.name = "b", .kind = muster::child_kind::transient}, counting);
  caf::anon_send(*a, std::string{"crash"});
  caf::anon_send(*b, std::string{"end"});
  sim.run_for(0s);
  for (int n = 0; n < 3; ++n)
    caf::anon_send(*a, n); // one too many
  caf::anon_send(*b, 1);   // it will not be restarted
  sim.run_for(0s);
  CHECK(crew.stats().messages_refused == 2);
  REQUIRE(crew.stop_child("a")); // those that were kept have waited in vain
  CHECK(crew.stats().messages_refused == 4);
  caf::anon_send(*a, 1);
  sim.run_for(0s);
  CHECK(crew.stats().messages_refused == 5);
  crew.cancel();
  static_cast<void>(crew.wait());
  CHECK(sim.stats().messages_refused == 5);
}
