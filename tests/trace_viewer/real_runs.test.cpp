// What real programs record is enough for the commands to say why things went wrong.
#include "causes.hpp"
#include "trace_builder.hpp"

#include <muster/caf.hpp>
#include <muster/testing.hpp>

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <stdexcept>

using namespace std::chrono_literals;
using namespace trace_tests;
using namespace muster::trace_viewer;
using muster::context;
using muster::testing::simulation;

namespace {

/// The trace of a run in a simulation, once nobody can go on.
template <class Body>
trace_model trace_of(Body body, std::uint64_t seed = 1) {
  simulation sim{seed};
  static_cast<void>(sim.run(body));
  return trace_model{recorded(sim)};
}

std::string blame(const trace_model& model, const std::string& path) {
  return said_by(run_blame, model, {.path = path});
}

/// The parts occur in this order.
bool in_order(const std::string& text, std::initializer_list<const char*> parts) {
  std::size_t at = 0;
  for (const auto* part : parts) {
    at = text.find(part, at);
    if (at == std::string::npos)
      return false;
  }
  return true;
}

caf::behavior fragile(caf::event_based_actor* self) {
  muster::keep_exception_text(self);
  return {[](int n) {
    if (n == 0)
      throw std::runtime_error{"worn out"};
    return n;
  }};
}

} // namespace

TEST_CASE("real: a sibling is blamed on the deadline of a nested scope elsewhere") {
  const auto model = trace_of([](simulation& site) {
    return site.with_timeout("checkout", 8s, [](muster::scope& crew) {
      crew.execute("charge", [](context& ctx) {
        return ctx.with_timeout("bank", 2s, [](muster::scope& in) {
          in.execute("call", [](context& c) { return c.sleep_for(10s); });
          return in.wait();
        });
      });
      crew.execute("stock", [](context& ctx) { return ctx.sleep_for(20s); });
      return crew.wait();
    });
  });
  CHECK(in_order(
      blame(model, "site/checkout/stock"),
      {"the deadline of scope site/checkout/charge/bank passed (limit 2.00 s)",
       "scope site/checkout/charge/bank ended with an error",
       "the wait of task site/checkout/charge for scope site/checkout/charge/bank ended",
       "task site/checkout/charge failed",
       "scope site/checkout cancelled all below it, since site/checkout/charge failed",
       "task site/checkout/stock was asked to stop: a sibling failed", "task site/checkout/stock ended: cancelled"}));
  CHECK(in_order(blame(model, "site/checkout/charge/bank/call"),
                 {"the deadline of scope site/checkout/charge/bank passed", "ended: cancelled"}));
  CHECK(in_order(said_by(run_critical, model, {.path = "site/checkout"}), {"100.0 %", "call"}));
  // In the middle of it, everybody's wait is seen.
  const auto waits = said_by(run_waits, model, {.at = "1s"});
  CHECK(contains(waits, "a thread outside waits for scope site/checkout"));
  CHECK(contains(waits, "task site/checkout/charge waits for scope site/checkout/charge/bank"));
  CHECK(contains(waits, "task site/checkout/stock waits for sleep"));
  CHECK(contains(said_by(run_tree, model, {.at = "1s"}),
                 "task charge  running  1.00 s  waits for scope site/checkout/charge/bank"));
}

TEST_CASE("real: a task's own timeout and those skipped behind it") {
  const auto model = trace_of([](simulation& site) {
    auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
    auto slow = crew.execute({.name = "slow", .timeout = 1s}, [](context& ctx) { return ctx.sleep_for(5s); });
    auto next = crew.execute({.name = "next", .after = {slow}}, [] {});
    crew.execute({.name = "last", .after = {next}}, [] {});
    static_cast<void>(crew.wait());
  });
  CHECK(in_order(blame(model, "site/crew/last"),
                 {"1. +1.000000 s  the deadline of task site/crew/slow passed (limit 1.00 s)",
                  "task site/crew/slow was asked to stop: its time was up", "task site/crew/slow ended: timed out",
                  "task site/crew/next was skipped, since task site/crew/slow",
                  "task site/crew/last was skipped, since task site/crew/next", "task site/crew/last ended: skipped"}));
  // A scope that keeps going is blamed on its first failure too.
  CHECK(in_order(blame(model, "site/crew"),
                 {"the deadline of task site/crew/slow passed", "scope site/crew ended with an error"}));
  CHECK(said_by(run_lint, model) == "nothing found\n");
}

