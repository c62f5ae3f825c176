/// What can be said about a manager, a scope, a task and a resource when it is made. Aggregates for designated
/// initialisers; every member has a default, and the order below is the order in which they are written.
#pragma once

#include <muster/api.hpp>
#include <muster/child.hpp>
#include <muster/clock.hpp>
#include <muster/dependencies.hpp>
#include <muster/error.hpp>
#include <muster/log.hpp>
#include <muster/priority.hpp>
#include <muster/restart.hpp>
#include <muster/trace_options.hpp>
#include <muster/values.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

MUSTER_API_BEGIN

namespace muster {

/// "No time limit of its own."
inline constexpr duration no_timeout = duration::max();

/// What a scope does when one of its children fails: `cancel_siblings`, `isolate`, or `restart{…}`, which starts actors
/// and supervisors again and collects the failures of tasks as `isolate` does.
struct failure_policy {
  /// The three policies.
  enum class kind : std::uint8_t { cancel_siblings, isolate, restart };
  kind what = kind::cancel_siblings; ///< which one
  muster::restart how{}; ///< for `restart`

  constexpr failure_policy() = default;
  /// For the two constants below.
  constexpr explicit failure_policy(kind k) noexcept : what(k) {}
  /// Restarts as `r` says.
  constexpr failure_policy(const muster::restart& r) noexcept
      : what(kind::restart),
        how(r) {} // NOLINT: implicit on purpose
  /// The same policy with the same numbers.
  friend bool operator==(const failure_policy&, const failure_policy&) = default;
};
/// The first failure cancels all the others at once (as errgroup, Trio's nursery and StructuredTaskScope do).
inline constexpr failure_policy cancel_siblings{failure_policy::kind::cancel_siblings};
/// Failures are collected; the others run on (as Kotlin's supervisorScope does).
inline constexpr failure_policy isolate{failure_policy::kind::isolate};

/// A report of progress, as `context::progress` made it.
struct progress_report {
  std::string path;       ///< of the task
  std::uint64_t done = 0; ///< so much has been done …
  std::uint64_t total = 0; ///< … of so much; 0: not known
};
/// Told of progress; may skip reports of a task that are older than its latest one.
using progress_hook = std::function<void(const progress_report&)>;

/// Of one task.
struct task_options {
  std::string name;               ///< last part of the path; empty: "task"
  duration timeout = no_timeout;  ///< from its admission (dependencies met, `max_parallel` permits) to its end; ≤ 0:
                                  ///< never runs
  dependencies after{};           ///< tasks that must end ok first; if one does not, this one is skipped
  muster::priority priority = muster::priority::normal; ///< among those that are ready
  bool daemon = false;            ///< stopped when the last child that is none has ended
  bool blocking = false;          ///< known to block its thread in foreign code: another worker may start at once
  std::optional<duration> grace{}; ///< how long it may take to answer a request to stop; default: its scope's
};

/// Of a scope.
struct scope_options {
  failure_policy on_failure = cancel_siblings; ///< when one of its children fails
  duration timeout = no_timeout;   ///< from now; everything below inherits it as a deadline; ≤ 0: nothing runs
  std::size_t max_parallel = 0;    ///< how many bodies may run at the same time; 0: no limit
  std::optional<duration> grace{}; ///< see task_options::grace; default: inherited
  context_values values{};         ///< laid over the inherited ones
  std::stop_token parent{};        ///< a request to stop it cancels the scope (kind: parent_cancelled)
  std::optional<duration> release_timeout{}; ///< how long one release may take before it is reported; default: grace
  progress_hook on_progress{};     ///< called on the callback lane, latest report of a task first; default: inherited
  child_hook on_child{};           ///< what happens to the children of a scope that restarts; called on the callback
                                   ///< lane
};

/// Of a registered resource.
struct resource_options {
  std::string name;                      ///< empty: "resource"
  std::optional<duration> timeout{};     ///< for its release; default: the scope's release_timeout
};

/// Of a manager. For one that shares the engine of another, see its constructor.
struct manager_options {
  std::string name = "muster";       ///< first part of all paths
  unsigned control_threads = 1;      ///< for supervision and timers; they never run user code
  unsigned workers = 0;              ///< bodies that run at the same time; 0: one for each processor
  unsigned max_workers = 256;        ///< how far the lane may grow while bodies block in foreign code
  unsigned max_threads = 0;          ///< all worker threads, those inside Muster's own waits too; 0: what the system
                                     ///< gives
  duration grace = std::chrono::seconds{1}; ///< how long a task may take to answer a request to stop
  std::shared_ptr<muster::clock> clock{};   ///< default: real_clock()
  trace_options trace{};             ///< what is recorded, and where
  context_values values{};           ///< for everything below
  std::stop_token parent{};          ///< a request to stop it cancels the manager (kind: parent_cancelled)
  std::size_t max_errors = 256;      ///< kept in errors(); the newest stay, the dropped are counted
  std::function<void(const error&)> on_error{}; ///< each originating failure once; called on the callback lane
  progress_hook on_progress{};       ///< called on the callback lane
  log_hook log{};                    ///< structured records; default: nothing is written anywhere
};

} // namespace muster

MUSTER_API_END
