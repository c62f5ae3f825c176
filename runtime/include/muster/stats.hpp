/// Statistics as plain values, for a scope, a manager and a lane.
///
/// Every number counts since the beginning of what it describes; nothing is reset. Snapshots: copies, valid for ever.
#pragma once

#include <muster/api.hpp>
#include <muster/clock.hpp>

#include <cstdint>

MUSTER_API_BEGIN

namespace muster {

/// What the worker threads are doing now.
struct lane_stats {
  std::uint64_t workers = 0;        ///< threads there are
  std::uint64_t running = 0;        ///< of those: inside user code and not known to be blocked
  std::uint64_t blocked = 0;        ///< of those: blocked in foreign code
  std::uint64_t waiting = 0;        ///< of those: inside a wait of Muster's own
  std::uint64_t ready = 0;          ///< items ready to run, none of which has a worker yet
  duration oldest_ready{};          ///< age of the oldest of those
  std::uint64_t saturated = 0;      ///< how often all workers were blocked with items ready
  std::uint64_t most_workers = 0;   ///< the highest number of threads so far
};

/// The article's five figures, and what it left out. For a manager: of everything below it.
struct statistics {
  std::uint64_t scopes_created = 0;      ///< nested ones, those of the verbs, and managers that share an engine
  std::uint64_t tasks_started = 0;      ///< bodies that began to run
  std::uint64_t tasks_completed = 0;    ///< ended `ok`
  std::uint64_t tasks_failed = 0;        ///< ended `failed`
  std::uint64_t tasks_timed_out = 0;     ///< ended `timed_out`: by a timeout of their own
  std::uint64_t tasks_cancelled = 0;     ///< ended `cancelled`, for whatever reason
  std::uint64_t tasks_skipped = 0;       ///< ended `skipped`: never started
  std::uint64_t tasks_unresponsive = 0; ///< did not answer a cancel or a deadline within their grace period
  std::uint64_t tasks_live = 0;         ///< not ended yet, whether running or not
  std::uint64_t resources_released = 0;  ///< those whose release failed included
  std::uint64_t actors_started = 0;     ///< incarnations of actors and supervisors that came up, restarted ones
                                        ///< included
  std::uint64_t actors_restarted = 0;    ///< incarnations after a first one that came up
  std::uint64_t actors_unresponsive = 0; ///< did not stop within their time
  std::uint64_t messages_refused = 0;   ///< to handles of children in scopes that restart: nobody was there, and they
                                        ///< did not wait (too many, no restart to come) or have waited in vain
  std::uint64_t errors_dropped = 0;     ///< from the bounded error list (newest are kept)
  std::uint64_t events_dropped = 0;     ///< by the trace recorder
  bool trace_mapped = false;            ///< the trace is in a file that another process can read; see recorder::mapped
  duration wall_time{};                 ///< summed over bodies: from start to end
  duration cpu_time{};                  ///< summed over bodies: processor time of their threads
};

} // namespace muster

MUSTER_API_END
