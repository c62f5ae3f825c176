// Whom a coroutine waits for, as the trace and the tree tell it.
#include "explored.hpp"

#include "manager_actor.hpp"
#include "scope_actor.hpp"

#include <muster/resource_pool.hpp>

#include <algorithm>

using namespace support;
using muster::async_context;
using muster::async_scope;
using muster::coro;
using muster::event;
using muster::result;
using kind = muster::event_kind;

namespace {

std::vector<event> events(muster::manager& site, kind which) {
  std::vector<event> found;
  for (const auto& e : site.actor()->engine().trace().snapshot())
    if (e.kind == which)
      found.push_back(e);
  return found;
}
std::string text(muster::manager& site, const event& e) { return site.actor()->engine().trace().text(e.text); }

/// The one that tells that this wait is over, or an empty one.
event end_of(muster::manager& site, const event& began) {
  for (const auto& e : events(site, kind::wait_ended))
    if (e.cause == began.sequence)
      return e;
  return {};
}

/// The waits of `who` for `whom`.
std::vector<event> waits_for(muster::manager& site, std::uint64_t whom) {
  auto all = events(site, kind::wait_began);
  std::erase_if(all, [&](const event& e) { return static_cast<std::uint64_t>(e.value) != whom; });
  return all;
}

/// The id of what was created with this name.
std::uint64_t id_of(muster::manager& site, kind created, const std::string& name) {
  for (const auto& e : events(site, created))
    if (text(site, e) == name)
      return e.subject;
  return 0;
}

coro<result<void>> sleeps_a_second(async_context& ctx) { co_return co_await ctx.sleep_for(1s); }

} // namespace

TEST_CASE("the wait of a coroutine for a scope carries the scope's id, whether it has to wait or not") {
  for (const bool has_to_wait : {true, false}) {
    simulation site{1};
    std::uint64_t whom = 0;
    const auto whole = site.run([&] {
      auto crew = site.create_scope("crew");
      crew.execute("body", [&](async_context& ctx) -> coro<result<void>> {
        auto below = ctx.create_scope("below");
        whom = below.actor()->id();
        if (has_to_wait)
          below.execute("child", sleeps_a_second);
        auto joined = co_await below;
        if (!has_to_wait)
          joined = co_await below; // again, of one that has ended
        co_return joined;
      });
      return crew.wait();
    });
    CHECK(whole.has_value());
    const auto told = waits_for(site, whom);
    REQUIRE(told.size() == (has_to_wait ? 1 : 2));
    CHECK(told.front().subject != 0);
    CHECK(end_of(site, told.front()).sequence != 0);
    CHECK(end_of(site, told.back()).value == 0);
  }
}

TEST_CASE("a failure that a coroutine takes from a scope has the end of that wait as its cause") {
  simulation site{1};
  std::uint64_t whom = 0;
  const auto whole = site.run([&] {
    auto crew = site.create_scope("crew");
    crew.execute("body", [&](async_context& ctx) -> coro<result<void>> {
      auto below = ctx.create_scope("below");
      whom = below.actor()->id();
      below.execute("child", [](async_context& inner) -> coro<result<void>> {
        auto nap = inner.sleep_for(1s);
        static_cast<void>(co_await nap);
        co_return std::unexpected{muster::error{std::errc::io_error, "broken"}};
      });
      co_return co_await below;
    });
    return crew.wait();
  });
  CHECK_FALSE(whole.has_value());
  const auto told = waits_for(site, whom);
  REQUIRE(told.size() == 1);
  const auto over = end_of(site, told[0]);
  const auto failures = events(site, kind::failure);
  CHECK(std::ranges::count(failures, over.sequence, &event::cause) == 1);
}

