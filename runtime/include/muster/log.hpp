/// The log hook: how Muster says something to a person while it runs.
///
/// Owner: the manager that was given the hook. Threads: the hook is called on a lane for callbacks, never on a control
/// thread and never under a lock, so it may block; one at a time is not promised, so it must be safe to call from
/// several threads at once. Invariant: without a hook Muster says nothing; it never writes to the terminal by itself.
#pragma once

#include <muster/clock.hpp>

#include <cstdint>
#include <functional>
#include <string>

namespace muster {

/// One message. A copy that the hook may keep.
struct log_record {
  /// How much it matters, in rising order.
  enum class level : std::uint8_t { debug, info, warning, error };

  level severity = level::info; ///< of the message
  time_point at{};  ///< when it arose, on the manager's clock
  std::string path; ///< of the task, scope or manager that it is about
  std::string text; ///< one sentence without path, severity and newline
};

/// Receives every message. It should not throw: nobody is there to whom the exception could be given. Default (empty):
/// no messages.
using log_hook = std::function<void(const log_record&)>;

} // namespace muster
