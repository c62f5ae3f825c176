// The same under GoogleTest. The README shows it from the first #include on.
#include <gtest/gtest.h>
#include <muster/testing.hpp>

#include "quotes.hpp"

TEST(BestQuote, IsTheLowerOneWhoeverIsFirst) {
  const auto found = muster::testing::explore(1'000, [](muster::testing::simulation& sim) {
    const auto best = shop::best_quote(sim, {[](auto&) { return 40; }, [](auto&) { return 30; }});
    EXPECT_EQ(best.value_or(0), 30);
    return !::testing::Test::HasFailure(); // stops at the first seed that fails
  });
  EXPECT_TRUE(found) << found.failure;
}
