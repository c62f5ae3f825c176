/// A lane of an engine that lives in a simulation: what its workers would do, as steps of the conductor.
///
/// Owner: the lane. Threads: those of the simulation, with the baton. Invariants: items begin in the order of the ready
/// queue; at most `workers` run that neither wait in ours nor were said to block, and at most `max_workers` that do not
/// wait. Nothing is probed: in a simulation no body blocks in foreign code.
#pragma once

#include "conductor.hpp"
#include "lane.hpp"
#include "ready_queue.hpp"

namespace muster::runtime {

class simulated_lane final : private step_source {
public:
  simulated_lane(lane& of, conductor& by, const lane_options& options);
  simulated_lane(const simulated_lane&) = delete;
  simulated_lane& operator=(const simulated_lane&) = delete;

  void push(lane_item& item);
  [[nodiscard]] bool remove(lane_item& item);
  [[nodiscard]] lane_item* take_if(const std::function<bool(const lane_item&)>& wanted);
  [[nodiscard]] lane_stats stats() const;
  [[nodiscard]] lane& self() const noexcept { return self_; }
  /// Returns when nothing is queued and nothing runs.
  void stop();

  // For wait_region, on the worker's own thread.
  void enter_wait();
  void leave_wait();
  [[nodiscard]] bool somebody_can_run();

private:
  void step() noexcept override;
  void offer_items();
  [[nodiscard]] std::size_t threads() const noexcept { return active_ + blocked_ + waiting_; }
  [[nodiscard]] bool may_start() const noexcept;

  lane& self_;
  conductor& by_;
  const std::size_t workers_;
  const std::size_t max_workers_;
  const std::size_t max_threads_;
  ready_queue ready_;
  std::size_t offered_ = 0;
  std::size_t active_ = 0;
  std::size_t blocked_ = 0; ///< said to block
  std::size_t waiting_ = 0;
  std::size_t most_workers_ = 0;
};

} // namespace muster::runtime
