/// How the conductor runs CAF's jobs.
#include "caf_simulated.hpp"

#include <muster/assert.hpp>

#include <caf/actor_registry.hpp>
#include <caf/actor_system.hpp>

#include <algorithm>

namespace muster::runtime {

simulated_jobs::simulated_jobs(caf::actor_system& system, conductor& by, std::deque<caf::resumable*>& queue)
    : system_(system), by_(by), queue_(queue) {
  by_.add(*this);
}

simulated_jobs::~simulated_jobs() { by_.remove(*this); }

void simulated_jobs::add(caf::resumable* job) {
  by_.expect_here();
  queue_.push_back(job);
  offer_jobs();
}

void simulated_jobs::settle() {
  static_cast<void>(by_.block(
    this, [this] { return queue_.empty() && running_ == 0; }, [] { return std::string{"the actor system's end"}; },
    false));
  MUSTER_ASSERT(
      system_.registry().running() == 0,
      "an actor of the application is left at the end of its simulation: send it an exit before, or spawn it in a "
      "scope with muster::spawn_actor");
  system_.await_actors_before_shutdown(false);
}

void simulated_jobs::offer_jobs() {
  for (; offered_ < queue_.size(); ++offered_)
    by_.offer(*this);
}

void simulated_jobs::step() noexcept {
  --offered_;
  if (queue_.empty())
    return;
  std::rotate(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(by_.draw() % queue_.size()), queue_.end());
  ++running_;
  run_first();
  --running_;
  offer_jobs();
  if (queue_.empty() && running_ == 0)
    by_.wake(this);
}

std::optional<time_point> simulated_jobs::next_due() {
  // Asked at every step, so a thread that CAF has started is found before it does much: CAF counts it from its actor's
  // start to its end, and what has begun is known from then on.
  MUSTER_ASSERT(
      system_.detached_actors() == 0 && !gave_a_thread(),
      "a detached or blocking actor was spawned inside a simulation: it has a thread and a time of its own; use "
      "an event-based actor there");
  return timeouts_offered_ ? std::nullopt : next_timeout();
}

void simulated_jobs::time_came(time_point now) {
  show_time(now);
  if (const auto due = next_due(); due && *due <= now) {
    timeouts_offered_ = true;
    by_.offer(timeouts_);
  }
}

void simulated_jobs::timeouts::step() noexcept {
  home.timeouts_offered_ = false;
  if (const auto due = home.next_due(); due && *due <= home.by_.now())
    home.run_timeout();
  home.time_came(home.by_.now());
}

} // namespace muster::runtime
