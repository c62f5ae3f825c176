// What real programs record of restarts, links and suspended bodies, and how the commands show it.
#include "causes.hpp"
#include "trace_builder.hpp"

#include <muster/caf.hpp>
#include <muster/testing.hpp>

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <stdexcept>

using namespace std::chrono_literals;
using namespace trace_tests;
using namespace muster::trace_viewer;
using muster::context;
using muster::testing::simulation;

namespace {

/// The trace of a run in a simulation, once nobody can go on.
template <class Body>
trace_model trace_of(Body body) {
  simulation sim{1};
  static_cast<void>(sim.run(body));
  return trace_model{recorded(sim)};
}

std::vector<muster::event> events(const trace_model& model, event_kind kind) {
  std::vector<muster::event> found;
  for (const auto& e : model.data().events)
    if (e.kind == kind)
      found.push_back(e);
  return found;
}

event_kind kind_of_cause(const trace_model& model, const muster::event& e) {
  const auto found = model.find_event(e.cause);
  return found == none_found ? event_kind::none : model.event_at(found).kind;
}

node_index named(const trace_model& model, std::string_view name) {
  for (node_index n = 0; n < model.nodes().size(); ++n)
    if (model.name(n) == name)
      return n;
  return none_found;
}

/// 0 breaks it.
caf::behavior fragile(caf::event_based_actor* self) {
  muster::keep_exception_text(self);
  return {[](int n) {
    if (n == 0)
      throw std::runtime_error{"worn out"};
    return n;
  }};
}

void break_it(const muster::result<caf::actor>& whom) { caf::anon_send(*whom, 0); }

} // namespace

TEST_CASE("real: a restart waits its backoff, and both are in the trace with the attempt and their causes") {
  const auto model = trace_of([](simulation& site) {
    auto crew = site.create_scope(
      "crew", {.on_failure = muster::restart{.max_restarts = 5, .within = 1min, .delay = {.first = 2s}}});
    auto pump = muster::spawn_actor(crew, {.name = "pump"}, fragile);
    site.run_for(1s);
    break_it(pump);
    site.run_for(10s);
    break_it(pump);
    site.run_for(10s);
  });
  const auto waited = events(model, event_kind::restart_backoff);
  REQUIRE(waited.size() == 2);
  CHECK(waited[0].value == 2 * second);
  CHECK(waited[1].value == 4 * second);
  CHECK(model.text(waited[0].text) == "attempt 1");
  CHECK(model.text(waited[1].text) == "attempt 2");
  CHECK(kind_of_cause(model, waited[0]) == event_kind::restart_decided);
  const auto done = events(model, event_kind::restart_done);
  REQUIRE(done.size() == 2);
  CHECK(done[0].cause == waited[0].sequence);
  CHECK(done[0].time_ns - waited[0].time_ns == 2 * second);
  CHECK(contains(said_by(run_tree, model, {.at = "2s"}), "actor pump  down"));
  CHECK(contains(said_by(run_tree, model, {.at = "4s"}), "actor pump  running"));
  CHECK(contains(said_by(run_blame, model, {.path = "crew/pump"}),
                 "waits 4.00 s before it is started again (attempt 2)"));
}

TEST_CASE("real: a restart that a cancel comes before is abandoned, and the cancel is to blame") {
  const auto model = trace_of([](simulation& site) {
    auto crew = site.create_scope(
      "crew", {.on_failure = muster::restart{.max_restarts = 5, .within = 1min, .delay = {.first = 10s}}});
    auto pump = muster::spawn_actor(crew, {.name = "pump"}, fragile);
    break_it(pump);
    site.run_for(1s);
    crew.cancel("enough");
    static_cast<void>(crew.wait());
  });
  const auto left = events(model, event_kind::restart_abandoned);
  REQUIRE(left.size() == 1);
  CHECK(kind_of_cause(model, left[0]) == event_kind::cancel_asked);
  CHECK(model.at(named(model, "pump")).last == state::cancelled);
  CHECK(contains(said_by(run_blame, model, {.path = "crew/pump"}), "was not started again: a stop came first"));
  CHECK(nlohmann::json::parse(said_by(run_summary, model, {.json = true}))["restarts"]["abandoned"] == 1);
}

TEST_CASE("real: a restart that is called off by name is abandoned") {
  const auto model = trace_of([](simulation& site) {
    auto crew = site.create_scope(
      "crew", {.on_failure = muster::restart{.max_restarts = 5, .within = 1min, .delay = {.first = 10s}}});
    auto pump = muster::spawn_actor(crew, {.name = "pump"}, fragile);
    break_it(pump);
    site.run_for(1s);
    REQUIRE(crew.stop_child("pump"));
    CHECK(events(trace_model{recorded(site)}, event_kind::restart_abandoned).size() == 1);
    REQUIRE(crew.restart_child("pump")); // by hand it comes up again
    const trace_model now{recorded(site)};
    CHECK(now.at(named(now, "pump")).last == state::running);
  });
  CHECK(events(model, event_kind::restart_abandoned).size() == 1);
}

