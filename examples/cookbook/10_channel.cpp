// Coroutines with channels: a producer, two workers and a collector, none of which runs ahead of the others.
//
// A channel has room for so many values; who wants to send more waits, and if it is a coroutine it holds no thread
// meanwhile. Plain bodies and coroutines mix. Whoever knows that nothing more will come closes the channel.
#include <muster/muster.hpp>

#include <cstdio>

/// Squares what it is given, until there is no more.
static muster::coro<muster::result<void>> squarer(muster::async_context& ctx, muster::channel<int> numbers,
                                                  muster::channel<int> squares) {
  for (;;) {
    const auto next = co_await numbers.receive(ctx);
    if (!next && next.error().code() == muster::errc::channel_closed)
      co_return muster::result<void>{}; // closed, and empty
    if (!next)
      co_return std::unexpected{next.error()}; // asked to stop
    if (auto sent = co_await squares.send(ctx, *next * *next); !sent)
      co_return std::unexpected{sent.error()};
  }
}

int main() {
  muster::manager site{{.name = "site"}};
  const muster::channel<int> numbers{2, "numbers"}; // handles: copies are the same channel
  const muster::channel<int> squares{2, "squares"};

  auto crew = site.create_scope("crew");
  const auto most = crew.execute("producer", [=](muster::context& ctx) -> muster::result<std::size_t> {
    std::size_t waiting = 0;
    for (int n = 1; n <= 100; ++n) {
      if (auto sent = numbers.send(ctx, n); !sent) // a plain body: blocks while there is no room
        return std::unexpected{sent.error()};
      waiting = std::max(waiting, numbers.size());
    }
    numbers.close();
    return waiting;
  });

  // The callable lives as long as its coroutine: its captures are safe. The channels are parameters of a coroutine
  // function, which keeps its own copies.
  const auto work = [=](muster::async_context& ctx) { return squarer(ctx, numbers, squares); };
  const auto first = crew.execute("first", work);
  const auto second = crew.execute("second", work);
  crew.execute({.name = "no more", .after = {first, second}}, [=] { squares.close(); });

  const auto sum = crew.execute("collector", [=](muster::async_context& ctx) -> muster::coro<muster::result<int>> {
    int so_far = 0;
    for (;;) {
      const auto next = co_await squares.receive(ctx);
      if (!next && next.error().code() == muster::errc::channel_closed)
        co_return so_far;
      if (!next)
        co_return std::unexpected{next.error()};
      so_far += *next;
    }
  });
  if (const auto done = crew.wait(); !done)
    return std::fprintf(stderr, "%s\n", to_string(done.error()).c_str()), 1;
  std::printf("the squares of 1 to 100 are %d together\n", sum.get().value());
  std::printf("more than two numbers ever waited: %s\n", most.get().value() > 2 ? "yes" : "no");
}
