// Channels between coroutines and plain bodies: what is promised of sends, receives, closing and cancelling.
#include "support.hpp"

#include <muster/channel.hpp>

#include <numeric>

using namespace support;
using muster::async_context;
using muster::channel;
using muster::coro;
using muster::result;

namespace {

/// Counts how many of its kind there are.
struct counted {
  explicit counted(int& alive) : alive_{&alive} { ++*alive_; }
  counted(counted&& other) noexcept : alive_{std::exchange(other.alive_, nullptr)} {}
  counted& operator=(counted&& other) noexcept {
    std::swap(alive_, other.alive_);
    return *this;
  }
  ~counted() {
    if (alive_)
      --*alive_;
  }

private:
  int* alive_;
};

constexpr auto gathers = [](const channel<int>& from, async_context& ctx) -> coro<result<std::vector<int>>> {
  std::vector<int> all;
  for (;;) {
    auto next = co_await from.receive(ctx);
    if (!next) {
      if (next.error().code() == errc::channel_closed)
        co_return all;
      co_return std::unexpected{next.error()};
    }
    all.push_back(*next);
  }
};

} // namespace

TEST_CASE("a channel passes what one coroutine sends to another, in order, and ends when it is closed") {
  for (const std::size_t capacity : {0U, 1U, 7U, 1000U}) {
    muster::manager site{standing_still()};
    auto crew = site.create_scope("crew");
    const channel<int> numbers{capacity};
    crew.execute("writer", [numbers](async_context& ctx) -> coro<result<void>> {
      for (int i = 0; i != 100; ++i)
        if (auto sent = co_await numbers.send(ctx, i); !sent)
          co_return sent;
      numbers.close();
      co_return result<void>{};
    });
    auto reader = crew.execute("reader", [numbers](async_context& ctx) { return gathers(numbers, ctx); });
    std::vector<int> all(100);
    std::iota(all.begin(), all.end(), 0);
    CHECK(reader.get().value() == all);
    CHECK(crew.wait().has_value());
  }
}

TEST_CASE("plain bodies and coroutines use the same channel") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  const channel<std::string> words{1, "words"};
  crew.execute("plain writer", [words](context& ctx) -> result<void> {
    for (const char* each : {"a", "b", "c"})
      if (auto sent = words.send(ctx, each); !sent)
        return sent;
    return {};
  });
  auto reader = crew.execute("coroutine", [words](async_context& ctx) -> coro<result<std::string>> {
    std::string all;
    for (int i = 0; i != 3; ++i)
      all += co_await muster::or_throw(words.receive(ctx));
    auto reply = words.send(ctx, all + all);
    co_await muster::or_throw(reply);
    co_return all;
  });
  auto last =
      crew.execute({.name = "plain reader", .after = {reader}}, [words](context& ctx) { return words.receive(ctx); });
  CHECK(reader.get().value() == "abc");
  CHECK(last.get().value() == "abcabc");
  CHECK(crew.wait().has_value());
}

TEST_CASE("a channel is used without a task, as far as nothing has to be waited for") {
  channel<std::unique_ptr<int>> one{1, "one"};
  auto value = std::make_unique<int>(5);
  CHECK(error_of(one.try_receive()).code() == errc::not_ready);
  CHECK(one.try_send(std::move(value)).has_value());
  CHECK(one.size() == 1);
  value = std::make_unique<int>(6);
  CHECK(error_of(one.try_send(std::move(value))).code() == errc::not_ready);
  REQUIRE(value);
  CHECK(*value == 6);
  one.close();
  CHECK(error_of(one.try_send(std::move(value))).code() == errc::channel_closed);
  REQUIRE(value);
  auto got = one.try_receive();
  REQUIRE(got.has_value());
  CHECK(**got == 5);
  CHECK(error_of(one.try_receive()).code() == errc::channel_closed);
  CHECK(contains(error_of(one.try_receive()).message(), "one"));
  CHECK(one.closed());
  CHECK(one.capacity() == 1);
}

TEST_CASE("who waits for a channel shows what for, and lends its permit to who can end the wait") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew", {.max_parallel = 1});
  const channel<int> numbers{0, "numbers"};
  auto reader = crew.execute(
      "reader", [numbers](async_context& ctx) -> coro<result<int>> { co_return co_await numbers.receive(ctx); });
  await([&] { return waits(crew.tree(), "reader"); });
  for (const auto& node : crew.tree().nodes)
    if (node.name == "reader")
      CHECK(node.waits_for == "a value of channel numbers");
  crew.execute("writer", [numbers](context& ctx) { return numbers.send(ctx, 4); });
  CHECK(reader.get().value() == 4);
  CHECK(crew.wait().has_value());
}

