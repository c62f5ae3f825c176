// Retries and circuit breakers in coroutine bodies: the promises of the blocking forms, and no thread held meanwhile.
#include "explored.hpp"

#include <stdexcept>

using namespace support;
using muster::async_context;
using muster::breaker_state;
using muster::circuit_breaker;
using muster::coro;
using muster::jitter;
using muster::result;
using muster::retry;
using muster::retry_policy;

namespace {

/// Delays of a second, two, four, … without jitter.
const retry_policy plain{.attempts = 5, .first_delay = 1s, .factor = 2, .spread = jitter::none};

result<int> broken_once_more() { return std::unexpected{muster::error{std::errc::io_error, "broken"}}; }
coro<result<int>> breaks(async_context& ctx) {
  auto nap = ctx.sleep_for(100ms);
  if (auto slept = co_await nap; !slept)
    co_return std::unexpected{slept.error()};
  co_return broken_once_more();
}

/// Runs `body` as the only task of a simulated site, and gives how it ended and how long that took.
template <class T, class F>
std::pair<muster::outcome<T>, muster::duration> alone(F body, muster::duration timeout = muster::no_timeout) {
  simulation sim{1};
  std::optional<muster::outcome<T>> out;
  static_cast<void>(sim.run([&] {
    auto crew = sim.create_scope("crew", {.on_failure = muster::isolate});
    auto t = crew.execute({.name = "caller", .timeout = timeout}, std::move(body));
    const auto whole = crew.wait();
    out.emplace(std::move(t).get());
    return whole;
  }));
  return {std::move(*out), sim.elapsed()};
}

} // namespace

TEST_CASE("a coroutine operation is retried with its attempt, its delays and its own waits") {
  journal made;
  const auto [out, took] = alone<int>([&](async_context& ctx) -> coro<result<int>> {
    auto tries = retry(ctx, plain, [&](async_context& c, std::size_t attempt) -> coro<result<int>> {
      made.write(std::to_string(attempt));
      if (attempt == 4)
        co_return 7;
      auto once = breaks(c);
      co_return co_await once;
    });
    co_return co_await tries;
  });
  CHECK(out.value() == 7);
  CHECK(made.lines() == lines{"1", "2", "3", "4"});
  CHECK(took == 1s + 2s + 4s + 3 * 100ms);
}

TEST_CASE("coroutines and plain functions, with a context or without, with values or none, are retried") {
  const auto [out, took] = alone<int>([](async_context& ctx) -> coro<int> {
    int right = 0;
    auto path = retry(ctx, plain, [](async_context& c) -> coro<std::string> { co_return c.path(); });
    auto got = co_await path;
    right += got && *got == "site/crew/caller";
    auto nothing = retry(ctx, plain, []() -> coro<void> { co_return; });
    auto done = co_await nothing;
    right += done.has_value();
    auto no_value = retry(ctx, plain, []() -> coro<result<void>> { co_return result<void>{}; });
    auto fine = co_await no_value;
    right += fine.has_value();
    auto only_moves = retry(ctx, plain, [] { return std::make_unique<int>(3); });
    auto three = co_await only_moves;
    right += three && **three == 3;
    auto counts = retry(ctx, plain, [](async_context&, std::size_t attempt) -> result<std::size_t> {
      if (attempt == 2)
        return attempt;
      return std::unexpected{muster::error{std::errc::io_error, "broken"}};
    });
    auto second = co_await counts;
    right += second && *second == 2;
    co_return right;
  });
  CHECK(out.value() == 5);
  CHECK(took == 1s);
}

TEST_CASE("what a retried coroutine throws is its failure, and the last one comes back with how many there were") {
  const auto [out, took] = alone<int>([](async_context& ctx) -> coro<result<int>> {
    auto tries = retry(ctx, plain, [](async_context& c, std::size_t attempt) -> coro<int> {
      auto turn = c.yield();
      static_cast<void>(co_await turn);
      throw std::out_of_range{"attempt " + std::to_string(attempt)};
    });
    co_return co_await tries;
  });
  REQUIRE(out.failed());
  CHECK(out.error().message() == "gave up after 5 attempts: no attempts are left");
  REQUIRE(out.error().as<std::out_of_range>() != nullptr);
  CHECK(out.error().as<std::out_of_range>()->what() == std::string{"attempt 5"});
  CHECK(took == 1s + 2s + 4s + 8s);
}

