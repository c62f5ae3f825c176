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
/// Makes every thread parked on `address` ask its `ready` again. Never blocks for long; takes no lock but the bucket's.
void unpark_all(const void* address) noexcept;

} // namespace muster::runtime
