/// What flows through the system: readings, what they are read from, and what a batch of them comes to. Plain values.
#pragma once

#include <muster/clock.hpp>
#include <muster/error.hpp>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace telemetry {

/// One value of one source. Source, incarnation and sequence together name it for ever.
struct reading {
  std::string source;
  std::uint32_t incarnation = 0; ///< of the sensor that read it, 1 for the first of this run
  std::uint32_t sequence = 0;    ///< 1, 2, 3 … of that incarnation
  double value = 0;
  muster::time_point at{};
};

/// Where a sensor gets its values. `read` may block for as long as a small file takes; one sensor calls it at a time.
struct source {
  std::string name;
  std::function<muster::result<double>()> read;
};

/// What the aggregator makes of the readings of one source in one batch.
struct summary {
  std::string source;
  muster::time_point first{};
  muster::time_point last{};
  std::uint32_t count = 0;
  double least = 0;
  double mean = 0;
  double most = 0;
};

/// One for each source that occurs, in the order of their first readings.
[[nodiscard]] std::vector<summary> summarise(std::span<const reading> readings);

} // namespace telemetry
