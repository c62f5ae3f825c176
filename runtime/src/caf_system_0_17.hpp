/// The half of caf_system.cpp for CAF 0.17.6: settings, and what puts a simulation's jobs and time in place of CAF's.
///
/// This CAF has a test coordinator, from which the simulated scheduler takes the queue and the clock. Its own way to
/// stop would go round for ever with an actor that renews a timeout, so it is not used.
#pragma once

#include "caf_simulated.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/logger.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/thread_hook.hpp>

#include <atomic>

namespace muster::runtime {

/// Lets the earliest timeout be seen.
class simulated_actor_clock final : public caf::detail::test_actor_clock {
public:
  [[nodiscard]] std::optional<time_point> next_due() const {
    return schedule_.empty() ? std::nullopt : std::optional{schedule_.begin()->first};
  }
};

/// Counts the threads of actors that have one of their own: there are no others beside a test coordinator.
class thread_counter final : public caf::thread_hook {
public:
  explicit thread_counter(std::atomic<unsigned>& count) : count_(count) {}
  void init(caf::actor_system&) override {}
  void thread_started() override { ++count_; }
  void thread_terminates() override {}

private:
  std::atomic<unsigned>& count_;
};

class simulated_scheduler final : public caf::scheduler::test_coordinator, public simulated_jobs {
public:
  simulated_scheduler(caf::actor_system& system, conductor& by, const std::atomic<unsigned>& threads)
      : test_coordinator{system}, simulated_jobs{system, by, test_coordinator::jobs}, threads_{threads} {
    clock_.current_time = by.now();
    // CAF keeps the logger of the last system that a thread has worked for, and the system waits for it at its end.
    by.after_each_step([] { caf::logger::set_current_actor_system(nullptr); });
  }

  caf::detail::test_actor_clock& clock() noexcept override { return clock_; }

protected:
  void enqueue(caf::resumable* job) override { add(job); }

  void stop() override {
    clock_.cancel_all();
    while (!test_coordinator::jobs.empty()) {
      auto* job = test_coordinator::jobs.front();
      test_coordinator::jobs.pop_front();
      cleanup_and_release(job);
    }
  }

private:
  void run_first() noexcept override { static_cast<void>(try_run_once()); }
  [[nodiscard]] std::optional<time_point> next_timeout() const override { return clock_.next_due(); }
  void run_timeout() noexcept override { static_cast<void>(clock_.trigger_timeout()); }
  void show_time(time_point now) noexcept override { clock_.current_time = now; }
  [[nodiscard]] bool gave_a_thread() const noexcept override { return threads_ > 0; }

  const std::atomic<unsigned>& threads_;
  simulated_actor_clock clock_;
};

struct own_system::parts {
  struct config : caf::actor_system_config {
    config(unsigned threads, conductor* by) {
      if (by != nullptr) {
        add_thread_hook<thread_counter>(actors_threads);
        module_factories.emplace_back([this, by](caf::actor_system& made_for) -> caf::actor_system::module* {
          return new simulated_scheduler{made_for, *by, actors_threads};
        });
      }
      // The stealing scheduler's steal walks the victim's whole queue; sharing does not (measured: 25-290 µs against
      // less than 1 µs for a job with 200,000 queued).
      set("scheduler.policy", caf::atom("sharing"));
      set("scheduler.max-threads", static_cast<std::size_t>(threads));
      set("logger.verbosity", caf::atom("quiet"));
    }
    std::atomic<unsigned> actors_threads = 0; ///< in simulations
  };

  parts(unsigned threads, conductor* by)
      : settings{threads, by}, jobs{by ? static_cast<simulated_scheduler*>(&system.scheduler()) : nullptr} {}

  config settings;
  caf::actor_system system{settings};
  simulated_jobs* jobs; ///< the system's; null outside of simulations
};

} // namespace muster::runtime
