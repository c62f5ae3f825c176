/// What can be said about a long-running child of a scope (a CAF actor, or a supervisor below): options, and what is
/// told of it. Plain values.
#pragma once

#include <muster/api.hpp>
#include <muster/clock.hpp>
#include <muster/restart.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

MUSTER_API_BEGIN

namespace muster {

/// Every member has a default; the order below is the order in which they are written.
struct child_options {
  std::string name;                           ///< empty: "actor". In a scope that restarts no two children share one
  bool daemon = false;                        ///< stopped when the last other child has ended; else it keeps `wait()`
                                              ///< waiting
  std::optional<duration> stop_timeout{};     ///< how long it may take to stop before it is reported as unresponsive
                                              ///< and an actor is killed; default: the scope's release_timeout
  child_kind kind = child_kind::permanent;    ///< when a scope that restarts starts it again
  bool significant = false;                   ///< see restart::ends; not for a permanent child
  duration start_timeout = duration::max();   ///< from the call of the factory until it is up; then its start has
                                              ///< failed, also while the factory does not return: that is awaited all
                                              ///< the same
  std::size_t held_messages = 1024;           ///< sent to its handle while it is down: so many wait for its restart;
                                              ///< later ones, and all if none comes, are refused (a request is answered
                                              ///< with an error) and counted in statistics::messages_refused
};

/// What happened to a child.
enum class child_transition : std::uint8_t {
  started,      ///< an incarnation is up; `ended` or `stopped` follows
  start_failed, ///< it is not, and will not be; also of one that was stopped before it was up
  ended,        ///< it ended by itself; with a text: it failed
  restarting,   ///< the next one is started now; `started` or `start_failed` follows
  gave_up,      ///< of the scope: there were too many restarts
  stopped,      ///< it was told to stop and is gone: by hand, with its group, or since the scope ends
  unresponsive, ///< it was told to stop and is not gone in its time, or its factory has not returned; it is awaited
                ///< still
};
/// "started", "start failed", …
[[nodiscard]] std::string_view to_string(child_transition what) noexcept;

/// Something that happened to a child of a scope that restarts. The hook (`scope_options::on_child`) is called on the
/// callback lane with one event at a time, in the order in which things happened in that scope; with the last one
/// before the scope has ended, so that `wait()` and the scope's destructor wait for a hook that has not returned.
struct child_event {
  std::string path;              ///< of the child; for `gave_up` of the scope
  child_transition what{};       ///< what happened
  std::uint64_t incarnation = 0; ///< 1 for the first; 0 where it means nothing
  std::string text;              ///< why, if there is a reason
  bool for_good = false;         ///< `stopped`, `start_failed`: since the scope ends
};
/// Told of every transition; see child_event.
using child_hook = std::function<void(const child_event&)>;

} // namespace muster

MUSTER_API_END
