// One exploration for two builds: the scope as it is, and one in which two steps have changed places.
#pragma once

#include <muster/testing.hpp>

namespace planted {

/// Promise: a task's outcome counts before its scope can be over, so whoever has waited for the scope may look at it.
[[nodiscard]] inline muster::testing::exploration explore_outcome_before_end() {
  return muster::testing::explore(1'000, [](muster::testing::simulation& site) -> muster::result<void> {
    auto crew = site.create_scope("crew");
    auto first = crew.execute("first", [] { return 1; });
    auto second = crew.execute("second", [](muster::context& ctx) { return ctx.sleep_for(std::chrono::seconds{1}); });
    if (auto done = crew.wait(); !done)
      return done;
    if (first.peek() == nullptr || second.peek() == nullptr)
      return std::unexpected{
          muster::error{muster::errc::bad_argument, "the scope was over before its tasks had outcomes"}};
    return {};
  });
}

} // namespace planted
