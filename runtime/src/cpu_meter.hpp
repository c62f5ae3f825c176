/// Processor time of a body, without asking the kernel about every short one.
///
/// Owner: one for each thread that runs bodies. Threads: its own only. Reading a thread's processor clock is a system
/// call (about 200 ns); a body that took less than `exact_from` is taken to have used the processor all the while, and
/// a longer one is measured. Invariant: what is charged to bodies never exceeds what the thread has used by more than
/// the short bodies since the last reading.
#pragma once

#include <muster/clock.hpp>

#include <algorithm>

namespace muster::runtime {

class cpu_meter {
public:
  static constexpr duration exact_from = std::chrono::microseconds{50};

  /// What to charge to a body that took `wall`. `read` gives the thread's processor time so far and is called only for
  /// long bodies.
  template <class Read>
  duration charge(duration wall, Read read) {
    if (wall < exact_from) {
      charged_ += wall;
      return wall;
    }
    const duration total = read();
    const duration used = total - last_ - charged_;
    last_ = total;
    charged_ = {};
    return std::clamp(used, duration{}, wall);
  }

  /// To be called when the thread begins to run bodies.
  void begin(duration total) noexcept {
    last_ = total;
    charged_ = {};
  }

private:
  duration last_{};    ///< the thread's processor time at the last reading
  duration charged_{}; ///< to short bodies since then
};

} // namespace muster::runtime
