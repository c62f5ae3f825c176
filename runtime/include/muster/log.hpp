/// The log hook: how Muster says something to a person while it runs.
///
/// Owner: the manager that was given the hook. Threads: the hook is called on a lane for callbacks, never on a control
/// thread and never under a lock, so it may block; one at a time is not promised, so it must be safe to call from
/// several threads at once. Invariant: without a hook Muster says nothing; it never writes to the terminal by itself.
/// (A misuse that ends the program is told on stderr as it ends: see assert.hpp.)
///
/// Ready hooks: `muster::to_spdlog` (muster/spdlog.hpp) and `muster::to_caf_log` (muster/caf.hpp).
#pragma once

#include <muster/api.hpp>
#include <muster/clock.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

MUSTER_API_BEGIN

namespace muster {

/// What a message is about; a program may decide by it, for the texts change.
enum class log_kind : std::uint8_t {
  unresponsive,      ///< a task, actor or release was asked to stop and is late
  start_overdue,     ///< a child's factory has not returned in time
  end_held_up,       ///< somebody waits for an end, and this is who holds it up; said again every grace period
  shutdown_stalled,  ///< manager::shutdown has returned with survivors
  callback_threw,    ///< a callback of the application's threw
  release_failed,    ///< a pool's release function failed
  lease_reclaimed,   ///< a task ended without giving back what it had from a pool
  permit_reclaimed,  ///< a task ended without reporting to a circuit breaker
  trace_written,     ///< the trace was written out; the text says where
  trace_not_written, ///< it could not be
  trace_in_memory,   ///< it cannot be kept in mapped files: no other process sees it
};
/// The enumerator: "unresponsive".
[[nodiscard]] std::string_view to_string(log_kind what) noexcept;

/// One message. A copy that the hook may keep.
struct log_record {
  /// How much it matters, in rising order.
  enum class level : std::uint8_t { debug, info, warning, error };

  level severity = level::info;           ///< of the message
  log_kind what = log_kind::unresponsive; ///< what it tells of
  time_point at{};                        ///< when it arose, on the manager's clock
  std::string path;                       ///< of the task, scope or manager that it is about; empty: of the engine
  std::string text;                       ///< one sentence without path, severity and newline
};

/// "debug", "info", "warning", "error".
[[nodiscard]] std::string_view to_string(log_record::level severity) noexcept;
/// How much messages of this kind matter.
[[nodiscard]] log_record::level severity_of(log_kind what) noexcept;
/// "site/checkout/charge: it was asked to stop … [unresponsive]": path, text and kind, for a person. May throw
/// std::bad_alloc.
[[nodiscard]] std::string to_line(const log_record& record);
/// `{"level":"warning","what":"unresponsive","at_ns":…,"path":"…","text":"…"}`, for a machine: one line of JSON; the
/// time is in nanoseconds on the manager's clock. May throw std::bad_alloc.
[[nodiscard]] std::string to_json(const log_record& record);

/// Receives every message. It should not throw: nobody is there to whom the exception could be given. Default (empty):
/// no messages.
using log_hook = std::function<void(const log_record&)>;

} // namespace muster

MUSTER_API_END