TEST_CASE("real: when a supervisor gives up, who broke too often has failed, and those that waited are cancelled") {
  const auto model = trace_of([](simulation& site) {
    auto crew = site.create_scope(
      "crew", {.on_failure = muster::restart{.max_restarts = 1, .within = 1min, .delay = {.first = 10s}}});
    auto calm = muster::spawn_actor(crew, {.name = "calm"}, fragile);
    auto pump = muster::spawn_actor(crew, {.name = "pump"}, fragile);
    auto waits = muster::spawn_actor(crew, {.name = "waits"}, fragile);
    break_it(waits);
    site.run_for(1s);
    break_it(pump);
    static_cast<void>(crew.wait());
  });
  const auto left = events(model, event_kind::restart_abandoned);
  REQUIRE(left.size() == 2);
  CHECK(left[0].subject == model.at(named(model, "waits")).id);
  CHECK(left[1].subject == model.at(named(model, "pump")).id);
  CHECK(model.at(named(model, "calm")).last == state::ok);
  CHECK(model.at(named(model, "waits")).last == state::cancelled);
  CHECK(model.at(named(model, "pump")).last == state::failed);
  const auto why = said_by(run_blame, model, {.path = "crew/pump"});
  CHECK(contains(why, "worn out"));
  CHECK(contains(why, "was not started again: there were too many restarts"));
}

TEST_CASE("real: a task that is cancelled through a link is blamed on the actor at its other end") {
  std::uint64_t other = 0;
  const auto model = trace_of([&](simulation& site) {
    auto crew = site.create_scope("crew");
    auto task = crew.execute("linked", [](context& ctx) { return ctx.sleep_for(1h); });
    auto free = crew.execute("free", [](context& ctx) { return ctx.sleep_for(1s); });
    const auto to = muster::actor_of(task);
    const auto not_for_long = muster::actor_of(free);
    const caf::actor friend_of_it =
      muster::system_of(site).spawn([to, not_for_long](caf::event_based_actor* self) -> caf::behavior {
        self->link_to(to);
        self->link_to(not_for_long);
        self->unlink_from(not_for_long);
        return fragile(self);
      });
    other = friend_of_it.id();
    site.run_for(100ms);
    caf::anon_send(friend_of_it, 0);
    static_cast<void>(crew.wait());
  });
  const auto id = static_cast<std::int64_t>(other);
  const auto made = events(model, event_kind::linked);
  REQUIRE(made.size() == 2);
  CHECK(made[0].subject == model.at(named(model, "linked")).id);
  CHECK(made[0].value == id);
  const auto undone = events(model, event_kind::unlinked);
  REQUIRE(undone.size() >= 1);
  CHECK(undone[0].subject == model.at(named(model, "free")).id);
  const auto came = events(model, event_kind::exit_received);
  REQUIRE(came.size() == 1);
  CHECK(came[0].value == id);
  CHECK(model.at(named(model, "free")).last == state::ok);
  const auto why = said_by(run_blame, model, {.path = "crew/linked"});
  INFO(why);
  CHECK(contains(why, "1. +0.100000 s  task site/crew/linked received an exit message from the application's actor " +
                          std::to_string(other) + ", which had linked itself to it"));
}

TEST_CASE("real: a scope's exit is received because a task sent it") {
  const auto model = trace_of([](simulation& site) {
    auto crew = site.create_scope("crew");
    crew.execute("breaks", []() -> muster::result<void> {
      return std::unexpected{muster::error{std::errc::io_error, "broken"}};
    });
    static_cast<void>(crew.wait());
  });
  const auto sent = events(model, event_kind::exit_sent);
  const auto came = events(model, event_kind::exit_received);
  REQUIRE(sent.size() == 1);
  REQUIRE(came.size() == 1);
  CHECK(came[0].cause == sent[0].sequence);
  CHECK(came[0].value == static_cast<std::int64_t>(sent[0].subject));
}

TEST_CASE("real: a body that waits without a thread is suspended, and runs when it is back") {
  const auto model = trace_of([](simulation& site) {
    auto crew = site.create_scope("crew");
    crew.execute("sleeper", [](muster::async_context& ctx) -> muster::coro<void> {
      static_cast<void>(co_await ctx.sleep_for(8s));
    });
    crew.execute("spins", [](context& ctx) { return ctx.sleep_for(10s); });
    static_cast<void>(crew.wait());
  });
  const auto sleeper = named(model, "sleeper");
  REQUIRE(sleeper != none_found);
  const auto at = [&](std::int64_t t) { return model.state_at(sleeper, model.begin_ns() + t); };
  CHECK(at(4 * second) == state::suspended);
  CHECK(at(9 * second) == state::ok);
  CHECK(model.state_at(named(model, "spins"), model.begin_ns() + 4 * second) == state::running);
  const auto tree = said_by(run_tree, model, {.at = "4s"});
  INFO(tree);
  CHECK(contains(tree, "task sleeper  suspended  4.00 s  waits for "));
  // Only one body was on a thread meanwhile.
  const auto all = nlohmann::json::parse(said_by(run_summary, model, {.json = true}));
  CHECK(all["lane"]["average_running"].get<double>() < 1.01);
}

TEST_CASE("real: a body that was suspended when a trace begins is suspended there") {
  trace_builder t;
  t.manager(0, 1, "site");
  t.scope(0, 2, 1, "crew");
  t.data().alive.push_back({.id = 3,
                            .parent = 2,
                            .since_ns = 0,
                            .text = t.text("sleeper"),
                            .kind = node_kind::task,
                            .state = muster::trace_format::suspended_task});
  t.data().alive.push_back({.id = 4,
                            .parent = 2,
                            .since_ns = 0,
                            .text = t.text("stays"),
                            .kind = node_kind::task,
                            .state = muster::trace_format::suspended_task});
  t.add(2 * second, event_kind::task_resumed, 3, 0, 7);
  t.add(3 * second, event_kind::note, 1);
  const auto model = t.model();
  CHECK(model.state_at(model.find(std::uint64_t{3}), second) == state::suspended);
  CHECK(model.state_at(model.find(std::uint64_t{3}), 2 * second) == state::running);
  CHECK(model.at(model.find(std::uint64_t{4})).last == state::suspended);
}
