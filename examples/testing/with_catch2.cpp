// A user's test under Catch2. The README shows it from the first #include on.
#include <catch2/catch.hpp>
#include <muster/testing.hpp>

#include "quotes.hpp"

using namespace std::chrono_literals;

static shop::supplier quoting(int price, muster::duration after) {
  return [=](muster::context& ctx) -> muster::result<int> {
    if (auto slept = ctx.sleep_for(after); !slept)
      return std::unexpected{slept.error()};
    return price;
  };
}

TEST_CASE("a supplier that is too slow does not hold up the others") {
  muster::testing::simulation sim;
  const auto best = sim.run([&] { return shop::best_quote(sim, {quoting(40, 1s), quoting(1, 1h)}); });
  REQUIRE(best.has_value());
  CHECK(*best == 40);
  CHECK(sim.elapsed() == 2s); // simulated: the test itself takes microseconds
}

TEST_CASE("the best of two quotes is the lower one, whoever is first") {
  CHECK(muster::testing::explore(1'000, [](muster::testing::simulation& sim) {
    const auto best = shop::best_quote(sim, {quoting(40, 1s), quoting(30, 1s)});
    return best && *best == 30; // false, an error or an exception: the seed is printed, MUSTER_SEED=n replays it
  }));
}
