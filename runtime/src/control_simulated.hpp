/// The control plane of an engine that lives in a simulation: what control threads would do, as steps of its conductor.
///
/// Owner: the control loop. Threads: those of the simulation, with the baton. Invariants: items begin in the order in
/// which they were posted, at most as many at a time as there would be control threads; one timer fires at a time.
#pragma once

#include "conductor.hpp"
#include "control_loop.hpp"

namespace muster::runtime {

class simulated_control final : private step_source, private time_source {
public:
  simulated_control(conductor& by, timers& due, unsigned threads, disposal* leftovers);
  ~simulated_control();
  simulated_control(const simulated_control&) = delete;
  simulated_control& operator=(const simulated_control&) = delete;

  void post(control_item& item);
  void due_changed();
  /// True if the calling thread runs an item or fires a timer of this control plane.
  [[nodiscard]] bool runs_here() const noexcept { return runs_here_ == this; }
  /// Drawn: whether the calling thread runs an item itself that it could as well post.
  [[nodiscard]] bool may_run_here() noexcept;
  /// Returns when nothing is queued and nothing runs; timers no longer fire.
  void stop();

private:
  void step() noexcept override;
  [[nodiscard]] std::optional<time_point> next_due() override;
  void time_came(time_point now) override;
  void offer_items();
  /// Says that this thread works for this control plane, while it lives.
  class mark;

  struct firing final : step_source {
    explicit firing(simulated_control& of) : home{of} {}
    void step() noexcept override;
    simulated_control& home;
    bool offered = false; ///< or under way
  };

  conductor& by_;
  timers& due_;
  firing firing_{*this};
  const std::size_t threads_;
  disposal* const leftovers_;
  control_queue queue_;
  std::size_t queued_ = 0;
  std::size_t offered_ = 0;
  std::size_t running_ = 0;
  bool stopping_ = false;

  static constinit thread_local const simulated_control* runs_here_;
};

} // namespace muster::runtime
