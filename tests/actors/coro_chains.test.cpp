// Coroutines that await coroutines: a million of them need no stack, in no kind of build.
#include "support.hpp"

#include <memory>

using namespace support;
using muster::async_context;
using muster::coro;
using muster::result;

namespace {

constexpr int many = 1'000'000;

coro<int> depth(int n) {
  if (n == 0)
    co_return 0;
  co_return 1 + co_await depth(n - 1);
}

coro<int> fails_at_depth(int n) {
  if (n == 0)
    throw std::runtime_error{"at the bottom"};
  co_return 1 + co_await fails_at_depth(n - 1);
}

coro<int> sleeps_at_depth(async_context& ctx, int n) {
  if (n == 0)
    co_return (co_await ctx.sleep_for(1h)) ? 0 : -1;
  co_return 1 + co_await sleeps_at_depth(ctx, n - 1);
}

coro<int> gives(int n) { co_return n; }

coro<int> hands_on(coro<int> from) { co_return co_await from; }

/// Counts those that live.
struct counted {
  explicit counted(std::atomic<int>& c) : count{&c} { ++*count; }
  counted(const counted& other) : count{other.count} { ++*count; }
  ~counted() { --*count; }
  std::atomic<int>* count;
};

} // namespace

TEST_CASE("a million coroutines may await each other at the same time") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  CHECK(crew.execute("deep", [] { return depth(many); }).get().value() == many);
}

TEST_CASE("a million awaits may complete one after the other without a suspension") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  auto sum = crew.execute("loop", []() -> coro<long> {
    long all = 0;
    for (int i = 0; i < many; ++i)
      all += co_await gives(1);
    co_return all;
  });
  CHECK(sum.get().value() == many);
  auto ended = crew.execute("ended", [] { return 1; });
  static_cast<void>(ended.get());
  auto again = crew.execute("tasks", [=]() -> coro<long> {
    long all = 0;
    for (int i = 0; i < many / 10; ++i)
      all += (co_await ended).value();
    co_return all;
  });
  CHECK(again.get().value() == many / 10);
}

TEST_CASE("an exception passes up through a hundred thousand coroutines") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
  const auto t = crew.execute("deep", [] { return fails_at_depth(many / 10); });
  CHECK(t.get().failed());
  CHECK(t.get().error().message() == "at the bottom");
}

TEST_CASE("a chain of a million coroutines sleeps, is cancelled at its bottom and comes up again") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  const auto t = crew.execute("deep", [](async_context& ctx) { return sleeps_at_depth(ctx, many); });
  await([&] { return waits(crew.tree(), "deep"); });
  t.cancel();
  CHECK(t.get().value() == many - 1);
}

TEST_CASE("a million coroutines that were handed to each other and never awaited are destroyed without a deep stack") {
  std::atomic<int> living = 0;
  {
    auto chain = gives(1);
    for (int i = 0; i < many; ++i)
      chain = hands_on(std::move(chain));
    CHECK(chain.valid());
    auto holds = [](counted) -> coro<void> { co_return; };
    auto never = holds(counted{living});
    CHECK(living == 1);
  }
  CHECK(living == 0);
}

TEST_CASE("a coroutine that was awaited is empty afterwards") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  auto t = crew.execute("body", []() -> coro<bool> {
    auto one = gives(3);
    const bool before = one.valid();
    const int got = co_await one;
    co_return before && got == 3 && !one.valid();
  });
  CHECK(t.get().value());
}
