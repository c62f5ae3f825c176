// The fragments that the README and actors/COROUTINES.md show, word for word, each with what it needs around it.
//
// A check holds that every block of C++ on the pages stands in a file like this one, which is compiled and run.
#include <muster/caf.hpp>

#include <caf/event_based_actor.hpp>

#include <atomic>
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

using namespace std::chrono_literals;

// ---- what stands for the rest of the world --------------------------------------------------------------------------

struct socket_to {
  std::string url;
  void shutdown() {}
  [[nodiscard]] std::string read_all() const { return "the page of " + url; }
};
static socket_to connect(const std::string& url) { return {url}; }

struct connection {
  std::atomic<int>* stored = nullptr;
};
static std::atomic<int> stored = 0;
static muster::result<connection> connect_to_database() { return connection{&stored}; }
static muster::result<void> store(const std::string&) {
  ++stored;
  return {};
}
static muster::result<void> update_inventory(connection& to) {
  ++*to.stored;
  return {};
}

struct order_of {
  int number = 1;
};
static std::string slow_hash(const std::string& text) { return "#" + text; }
static muster::coro<muster::result<void>> send(muster::async_context& ctx, connection& to, std::string text) {
  ++*to.stored;
  std::printf("sent %s\n", text.c_str());
  co_return co_await ctx.sleep_for(1ms);
}
static std::atomic<int> charged = 0;
static muster::result<int> charge_card(muster::context& ctx, const order_of& order) {
  if (auto asked = ctx.checkpoint(); !asked)
    return std::unexpected{asked.error()};
  if (++charged == 1)
    return std::unexpected{muster::error{std::errc::connection_reset, "the line is dead"}};
  return order.number;
}
static muster::coro<muster::result<int>> charge_card(muster::async_context& ctx, const order_of& order) {
  if (auto slept = co_await ctx.sleep_for(1ms); !slept)
    co_return std::unexpected{slept.error()};
  co_return order.number;
}

static caf::behavior store_actor(caf::event_based_actor*) {
  return {[](int reading) { return reading; }};
}
static caf::behavior sensor_actor(caf::event_based_actor*, const caf::actor&) {
  return {[](int reading) { return reading; }};
}
static muster::result<void> start_pumps(muster::scope& below) {
  const auto pump = muster::spawn_actor(below, {.name = "pump"}, store_actor);
  return pump ? muster::result<void>{} : std::unexpected{pump.error()};
}

// ---- the fragments --------------------------------------------------------------------------------------------------

static void a_task_in_ten_lines(muster::manager& site, const std::vector<std::string>& urls) {
  auto crew = site.create_scope("crawl", {.timeout = 30s, .max_parallel = 8});
  for (const auto& url : urls)
    crew.execute({.name = url, .timeout = 5s}, [&, url](muster::context& ctx) -> muster::result<void> {
      auto socket = connect(url);
      auto stop = ctx.on_cancel([&] { socket.shutdown(); }); // interrupts the blocking read below
      return store(socket.read_all());
    });
  if (auto done = crew.wait(); !done)
    std::cerr << to_string(done.error()) << '\n';            // the first failure, the others behind it
}

static muster::result<void> a_coroutine(muster::scope& crew, muster::resource_pool<connection>& db) {
  crew.execute({.name = "greet", .timeout = 5s}, [&](muster::async_context& ctx) -> muster::coro<muster::result<void>> {
    auto lease = co_await db.acquire(ctx);                // waits its turn in the pool
    if (!lease)
      co_return std::unexpected{lease.error()};
    if (auto slept = co_await ctx.sleep_for(50ms); !slept) // asked to stop meanwhile: the reason, as a value
      co_return std::unexpected{slept.error()};
    auto name = crew.execute("name", [] { return std::string{"Ada"}; });
    const auto& found = co_await name;                    // the outcome of another task
    auto hash = ctx.blocking([text = found.value()] { return slow_hash(text); }); // a call that blocks, elsewhere
    auto sum = co_await hash;
    auto below = ctx.create_scope("below");               // a scope of its own, joined without a thread
    below.execute("send", [&](muster::async_context& inner) { return send(inner, **lease, sum.value()); });
    co_return co_await below;
  });
  return crew.wait();
}

