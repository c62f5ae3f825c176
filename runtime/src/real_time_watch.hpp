/// Finds threads of simulations that sleep in real time: there nobody else runs meanwhile, so what they wait for may
/// never come, and a replay would not be one.
///
/// Owner: itself; one thread for the process, while there are simulations. It looks at what the kernel says about the
/// thread that has a simulation's baton (proc(5): /proc/PID/task/TID/syscall), every millisecond or so.
#pragma once

namespace muster::runtime {

class conductor;

struct real_time_watch {
  /// From here on `c` is looked at, until `leave` returns.
  static void enter(const conductor& c);
  static void leave(const conductor& c) noexcept;
};

} // namespace muster::runtime
