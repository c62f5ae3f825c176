/// The order of a plan's steps, as a pure function.
#include "dependency_graph.hpp"

#include "../catch.hpp"

using muster::graph_step;
using muster::start_order;

TEST_CASE("steps keep the order in which they were written where nothing forces another", "[plan]") {
  std::vector<graph_step> steps{{"a", {}}, {"b", {}}, {"c", {}}};
  CHECK(start_order(steps).value() == std::vector<std::size_t>{0, 1, 2});
}

TEST_CASE("a step comes after those it names even if they are written later", "[plan]") {
  std::vector<graph_step> steps{{"charge", {"validate"}}, {"ship", {"charge", "pack"}}, {"validate", {}}, {"pack", {}}};
  const auto order = start_order(steps);
  CHECK(order.value() == std::vector<std::size_t>{2, 0, 3, 1});
  CHECK(steps[1].resolved == std::vector<std::size_t>{0, 3});
}

TEST_CASE("a cycle is refused with its path", "[plan]") {
  std::vector<graph_step> steps{{"x", {}}, {"a", {"c", "x"}}, {"b", {"a"}}, {"c", {"b"}}, {"d", {"c"}}};
  const auto order = start_order(steps);
  REQUIRE_FALSE(order.has_value());
  CHECK(order.error() == "the plan has a cycle, each step waiting for the next: a → c → b → a");
}

TEST_CASE("a cycle is found from a step that only hangs on it", "[plan]") {
  std::vector<graph_step> steps{{"tail", {"a"}}, {"a", {"b"}}, {"b", {"a"}}};
  const auto order = start_order(steps);
  REQUIRE_FALSE(order.has_value());
  CHECK(order.error() == "the plan has a cycle, each step waiting for the next: a → b → a");
}

TEST_CASE("a step after itself is refused", "[plan]") {
  std::vector<graph_step> steps{{"a", {"a"}}};
  CHECK(start_order(steps).error() == "step 'a' comes after itself: a → a");
}

TEST_CASE("unknown and double and empty names are refused", "[plan]") {
  std::vector<graph_step> unknown{{"a", {"b"}}};
  CHECK(start_order(unknown).error() == "step 'a' comes after 'b', which is no step of the plan");
  std::vector<graph_step> twice{{"a", {}}, {"a", {}}};
  CHECK(start_order(twice).error() == "two steps of the plan are called 'a'");
  std::vector<graph_step> nameless{{"", {}}};
  CHECK(start_order(nameless).error() == "step 1 of the plan has no name");
}

TEST_CASE("a chain of a hundred thousand steps is ordered", "[plan]") {
  std::vector<graph_step> steps;
  for (int i = 0; i < 100'000; ++i)
    steps.push_back(
        {std::to_string(i), i > 0 ? std::vector<std::string>{std::to_string(i - 1)} : std::vector<std::string>{}});
  const auto order = start_order(steps);
  REQUIRE(order.has_value());
  CHECK(order->back() == 99'999);
}
