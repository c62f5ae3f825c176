/// Cases nested and nested_plain: the n-th Fibonacci number by fork and join: each call opens a scope below its task,
/// runs its two halves as tasks there and waits for them; nothing is computed without a task of its own.
///
/// Nanoseconds a call. nested_plain has plain bodies, each of which holds its thread while it waits; nested has
/// coroutines, as goroutines are (plain bodies, while the library has no coroutines).
#include "site.hpp"

#ifdef MUSTER_BENCH_COROUTINES
#include <muster/async_context.hpp>
#include <muster/coro.hpp>
#endif

namespace {

struct counted {
  std::uint64_t value = 0;
  std::uint64_t calls = 0;
};

counted both(const muster::task<counted>& left, const muster::task<counted>& right) {
  const auto& l = left.get().value();
  const auto& r = right.get().value();
  return {l.value + r.value, l.calls + r.calls + 1};
}

muster::result<counted> plain_fib(muster::context& ctx, std::uint64_t n) {
  if (n < 2)
    return counted{n, 1};
  auto crew = ctx.create_scope("fib");
  auto left = crew.execute("left", [n](muster::context& below) { return plain_fib(below, n - 1); });
  auto right = crew.execute("right", [n](muster::context& below) { return plain_fib(below, n - 2); });
  if (auto done = crew.wait(); !done)
    return std::unexpected{done.error()};
  return both(left, right);
}

#ifdef MUSTER_BENCH_COROUTINES
muster::coro<muster::result<counted>> fib(muster::async_context& ctx, std::uint64_t n) {
  if (n < 2)
    co_return counted{n, 1};
  auto crew = ctx.create_scope("fib");
  auto left = crew.execute("left", [n](muster::async_context& below) { return fib(below, n - 1); });
  auto right = crew.execute("right", [n](muster::async_context& below) { return fib(below, n - 2); });
  auto join = crew.wait();
  if (auto done = co_await join; !done)
    co_return std::unexpected{done.error()};
  co_return both(left, right);
}

counted whole(muster::manager& site, std::uint64_t n) {
  auto crew = site.create_scope("nested");
  auto root = crew.execute("root", [n](muster::async_context& ctx) { return fib(ctx, n); });
  bench::expect(crew.wait().has_value(), "the scope failed");
  return root.get().value();
}
#endif

counted plain_whole(muster::manager& site, std::uint64_t n) {
  auto crew = site.create_scope("nested");
  auto root = crew.execute("root", [n](muster::context& ctx) { return plain_fib(ctx, n); });
  bench::expect(crew.wait().has_value(), "the scope failed");
  return root.get().value();
}

std::uint64_t fibonacci(std::uint64_t n) {
  std::uint64_t before = 0;
  std::uint64_t now = 1;
  for (; n > 0; --n) {
    const auto next = before + now;
    before = now;
    now = next;
  }
  return before;
}

void measure(std::string_view name, std::uint64_t n, counted (*run)(muster::manager&, std::uint64_t)) {
  muster::manager site{bench::two_workers()};
  (void)run(site, n > 4 ? n - 4 : 1);
  const bench::stopwatch watch;
  const auto got = run(site, n);
  const auto ns = watch.ns();
  bench::expect(got.value == fibonacci(n), "that is not the Fibonacci number");
  bench::report(name, ns / static_cast<double>(got.calls), "ns/call");
}

const bench::entry plain{"nested_plain", [](std::uint64_t n) { measure("nested.plain", n, plain_whole); }};
#ifdef MUSTER_BENCH_COROUTINES
const bench::entry best{"nested", [](std::uint64_t n) { measure("nested", n, whole); }};
#else
const bench::entry best{"nested", [](std::uint64_t n) { measure("nested", n, plain_whole); }};
#endif

} // namespace
