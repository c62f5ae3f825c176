/// The jobs of an actor system that lives in a simulation are steps of the conductor, and its timeouts are on the
/// simulated time. What a version of CAF wants of a scheduler and a clock is in caf_system_….hpp.
///
/// Owner: the scheduler of that version, which has the queue. Threads: those of the simulation, with the baton.
/// Invariants: each queued job has been offered; CAF's clock shows the simulation's time.
#pragma once

#include "conductor.hpp"

#include <caf/fwd.hpp>

#include <deque>

namespace muster::runtime {

class simulated_jobs : private step_source, private time_source {
public:
  simulated_jobs(caf::actor_system& system, conductor& by, std::deque<caf::resumable*>& queue);
  virtual ~simulated_jobs();
  simulated_jobs(const simulated_jobs&) = delete;
  simulated_jobs& operator=(const simulated_jobs&) = delete;

  void add(caf::resumable* job);
  /// Runs what is queued. Asserts that no actor of the application is left.
  void settle();

protected:
  /// Runs the first of the queue, and puts it back if it has more to do.
  virtual void run_first() noexcept = 0;
  [[nodiscard]] virtual std::optional<time_point> next_timeout() const = 0;
  virtual void run_timeout() noexcept = 0;
  virtual void show_time(time_point now) noexcept = 0;
  /// Whether a thread has begun that CAF has given to an actor, also if both have ended by now.
  [[nodiscard]] virtual bool gave_a_thread() const noexcept = 0;

private:
  void offer_jobs();
  void step() noexcept override;
  [[nodiscard]] std::optional<time_point> next_due() override;
  void time_came(time_point now) override;

  struct timeouts final : step_source {
    explicit timeouts(simulated_jobs& of) : home{of} {}
    void step() noexcept override;
    simulated_jobs& home;
  };

  caf::actor_system& system_;
  conductor& by_;
  std::deque<caf::resumable*>& queue_;
  timeouts timeouts_{*this};
  bool timeouts_offered_ = false;
  std::size_t offered_ = 0;
  std::size_t running_ = 0;
};

} // namespace muster::runtime
