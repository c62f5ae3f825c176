// A program that uses an installed Muster: a scope, a pool, a coroutine and a CAF actor; in the end everybody is back.
#include <muster/caf.hpp>
#include <muster/version.hpp>

#include <cstdio>

using namespace std::chrono_literals;

static caf::behavior doubler(caf::event_based_actor*) {
  return {[](int number) { return number * 2; }};
}

int main() {
  muster::manager site{{.name = "site"}};
  muster::resource_pool<int> numbers{site, 2, [] { return 20; }};
  int answer = 0;
  const auto done = site.with_timeout("consumer", 60s, [&](muster::scope& crew) -> muster::result<void> {
    const auto twice = muster::spawn_actor(crew, {.name = "doubler", .daemon = true}, doubler);
    if (!twice)
      return std::unexpected{twice.error()};
    auto lent = crew.execute("lent", [&](muster::context& ctx) -> muster::result<int> {
      auto lease = numbers.acquire(ctx);
      if (!lease)
        return std::unexpected{lease.error()};
      return **lease;
    });
    crew.execute({.name = "answer", .after = {lent}},
                 [&, lent](muster::async_context& ctx) -> muster::coro<muster::result<void>> {
                   const auto& number = co_await lent;
                   auto asked = muster::request<int>(ctx, *twice, 30s, number.value() + 1);
                   auto got = co_await asked;
                   if (!got)
                     co_return std::unexpected{got.error()};
                   answer = *got;
                   co_return muster::result<void>{};
                 });
    return crew.wait();
  });
  if (!done)
    std::fprintf(stderr, "%s\n", to_string(done.error()).c_str());
  std::printf("Muster %d.%d.%d: %d\n", MUSTER_VERSION_MAJOR, MUSTER_VERSION_MINOR, MUSTER_VERSION_PATCH, answer);
  return done && answer == 42 ? 0 : 1;
}
