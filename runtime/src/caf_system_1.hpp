/// The half of caf_system.cpp for CAF 1.1: settings, and what puts a simulation's jobs and time in place of CAF's.
#pragma once

#include "caf_simulated.hpp"

#include <caf/action.hpp>
#include <caf/actor_clock.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/detail/actor_system_access.hpp>
#include <caf/detail/cleanup_and_release.hpp>
#include <caf/disposable.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/logger.hpp>
#include <caf/scheduler.hpp>
#include <caf/thread_hook.hpp>
#include <caf/thread_owner.hpp>

#include <atomic>
#include <cstdio>
#include <map>

namespace muster::runtime {

/// Shows the simulation's time. Its timeouts are run in the order of their moments, those of one moment as they came.
class simulated_actor_clock final : public caf::actor_clock {
public:
  using caf::actor_clock::schedule;

  [[nodiscard]] time_point now() const noexcept override { return now_; }
  caf::disposable schedule(time_point when, caf::action what) override {
    due_.emplace(when, what);
    return std::move(what).as_disposable();
  }

  void show(time_point now) noexcept { now_ = now; }
  [[nodiscard]] std::optional<time_point> next_due() {
    while (!due_.empty() && due_.begin()->second.disposed())
      due_.erase(due_.begin());
    return due_.empty() ? std::nullopt : std::optional{due_.begin()->first};
  }
  void run_next() {
    auto what = std::move(due_.begin()->second);
    due_.erase(due_.begin());
    what.run();
  }
  void clear() {
    auto all = std::move(due_);
    due_.clear();
    for (auto& [when, what] : all)
      what.dispose();
  }

private:
  time_point now_{};
  std::multimap<time_point, caf::action> due_;
};

/// Counts the threads of actors that have one of their own, and the one that CAF has for their end.
class thread_counter final : public caf::thread_hook {
public:
  explicit thread_counter(std::atomic<unsigned>& count) : count_(count) {}
  void init(caf::actor_system&) override {}
  void thread_started(caf::thread_owner whose) override {
    if (whose == caf::thread_owner::pool)
      ++count_;
  }
  void thread_terminates() override {}

private:
  std::atomic<unsigned>& count_;
};

class simulated_scheduler final : public caf::scheduler, public simulated_jobs {
public:
  simulated_scheduler(caf::actor_system& system, conductor& by, simulated_actor_clock& clock,
                      const std::atomic<unsigned>& threads)
      : simulated_jobs{system, by, queue_}, clock_{clock}, threads_{threads} {
    clock_.show(by.now());
    // CAF keeps the logger of the last system that a thread has worked for.
    by.after_each_step([] { caf::logger::current_logger(static_cast<caf::actor_system*>(nullptr)); });
  }

  void schedule(caf::resumable* job) override { add(job); }
  void delay(caf::resumable* job) override { add(job); }
  void start() override {}
  void stop() override {
    clock_.clear();
    while (!queue_.empty()) {
      auto* job = queue_.front();
      queue_.pop_front();
      caf::detail::cleanup_and_release(job);
    }
  }

private:
  void run_first() noexcept override {
    auto* job = queue_.front();
    queue_.pop_front();
    switch (job->resume(this, 1)) {
      case caf::resumable::resume_later: queue_.push_front(job); break;
      case caf::resumable::shutdown_execution_unit: break;
      default: job->deref_resumable();
    }
  }
  [[nodiscard]] std::optional<time_point> next_timeout() const override { return clock_.next_due(); }
  void run_timeout() noexcept override { clock_.run_next(); }
  void show_time(time_point now) noexcept override { clock_.show(now); }
  [[nodiscard]] bool gave_a_thread() const noexcept override { return threads_ > 1; }

  simulated_actor_clock& clock_;
  const std::atomic<unsigned>& threads_;
  std::deque<caf::resumable*> queue_;
};

struct own_system::parts {
  struct config : caf::actor_system_config {
    config(unsigned threads, bool simulated) {
      if (simulated)
        add_thread_hook<thread_counter>(pool_threads);
      // The stealing scheduler's steal walks the victim's whole queue; sharing does not.
      set("caf.scheduler.policy", "sharing");
      set("caf.scheduler.max-threads", static_cast<std::size_t>(threads));
      set("caf.logger.file.verbosity", "quiet");
      set("caf.logger.console.verbosity", "quiet");
    }
    std::atomic<unsigned> pool_threads = 0; ///< in simulations
  };

  parts(unsigned threads, conductor* of) : by{of}, settings{threads, of != nullptr} {}

  /// While CAF sets up the system, before it would make a clock and a scheduler.
  static void simulate(caf::actor_system& system, caf::actor_system_config&, void* data) {
    auto& self = *static_cast<parts*>(data);
    if (self.by == nullptr)
      return;
    caf::detail::actor_system_access inside{system};
    inside.logger(caf::logger::make(system)); // before anything is spawned
    auto clock = std::make_unique<simulated_actor_clock>();
    auto scheduler = std::make_unique<simulated_scheduler>(system, *self.by, *clock, self.settings.pool_threads);
    self.jobs = scheduler.get();
    inside.clock(std::move(clock));
    inside.scheduler(std::move(scheduler));
    // What actors print goes through an actor that CAF would give a thread of its own.
    const auto printer = system.spawn<caf::hidden + caf::lazy_init>([](caf::event_based_actor*) -> caf::behavior {
      return {[](caf::add_atom, caf::actor_id, const std::string& text) { std::fputs(text.c_str(), stdout); },
              [](caf::flush_atom, caf::actor_id) { std::fflush(stdout); }, [](caf::delete_atom, caf::actor_id) {}};
    });
    inside.printer(caf::actor_cast<caf::strong_actor_ptr>(printer));
  }

  conductor* by;
  config settings;
  simulated_jobs* jobs = nullptr; ///< the system's; null outside of simulations
  caf::actor_system system{settings, simulate, this};
};

} // namespace muster::runtime
