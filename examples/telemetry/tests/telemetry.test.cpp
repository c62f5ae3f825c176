// The system that reads /proc, under the simulation: the same tree and the same chaos, with made-up sources and a store
// in memory. A seed decides about chaos and about who runs when.
#include "../audit.hpp"
#include "memory_store.hpp"

#include <muster/testing.hpp>

#include "../../../tests/catch.hpp"

#include <random>

#include <fmt/format.h>

using namespace std::chrono_literals;
using muster::testing::simulation;
using telemetry::testing::memory_store;

namespace {

std::vector<telemetry::source> made_up_sources(std::size_t many) {
  std::vector<telemetry::source> all;
  for (std::size_t i = 0; i < many; ++i)
    all.push_back(
        {"source-" + std::to_string(i + 1), [n = 0.0]() mutable -> muster::result<double> { return n += 1; }});
  return all;
}

std::vector<std::string> names_of(const std::vector<telemetry::source>& sources) {
  std::vector<std::string> names;
  for (const auto& each : sources)
    names.push_back(each.name);
  return names;
}

struct simulated_run {
  telemetry::outcome said;
  telemetry::audit books;
  std::shared_ptr<memory_store> kept = std::make_shared<memory_store>();
};

using prepare = std::function<void(simulation&, simulated_run&)>;

simulated_run run(std::uint64_t seed, const telemetry::plan& wanted, std::vector<telemetry::source> sources,
                  const prepare& first = {}) {
  simulated_run done;
  const auto names = names_of(sources);
  std::unique_ptr<telemetry::ledger> ledger;
  telemetry::register_messages();
  {
    simulation sim{{.seed = seed, .site = {.name = "site", .trace = {.mode = muster::trace_mode::off}}}};
    ledger = std::make_unique<telemetry::ledger>(sim.clock(), wanted.held_messages);
    if (first)
      first(sim, done);
    auto result =
        sim.run([&](simulation& site) { return telemetry::run(site, wanted, std::move(sources), done.kept, *ledger); });
    if (result)
      done.said = std::move(*result);
    else
      done.said.failure = result.error();
  }
  if (!done.said.log) {
    done.books.complaints.push_back(to_string(*done.said.failure));
    return done;
  }
  done.books = telemetry::examine(done.said, *ledger, names, done.kept->kept.size(), true);
  return done;
}

/// Two minutes, with a blow every few seconds.
telemetry::plan two_minutes_of_chaos(std::uint64_t seed) {
  telemetry::plan wanted{.lasts = 2min, .period = 1'500ms, .flush = 4s, .batch = 6};
  wanted.chaos = telemetry::chaos_plan{.seed = seed, .least = 500ms, .most = 8s};
  wanted.core.max_restarts = telemetry::core_restarts_under_chaos;
  return wanted;
}

/// What is wrong with a run, or nothing.
std::string complaints_about(const simulated_run& done) {
  auto all = done.books.complaints;
  if (done.said.failure)
    all.push_back(to_string(*done.said.failure));
  if (!done.kept->sound || !done.kept->closed)
    all.push_back("the store is not sound");
  return fmt::format("{}", fmt::join(all, "\n"));
}

} // namespace

TEST_CASE("a thousand seeds of chaos leave a whole tree, and every kill, restart and lost reading is accounted for") {
  const auto only = muster::testing::seed_from_environment();
  telemetry::audit sum;
  for (std::uint64_t seed = only.value_or(1); seed <= only.value_or(1'000); ++seed) {
    const auto done = run(seed, two_minutes_of_chaos(seed), made_up_sources(3), [&](simulation&, simulated_run& to) {
      if (seed % 4 == 0)
        to.kept->fail_at(5); // the disk fails too: that is a death of the writer
    });
    INFO("MUSTER_SEED=" << seed);
    REQUIRE(complaints_about(done) == "");
    REQUIRE(done.said.whole);
    REQUIRE(done.said.stats.messages_refused == 0); // a thousand and more are held, and there are not so many
    sum.kills += done.books.kills;
    sum.restarts.gave_up += done.books.restarts.gave_up;
    sum.restarts.superseded += done.books.restarts.superseded;
    sum.lost.not_taken += done.books.lost.not_taken;
    sum.lost.in_mailbox += done.books.lost.in_mailbox;
    sum.lost.in_hand += done.books.lost.in_hand;
  }
  if (!only) { // chaos did hit everything that it is there to hit
    CHECK(sum.kills > 10'000);
    CHECK(sum.restarts.gave_up > 100);
    CHECK(sum.restarts.superseded > 0);
    CHECK(sum.lost.not_taken == 0); // what comes for one that has just ended waits for the next, like all later ones
    CHECK(sum.lost.in_mailbox > 0);
    CHECK(sum.lost.in_hand > 0);
  }
}

TEST_CASE("a reading that was sent on is lost with its receiver, though the message that it came with is still there") {
  telemetry::ledger books{muster::real_clock(), 10};
  CHECK(books.born("writer") == 1);
  const auto came_with = std::make_shared<telemetry::letter>(
    books, false, std::vector{std::make_shared<telemetry::ticket>(books, telemetry::reading{.source = "cpu"})});
  auto in_hand = came_with->take();
  REQUIRE(in_hand.size() == 1);
  in_hand[0]->move_to(telemetry::stage::to_writer);
  {
    const telemetry::letter sent_on{books, true, std::move(in_hand)};
    CHECK(books.all().lost == 0);
  }
  CHECK(books.all().lost == 1);
  books.died("writer", 1, true, "kill");
  const auto losses = books.losses();
  REQUIRE(losses.size() == 1);
  const auto why = telemetry::explain(losses[0], books.deaths(), false);
  REQUIRE(why);
  CHECK(why->why == telemetry::cause::mailbox);
}

TEST_CASE("without chaos nothing is restarted and nothing is lost") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const auto done = run(seed, {.lasts = 1min, .period = 1s}, made_up_sources(3));
    INFO("MUSTER_SEED=" << seed);
    REQUIRE(complaints_about(done) == "");
    REQUIRE(done.books.kills == 0);
    REQUIRE(done.books.restarts.restarted == 0);
    REQUIRE(done.books.readings.lost == 0);
    // The last tick may or may not come before the end, which is at the same moment.
    REQUIRE(done.books.readings.stored >= 3 * 59);
    REQUIRE(done.books.shutdown ==
            std::vector<std::string>{"source-3", "source-2", "source-1", "sensors", "aggregator", "writer", "store"});
  }
}

TEST_CASE("a sensor whose source fails is started again, and the sequence begins anew") {
  auto sources = made_up_sources(1);
  sources[0].read = [n = 0]() mutable -> muster::result<double> {
    if (++n % 30 == 0)
      return std::unexpected{muster::error{std::errc::no_such_device, "the sensor came off"}};
    return n;
  };
  const auto done = run(1, {.lasts = 100s, .period = 1s}, sources);
  CHECK(complaints_about(done) == "");
  CHECK(done.books.restarts.restarted == 3);
  CHECK(done.books.readings.lost == 0);
  CHECK(done.kept->kept.contains({"source-1", 2, 1}));
  CHECK(done.kept->kept.contains({"source-1", 3, 29}));
}

TEST_CASE("a source that is gone for good makes sensors give up, then the root, and what was read before is kept") {
  auto sources = made_up_sources(2);
  sources[1].read = [n = 0]() mutable -> muster::result<double> {
    if (++n > 10)
      return std::unexpected{muster::error{std::errc::no_such_device, "the sensor came off"}};
    return n;
  };
  telemetry::plan wanted{.lasts = 1h, .period = 100ms};
  wanted.core.within = 1h;
  const auto done = run(1, wanted, sources);
  REQUIRE(done.said.failure);
  CHECK(done.said.failure->code() == muster::errc::gave_up);
  CHECK(to_string(*done.said.failure).find("the sensor came off") != std::string::npos);
  CHECK(done.books.complaints == std::vector<std::string>{});
  CHECK(done.books.readings.lost == 0);
  CHECK(done.kept->kept.contains({"source-2", 1, 10}));
  CHECK(done.kept->closed);
}

TEST_CASE("readings beyond those that are held while the aggregator is down are refused, counted, and no others") {
  std::uint64_t refused = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    auto wanted = two_minutes_of_chaos(seed);
    wanted.held_messages = 2;
    wanted.core.strategy = muster::restart_strategy::one_for_one; // else sensors are not up either, and nothing is sent
    wanted.period = 100ms;
    wanted.core.delay = {.first = 1s, .cap = 1s};
    wanted.lasts = 20s;
    const auto done = run(seed, wanted, made_up_sources(3));
    INFO("MUSTER_SEED=" << seed);
    REQUIRE(complaints_about(done) == "");
    REQUIRE(done.said.whole);
    REQUIRE(done.books.lost.not_taken >= done.said.stats.messages_refused);
    refused += done.said.stats.messages_refused;
  }
  CHECK(refused > 100);
}

TEST_CASE("it can be stopped at any moment of the chaos: in order, and everything is accounted for") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    auto sources = made_up_sources(3);
    // From the body of a source: some moment at which an actor is at work.
    const auto when = seed * 7919 % 150 + 1;
    auto read = std::make_shared<std::uint64_t>(0);
    simulation* site = nullptr;
    for (auto& each : sources)
      each.read = [&, read]() -> muster::result<double> {
        if (++*read == when)
          site->cancel("Ctrl-C");
        return 1;
      };
    const auto done =
        run(seed, two_minutes_of_chaos(seed), sources, [&](simulation& sim, simulated_run&) { site = &sim; });
    INFO("MUSTER_SEED=" << seed);
    REQUIRE(complaints_about(done) == "");
    REQUIRE((done.said.interrupted || done.said.whole));
  }
}
