// Requests of coroutine bodies to CAF actors: answers, failures, limits and cancelling, and the race between them.
#include <muster/caf.hpp>

#include "explored.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/response_promise.hpp>
#include <caf/send.hpp>

using namespace support;
using muster::async_context;
using muster::coro;
using muster::result;

namespace {

/// Answers a number with the next one, a text with nothing, and a truth never.
caf::behavior adds_one(caf::event_based_actor* self) {
  // CAF 1.x answers for a promise that is destroyed.
  auto kept = std::make_shared<std::vector<caf::response_promise>>();
  return {
      [](int n) { return n + 1; },
      [](const std::string&) {},
      [self, kept](bool) {
        kept->push_back(self->make_response_promise());
        return kept->back();
      },
  };
}

} // namespace

TEST_CASE("a coroutine asks an actor and holds no thread until it answers", "[caf]") {
  auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
  auto& system = muster::system_of(site);
  const auto adder = system.spawn(adds_one);
  const auto dead = system.spawn([](caf::event_based_actor* self) { self->quit(); });

  auto asks = crew.execute("asks", [adder](async_context& ctx) -> coro<result<int>> {
    auto one = co_await muster::request<int>(ctx, adder, 1h, 1);
    auto asking = muster::request<int>(ctx, adder, 1h, one.value_or(0));
    co_return co_await asking;
  });
  CHECK(asks.get().value() == 3);
  auto nothing = crew.execute("nothing", [adder](async_context& ctx) -> coro<result<void>> {
    co_return co_await muster::request<void>(ctx, adder, 1h, std::string{"text"});
  });
  CHECK(nothing.get().ok());
  auto wrong = crew.execute("wrong", [adder](async_context& ctx) -> coro<result<std::string>> {
    co_return co_await muster::request<std::string>(ctx, adder, 1h, 1);
  });
  CHECK(wrong.get().error().code() == errc::bad_argument);
  auto to_dead = crew.execute("to dead", [dead](async_context& ctx) -> coro<result<int>> {
    co_return co_await muster::request<int>(ctx, dead, 1h, 1);
  });
  CHECK(to_dead.get().error().code() == errc::actor_exited);

  auto late = crew.execute("late", [adder](async_context& ctx) -> coro<result<int>> {
    co_return co_await muster::request<int>(ctx, adder, 5s, true);
  });
  auto cancelled = crew.execute("cancelled", [adder](async_context& ctx) -> coro<result<int>> {
    co_return co_await muster::request<int>(ctx, adder, 1h, true);
  });
  await([&] { return waits(crew.tree(), "late") && waits(crew.tree(), "cancelled"); });
  for (const auto& node : crew.tree().nodes)
    if (node.name == "late")
      CHECK(contains(node.waits_for, "an answer of actor"));
  cancelled.cancel();
  CHECK(cancelled.get().cancelled());
  clock->advance(5s);
  CHECK(late.get().error().code() == errc::timed_out);
  CHECK_FALSE(crew.wait().has_value());
  caf::anon_send_exit(adder, caf::exit_reason::user_shutdown);
}

TEST_CASE("explored: an answer to a coroutine against its cancel is the answer or the reason", "[caf]") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    const auto adder = muster::system_of(site).spawn(adds_one);
    auto crew = site.create_scope("crew");
    auto asks = crew.execute("asks", [adder](async_context& ctx) -> coro<result<int>> {
      co_return co_await muster::request<int>(ctx, adder, 1h, 1);
    });
    crew.execute("canceller", [asks] { asks.cancel(); });
    const auto whole = crew.wait();
    caf::anon_send_exit(adder, caf::exit_reason::user_shutdown);
    seen.saw(to_string(asks.get().kind()));
    return promised{}
        .that(whole.has_value(), "nobody fails")
        .that(asks.get().cancelled() || (asks.get().ok() && asks.get().value() == 2), "it is the answer or the reason");
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"ok", "cancelled"}) == lines{});
  CHECK(explore(by_priority(), race));
}
