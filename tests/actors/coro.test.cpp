// Coroutine bodies: what can be awaited, what it gives, and that nothing holds a thread meanwhile.
#include "support.hpp"

#include <atomic>
#include <memory>
#include <stdexcept>

using namespace support;
using muster::async_context;
using muster::coro;
using muster::result;

TEST_CASE("a coroutine body sleeps and gives its value") {
  auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  auto t = crew.execute("sleeper", [](async_context& ctx) -> coro<int> {
    auto slept = co_await ctx.sleep_for(5s);
    co_return slept ? 3 : 4;
  });
  await([&] { return waits(crew.tree(), "sleeper"); });
  clock->advance(5s);
  CHECK(t.get().value() == 3);
  CHECK(crew.wait().has_value());
}

TEST_CASE("a coroutine awaits others, tasks, scopes and blocking functions") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  auto first = crew.execute("first", [] { return 20; });
  auto t = crew.execute("all", [=](async_context& ctx) -> coro<result<int>> {
    const auto& one = co_await first;
    auto twice = [](int n) -> coro<int> { co_return 2 * n; };
    int sum = co_await twice(one.value());
    auto below = ctx.create_scope("below");
    auto plain = below.execute("plain", [] { return 1; });
    auto other = below.execute("other", [](async_context& inner) -> coro<int> {
      static_cast<void>(co_await inner.yield());
      co_return 1;
    });
    if (auto joined = co_await below; !joined)
      co_return std::unexpected{joined.error()};
    auto job = ctx.blocking([] { return 5; });
    auto five = co_await job;
    sum += *five + plain.get().value() + other.get().value();
    co_return sum + co_await muster::or_throw(first);
  });
  CHECK(t.get().value() == 67);
  CHECK(crew.wait().has_value());
}

TEST_CASE("a suspended coroutine is cancelled and gets the reason") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  auto t = crew.execute("sleeper", [](async_context& ctx) -> coro<result<void>> {
    co_return co_await ctx.sleep_for(1h);
  });
  await([&] { return waits(crew.tree(), "sleeper"); });
  t.cancel("enough");
  CHECK(t.get().cancelled());
  CHECK(crew.wait().has_value());
}

TEST_CASE("a scope that a coroutine leaves open is cancelled and the outcome waits for it") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  journal said;
  auto t = crew.execute("leaver", [&](async_context& ctx) -> coro<int> {
    auto below = ctx.create_scope("below");
    below.execute("child", [&](context& c) { c.wait_until_cancelled(); said.write("child left"); });
    co_return 1;
  });
  CHECK(t.get().ok());
  CHECK(said.size() <= 1);
  CHECK(crew.wait().has_value());
}

// -- what does not compile
// ------------------------------------------------------------------------------------------------

namespace {

template <class Ctx>
concept blocks_for_its_waits = requires(Ctx& ctx, muster::resource_pool<int>& pool) {
  { ctx.sleep_for(1s) } -> std::same_as<result<void>>;
} || requires(Ctx& ctx) {
  { ctx.wait_until_cancelled() } -> std::same_as<muster::cancel_reason>;
} || requires(Ctx& ctx, muster::resource_pool<int>& pool) {
  { pool.acquire(ctx) } -> std::same_as<result<muster::lease<int>>>;
} || requires(Ctx& ctx) {
  { ctx.create_scope("x").wait() } -> std::same_as<result<void>>;
};

} // namespace
static_assert(blocks_for_its_waits<context>);
static_assert(!blocks_for_its_waits<async_context>, "no function of an async_context blocks");
static_assert(muster::detail::suspends<coro<int> (*)(async_context&)> && !muster::detail::suspends<int (*)(context&)>);
static_assert(std::same_as<muster::detail::body_value<coro<result<int>> (*)(async_context&)>, int>);
static_assert(std::same_as<muster::detail::body_value<coro<result<void>> (*)()>, void>);
static_assert(!std::is_copy_constructible_v<coro<int>> && std::is_nothrow_move_constructible_v<coro<int>>);
static_assert(!muster::detail::ours_to_await<std::suspend_always>,
              "what is not ours cannot be awaited in a body of ours");

// -- awaiting tasks
// -------------------------------------------------------------------------------------------------------

TEST_CASE("an awaited task gives its outcome by reference, an rvalue moves it out, and it may be awaited again") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  auto made = crew.execute("made", [] { return std::make_unique<int>(3); });
  auto t = crew.execute("awaits", [made](async_context&) mutable -> coro<int> {
    const auto& one = co_await made;
    const auto& again = co_await made;
    const bool same = &one == &again && &one == &made.get();
    auto taken = co_await std::move(made);
    co_return same ? *taken.value() : 0;
  });
  CHECK(t.get().value() == 3);
}

