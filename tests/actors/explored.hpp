/// What explored races are written with: two rivals in a simulation, what was promised, which endings were seen.
///
/// Nothing here is guarded: of a simulation one thread runs at a time, and between two runs none does.
#pragma once

#include "support.hpp"

#include <muster/testing.hpp>

#include <map>

namespace support {

using muster::testing::explore;
using muster::testing::explore_options;
using muster::testing::simulation;

/// How many seeds each race is given, for each of the two ways to draw.
inline constexpr std::uint64_t seeds = 1'000;
/// The other way: priorities that change twice. Finds what needs three things in one order, however far apart.
[[nodiscard]] inline explore_options by_priority() { return {.seeds = seeds, .priority_changes = 2}; }

/// What a body says about a run: nothing, or which promise was broken.
using verdict = muster::result<void>;
/// What it returns that found a promise broken.
[[nodiscard]] inline std::unexpected<muster::error> broken(std::string promise) {
  return std::unexpected{muster::error{std::errc::state_not_recoverable, "broken: " + std::move(promise)}};
}

/// The promises that a body looks at, in order; the first that does not hold is what it says.
class promised {
public:
  promised& that(bool holds, const char* promise) {
    if (!holds && said_)
      said_ = broken(promise);
    return *this;
  }
  /// Of a scope (or manager) that has ended: so many tasks were made in it, and the bodies of so many ran.
  template <class Counts>
  promised& books(const Counts& of, std::uint64_t made, int ran) {
    const auto s = of.stats();
    return that(s.tasks_live == 0, "nobody is left")
        .that(ended(s) == made, "every task is counted in exactly one of the five ways")
        .that(s.tasks_started == static_cast<std::uint64_t>(ran), "the bodies that ran are counted as started");
  }
  operator verdict() const { return said_; }

private:
  verdict said_;
};

/// Which of the legal endings came about, over all the runs of an exploration.
class endings {
public:
  void saw(std::string_view ending) { ++times_[std::string{ending}]; }
  /// Those of `legal` that never came about: none, or the exploration does not explore. (A replay is a single run.)
  [[nodiscard]] lines missing(const lines& legal) const {
    lines never;
    for (const auto& each : legal)
      if (!times_.contains(each))
        never.push_back(each);
    return muster::testing::seed_from_environment() ? lines{} : never;
  }

private:
  std::map<std::string, int> times_;
};

/// Runs both as tasks of a scope of their own: who begins, and where the other comes in between, is drawn.
template <class One, class Other>
[[nodiscard]] muster::result<void> rivals(simulation& site, One one, Other other) {
  auto both = site.create_scope("rivals");
  both.execute("one", std::move(one));
  both.execute("other", std::move(other));
  return both.wait();
}

/// A body that fails at once.
inline constexpr auto fails_at_once = []() -> muster::result<void> {
  return std::unexpected{muster::error{std::errc::io_error, "broken"}};
};

} // namespace support