TEST_CASE("a coroutine sleeps no delay that would end at its deadline or after it") {
  const auto body = [](async_context& ctx) -> coro<result<int>> {
    auto tries = retry(ctx, plain, [] { return broken_once_more(); });
    co_return co_await tries;
  };
  const auto [out, took] = alone<int>(body, 3s); // a second, and two more: the deadline
  REQUIRE(out.failed());                        // and not timed out
  CHECK(out.error().message() == "gave up after 2 attempts: the deadline comes before the next");
  CHECK(took == 1s);
}

TEST_CASE("a thousand coroutines between two attempts hold no worker") {
  auto clock = still_clock();
  muster::manager site{on(clock, {.name = "site", .workers = 1, .max_workers = 1})};
  auto crew = site.create_scope("crew");
  std::atomic<int> failed = 0;
  for (int i = 0; i < 1000; ++i)
    crew.execute("caller", [&](async_context& ctx) -> coro<result<int>> {
      auto tries = retry(ctx, plain, [&](async_context&, std::size_t attempt) -> coro<result<int>> {
        if (attempt == 1)
          co_return ++failed, broken_once_more();
        co_return 7;
      });
      co_return co_await tries;
    });
  await([&] { return failed == 1000; });
  auto other = crew.execute("other", [] { return 1; });
  CHECK(other.get().value() == 1);
  CHECK(site.lane().most_workers == 1);
  await([&] {
    clock->advance(1s);
    return crew.stats().tasks_live == 0;
  });
  CHECK(crew.wait().has_value());
}

TEST_CASE("a coroutine that is asked to stop between two attempts makes no further one and leaves nothing behind") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  auto held = std::make_shared<int>(0);
  std::atomic<int> calls = 0;
  auto t = crew.execute("caller", [&calls, held](async_context& ctx) -> coro<result<int>> {
    auto policy = plain;
    policy.retry_if = [held](const muster::error&) { return true; };
    auto tries = retry(ctx, policy, [&calls, held](async_context&) -> coro<result<int>> {
      ++calls;
      co_return broken_once_more();
    });
    co_return co_await tries;
  });
  await([&] { return waits(crew.tree(), "caller"); });
  t.cancel("enough");
  CHECK(t.get().cancelled());
  CHECK(calls == 1);
  CHECK(contains(to_line(t.get().error()), "enough"));
  CHECK(contains(to_line(t.get().error()), "broken"));
  CHECK(held.use_count() == 1);
}

TEST_CASE("explored: the end of a delay against a cancel is another attempt or none, and never a third") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    int calls = 0;
    auto crew = site.create_scope("crew");
    auto t = crew.execute("caller", [&](async_context& ctx) -> coro<result<int>> {
      auto tries = retry(ctx, plain, [&](async_context&, std::size_t attempt) -> coro<result<int>> {
        ++calls;
        if (attempt == 2)
          co_return 7;
        co_return broken_once_more();
      });
      co_return co_await tries;
    });
    crew.execute("canceller", [t](context& ctx) -> result<void> {
      auto slept = ctx.sleep_for(1s);
      t.cancel();
      return slept;
    });
    const auto whole = crew.wait();
    const auto& end = t.get();
    seen.saw(to_string(end.kind()));
    return promised{}
      .that(whole.has_value(), "nobody else fails")
      .that(end.ok() ? calls == 2 : end.cancelled() && calls <= 2, "two attempts, or cancelled")
      .books(site, 2, 2);
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"ok", "cancelled"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("a breaker counts what coroutine operations give, refuses when it is open, and lets one probe through") {
  simulation sim{1};
  circuit_breaker b{sim, 2, 30s};
  std::string said;
  const auto whole = sim.run([&](simulation& site) {
    auto crew = site.create_scope("crew");
    crew.execute("caller", [&](async_context& ctx) -> coro<result<void>> {
      const auto say = [&](const result<int>& got) {
        said += (got ? std::to_string(*got) : got.error().message()) + " ";
      };
      auto first = b.execute(ctx, [](async_context& c) { return breaks(c); });
      say(co_await first);
      auto second = b.execute(ctx, [&]() -> coro<int> { throw std::runtime_error{"thrown"}; co_return 1; });
      say(co_await second);
      bool called = false;
      auto third = b.execute(ctx, [&called]() -> coro<int> { called = true; co_return 1; });
      auto refused = co_await third;
      said += refused.error().code() == errc::breaker_open && !called ? "refused " : "let through ";
      auto nap = ctx.sleep_for(30s);
      static_cast<void>(co_await nap);
      auto probe = b.execute(ctx, [] { return 4; });
      say(co_await probe);
      auto nothing = b.execute(ctx, []() -> coro<void> { co_return; });
      auto done = co_await nothing;
      said += done ? "done" : "?";
      co_return result<void>{};
    });
    return crew.wait();
  });
  CHECK(whole.has_value());
  CHECK(said == "broken thrown refused 4 done");
  CHECK(b.state() == breaker_state::closed);
  CHECK(b.stats().refused == 1);
}

