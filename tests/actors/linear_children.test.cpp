// Linear cost of a supervisor's children; counted, never timed. What is quadratic does not come to its end here.
#include <muster/caf.hpp>

#include "support.hpp"

#include <caf/event_based_actor.hpp>

#include <algorithm>

using namespace support;

TEST_CASE("twenty thousand children of a supervisor are stopped by name, removed, and stopped in reverse order") {
  constexpr int many = 20'000;
  muster::manager site{standing_still()};
  std::vector<int> ends; // told one at a time
  auto crew = site.create_scope("crew", {.on_failure = muster::restart{},
                                         .release_timeout = 1h,
                                         .on_child = [&](const muster::child_event& e) {
                                           if (e.what == muster::child_transition::stopped && e.incarnation != 0)
                                             ends.push_back(std::stoi(e.path.substr(e.path.rfind('/') + 1)));
                                         }});
  for (int i = 0; i < many; ++i)
    REQUIRE(muster::spawn_actor(crew, {.name = std::to_string(i)}, [](caf::event_based_actor*) -> caf::behavior {
      return {[](int n) { return n; }};
    }));
  CHECK(crew.children().size() == many);
  // Every other one by hand, from the front, where a list would be searched longest.
  for (int i = 0; i < many; i += 2)
    REQUIRE(crew.stop_child(std::to_string(i)));
  for (int i = 0; i < many; i += 4)
    REQUIRE(crew.remove_child(std::to_string(i)));
  CHECK(crew.children().size() == many - many / 4);
  crew.cancel();
  CHECK(is(crew.wait(), errc::cancelled));
  const auto by_hand = ends.begin() + many / 2;
  REQUIRE(ends.size() == many);
  CHECK(std::is_sorted(ends.begin(), by_hand));
  CHECK(std::is_sorted(by_hand, ends.end(), std::greater<>{}));
  CHECK(site.stats().actors_started == many);
  CHECK(site.stats().actors_unresponsive == 0);
}
