/// Blocking a thread until something about an address has changed: the one place in the library where threads sleep
/// for each other (after WebKit's ParkingLot: waiters live in a table outside the object, so an object pays nothing).
///
/// Threads: any. Invariants: `ready` runs under the lock of the address' bucket, so whoever changes the state first and
/// calls `unpark_all` afterwards cannot be missed. `ready` must be short and take no lock. A waker need not call
/// `unpark_all` if it can know that nobody waits (a flag that `ready` sets with the same atomic that the waker
/// changes).
#pragma once

#include "function_ref.hpp"
#include "timers.hpp"

#include <string>

namespace muster::runtime {

/// What a wait is, for a simulation that has to say who waits for what when nobody can go on.
struct wait_label {
  function_ref<std::string()> what = nothing;
  bool gives_up = false; ///< it may then be called off

  static constexpr auto nothing = [] { return std::string{"a wait inside Muster"}; };
};

/// Blocks until `ready()` is true. False: it was called off, since in a simulation nobody was left to make it true.
bool park(const void* address, function_ref<bool()> ready, const wait_label& label = {});
/// Blocks until `ready()` is true or `until` has come on the clock of `due`; returns the last answer of `ready()`.
/// Needs the control loop of `due` to be running. On return nothing refers to this call any more.
bool park_until(const void* address, timers& due, time_point until, function_ref<bool()> ready,
                const wait_label& label = {});

/// Something that waits at an address without a thread: a suspended coroutine. It is woken whenever a thread parked
/// there would be, and looks for itself whether that was what it waits for.
class sleeper {
public:
  sleeper() = default;
  sleeper(const sleeper&) = delete;
  sleeper& operator=(const sleeper&) = delete;

protected:
  ~sleeper() = default;

private:
  friend class sleepers;
  /// Under the bucket's lock: one atomic step. True: this call has woken it, and `go` follows.
  virtual bool rouse() noexcept = 0;
  /// Without the bucket's lock. Until this has been called it stays asleep, so it cannot end under the waker's hand.
  virtual void go() noexcept = 0;

  const void* address_ = nullptr;
  sleeper* next_ = nullptr;
  sleeper* prev_ = nullptr;
  sleeper* woken_after_ = nullptr; ///< the waker's, between `rouse` and `go`
};

/// From now on `unpark_all(address)` wakes `who`, which is at no address yet. What it waits for must be looked at after
/// this has returned: what happened before it is not told.
void lie_down(const void* address, sleeper& who) noexcept;
/// The opposite. Not between `rouse` and `go`.
void get_up(sleeper& who) noexcept;

/// Makes every thread parked on `address` ask its `ready` again, and wakes all who sleep there. Never blocks for long;
/// takes no lock but the bucket's, and those that `sleeper::go` takes.
void unpark_all(const void* address) noexcept;

} // namespace muster::runtime
