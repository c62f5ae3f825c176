// This program is linked with a scope in which two steps have changed places (see planted.cmake). Exploration finds
// out.
#include "catch.hpp"
#include "planted/outcome_before_end.hpp"

#include <cstdlib>
#include <string>

TEST_CASE("planted: a scope that ends before its tasks' outcomes count is found out and the seed shows it again") {
  const auto found = planted::explore_outcome_before_end();
  REQUIRE_FALSE(found);
  CHECK(found.failure.find("before its tasks had outcomes") != std::string::npos);
  // As a user would replay it.
  ::setenv("MUSTER_SEED", std::to_string(*found.failing_seed).c_str(), 1);
  const auto again = planted::explore_outcome_before_end();
  ::unsetenv("MUSTER_SEED");
  REQUIRE_FALSE(again);
  CHECK(again.runs == 1);
  CHECK(again.failing_seed == found.failing_seed);
  CHECK(again.failure == found.failure);
  CHECK(again.trace == found.trace);
}
