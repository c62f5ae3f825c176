// A pool: never more than so many connections, lent in order, and never lost.
//
// A lease goes back at the end of its block, also when the block is left by an exception. One that is still held when
// its task ends is revoked: the object is destroyed, not lent again, and the pool has counted it.
#include <muster/muster.hpp>

#include <atomic>
#include <cstdio>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;

struct connection {
  int number = 0;
  bool broken = false;
};

int main() {
  muster::manager site{{.name = "site"}};
  std::atomic<int> made = 0;
  muster::resource_pool<connection> database{
    site,
    {.name = "database", .max = 2, .healthy = [](connection& c) { return !c.broken; }, .acquire_timeout = 1min},
    [&] { return connection{.number = ++made}; }};

  auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
  for (int n = 0; n < 8; ++n)
    crew.execute("query " + std::to_string(n), [&database, n](muster::context& ctx) -> muster::result<void> {
      auto lease = database.acquire(ctx); // waits its turn, but no longer than the task may
      if (!lease)
        return std::unexpected{lease.error()};
      if (n == 3)
        throw std::runtime_error{"syntax error"}; // the lease goes back all the same
      return ctx.sleep_for(1ms);
    });
  const auto done = crew.wait();
  std::printf("one query failed: %s\n", done.error().message().c_str());
  std::printf("never more than two connections: %s\n", made <= 2 ? "yes" : "no");

  // One that broke is thrown away; one that is only found to be broken later fails its health check.
  auto repair = site.create_scope("repair");
  repair.execute("repair", [&](muster::context& ctx) -> muster::result<void> {
    auto first = database.acquire(ctx);
    if (!first)
      return std::unexpected{first.error()};
    std::move(*first).discard();
    auto second = database.acquire(ctx);
    if (!second)
      return std::unexpected{second.error()};
    (*second)->broken = true; // given back at the end of the block, and not lent again
    return {};
  });
  if (const auto repaired = repair.wait(); !repaired)
    return std::fprintf(stderr, "%s\n", to_string(repaired.error()).c_str()), 1;

  if (const auto closed = database.close(); !closed) // blocks until all are back
    return std::fprintf(stderr, "%s\n", to_string(closed.error()).c_str()), 1;
  const auto stats = database.stats();
  std::printf("lent %d times, given back %d times, discarded %d, left %zu\n", static_cast<int>(stats.acquired),
              static_cast<int>(stats.returned), static_cast<int>(stats.discarded), stats.size);
}
