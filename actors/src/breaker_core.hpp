/// A circuit breaker at work: the machine behind a lock, the way past the lock while it is closed, its timer, its
/// events and its callback.
///
/// Owner: counted by the public handle, its permits, its timer while armed, and its callback while queued. Threads:
/// any; the timer's part on a control thread, the callback on the service lane. Lock order: a leaf below everything but
/// timers, the recorder and lanes' queues; no user code runs under it. Invariants: the gate's door is the machine's
/// generation while calls may pass without the lock; changes are told in the machine's order, one at a time.
#pragma once

#include "mutex.hpp"
#include "breaker_machine.hpp"
#include "engine.hpp"
#include "supervisor.hpp"

#include <muster/circuit_breaker.hpp>

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace muster::detail {

class breaker_core final : public breaker_gate, private runtime::timer {
public:
  using verdict = breaker_machine::verdict;

  breaker_core(supervisor& above, breaker_options options);
  ~breaker_core();

  /// Lets a call of `who` (null: of no task) pass, or says why not.
  [[nodiscard]] result<breaker_ticket> enter(task_actor* who);
  /// A call is over; `why` if it failed.
  void leave(const breaker_ticket& call, verdict what, const error* why, task_actor* who) noexcept;
  /// What an error of a call in `ctx` (null: in no task) counts as.
  [[nodiscard]] verdict judge(const error& why, const context* ctx) const noexcept;
  /// The task that held a permit has ended without a report.
  void reclaim(const breaker_ticket& call, task_actor& who) noexcept;

  [[nodiscard]] breaker_state state();
  [[nodiscard]] breaker_stats stats();
  [[nodiscard]] std::string path() const { return above_->place().text(&name_); }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  void force_open();
  void reset();
  /// The handle goes: on return the callback does not run and will not, unless this is its own thread.
  void retire() noexcept;

  void add_reference() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void drop_reference() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      delete this;
  }

private:
  struct turn;
  /// Carries out what the machine has changed. True: `tell_changes` is to be sent off, without the lock.
  [[nodiscard]] bool settle(std::uint64_t cause) noexcept;
  void record(const breaker_change& change, std::uint64_t cause) noexcept;
  void tell_changes() noexcept;
  struct reply {
    std::expected<breaker_ticket, breaker_machine::refusal> got;
    std::string because; ///< if it is open: why
    time_point at;
  };
  [[nodiscard]] reply ask(task_actor* who);
  [[nodiscard]] error refused(const breaker_machine::refusal& why, const std::string& because, time_point now,
                              task_actor* who) const;

  void on_due(time_point now) noexcept override;
  void retain() noexcept override { add_reference(); }
  void release() noexcept override { drop_reference(); }

  const std::shared_ptr<runtime::engine> engine_;
  const actor_ref<supervisor> above_;
  const std::string name_;
  const std::uint64_t id_;
  std::function<bool(const error&)> counts_as_failure_;

  std::atomic<std::size_t> references_ = 1;

  runtime::mutex mutex_; ///< guards all below
  breaker_machine machine_;
  breaker_stats counts_;
  std::optional<error> last_failure_;
  std::string because_; ///< why it is open
  time_point armed_for_ = never;
  std::uint64_t last_event_ = 0;
  recorder::living living_ = 0; ///< constant
  std::function<void(const breaker_change&)> on_change_;
  std::deque<breaker_change> to_tell_;
  std::uint64_t overdue_seen_ = 0;
  bool retired_ = false;
  std::atomic<bool> telling_ = false; ///< written under the lock
};

} // namespace muster::detail