TEST_CASE("an awaited task that failed gives its own outcome, or throws its error if that is chosen") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
  auto bad = crew.execute("bad", fails("broken"));
  auto looks = crew.execute("looks", [bad](async_context&) -> coro<bool> {
    const auto& end = co_await bad;
    co_return end.failed() && end.error().message() == "broken";
  });
  auto throws = crew.execute("throws", [bad](async_context&) -> coro<void> { co_await muster::or_throw(bad); });
  CHECK(looks.get().value());
  CHECK(throws.get().failed());
  CHECK(throws.get().error().message() == "broken");
  CHECK(muster::same_origin(throws.get().error(), bad.get().error()));
}

TEST_CASE("the await of a task ends when the one who awaits is asked to stop, and the task goes on") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  gate open;
  let_go guard{open};
  auto slow = crew.execute("slow", [&] { return open.wait(), 3; });
  auto awaits = crew.execute("awaits", [slow](async_context&) -> coro<std::string> {
    const auto& end = co_await slow;
    co_return std::string{to_string(end.kind())} + ": " + end.error().path() + (slow.ready() ? " ready" : " not ready");
  });
  await([&] { return waits(crew.tree(), "awaits"); });
  awaits.cancel("enough");
  CHECK(awaits.get().value() == "cancelled: site/crew/awaits not ready");
  open.open();
  CHECK(slow.get().value() == 3);
}

TEST_CASE("a coroutine that awaits itself, or what it runs under, is told the path") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
  muster::task<result<void>> none;
  muster::task<void> self;
  gate known;
  self = crew.execute("self", [&]() -> coro<result<void>> {
    known.wait();
    const auto& end = co_await self;
    co_return end.as_result();
  });
  known.open();
  CHECK(self.get().failed());
  CHECK(self.get().error().code() == errc::would_deadlock);
  CHECK(contains(self.get().error().message(), "site/crew/self"));
  auto below = crew.execute("outer", [&](async_context& ctx) -> coro<result<void>> {
    auto inner = ctx.create_scope("inner");
    inner.execute("child", [&inner](async_context&) -> coro<result<void>> { co_return co_await inner; });
    co_return co_await inner;
  });
  CHECK(below.get().error().is(errc::would_deadlock));
}

// -- cancellation and failure
// -----------------------------------------------------------------------------------------------

TEST_CASE("an await that throws by choice ends the body with the reason") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  auto t = crew.execute("sleeper", [](async_context& ctx) -> coro<int> {
    co_await muster::or_throw(ctx.sleep_for(1h));
    co_return 1;
  });
  await([&] { return waits(crew.tree(), "sleeper"); });
  t.cancel("enough");
  CHECK(t.get().cancelled());
  CHECK(t.get().error().message().find("enough") != std::string::npos);
}

TEST_CASE("a task's own timeout ends its await and is its outcome") {
  auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  auto t = crew.execute({.name = "sleeper", .timeout = 5s},
                        [](async_context& ctx) -> coro<result<void>> { co_return co_await ctx.sleep_for(1h); });
  await([&] { return waits(crew.tree(), "sleeper"); });
  clock->advance(5s);
  CHECK(t.get().timed_out());
}

TEST_CASE("what a coroutine throws before its first await is the failure of the task") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
  auto early = crew.execute("early", [](async_context&) -> coro<int> {
    throw std::runtime_error{"early"};
    co_return 1;
  });
  auto none =
      crew.execute("none", [](async_context&) -> coro<int> { throw std::runtime_error{"no coroutine at all"}; });
  CHECK(early.get().error().message() == "early");
  CHECK(none.get().error().message() == "no coroutine at all");
}

TEST_CASE("a coroutine that is cancelled before it starts never runs and drops its callable") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  crew.cancel();
  auto held = std::make_shared<int>(1);
  bool ran = false;
  auto t = crew.execute("never", [&ran, held](async_context&) -> coro<void> {
    ran = true;
    co_return;
  });
  CHECK(t.get().cancelled());
  CHECK_FALSE(ran);
  CHECK(held.use_count() == 1);
}

TEST_CASE("frame, captures and parameters are gone when the outcome counts") {
  muster::manager site{standing_still()};
  auto held = std::make_shared<int>(1);
  auto crew = site.create_scope("crew");
  auto nested = [](async_context& ctx, std::shared_ptr<int> mine) -> coro<result<void>> {
    auto local = mine;
    co_return co_await ctx.sleep_for(1h);
  };
  std::vector<muster::task<void>> all;
  for (int i = 0; i < 100; ++i)
    all.push_back(crew.execute("holder " + std::to_string(i), [held, nested](async_context& ctx) -> coro<result<void>> {
      auto local = held;
      co_return co_await nested(ctx, local);
    }));
  await([&] { return held.use_count() == 1 + 100 * 4; });
  crew.cancel();
  for (const auto& each : all)
    static_cast<void>(each.get());
  CHECK(held.use_count() == 1);
}

TEST_CASE("a thousand coroutines sleep on one worker and hold none") {
  auto clock = still_clock();
  muster::manager site{on(clock, {.name = "site", .workers = 1, .max_workers = 1})};
  auto crew = site.create_scope("crew");
  std::atomic<int> begun = 0;
  for (int i = 0; i < 1000; ++i)
    crew.execute("sleeper", [&](async_context& ctx) -> coro<result<void>> {
      ++begun;
      co_return co_await ctx.sleep_for(1s);
    });
  await([&] { return begun == 1000; });
  auto other = crew.execute("other", [] { return 1; });
  CHECK(other.get().value() == 1);
  CHECK(site.lane().most_workers == 1);
  clock->advance(1s);
  CHECK(crew.wait().has_value());
}

