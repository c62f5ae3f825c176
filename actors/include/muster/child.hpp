/// What can be said about a long-running child of a scope (a CAF actor, or a supervisor below): options, and what is told
/// of it. Plain values.
#pragma once

#include <muster/clock.hpp>
#include <muster/restart.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace muster {

/// Every member has a default; the order below is the order in which they are written.
struct child_options {
  std::string name;                           ///< empty: "actor". In a scope that restarts no two children share one
  bool daemon = false;                        ///< stopped when the last other child has ended; else it keeps `wait()` waiting
  std::optional<duration> stop_timeout{};     ///< how long it may take to stop before it is reported as unresponsive and an
                                              ///< actor is killed; default: the scope's release_timeout
  child_kind kind = child_kind::permanent;    ///< when a scope that restarts starts it again
  bool significant = false;                   ///< see restart::ends; not for a permanent child
  duration start_timeout = duration::max();   ///< from the call of the factory until it is up; then its start has failed
  std::size_t held_messages = 1024;           ///< sent to its handle while it is being restarted: so many wait for it, later
                                              ///< ones are refused (a request is answered with an error) and counted
};

enum class child_transition : std::uint8_t { started, start_failed, ended, restarting, gave_up, stopped, unresponsive };
/// "started", "start failed", …
[[nodiscard]] std::string_view to_string(child_transition what) noexcept;

/// Something that happened to a child of a scope that restarts.
struct child_event {
  std::string path;              ///< of the child; for `gave_up` of the scope
  child_transition what{};
  std::uint64_t incarnation = 0; ///< 1 for the first; 0 where it means nothing
  std::string text;              ///< why, if there is a reason
};
using child_hook = std::function<void(const child_event&)>;

} // namespace muster