TEST_CASE("a scope that a coroutine leaves open is told as waited for by that task until it has ended") {
  auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  gate open;
  let_go guard{open};
  gate begun;
  std::atomic<std::uint64_t> whom = 0;
  auto t = crew.execute("leaver", [&](async_context& ctx) -> coro<void> {
    auto below = ctx.create_scope("below");
    whom = below.actor()->id();
    below.execute("child", [&] { begun.open(), open.wait(); });
    while (!begun.is_open())
      static_cast<void>(co_await ctx.yield());
  });
  await([&] {
    for (const auto& node : crew.tree().nodes)
      if (node.name == "leaver" && node.waits_for == "the scopes that its body left open")
        return !waits_for(site, whom).empty();
    return false;
  });
  REQUIRE(waits_for(site, whom).size() == 1);
  const auto told = waits_for(site, whom)[0];
  CHECK(told.subject == id_of(site, kind::task_created, "leaver"));
  CHECK(text(site, told) == "its destructor");
  CHECK(end_of(site, told).sequence == 0);
  open.open();
  CHECK(t.get().ok());
  CHECK(end_of(site, told).sequence != 0);
}

TEST_CASE("every kind of wait of a coroutine tells whom or what it is for, and that it is over") {
  simulation site{1};
  muster::resource_pool<int> pool{site, 1, [] { return 1; }};
  muster::channel<int> orders{0, "orders"};
  std::uint64_t task_id = 0;
  const auto whole = site.run([&] {
    auto crew = site.create_scope("crew");
    auto other = crew.execute("other", sleeps_a_second);
    crew.execute("holder", [&](async_context& ctx) -> coro<result<void>> {
      auto lease = co_await pool.acquire(ctx);
      if (!lease)
        co_return std::unexpected{lease.error()};
      co_return co_await ctx.sleep_for(5s);
    });
    crew.execute("body", [&, other](async_context& ctx) -> coro<result<void>> {
      static_cast<void>(co_await other);
      auto lease = co_await pool.acquire(ctx);
      if (!lease)
        co_return std::unexpected{lease.error()};
      static_cast<void>(co_await orders.receive(ctx));
      co_return result<void>{};
    });
    crew.execute("sender", [&](async_context& ctx) -> coro<result<void>> {
      if (auto slept = co_await ctx.sleep_for(10s); !slept)
        co_return std::unexpected{slept.error()};
      co_return co_await orders.send(ctx, 1);
    });
    return crew.wait();
  });
  CHECK(whole.has_value());
  task_id = id_of(site, kind::task_created, "body");
  REQUIRE(task_id != 0);
  lines said;
  for (const auto& e : events(site, kind::wait_began))
    if (e.subject == task_id) {
      const auto whom = static_cast<std::uint64_t>(e.value);
      said.push_back(whom == 0 ? text(site, e)
                     : whom == id_of(site, kind::task_created, "other") ? "other"
                     : whom == id_of(site, kind::pool_created, "pool")  ? "pool"
                                                                        : "?");
      CHECK(end_of(site, e).sequence != 0);
    }
  CHECK(said == lines{"other", "pool", "a value of channel orders"});
}

TEST_CASE("who waits for a scope in which nothing runs any more has waited for it all the same") {
  muster::manager site{{.name = "site", .workers = 2}};
  std::uint64_t by_wait = 0;
  std::uint64_t by_destructor = 0;
  {
    auto waited = site.create_scope("waited");
    static_cast<void>(waited.execute("task", [] {}).get());
    CHECK(waited.wait());
    auto left = site.create_scope("left");
    static_cast<void>(left.execute("task", [] {}).get());
    by_wait = id_of(site, kind::scope_created, "waited");
    by_destructor = id_of(site, kind::scope_created, "left");
  }
  for (const auto whom : {by_wait, by_destructor}) {
    REQUIRE(whom != 0);
    const auto waits = waits_for(site, whom);
    REQUIRE(waits.size() == 1);
    CHECK(end_of(site, waits.front()).sequence != 0);
    CHECK(text(site, waits.front()) == (whom == by_wait ? "" : "its destructor"));
  }
}
