/// The one clock that everything in Muster reads.
///
/// Owner: the engine holds it through a shared pointer; a test holds it as well. Threads: every function may be called
/// from any thread. Invariant: `now()` never goes backwards. No other file of the library reads the time of day or a
/// steady clock of its own, so that a manual clock governs every timeout, grace period and duration there is.
#pragma once

#include <muster/api.hpp>
#include <muster/detail/owned.hpp>

#include <condition_variable> // std::chrono's durations and clocks; <chrono> also has calendars, and streams for them
#include <memory>
#include <optional>

MUSTER_API_BEGIN

namespace muster {

namespace runtime {
class MUSTER_INSIDE conductor;
}

/// A point on the monotonic clock. With the real clock it is comparable with `std::chrono::steady_clock::now()`.
using time_point = std::chrono::steady_clock::time_point;
/// Every span of time in the public interface; nanoseconds, signed.
using duration = std::chrono::nanoseconds;

/// "No deadline".
inline constexpr time_point never = time_point::max();

/// Adds without overflow: `never` plus anything, and anything that would pass the end of time, is `never`.
[[nodiscard]] constexpr time_point saturating_add(time_point t, duration d) noexcept {
  if (d.count() > 0 && t > never - d)
    return never;
  if (d.count() < 0 && t < time_point::min() - d)
    return time_point::min();
  return t + d;
}

/// A source of monotonic time. Derive from it only to inject time into a manager.
class clock {
public:
  /// Something that keeps timers on this clock (a manager's engine). Implemented by the runtime.
  class listener {
  public:
    /// The due time of the earliest timer, if there is one.
    [[nodiscard]] virtual std::optional<time_point> next_due() const = 0;
    /// Returns once every timer that is due at `now` has fired and what it set off on the control plane is done.
    virtual void settle(time_point now) = 0;

  protected:
    ~listener() = default;
  };

  clock() = default;
  clock(const clock&) = delete;
  clock& operator=(const clock&) = delete;
  virtual ~clock() = default;

  /// The present moment.
  [[nodiscard]] virtual time_point now() const noexcept = 0;
  /// True if time passes only when somebody says so; then nothing waits in real time for a timer.
  [[nodiscard]] virtual bool is_manual() const noexcept { return false; }
  /// Called by an engine when it starts. Real clocks need not know.
  virtual void attach(listener&) {}
  /// Called by an engine when it stops: after the return its listener is used no more.
  virtual void detach(listener&) {}
  /// Called by an engine, from any thread and without locks, after its earliest due time has become earlier. Clocks
  /// that let others wait for such a moment override it.
  virtual void timers_changed() noexcept {}
  /// What runs the engines on this clock one step at a time, if it is the clock of a simulation (muster/testing.hpp);
  /// null: they have threads of their own.
  [[nodiscard]] virtual runtime::conductor* conductor() const noexcept { return nullptr; }
};

/// The machine's monotonic clock; one object for the whole program.
[[nodiscard]] std::shared_ptr<clock> real_clock();

/// A clock that stands still until it is told to go on. For tests.
class manual_clock final : public clock {
public:
  /// Starts at `start`.
  explicit manual_clock(time_point start = time_point{std::chrono::hours{1}});
  ~manual_clock() override;

  [[nodiscard]] time_point now() const noexcept override;
  [[nodiscard]] bool is_manual() const noexcept override { return true; }
  void attach(listener&) override;
  /// Waits until no `advance` is using the listener any more; afterwards it is never called again.
  void detach(listener&) override;
  void timers_changed() noexcept override;

  /// Moves time forward by `d`, stopping at each due timer on the way in order of time, so that a timer fires at
  /// exactly its own moment and may set another that is also on the way. On return every timer due has fired and the
  /// control plane has come to rest; task bodies that were woken may still be running. Negative `d` is misuse (it
  /// asserts). Not to be called from a callback of a timer. Calls from several threads take turns.
  void advance(duration d);

  /// Blocks until some engine on this clock has a timer due at or before `now() + d`. With it a test waits for
  /// "the body is asleep" instead of sleeping itself.
  void await_timer_within(duration d);

private:
  struct MUSTER_INSIDE impl;
  detail::owned<impl> impl_;
};

} // namespace muster

MUSTER_API_END
