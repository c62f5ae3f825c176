// CAF's actors inside a simulation: the same time, the same seed, the same steps.
#include <muster/caf.hpp>
#include <muster/testing.hpp>

#include "support.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <set>

using namespace support;
using muster::testing::explore;
using muster::testing::simulation;

namespace {

caf::behavior adder(caf::event_based_actor*) {
  return {[](int a, int b) { return a + b; }};
}

} // namespace

TEST_CASE("simulation: a body asks an actor of CAF and waits for the answer", "[caf]") {
  const auto found = explore(100, [](simulation& site) {
    auto who = muster::system_of(site).spawn(adder);
    auto crew = site.create_scope("crew");
    auto sum = crew.execute("asker", [who](context& ctx) { return muster::request<int>(ctx, who, 1h, 2, 3); });
    const bool right = crew.wait().has_value() && sum.get().value() == 5;
    caf::anon_send_exit(who, caf::exit_reason::user_shutdown);
    return right;
  });
  CHECK(found);
}

TEST_CASE("simulation: a delayed message of CAF comes at its moment of the simulated time", "[caf]") {
  simulation sim{1};
  journal seen;
  auto ticker = muster::system_of(sim).spawn([&](caf::event_based_actor* self) -> caf::behavior {
    self->delayed_send(self, 5s, 1);
    return {[&, self](int n) {
      seen.write(std::to_string(n) + " at " + std::to_string(sim.elapsed() / 1s));
      if (n == 3)
        self->quit();
      else
        self->delayed_send(self, 10s, n + 1);
    }};
  });
  sim.run_for(4s);
  CHECK(seen.lines().empty());
  sim.run_for(30s);
  CHECK(seen.lines() == lines{"1 at 5", "2 at 15", "3 at 25"});
  CHECK(sim.elapsed() == 34s);
}

TEST_CASE("simulation: messages of two actors come in either order and a seed repeats its own", "[caf]") {
  const auto run = [](std::uint64_t seed) {
    simulation sim{seed};
    std::string order;
    auto& system = muster::system_of(sim);
    auto sink = system.spawn([&](caf::event_based_actor*) -> caf::behavior {
      return {[&](const std::string& who) { order += who; }};
    });
    for (const char* name : {"a", "b", "c"})
      system.spawn([name = std::string{name}, sink](caf::event_based_actor* self) { self->send(sink, name); });
    sim.run_for(0s);
    caf::anon_send_exit(sink, caf::exit_reason::user_shutdown);
    return order;
  };
  std::set<std::string> orders;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const auto order = run(seed);
    REQUIRE(order == run(seed));
    orders.insert(order);
  }
  CHECK(orders.size() == 6);
}

TEST_CASE("simulation: an actor linked to a task hears of its end", "[caf]") {
  const auto found = explore(100, [](simulation& site) {
    std::string heard;
    auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
    auto task = crew.execute("card", [](context& ctx) -> muster::result<void> {
      static_cast<void>(ctx.sleep_for(1s));
      return std::unexpected{muster::error{errc::bad_argument, "card declined"}};
    });
    const auto listener = muster::system_of(site).spawn([&](caf::event_based_actor* self) -> caf::behavior {
      self->set_exit_handler([&, self](const caf::exit_msg& exit) {
        heard = caf::to_string(exit.reason);
        self->quit();
      });
      self->link_to(muster::actor_of(task));
      return {[](int) {}};
    });
    static_cast<void>(crew.wait());
    site.run_for(0s);
    return contains(heard, "card declined");
  });
  CHECK(found);
}

TEST_CASE("simulation: a body that makes actors does not keep their system from ending", "[caf]") {
  // CAF notes its logger on each thread that has made an actor, and its system waits for all of them.
  const auto found = explore(20, [](simulation& site) {
    auto crew = site.create_scope("crew");
    auto sum = crew.execute("maker", [&](context& ctx) {
      const auto who = muster::system_of(site).spawn(adder);
      return muster::request<int>(ctx, who, 1h, 2, 3);
    });
    return crew.wait().has_value() && sum.get().value() == 5;
  });
  CHECK(found);
}
