/// What `muster-trace summary` says, before it is put into words: statistics of tasks by scope and in total, lists of
/// those that stand out, and the use of the lane.
///
/// Owner: the command. Threads: any; a pure function of the model.
#pragma once

#include "model.hpp"
#include "statistics.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace muster::trace_viewer {

/// Scopes whose paths differ in numbers only are one group.
struct group {
  std::string name;
  std::uint64_t scopes = 0;
  task_statistics tasks{};
};

struct named {
  node_index node;
  std::int64_t value;
};

struct failing {
  std::string name;
  std::uint64_t bad = 0;
  std::uint64_t all = 0;
};

/// How many bodies ran at a time. Suspended ones do not.
struct lane_use {
  std::uint64_t workers = 0;
  std::uint64_t grown_to = 0;
  std::uint64_t grown = 0;
  std::uint64_t shrunk_to = 0; ///< the last that was said of it, if `shrunk`
  std::uint64_t shrunk = 0;
  std::uint64_t saturated = 0;
  std::uint64_t most_running = 0;
  std::uint64_t most_ready = 0;
  double average_running = 0;
  task_statistics queued{}; ///< durations: from ready to the start of the body
};

struct summary {
  task_statistics total;
  std::vector<group> groups;
  std::vector<named> slowest;
  std::vector<failing> most_failing;
  std::vector<named> most_restarted;
  std::uint64_t restarts = 0;           ///< that came
  std::uint64_t restarts_abandoned = 0; ///< that were decided and did not come
  std::int64_t longest_backoff = 0;
  lane_use lane;
};

/// `top`: how long the lists are at most.
[[nodiscard]] summary summarise(const trace_model& model, std::size_t top);

} // namespace muster::trace_viewer
