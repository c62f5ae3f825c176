// A shared library that an application loads while it runs, with Muster inside. See host.cpp.
#include <muster/muster.hpp>

#include <stdexcept>

using namespace std::chrono_literals;

/// A manager comes, does a little of everything, and goes. 42 if all was well.
static int answer() {
  muster::manager site{{.name = "plugin", .workers = 2}};
  muster::resource_pool<int> numbers{site, 1, [] { return 40; }};
  auto sum = site.with_timeout("sum", 1h, [&](muster::scope& crew) -> muster::result<int> {
    auto lent = crew.execute("lent", [&](muster::context& ctx) -> muster::result<int> {
      auto lease = numbers.acquire(ctx);
      if (!lease)
        return std::unexpected{lease.error()};
      return **lease;
    });
    auto failing = crew.create_scope("failing");
    failing.execute("throwing", [] { throw std::runtime_error{"thrown and caught in a plugin"}; });
    const auto failed = failing.wait();
    if (failed || failed.error().code() != muster::errc::exception)
      return 0;
    auto two = crew.execute("two", [](muster::async_context& ctx) -> muster::coro<int> {
      static_cast<void>(co_await ctx.sleep_for(1us));
      co_return 2;
    });
    return lent.get().value() + two.get().value();
  });
  return sum.value_or(0);
}

// (GCC 12 cannot compile a coroutine inside a function with the linkage of C.)
extern "C" [[gnu::visibility("default")]] int plugin_answer() { return answer(); }
