// Races of channels, explored: sends and receives against cancels, closing, limits and each other.
#include "explored.hpp"

#include <muster/channel.hpp>

#include <algorithm>

using namespace support;
using muster::async_context;
using muster::channel;
using muster::coro;
using muster::result;

namespace {

/// A task that sends `value` and says whether it counts.
auto sends(channel<int> into, int value, bool suspends, muster::scope& crew) {
  return suspends ? crew.execute("sender",
                                 [into, value](async_context& ctx) -> coro<result<void>> {
                                   co_return co_await into.send(ctx, value);
                                 })
                  : crew.execute("sender", [into, value](context& ctx) { return into.send(ctx, value); });
}
auto receives(channel<int> from, bool suspends, muster::scope& crew) {
  return suspends
             ? crew.execute("receiver",
                            [from](async_context& ctx) -> coro<result<int>> { co_return co_await from.receive(ctx); })
             : crew.execute("receiver", [from](context& ctx) { return from.receive(ctx); });
}

} // namespace

TEST_CASE("explored: a receiver's cancel against a send loses no value") {
  for (const bool suspends : {true, false}) {
    endings seen;
    const auto race = [&](simulation& site) -> verdict {
      const channel<int> numbers{1};
      auto crew = site.create_scope("crew");
      auto receiver = receives(numbers, suspends, crew);
      auto sender = sends(numbers, 7, !suspends, crew);
      crew.execute("canceller", [receiver] { receiver.cancel(); });
      const auto whole = crew.wait();
      const auto left = numbers.try_receive();
      seen.saw(to_string(receiver.get().kind()));
      return promised{}
          .that(whole.has_value() && sender.get().ok(), "the send succeeds")
          .that(receiver.get().ok() || receiver.get().cancelled(), "the receiver is ok or cancelled")
          .that(receiver.get().ok() != left.has_value(), "the value is with the receiver or in the channel")
          .that(receiver.get().ok() ? receiver.get().value() == 7 : *left == 7, "and it is that value");
    };
    CHECK(explore(seeds, race));
    CHECK(seen.missing({"ok", "cancelled"}) == lines{});
    CHECK(explore(by_priority(), race));
  }
}

TEST_CASE("explored: a sender's cancel against a receive delivers if and only if the send counts") {
  for (const bool suspends : {true, false}) {
    endings seen;
    const auto race = [&](simulation& site) -> verdict {
      const channel<int> numbers{0};
      auto crew = site.create_scope("crew");
      auto sender = sends(numbers, 7, suspends, crew);
      auto receiver = receives(numbers, !suspends, crew);
      auto canceller = crew.execute("canceller", [sender] { sender.cancel(); });
      crew.execute({.name = "closer", .after = {canceller}}, [numbers](context& ctx) -> result<void> {
        auto slept = ctx.sleep_for(1s); // nobody can go on by then but for this
        numbers.close();
        return slept;
      });
      static_cast<void>(crew.wait());
      seen.saw(to_string(sender.get().kind()));
      return promised{}
          .that(sender.get().ok() || sender.get().cancelled(), "the sender is ok or cancelled")
          .that(sender.get().ok() == receiver.get().ok(), "it is received if and only if it was sent");
    };
    CHECK(explore(seeds, race));
    CHECK(seen.missing({"ok", "cancelled"}) == lines{});
    CHECK(explore(by_priority(), race));
  }
}

TEST_CASE("explored: a send against the closing succeeds and is received, or fails and is not") {
  for (const std::size_t capacity : {0U, 1U}) {
    endings seen;
    const auto race = [&](simulation& site) -> verdict {
      const channel<int> numbers{capacity};
      auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
      auto sender = sends(numbers, 7, true, crew);
      auto receiver = receives(numbers, true, crew);
      crew.execute("closer", [numbers] { numbers.close(); });
      static_cast<void>(crew.wait());
      seen.saw(sender.get().ok() ? "sent" : "refused");
      return promised{}
          .that(sender.get().ok() == receiver.get().ok(), "it is received if and only if it was sent")
          .that(sender.get().ok() || sender.get().error().code() == errc::channel_closed,
                "else it says that it is closed")
          .that(receiver.get().ok() || receiver.get().error().code() == errc::channel_closed, "to both");
    };
    CHECK(explore(seeds, race));
    CHECK(seen.missing({"sent", "refused"}) == lines{});
    CHECK(explore(by_priority(), race));
  }
}

