/// What the `on_child` hooks of the two supervisors have told, and what it comes to.
///
/// Threads: any, behind a mutex; the hooks run on the callback lane, in the order in which things happened.
#pragma once

#include <muster/child.hpp>

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace telemetry {

/// Counted over a whole run. It balances: every child that went down was started again, or there is a reason why not.
///     failed + companions = restarted + superseded + not_restarted
struct restart_counts {
  std::uint64_t failed = 0;  ///< children that ended by themselves: each sensor, writer, aggregator, and the supervisor
  std::uint64_t gave_up = 0; ///< of those: supervisors
  std::uint64_t companions = 0;    ///< children that were stopped since one before them had failed (rest_for_one)
  std::uint64_t unexplained = 0;   ///< of those: none before them was down
  std::uint64_t start_failed = 0;  ///< restarts that failed, being stopped half-way; their children are down still
  std::uint64_t restarted = 0;     ///< children that came up again
  std::uint64_t superseded = 0;    ///< sensors that came up again with their supervisor, as new children of a new one
  std::uint64_t not_restarted = 0; ///< that were down still when the run ended
  std::uint64_t supervisors_ended = 0;             ///< incarnations of `sensors` that are gone
  std::map<std::string, std::uint64_t> failures{}; ///< by the last part of the path
  std::map<std::string, std::uint64_t> stops{};    ///< likewise: of those of the root that were stopped
};

class restart_log {
public:
  /// `in_order`: the root's children in the order of their start.
  explicit restart_log(std::vector<std::string> in_order) : in_order_(std::move(in_order)) {}

  void of_root(const muster::child_event& e);
  void of_sensor(const muster::child_event& e);
  [[nodiscard]] restart_counts counts() const;

private:
  /// Has gone down, or come up.
  void take(const muster::child_event& e, const std::string& name, std::set<std::string>& down);

  const std::vector<std::string> in_order_;
  mutable std::mutex mutex_;
  restart_counts counts_;
  std::set<std::string> root_down_;
  std::set<std::string> sensors_down_;
};

} // namespace telemetry
