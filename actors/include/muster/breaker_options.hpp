/// What can be said about a circuit breaker when it is made, and what it says about itself. Plain values.
///
/// Threads: values; the functions among them are called as each says. Making a breaker from options that make no sense
/// (a count of 0, a time that is zero or negative, a rate outside (0, 1], a factor below 1, an `open_most` below
/// `open_for`, a window smaller than its minimum) is misuse: it asserts.
#pragma once

#include <muster/api.hpp>
#include <muster/clock.hpp>
#include <muster/error.hpp>
#include <muster/options.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>

MUSTER_API_BEGIN

namespace muster {

/// closed: calls pass. open: they are refused at once. half_open: a few pass as probes, and their results decide.
enum class breaker_state : std::uint8_t { closed, open, half_open };
/// "closed", "open" or "half-open".
[[nodiscard]] std::string_view to_string(breaker_state state) noexcept;

/// Opens after so many failures in a row; one success in between starts the count anew. A slow success (see
/// `breaker_options::slow_after`) counts as a failure. Reporting a success takes no lock.
struct consecutive_failures {
  std::size_t failures = 5; ///< in a row
};
/// Opens when, of the last `calls` results, and not before there are `minimum` of them, at least this part failed or
/// were slow (failed or not). Reporting a result takes a lock.
struct count_window {
  std::size_t calls = 100;   ///< how many results are looked at
  std::size_t minimum = 10;  ///< with fewer it stays closed
  double failure_rate = 0.5; ///< the part that opens it, in (0, 1]
  double slow_rate = 1.0;    ///< the same of slow ones; looked at only if there is a `slow_after`
};
/// The same for the results of the last `span`: one that is exactly `span` old is no longer among them. It keeps 32
/// bytes for each moment at which results came in. Reporting a result takes a lock.
struct time_window {
  duration span = std::chrono::seconds{60}; ///< how far back it looks
  std::size_t minimum = 10;                 ///< with fewer results it stays closed
  double failure_rate = 0.5;                ///< the part that opens it, in (0, 1]
  double slow_rate = 1.0;                   ///< the same of slow ones; see count_window
};

/// A change of state, for `on_state_change`.
struct breaker_change {
  breaker_state from = breaker_state::closed; ///< the state before
  breaker_state to = breaker_state::closed; ///< the state from now on
  time_point at{};         ///< when
  time_point retry_at{};   ///< to open: when it will be half-open; `never` if somebody forced it open
  std::string why;         ///< in a few words
};

/// Every member has a default; the order below is the order in which they are written.
struct breaker_options {
  std::string name = "breaker"; ///< last part of its path, shown in its errors
  /// What opens it.
  std::variant<consecutive_failures, count_window, time_window> opens_on{};
  duration open_for = std::chrono::seconds{30}; ///< how long it stays open the first time; then it is half-open
  double open_growth = 1.0;        ///< each time that half-open ends badly, the next open time is so many times longer,
  duration open_most = no_timeout; ///< up to this one; closing starts anew with `open_for`
  /// Half-open: how many calls may be on their way at the same time. One that hangs keeps its place until it returns,
  /// or is overdue.
  std::size_t probes = 1;
  std::size_t successes = 1;        ///< half-open: how many successes close it; one failed or slow probe opens it again
  duration slow_after = no_timeout; ///< a call that takes this long, or longer, is slow
  /// A call on its way for this long is a failure at that moment; what it returns later is ignored. With it every call
  /// takes a lock, at its beginning and at its end.
  duration overdue_after = no_timeout;
  /// Which errors are failures of the dependency; the others count as successes, for it did answer. Default: every one.
  /// Not asked about a cancellation of the caller, which counts as nothing. Called on the caller's thread, without
  /// locks; what it throws counts as a failure, and goes to the log hook.
  std::function<bool(const error&)> counts_as_failure{};
  /// Told of every change of state, in order and one at a time, on the callback lane, without locks. It may use the
  /// breaker. What it throws goes to the log hook.
  std::function<void(const breaker_change&)> on_state_change{};
};

/// Of one breaker, since it was made; a snapshot. Each call that passed is counted once when it ends, as succeeded,
/// failed, ignored, late or reclaimed; one that is overdue is counted as failed then, and as late when it returns.
struct breaker_stats {
  breaker_state state = breaker_state::closed; ///< at this moment
  time_point retry_at{};       ///< open: when it will be half-open (`never`: forced open); else time_point{}
  std::uint64_t succeeded = 0; ///< those that were slow included
  std::uint64_t failed = 0;    ///< those that are overdue included
  std::uint64_t ignored = 0;   ///< counted neither way: the caller was cancelled, or it was said of a permit
  std::uint64_t late = 0;      ///< results of a generation that was over (the state had changed), or overdue before
  std::uint64_t refused = 0;   ///< calls that did not pass
  std::uint64_t slow = 0;      ///< took `slow_after` or longer; of those succeeded and failed
  std::uint64_t overdue = 0;   ///< of those failed
  std::uint64_t reclaimed = 0; ///< permits whose task ended without a report
  std::uint64_t opened = 0;    ///< how often it opened
};

namespace detail {

/// What a call carries from its admission to its end.
struct breaker_ticket {
  std::uint64_t generation = 0; ///< changes with every change of state
  std::uint64_t number = 0;     ///< of a call that is watched while it is on its way; else 0
  time_point started{};         ///< when the options ask for it
};

} // namespace detail
} // namespace muster

MUSTER_API_END