TEST_CASE("explored: many senders and receivers conserve what was sent, each sender's in order") {
  const auto race = [](simulation& site) -> verdict {
    for (const std::size_t capacity : {0U, 2U}) {
      const channel<int> numbers{capacity};
      std::vector<std::vector<int>> got(3);
      {
        auto crew = site.create_scope("crew");
        for (auto& mine : got)
          crew.execute("reader", [numbers, &mine](async_context& ctx) -> coro<result<void>> {
            for (;;) {
              auto next = co_await numbers.receive(ctx);
              if (!next)
                co_return next.error().code() == errc::channel_closed ? result<void>{} : std::unexpected{next.error()};
              mine.push_back(*next);
            }
          });
        crew.execute("writers", [numbers](async_context& ctx) -> coro<result<void>> {
          auto below = ctx.create_scope("writers");
          for (int w = 0; w != 2; ++w) {
            below.execute("suspends", [numbers, w](async_context& inner) -> coro<result<void>> {
              for (int i = 0; i != 4; ++i)
                if (auto sent = co_await numbers.send(inner, w * 100 + i); !sent)
                  co_return sent;
              co_return result<void>{};
            });
            below.execute("blocks", [numbers, w](context& inner) -> result<void> {
              for (int i = 0; i != 4; ++i)
                if (auto sent = numbers.send(inner, (w + 2) * 100 + i); !sent)
                  return sent;
              return {};
            });
          }
          auto all = co_await below;
          numbers.close();
          co_return all;
        });
        if (auto whole = crew.wait(); !whole)
          return whole;
      }
      std::vector<int> all;
      bool in_order = true;
      for (const auto& mine : got) {
        for (std::size_t i = 0; i < mine.size(); ++i)
          for (std::size_t j = i + 1; j < mine.size(); ++j)
            in_order = in_order && (mine[i] / 100 != mine[j] / 100 || mine[i] < mine[j]);
        all.insert(all.end(), mine.begin(), mine.end());
      }
      std::ranges::sort(all);
      std::vector<int> expected;
      for (int w = 0; w != 4; ++w)
        for (int i = 0; i != 4; ++i)
          expected.push_back(w * 100 + i);
      if (all != expected)
        return broken("what was sent is received, once");
      if (!in_order)
        return broken("what one sender sends arrives in order");
    }
    return {};
  };
  CHECK(explore(300, race));
  CHECK(explore({.seeds = 300, .priority_changes = 2}, race));
}

TEST_CASE("explored: closing wakes all who wait, and cancelling the scope too") {
  const auto race = [](simulation& site) -> verdict {
    const channel<int> empty{0};
    auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
    std::vector<muster::task<int>> all;
    for (int i = 0; i != 3; ++i)
      all.push_back(receives(empty, i != 1, crew));
    crew.execute("closer", [empty] { empty.close(); });
    crew.execute("canceller", [first = all.front()] { first.cancel(); });
    static_cast<void>(crew.wait());
    promised kept;
    for (const auto& each : all)
      kept.that(each.get().cancelled() || (each.get().failed() && each.get().error().code() == errc::channel_closed),
                "each is told that it is closed, or was cancelled");
    return kept;
  };
  CHECK(explore(seeds, race));
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: a limit against a send either takes the value or leaves it") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    const channel<int> numbers{1};
    auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
    auto receiver = crew.execute("receiver", [numbers](async_context& ctx) -> coro<result<int>> {
      co_return co_await numbers.receive(ctx, 1s);
    });
    crew.execute("sender", [numbers](context& ctx) -> result<void> {
      if (auto slept = ctx.sleep_for(1s); !slept)
        return slept;
      return numbers.send(ctx, 7);
    });
    static_cast<void>(crew.wait());
    const auto left = numbers.try_receive();
    seen.saw(receiver.get().ok() ? "received" : "too late");
    return promised{}
        .that(receiver.get().ok() != left.has_value(), "the value is with the receiver or in the channel")
        .that(receiver.get().ok() || receiver.get().error().code() == errc::timed_out, "or its limit has passed");
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"received", "too late"}) == lines{});
}