TEST_CASE("a suspended call whose task is asked to stop counts as neither, and such a probe gives its place back") {
  auto clock = still_clock();
  muster::manager site{on(clock)};
  circuit_breaker b{site, 1, 30s};
  auto crew = site.create_scope("crew");
  const auto waits_inside = [&](async_context& ctx) -> coro<result<void>> {
    auto call = b.execute(ctx, [](async_context& c) -> coro<result<void>> {
      auto nap = c.sleep_for(1h);
      co_return co_await nap;
    });
    co_return co_await call;
  };
  auto closed = crew.execute("closed", waits_inside);
  await([&] { return waits(crew.tree(), "closed"); });
  closed.cancel();
  CHECK(closed.get().cancelled());
  CHECK(b.state() == breaker_state::closed);
  static_cast<void>(b.execute([] { return broken_once_more(); }));
  CHECK(b.state() == breaker_state::open);
  clock->advance(30s);
  auto probe = crew.execute("probe", waits_inside);
  await([&] { return waits(crew.tree(), "probe"); });
  CHECK(error_of(b.execute([] { return 1; })).code() == errc::breaker_open);
  probe.cancel();
  CHECK(probe.get().cancelled());
  CHECK(b.execute([] { return 1; }).has_value());
  CHECK(b.state() == breaker_state::closed);
}

TEST_CASE("a coroutine's permit reports by hand and is taken back when its task ends without a report") {
  muster::manager site{standing_still()};
  circuit_breaker b{site, 1, 30s};
  auto crew = site.create_scope("crew");
  std::optional<muster::breaker_permit> kept;
  auto forgets = crew.execute("forgets", [&](async_context& ctx) -> coro<result<void>> {
    auto permit = b.try_acquire(ctx);
    if (!permit)
      co_return std::unexpected{permit.error()};
    kept.emplace(std::move(*permit));
    co_return result<void>{};
  });
  CHECK(forgets.get().ok());
  CHECK(b.stats().reclaimed == 1);
  auto reports = crew.execute("reports", [&](async_context& ctx) -> coro<result<void>> {
    auto permit = b.try_acquire(ctx);
    if (!permit)
      co_return std::unexpected{permit.error()};
    permit->failure(muster::error{std::errc::io_error, "broken"});
    co_return result<void>{};
  });
  CHECK(reports.get().ok());
  CHECK(b.state() == breaker_state::open);
}

TEST_CASE("a retried coroutine waits as long as an open breaker asks for") {
  simulation sim{1};
  circuit_breaker b{sim, 1, 30s};
  int calls = 0;
  const auto whole = sim.run([&](simulation& site) {
    auto crew = site.create_scope("crew");
    crew.execute("caller", [&](async_context& ctx) -> coro<result<int>> {
      auto tries = retry(ctx, plain, [&](async_context& c) {
        return b.execute(c, [&]() -> coro<result<int>> { co_return ++calls == 1 ? broken_once_more() : 7; });
      });
      co_return co_await tries;
    });
    return crew.wait();
  });
  CHECK(whole.has_value());
  CHECK(calls == 2);
  CHECK(sim.elapsed() == 30s);
}