TEST_CASE("real: a cancel is blamed on the body that called it, and one that nobody waited for is linted") {
  const auto model = trace_of([](simulation& site) {
    auto crew = site.create_scope("crew");
    auto other = site.create_scope("other");
    other.execute("mason", [](context& ctx) { return ctx.sleep_for(1h); });
    crew.execute("foreman", [&](context& ctx) {
      static_cast<void>(ctx.sleep_for(1s));
      other.cancel("it rains");
    });
    static_cast<void>(crew.wait());
  });
  INFO(blame(model, "site/other/mason"));
  CHECK(in_order(blame(model, "site/other/mason"),
                 {"1. +1.000000 s  scope site/other was cancelled by a call of cancel, made in task site/crew/foreman",
                  "task site/other/mason was asked to stop, as all below scope site/other were", "ended: cancelled"}));
  CHECK(contains(said_by(run_lint, model), "scope site/other: 1 task in it, 1 cut off by its destructor"));
}

TEST_CASE("real: restarts up to the limit, the escalation and what it took along") {
  const auto model = trace_of([](simulation& site) {
    auto crew = site.create_scope("crew");
    crew.execute("clerk", [](context& ctx) { return ctx.sleep_for(1h); });
    static_cast<void>(crew.supervise({.name = "pumps"},
                                     {.on_failure = muster::restart{.max_restarts = 2, .within = 1min}},
                                     [](muster::scope& below) -> muster::result<void> {
                                       auto pump = muster::spawn_actor(below, {.name = "pump"}, fragile);
                                       if (!pump)
                                         return std::unexpected{pump.error()};
                                       below.execute("breaker", [pump = *pump](context& ctx) {
                                         for (int i = 0; i < 3; ++i) {
                                           static_cast<void>(ctx.sleep_for(1s));
                                           caf::anon_send(pump, 0);
                                         }
                                         static_cast<void>(ctx.sleep_for(1min));
                                       });
                                       return {};
                                     }));
    static_cast<void>(crew.wait());
  });
  const auto text = blame(model, "site/crew/clerk");
  INFO(text);
  INFO(said_by(run_tree, model));
  CHECK(in_order(text, {"broke down", "gave up after 3 restarts", "site/crew/pumps",
                        "site/crew/clerk was asked to stop", "cancelled"}));
  const auto all = nlohmann::json::parse(said_by(run_summary, model, {.json = true}));
  REQUIRE(all["most_restarted"].size() == 1);
  CHECK(all["most_restarted"][0]["restarts"] == 2);
}

TEST_CASE("real: whoever waits for a pool waits for those who hold its resources") {
  const auto model = trace_of([](simulation& site) {
    muster::resource_pool<int> db{site, 1, [] { return muster::result<int>{1}; }};
    auto crew = site.create_scope("crew");
    crew.execute("holder", [&](context& ctx) {
      auto lease = db.acquire(ctx);
      return ctx.sleep_for(10s);
    });
    crew.execute("waiter", [&](context& ctx) -> muster::result<void> {
      static_cast<void>(ctx.sleep_for(1s));
      auto lease = db.acquire(ctx);
      return {};
    });
    static_cast<void>(crew.wait());
  });
  const auto waits = said_by(run_waits, model, {.at = "5s"});
  INFO(waits);
  CHECK(in_order(waits, {"pool site/", "has lent a resource to task site/crew/holder",
                         "task site/crew/waiter waits for pool site/"}));
}

TEST_CASE("real: every seed's trace is told without a hole") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    const auto model = trace_of(
      [](simulation& site) {
        return site.with_timeout("work", 3s, [](muster::scope& crew) {
          for (int i = 0; i < 12; ++i)
            crew.execute("worker", [i](context& ctx) -> muster::result<void> {
              if (auto slept = ctx.sleep_for(400ms * i); !slept)
                return slept;
              if (i == 5)
                return std::unexpected{muster::error{std::errc::io_error, "broken"}};
              return {};
            });
          return crew.wait();
        });
      },
      seed);
    std::uint64_t bad = 0;
    for (node_index n = 0; n < model.nodes().size(); ++n) {
      const auto& it = model.at(n);
      REQUIRE(it.created != unset);
      REQUIRE(it.kind != node_kind::unknown);
      if (it.last != state::cancelled)
        continue;
      ++bad;
      const auto chain = chain_to(model, trouble_of(model, n));
      REQUIRE(chain.missing_sequence == 0);
      // Whatever the interleaving, its root is the one failure there was.
      const auto& root = model.event_at(chain.events[chain.first_trouble]);
      REQUIRE(root.kind == event_kind::failure);
      REQUIRE(model.text(root.text) == "broken");
    }
    REQUIRE(bad > 0);
  }
}