TEST_CASE("closing a channel ends every wait for it") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
  const channel<int> empty{0};
  const channel<int> full{1};
  REQUIRE(full.try_send(1).has_value());
  std::vector<muster::task<int>> receivers;
  std::vector<muster::task<void>> senders;
  for (int i = 0; i != 3; ++i) {
    receivers.push_back(
        crew.execute("r", [empty](async_context& ctx) -> coro<result<int>> { co_return co_await empty.receive(ctx); }));
    receivers.push_back(crew.execute("r", [empty](context& ctx) { return empty.receive(ctx); }));
    senders.push_back(
        crew.execute("s", [full](async_context& ctx) -> coro<result<void>> { co_return co_await full.send(ctx, 2); }));
    senders.push_back(crew.execute("s", [full](context& ctx) { return full.send(ctx, 2); }));
  }
  await([&] {
    const auto nodes = crew.tree().nodes;
    return std::ranges::count_if(
               nodes, [](const auto& n) { return !n.waits_for.empty() && (n.name == "r" || n.name == "s"); }) == 12;
  });
  empty.close();
  full.close();
  for (const auto& each : receivers)
    CHECK(each.get().error().code() == errc::channel_closed);
  for (const auto& each : senders)
    CHECK(each.get().error().code() == errc::channel_closed);
  CHECK(full.try_receive().value() == 1);
  CHECK(error_of(full.try_receive()).code() == errc::channel_closed);
  CHECK_FALSE(crew.wait().has_value());
}

TEST_CASE("a cancelled wait for a channel takes nothing and delivers nothing, and its value is gone") {
  int alive = 0;
  {
    muster::manager site{standing_still()};
    auto crew = site.create_scope("crew");
    const channel<counted> things{0};
    auto plain = crew.execute("plain", [things, &alive](context& ctx) { return things.send(ctx, counted{alive}); });
    auto suspended = crew.execute("suspended", [things, &alive](async_context& ctx) -> coro<result<void>> {
      auto sending = things.send(ctx, counted{alive});
      co_return co_await sending;
    });
    await([&] { return waits(crew.tree(), "plain") && waits(crew.tree(), "suspended"); });
    plain.cancel();
    suspended.cancel();
    CHECK(plain.get().cancelled());
    CHECK(suspended.get().cancelled());
    CHECK(alive == 0);
    CHECK(error_of(things.try_receive()).code() == errc::not_ready);

    auto reader = crew.execute(
        "reader", [things](async_context& ctx) -> coro<result<counted>> { co_return co_await things.receive(ctx); });
    await([&] { return waits(crew.tree(), "reader"); });
    reader.cancel();
    CHECK(reader.get().cancelled());
    CHECK(error_of(things.try_send(counted{alive})).code() == errc::not_ready);
    CHECK(crew.wait().has_value());
  }
  CHECK(alive == 0);
}

TEST_CASE("a task that has been asked to stop sends and receives nothing more") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  const channel<int> numbers{2};
  REQUIRE(numbers.try_send(1).has_value());
  auto t = crew.execute("asked", [numbers](async_context& ctx) -> coro<result<void>> {
    static_cast<void>(co_await ctx.cancelled_event());
    const auto got = co_await numbers.receive(ctx);
    const auto sent = co_await numbers.send(ctx, 2);
    co_return got || sent ? result<void>{} : std::unexpected{sent.error()};
  });
  t.cancel();
  CHECK(t.get().cancelled());
  CHECK(numbers.size() == 1);
  CHECK(crew.wait().has_value());
}

TEST_CASE("a wait for a channel ends when its limit has passed") {
  auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
  const channel<int> empty{0, "empty"};
  auto suspended = crew.execute(
      "suspended", [empty](async_context& ctx) -> coro<result<int>> { co_return co_await empty.receive(ctx, 5s); });
  auto plain = crew.execute("plain", [empty](context& ctx) { return empty.receive(ctx, 5s); });
  await([&] { return waits(crew.tree(), "plain") && waits(crew.tree(), "suspended"); });
  clock->advance(5s);
  CHECK(suspended.get().error().code() == errc::timed_out);
  CHECK(plain.get().error().code() == errc::timed_out);
  CHECK(contains(plain.get().error().message(), "a value of channel empty"));
  auto at_once = crew.execute(
      "at once", [empty](async_context& ctx) -> coro<result<void>> { co_return co_await empty.send(ctx, 1, 0s); });
  CHECK(at_once.get().error().code() == errc::timed_out);
  static_cast<void>(crew.wait());
}

TEST_CASE("what is left in a channel goes with its last handle") {
  int alive = 0;
  {
    channel<counted> things{10};
    auto copy = things;
    REQUIRE(things.try_send(counted{alive}).has_value());
    REQUIRE(copy.try_send(counted{alive}).has_value());
    CHECK(alive == 2);
    CHECK(things.size() == 2);
  }
  CHECK(alive == 0);
}

TEST_CASE("a send that is never awaited sends nothing") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  const channel<std::string> words{1};
  auto t = crew.execute("t", [words](async_context& ctx) -> coro<int> {
    {
      auto never = words.send(ctx, std::string(100, 'x'));
      auto moved = std::move(never);
    }
    co_return static_cast<int>(words.size());
  });
  CHECK(t.get().value() == 0);
  CHECK(crew.wait().has_value());
}