static muster::result<void> a_pool(muster::manager& site, muster::scope& crew) {
  muster::resource_pool<connection> db{site, 10, [] { return connect_to_database(); }}; // muster::result<connection>

  crew.execute("inventory", [&](muster::context& ctx) -> muster::result<void> {
    auto lease = db.acquire(ctx);        // waits its turn, but no longer than the task may
    if (!lease)
      return std::unexpected{lease.error()};
    return update_inventory(**lease);    // it goes back at the end of the block, also when this throws
  });

  if (auto done = crew.wait(); !done)
    return done;
  auto greeting = site.create_scope("greeting");
  return a_coroutine(greeting, db);
}

static muster::result<int> a_breaker(muster::manager& site, muster::context& ctx, const order_of& order) {
  muster::circuit_breaker payments{site, 5, 30s}; // 5 failures in a row open it; after 30 s one probe decides

  auto paid = muster::retry(ctx, {.attempts = 4, .first_delay = 50ms}, [&] {
    return payments.execute(ctx, [&] { return charge_card(ctx, order); });
  });
  return paid;
}

static muster::coro<muster::result<int>> a_breaker(muster::circuit_breaker& payments, muster::async_context& ctx,
                                                   const order_of& order) {
  auto tries = muster::retry(ctx, {.attempts = 4, .first_delay = 50ms}, [&] {
    return payments.execute(ctx, [&] { return charge_card(ctx, order); }); // a muster::coro
  });
  auto paid = co_await tries;
  co_return paid;
}

static muster::result<int> both_breakers(muster::manager& site, const order_of& order) {
  muster::circuit_breaker payments{site, 5, 30s};
  auto crew = site.create_scope("payment");
  const auto plain = crew.execute("plain", [&](muster::context& ctx) { return a_breaker(site, ctx, order); });
  const auto suspended = crew.execute("suspended", [&](muster::async_context& ctx) {
    return a_breaker(payments, ctx, order);
  });
  if (auto done = crew.wait(); !done)
    return std::unexpected{done.error()};
  return plain.get().value() + suspended.get().value();
}

static bool actors_that_are_started_again(muster::manager& site) {
  auto crew = site.create_scope("telemetry", {.on_failure = muster::restart{
                                                .strategy = muster::restart_strategy::rest_for_one,
                                                .max_restarts = 3, .within = 10s,
                                                .delay = {.first = 50ms, .cap = 5s, .jitter = 0.5}}});
  auto store = muster::spawn_actor(crew, {.name = "store"}, store_actor); // CAF actors: functions, classes, factories
  auto sensor = muster::spawn_actor(crew, {.name = "sensor"}, sensor_actor, *store);
  auto pumps = crew.supervise({.name = "pumps"}, {.on_failure = muster::restart{}}, start_pumps);

  return store && sensor && pumps; // they live on until the scope is cancelled: here at the end of this block
}

static muster::result<void> the_end(muster::scope& requests) {
  requests.close();                              // nothing new from here on; what runs goes on
  auto ended = requests.wait_for(5s);            // drained, or
  if (!ended && ended.error().code() == muster::errc::not_ready) {
    requests.cancel("the time is up");           // asked to stop,
    ended = requests.wait();                     // and joined
  }
  return ended;
}

int main() {
  muster::manager site{{.name = "site"}};
  a_task_in_ten_lines(site, {"a", "b", "c"});
  auto shop = site.create_scope("shop");
  if (auto done = a_pool(site, shop); !done)
    std::printf("%s\n", to_string(done.error()).c_str());
  const auto paid = both_breakers(site, order_of{21});
  std::printf("%d pages, leases and letters, %d paid\n", stored.load(), paid.value_or(0));
  std::printf("the actors were %s\n", actors_that_are_started_again(site) ? "up" : "not up");
  auto requests = site.create_scope("requests", {.on_failure = muster::isolate});
  requests.execute("request", [] {});
  std::printf("the end was %s\n", the_end(requests) ? "in order" : "not");
}
