/// The shop: a real program in the simulation, whose trace is turned into what the reader would give.
#include "scenes.hpp"

#include <muster/caf.hpp>
#include <muster/circuit_breaker.hpp>
#include <muster/resource_pool.hpp>
#include <muster/testing.hpp>

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <map>
#include <sstream>
#include <stdexcept>
#include <unordered_map>

#include <nlohmann/json.hpp>

using namespace std::chrono_literals;
using muster::context;
using muster::errc;
using muster::error;

namespace page_scenes {

namespace {

muster::actor_factory fragile(std::string what) {
  return [what](caf::actor_system& system) {
    return system.spawn([what](caf::event_based_actor* self) -> caf::behavior {
      muster::keep_exception_text(self);
      return {[what](int n) {
        if (n == 0)
          throw std::runtime_error{what};
        return n;
      }};
    });
  };
}

struct services {
  muster::resource_pool<int>& connections;
  muster::circuit_breaker& payment;
};

muster::result<void> charge(context& ctx, services& at, int number) {
  return at.payment.execute(ctx, [&]() -> muster::result<void> {
    if (auto slept = ctx.sleep_for(number == 9 ? 10s : 60ms); !slept)
      return std::unexpected{slept.error()};
    if (number == 6)
      return std::unexpected{error{errc::bad_argument, "card declined: 4000 0000 0000 0002"}};
    if (number >= 12 && number <= 14)
      return std::unexpected{error{errc::bad_argument, "payment service: connection refused"}};
    return {};
  });
}

muster::result<void> reserve(context& ctx, services& at, int number) {
  auto connection = at.connections.acquire(ctx);
  if (!connection)
    return std::unexpected{connection.error()};
  if (auto slept = ctx.sleep_for(30ms + 5ms * (number % 4)); !slept)
    return std::unexpected{slept.error()};
  ctx.note("reserved 1 of 40");
  return {};
}

muster::result<void> checkout(context& ctx, services& at, int number) {
  auto crew = ctx.create_scope("checkout", {.timeout = 8s});
  auto validate = crew.execute({.name = "validate", .timeout = 1s}, [](context& c) { return c.sleep_for(8ms); });
  auto stock = crew.execute({.name = "reserve", .timeout = 3s, .after = {validate}},
                            [&at, number](context& c) { return reserve(c, at, number); });
  auto paid = crew.execute({.name = "charge", .timeout = 400ms, .after = {validate}},
                           [&at, number](context& c) { return charge(c, at, number); });
  crew.execute({.name = "receipt", .after = {stock, paid}}, [](context& c) { return c.sleep_for(5ms); });
  return crew.wait();
}

std::string evening(muster::testing::simulation& site) {
  muster::resource_pool<int> connections{site, muster::pool_options<int>{.name = "connections", .max = 2},
                                         [] { return muster::result<std::unique_ptr<int>>{std::make_unique<int>(1)}; }};
  muster::circuit_breaker payment{site,
                                  {.name = "payment", .opens_on = muster::consecutive_failures{3}, .open_for = 60ms}};
  services at{connections, payment};

  auto helpers = site.create_scope("helpers", {.on_failure = muster::restart{.max_restarts = 5, .within = 10s}});
  auto mailer = muster::spawn_actor(helpers, {.name = "mailer", .daemon = true}, fragile("mail server hung up"));
  auto indexer = muster::spawn_actor(helpers, {.name = "indexer", .daemon = true}, fragile("index is corrupt"));
  auto fragile_ones = site.create_scope("reporting", {.on_failure = muster::restart{.max_restarts = 3, .within = 5s}});
  auto reporter = muster::spawn_actor(fragile_ones, {.name = "reporter"}, fragile("no such table: sales"));
  auto ledger = helpers.register_resource("ledger", 1, [](int&) {});

  auto orders = site.create_scope("orders", {.on_failure = muster::isolate});
  for (int number = 1; number <= 24; ++number) {
    orders.execute("order-" + std::to_string(number), [&at, number](context& c) { return checkout(c, at, number); });
    site.run_for(20ms + 3ms * (number % 5));
    if (number % 7 == 3)
      caf::anon_send(mailer.value(), 0);
    if (number == 11)
      caf::anon_send(indexer.value(), 0);
    if (number >= 16 && number <= 20)
      caf::anon_send(reporter.value(), 0);
  }
  static_cast<void>(orders.wait_for(2s));

  // The night shift is still at work when the trace is written.
  auto night = site.create_scope("night shift", {.max_parallel = 3});
  auto counted = night.execute("count the till", [&at](context& c) -> muster::result<void> {
    auto connection = at.connections.acquire(c);
    for (int done = 0; done < 40; ++done) {
      c.progress(static_cast<std::uint64_t>(done), 100);
      if (auto slept = c.sleep_for(20ms); !slept)
        return slept;
    }
    return c.sleep_for(1h);
  });
  auto backup = night.execute("backup", [&at](context& c) -> muster::result<void> {
    auto connection = at.connections.acquire(c);
    return c.sleep_for(1h);
  });
  night.execute("clean up", [&at](context& c) -> muster::result<void> {
    if (auto slept = c.sleep_for(15ms); !slept)
      return slept;
    auto connection = at.connections.acquire(c);
    return connection ? muster::result<void>{} : std::unexpected{connection.error()};
  });
  night.execute({.name = "close the books", .after = {counted, backup}}, [] {});
  site.run_for(900ms);
  return site.trace(); // here, so that what is still at work is seen at work
}

trace_data from_lines(const std::string& lines) {
  trace_data trace;
  std::map<std::string, muster::event_kind, std::less<>> kinds;
  for (std::uint16_t number = 1; number < 0x100; ++number)
    kinds.emplace(to_string(static_cast<muster::event_kind>(number)), static_cast<muster::event_kind>(number));
  std::unordered_map<std::string, std::uint32_t> texts;
  trace.texts.emplace_back();
  std::istringstream in{lines};
  for (std::string line; std::getline(in, line);) {
    const auto each = nlohmann::json::parse(line);
    if (!each.contains("sequence"))
      continue;
    muster::event e{.sequence = each["sequence"],
                    .time_ns = each["time"],
                    .subject = each["subject"],
                    .cause = each["cause"],
                    .value = each["value"],
                    .kind = kinds.at(each["kind"]),
                    .thread = each["thread"]};
    if (each.contains("text")) {
      const auto [found, added] = texts.emplace(each["text"], static_cast<std::uint32_t>(trace.texts.size()));
      if (added)
        trace.texts.push_back(found->first);
      e.text = found->second;
    }
    trace.events.push_back(e);
  }
  return trace;
}

} // namespace

trace_data shop() {
  muster::testing::simulation site{{.seed = 7, .site = {.name = "shop", .trace = {.bytes = std::size_t{64} << 20U}}}};
  trace_data trace;
  static_cast<void>(site.run([&] { trace = from_lines(evening(site)); }));
  trace.major = 1;
  trace.program = "shop";
  trace.pid = 4711;
  trace.workers = 4;
  trace.live = true;
  trace.clock_anchor_ns = trace.events.front().time_ns;
  trace.wall_anchor_ns = 1'790'000'000'000'000'000;
  return trace;
}

} // namespace page_scenes