TEST_CASE("a coroutine that waits gives its permit to others and takes it back before it goes on") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew", {.max_parallel = 1});
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  const auto enter = [&] { most = std::max(most.load(), ++inside); };
  std::vector<muster::task<void>> all;
  for (int i = 0; i < 8; ++i)
    all.push_back(crew.execute("outer " + std::to_string(i), [&](async_context& ctx) -> coro<void> {
      enter();
      auto child = crew.execute("child", [&] { enter(), --inside; });
      --inside;
      static_cast<void>(co_await child);
      enter();
      static_cast<void>(co_await ctx.yield());
      --inside;
    }));
  CHECK(crew.wait().has_value());
  CHECK(most == 1);
}

TEST_CASE("a suspended coroutine is never accused, and one that does not answer is") {
  auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew", {.grace = 1s});
  gate began;
  gate open;
  let_go guard{open};
  auto waits_for_child = crew.execute("parent", [&](async_context& ctx) -> coro<result<void>> {
    auto below = ctx.create_scope("below");
    below.execute("stubborn", [&] {
      began.open();
      open.wait();
    });
    co_return co_await below;
  });
  await([&] { return waits(crew.tree(), "parent"); });
  began.wait(); // cancelled before that, it would never run
  crew.cancel();
  await([&] {
    clock->advance(1s);
    return crew.stats().tasks_unresponsive > 0;
  });
  open.open();
  static_cast<void>(crew.wait());
  CHECK(crew.stats().tasks_unresponsive == 1);
}

// -- blocking functions
// -------------------------------------------------------------------------------------------------------

TEST_CASE("a blocking function gives its value, its error or its exception, and may use a context that blocks") {
  auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  auto t = crew.execute("body", [](async_context& ctx) -> coro<std::string> {
    std::string said;
    auto value = ctx.blocking([](context& plain) { return plain.path(); });
    auto got = co_await value;
    said += *got;
    auto failing = ctx.blocking(fails("no"));
    auto failed = co_await failing;
    said += " " + failed.error().message();
    auto throwing = ctx.blocking([]() -> int { throw std::runtime_error{"thrown"}; });
    auto thrown = co_await throwing;
    said += " " + thrown.error().message();
    co_return said;
  });
  CHECK(t.get().value() == "site/crew/body no thrown");
}

TEST_CASE("a blocking function that has begun runs to its end when the task is asked to stop, and its value stands") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  gate begun;
  auto t = crew.execute("body", [&](async_context& ctx) -> coro<int> {
    auto job = ctx.blocking([&](context& plain) {
      begun.open();
      plain.wait_until_cancelled();
      return 5;
    });
    auto got = co_await job;
    auto second = ctx.blocking([] { return 1; });
    auto late = co_await second;
    co_return late ? 0 : *got;
  });
  begun.wait();
  t.cancel();
  CHECK(t.get().value() == 5);
}

// -- scopes that are left open
// ------------------------------------------------------------------------------------------------

TEST_CASE(
    "children and releases of a scope that a thrown exception left open come before the outcome, on no worker's time") {
  auto clock = still_clock();
  muster::manager site{on(clock, {.name = "site", .workers = 1, .max_workers = 1})};
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
  auto said = std::make_shared<journal>();
  auto t = crew.execute("leaver", [said](async_context& ctx) -> coro<void> {
    auto below = ctx.create_scope("below");
    static_cast<void>(below.register_resource("thing", 1, [said](int&) { said->write("released"); }));
    auto child = below.execute("child", [said](async_context& inner) -> coro<void> {
      static_cast<void>(co_await inner.cancelled_event());
      said->write("child left");
    });
    static_cast<void>(co_await ctx.yield());
    throw std::runtime_error{"out"};
  });
  CHECK(t.get().error().message() == "out");
  CHECK(said->lines().back() == "released");
}

TEST_CASE("waiting for a scope for some time neither cancels nor closes it") {
  auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  gate held;
  const let_go at_last{held};
  std::atomic<bool> waited{false};
  auto t = crew.execute("body", [&](async_context& ctx) -> coro<std::string> {
    auto below = ctx.create_scope("below");
    auto child = below.execute("child", [&] { held.wait(); });
    const auto early = co_await below.wait_for(1s);
    const bool open = !below.cancelled();
    auto more = below.execute("more", [] { return 1; });
    waited = true;
    const auto whole = co_await below;
    co_return std::string{early ? "ended" : early.error().code().message()} +
        (open && whole && more.get().ok() ? ", fine" : "");
  });
  await([&] {
    clock->advance(1s);
    return waited.load();
  });
  held.open();
  CHECK(t.get().value() == "not ready, fine");
}
