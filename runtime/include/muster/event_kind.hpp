/// The kinds of events there are in a trace, and what each field of an event means for its kind.
///
/// Owner: nobody, values only. Threads: any. Invariant: a number stays what it is for ever, since it is written into
/// trace files; new kinds take free numbers of their group.
#pragma once

#include <muster/api.hpp>

#include <cstdint>
#include <string_view>

MUSTER_API_BEGIN

namespace muster {

/// What happened to the subject. Behind each kind: what `value` and `text` hold; nothing said, they are 0.
/// "text: name" is the plain name; paths follow from the parents. Durations are nanoseconds.
enum class event_kind : std::uint16_t {
  none = 0, ///< never recorded

  // Managers
  manager_created = 0x10,   ///< value: the manager above it or 0; text: name
  manager_shutdown_began,   ///< value: time allowed
  manager_shutdown_stalled, ///< value: children left; text: the first of them
  manager_ended,

  // Scopes
  scope_created = 0x20, ///< value: parent; text: name
  scope_closed,         ///< takes no more children
  scope_joined,         ///< the last child has ended; releases come next
  scope_ended,          ///< value: 0 ok, else the error's code; text: the first error

  // Tasks
  task_created = 0x30, ///< value: scope; text: name
  task_ready,          ///< admitted by dependencies and max_parallel; value: priority
  task_started,        ///< the body begins; value: native thread id; text: name
  task_suspended,      ///< a coroutine body left its thread; the wait is an event of its own
  task_resumed,        ///< value: native thread id
  task_ended,          ///< value: the task's final state; text: its error or reason
  task_skipped,        ///< value: the dependency that did not end ok
  task_held,           ///< admitted by its dependencies, not yet by max_parallel

  // Actors
  actor_started = 0x40, ///< value: scope; text: name
  actor_start_failed,   ///< value: scope; text: error
  actor_stop_asked,     ///< value: stop timeout
  actor_ended,          ///< value: 0 normally, else the error's code; text: exit reason

  // Resources
  resource_registered = 0x50, ///< value: scope; text: name
  release_started,            ///< value: time allowed
  release_ended,              ///< value: how long it took
  release_failed,             ///< value: how long it took; text: error
  release_overdue,            ///< value: how long past its limit

  // Between them
  linked = 0x60, ///< an actor has linked itself to the subject; value: its id (that of an application's actor, CAF's)
  unlinked,      ///< it has taken that back; value: its id
  dependency,    ///< the subject starts only after `value` ended ok
  wait_began,    ///< value: id of what is waited for, or 0; text: what for
  wait_ended,    ///< cause: its wait_began; value: 0 got it, else the error's code
  exit_sent,     ///< value: receiver; text: reason
  exit_received, ///< cause: the exit_sent; value: sender, or 0; text: reason

  // What went wrong, and stopping
  cancel_asked = 0x70, ///< value: the kind of reason; text: the path where it began
  cancel_observed,     ///< the body looked and saw it; value: time since it was asked
  timeout,             ///< a deadline passed; value: the limit that was set
  failure,             ///< an error arose here; value: its code; text: its message
  unresponsive,        ///< no answer within the grace period; value: how long overdue; text: where it last checked in
  spawn_refused,       ///< value: the error's code; text: name of the child that never was

  // Lanes
  lane_grown = 0x80, ///< value: workers now
  lane_shrunk,       ///< some that it grew by have left; value: workers now
  lane_saturated,    ///< all workers blocked; value: items ready

  // Said by bodies
  note = 0x90, ///< text: what was said
  progress,    ///< value: see progress_value

  // Restarts (the subject is the child; for intensity_exceeded the supervisor)
  restart_decided = 0xA0, ///< cause: the failure; value: restarts in the window, with this one; text: strategy, limit
  restart_backoff,        ///< cause: restart_decided; value: delay before the start; text: which attempt in a row
  restart_done,           ///< value: the incarnation, 1 for the first restart
  restart_abandoned,      ///< decided, but a cancel or stop came first, or the supervisor gave up
  intensity_exceeded,     ///< value: restarts in the window; text: the limit

  // Pools (the subject is the pool)
  pool_created = 0xB0, ///< value: parent; text: name
  pool_resized,        ///< value: the new maximum
  pool_reset,
  pool_closed,         ///< no more leases are given
  pool_ended,          ///< everything is back and destroyed
  pool_item_created,   ///< value: items now
  pool_create_failed,  ///< value: the error's code; text: error
  pool_check_failed,   ///< a health check threw an item out; text: error
  pool_item_destroyed, ///< value: items now; text: why it was
  lease_granted,       ///< value: holder
  lease_returned,      ///< value: holder
  lease_reclaimed,     ///< the holder ended without giving it back; value: holder; text: its path

  // Circuit breakers (the subject is the breaker)
  breaker_created = 0xC0, ///< value: parent; text: name
  breaker_opened,         ///< value: how long it stays open; text: why
  breaker_half_opened,    ///< value: permits
  breaker_closed,
  breaker_reset,
  breaker_refused,          ///< value: the task refused, or 0
  breaker_permit_reclaimed, ///< the holder ended without reporting; value: holder; text: its path
  breaker_ended,            ///< nobody can use it any more

  // Retries (the subject is the task)
  retry_scheduled = 0xD0, ///< value: delay before the next attempt; text: the error of the last one
  retry_gave_up,          ///< value: attempts made; text: why no further one

  // The recorder itself (written where a trace leaves the process; never into a ring)
  events_dropped = 0xF0, ///< value: how many so far
  strings_dropped,       ///< value: how many so far
};

/// The enumerator's name, e.g. "task_started"; "unknown" for a number that has none. Never fails; any thread; the
/// text lives for ever.
[[nodiscard]] std::string_view to_string(event_kind kind) noexcept;

} // namespace muster

MUSTER_API_END
