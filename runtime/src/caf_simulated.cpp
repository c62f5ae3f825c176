/// The scheduler, and how it gets into an actor system.
#include "caf_simulated.hpp"

#include <muster/assert.hpp>

#include <caf/actor_registry.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/logger.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <algorithm>

namespace muster::runtime {

namespace {

/// Lets the earliest timeout be seen.
class simulated_actor_clock final : public caf::detail::test_actor_clock {
public:
  [[nodiscard]] std::optional<time_point> next_due() const {
    return schedule_.empty() ? std::nullopt : std::optional{schedule_.begin()->first};
  }
};

class simulated_scheduler final : public caf::scheduler::test_coordinator, private step_source, private time_source {
public:
  simulated_scheduler(caf::actor_system& system, conductor& by) : test_coordinator{system}, by_{by} {
    clock_.current_time = by_.now();
    by_.add(*this);
    // CAF keeps the logger of the last system that a thread has worked for, and the system waits for it at its end.
    by_.after_each_step([] { caf::logger::set_current_actor_system(nullptr); });
  }
  ~simulated_scheduler() override { by_.remove(*this); }

  caf::detail::test_actor_clock& clock() noexcept override { return clock_; }

  void settle() {
    static_cast<void>(by_.block(
      this, [this] { return jobs.empty() && !running_; }, [] { return std::string{"the actor system's end"}; }, false));
  }

protected:
  void enqueue(caf::resumable* job) override {
    by_.expect_here();
    jobs.push_back(job);
    offer_jobs();
  }

  void stop() override {
    clock_.cancel_all();
    while (!jobs.empty()) {
      auto* job = jobs.front();
      jobs.pop_front();
      cleanup_and_release(job);
    }
  }

private:
  void offer_jobs() {
    for (; offered_ < jobs.size(); ++offered_)
      by_.offer(*this);
  }

  void step() noexcept override {
    --offered_;
    if (jobs.empty())
      return;
    std::rotate(jobs.begin(), jobs.begin() + static_cast<std::ptrdiff_t>(by_.draw() % jobs.size()), jobs.end());
    ++running_;
    static_cast<void>(try_run_once());
    --running_;
    offer_jobs();
    if (jobs.empty() && running_ == 0)
      by_.wake(this);
  }

  [[nodiscard]] std::optional<time_point> next_due() override {
    // Asked at every step, so a thread that CAF has started is found before it does much.
    MUSTER_ASSERT(
        system().detached_actors() == 0,
        "a detached or blocking actor was spawned inside a simulation: it has a thread and a time of its own; use "
        "an event-based actor there");
    return timeouts_offered_ ? std::nullopt : clock_.next_due();
  }

  void time_came(time_point now) override {
    clock_.current_time = now;
    if (const auto due = next_due(); due && *due <= now) {
      timeouts_offered_ = true;
      by_.offer(timeouts_);
    }
  }

  struct timeouts final : step_source {
    explicit timeouts(simulated_scheduler& of) : home{of} {}
    void step() noexcept override {
      home.timeouts_offered_ = false;
      if (const auto due = home.clock_.next_due(); due && *due <= home.by_.now())
        static_cast<void>(home.clock_.trigger_timeout());
      home.time_came(home.by_.now());
    }
    simulated_scheduler& home;
  };

  conductor& by_;
  simulated_actor_clock clock_;
  timeouts timeouts_{*this};
  bool timeouts_offered_ = false;
  std::size_t offered_ = 0;
  std::size_t running_ = 0;
};

} // namespace

void simulate(caf::actor_system_config& config, conductor& by) {
  config.module_factories.emplace_back(
    [&by](caf::actor_system& system) -> caf::actor_system::module* { return new simulated_scheduler{system, by}; });
}

void settle_simulated(caf::actor_system& system) {
  static_cast<simulated_scheduler&>(system.scheduler()).settle();
  MUSTER_ASSERT(
      system.registry().running() == 0,
      "an actor of the application is left at the end of its simulation: send it an exit before, or spawn it in a "
      "scope with muster::spawn_actor");
  system.await_actors_before_shutdown(false);
}

} // namespace muster::runtime
