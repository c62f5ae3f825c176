/// Cases pool (one task acquires and gives back n times) and pool_crowded (64 tasks share 8 resources, n times in all;
/// each lets others run while it holds one). Waiting in the pool ends when the task is asked to stop.
///
/// Nanoseconds for acquiring and giving back once.
#include "site.hpp"

#include <atomic>
#include <thread>

namespace {

struct thing {
  std::uint64_t uses = 0;
};

void pool(std::uint64_t n) {
  muster::manager site{bench::two_workers()};
  muster::resource_pool<thing> things{site, 8, [] { return thing{}; }};
  auto crew = site.create_scope("pool");
  auto took = crew.execute("user", [&](muster::context& ctx) -> muster::result<double> {
    const auto use = [&](std::uint64_t times) -> muster::result<void> {
      for (std::uint64_t i = 0; i < times; ++i) {
        auto lease = things.acquire(ctx);
        if (!lease)
          return std::unexpected{lease.error()};
        ++(*lease)->uses;
      }
      return {};
    };
    if (auto warm = use(n / 10 + 1); !warm)
      return std::unexpected{warm.error()};
    const bench::stopwatch watch;
    if (auto used = use(n); !used)
      return std::unexpected{used.error()};
    return watch.ns();
  });
  bench::expect(crew.wait().has_value(), "the scope failed");
  bench::expect(things.stats().returned == n + n / 10 + 1, "not every lease came back");
  bench::report("pool", took.get().value() / static_cast<double>(n), "ns/use");
}

constexpr std::uint64_t users = 64;

void pool_crowded(std::uint64_t n) {
  muster::manager site{bench::two_workers()};
  muster::resource_pool<thing> things{site, 8, [] { return thing{}; }};
  const auto each = n / users + 1;
  std::atomic<std::uint64_t> crowd{0}; // at most 8 may be inside
  std::atomic<std::uint64_t> most{0};
  const auto run = [&](std::uint64_t times) {
    auto crew = site.create_scope("pool");
    for (std::uint64_t u = 0; u < users; ++u)
      crew.execute("user", [&, times](muster::context& ctx) -> muster::result<void> {
        for (std::uint64_t i = 0; i < times; ++i) {
          auto lease = things.acquire(ctx);
          if (!lease)
            return std::unexpected{lease.error()};
          const auto inside = ++crowd;
          for (auto seen = most.load(); inside > seen && !most.compare_exchange_weak(seen, inside);)
            ;
          ++(*lease)->uses;
          std::this_thread::yield();
          --crowd;
        }
        return {};
      });
    bench::expect(crew.wait().has_value(), "the scope failed");
  };
  run(each / 10 + 1);
  const bench::stopwatch watch;
  run(each);
  const auto ns = watch.ns();
  bench::expect(most <= 8, "more resources were lent than there are");
  bench::expect(things.stats().returned == users * (each + each / 10 + 1), "not every lease came back");
  bench::report("pool.crowded", ns / static_cast<double>(users * each), "ns/use");
}

const bench::entry free_one{"pool", pool};
const bench::entry crowded{"pool_crowded", pool_crowded};

} // namespace
