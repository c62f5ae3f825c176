/// How a scope that supervises long-running actors restarts them: `scope_options::on_failure = restart{…}`.
///
///     .on_failure = muster::restart{.strategy = muster::restart_strategy::rest_for_one,
///                                   .max_restarts = 3, .within = 10s,
///                                   .delay = {.first = 50ms, .cap = 5s, .jitter = 0.5}}
///
/// Plain values, aggregates for designated initialisers; every member has a default, and the order below is the order
/// in which they are written. The words and what they mean are those of Erlang/OTP's supervisor (stdlib reference
/// manual, module `supervisor`, "Supervision Principles", https://www.erlang.org/doc/apps/stdlib/supervisor.html).
/// Beyond it: the window is exact to the nanosecond, and restarts can be delayed.
#pragma once

#include <muster/api.hpp>
#include <muster/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

MUSTER_API_BEGIN

namespace muster {

/// Who is restarted with a child that has to be restarted. "Before" and "after" are the order in which the children
/// were first started; a restart does not change it.
enum class restart_strategy : std::uint8_t {
  one_for_one,  ///< it alone; the others do not notice
  one_for_all,  ///< all: the others are stopped in reverse order, then all are started in order
  rest_for_one, ///< it and those after it; those before it do not notice
};

/// Whether a child that has ended by itself has to be restarted.
enum class child_kind : std::uint8_t {
  permanent, ///< always
  transient, ///< if it failed; one that ended normally is kept, stopped, and can be restarted by hand
  temporary, ///< never; it is forgotten as soon as it has ended or was stopped, whyever
};

/// Whether the supervisor ends by itself when significant children have. A significant child counts when it ends by
/// itself and is not restarted: a transient one normally, a temporary one in any way. One that was stopped (by hand, or
/// with a group) does not. The supervisor then stops all others in reverse order and ends normally.
enum class auto_shutdown : std::uint8_t {
  none,            ///< OTP's `never`, the default: it does not
  any_significant, ///< when one of them has ended
  all_significant, ///< when one of them has ended and no other is up or about to be started
};

/// How long a restart waits. The n-th in a row waits min(cap, first · factorⁿ⁻¹), of which the part `jitter` is
/// replaced by a random share of itself. It is counted from the failure; time spent on stopping siblings is part of it.
/// Counted for each child with `one_for_one`, else for the whole group.
struct backoff {
  duration first{};                        ///< the first delay; 0: every restart is immediate, whatever the rest says
  double factor = 2;                       ///< by which each delay is longer than the one before; at least 1
  duration cap = std::chrono::seconds{30}; ///< the longest delay; not shorter than `first`
  double jitter = 0;                       ///< 0 … 1: the part of the delay that is random (0: exact; 1: all of it)
  duration quiet{};                        ///< after it was up for so long the next delay is `first` again; 0: `within`
  std::uint64_t seed = 1;                  ///< of the random part: the same seed and failures give the same delays
  /// All members are the same.
  friend bool operator==(const backoff&, const backoff&) = default;
};

/// How a supervisor restarts its children, and when it stops trying.
struct restart {
  restart_strategy strategy = restart_strategy::one_for_one; ///< who is restarted with the one that failed
  /// How many restarts there may be `within` the time; one more, and the supervisor stops its children in reverse order
  /// and fails, so that the one above decides. A start that fails counts like a restart, one of a group counts once; a
  /// start by hand never does. 0: no child is ever restarted.
  unsigned max_restarts = 1;
  /// The window: a restart at time t looks back to t - within, that moment included. Not negative.
  duration within = std::chrono::seconds{5};
  backoff delay{};                          ///< before each restart; default: none
  std::size_t max_children = 0;             ///< more are refused; 0: no limit
  auto_shutdown ends = auto_shutdown::none; ///< whether the end of significant children ends the supervisor
  /// All members are the same.
  friend bool operator==(const restart&, const restart&) = default;
};

/// Where a supervised child is at the moment.
enum class child_state : std::uint8_t {
  starting, ///< its start is under way and has not said yet whether it succeeded
  running,
  stopping, ///< it was told to stop and has not gone yet
  waiting,  ///< it is down and will be started: after its backoff, or when its turn in its group comes
  stopped,  ///< it has ended or was stopped by hand, and is kept: it can be restarted by hand
};
/// "starting", "running", "stopping", "waiting" or "stopped".
[[nodiscard]] std::string_view to_string(child_state state) noexcept;

/// What is wrong with these options, in a sentence, or nothing. Wrong are: a negative time, a factor below 1, a jitter
/// outside 0 … 1 (not a number is both), a cap that is shorter than the first delay.
[[nodiscard]] std::optional<std::string> complaint_about(const restart& options);

} // namespace muster

MUSTER_API_END
