/// A manager: the foreman, and the root of a supervision tree.
///
/// Owner: the application. Threads: any thread may call any function (constructor and destructor: one). Invariants:
/// nothing below it outlives it; its destructor cancels, joins, and never throws; every originating failure below it
/// is in `errors()` once, or counted as dropped.
#pragma once

#include <muster/api.hpp>
#include <muster/scope.hpp>

#include <memory>
#include <string>
#include <vector>

MUSTER_API_BEGIN

namespace muster {

struct MUSTER_INSIDE manager_access;

/// What went wrong below a manager, oldest first.
struct error_report {
  std::vector<error> errors;     ///< each originating failure once; at most manager_options::max_errors, newest kept
  std::uint64_t dropped = 0;     ///< older ones that had to make room
};

/// The root of a supervision tree. See the top of this file.
class manager : public verbs<manager> {
public:
  /// Starts an engine of its own: control threads, worker lanes, a CAF actor system, timers, the recorder. Throws
  /// std::system_error if not even the first threads can be had.
  explicit manager(manager_options options = {});
  /// A manager that shares the engine of `site` and is supervised by it: its cancellation, deadline and shutdown reach
  /// this one. It costs one actor. Only `name`, `grace`, `values`, `parent`, `max_errors`, `on_error` and
  /// `on_progress` of `options` are used; failures are also listed by `site`. Must be destroyed before `site`.
  manager(manager& site, std::string name, manager_options options = {});
  manager(const manager&) = delete;
  manager& operator=(const manager&) = delete;
  /// Cancels everything (kind `shutdown`) and joins it, for as long as that takes; says so through the log hook every
  /// grace period. From a body below this manager it asserts.
  ~manager();

  /// A scope directly below this manager. After `cancel` or `shutdown` it is born cancelled.
  [[nodiscard]] scope create_scope(std::string name, scope_options options = {});

  /// Asks everything below to stop (kind `user`, with `text`); later scopes are born cancelled. Does not block.
  void cancel(std::string text = {});
  /// True once it has been asked to stop, by whomever.
  [[nodiscard]] bool cancelled() const noexcept;
  /// Refuses new scopes, lets what runs finish for at most `drain`, then cancels (kind `shutdown`) and waits for one
  /// grace period more. Returns nothing if everybody has left, else errc::survivors with the paths of those who have
  /// not. From a body below this manager it only requests all that and returns errc::would_deadlock. Idempotent.
  [[nodiscard]] result<void> shutdown(duration drain);

  /// Of everything that was ever below this manager.
  [[nodiscard]] statistics stats() const;
  /// The worker lane that bodies run on.
  [[nodiscard]] lane_stats lane() const;
  /// What has gone wrong below it so far; a copy.
  [[nodiscard]] error_report errors() const;
  /// Everything that is below this manager now.
  [[nodiscard]] supervision_tree tree() const;

  /// A part of the path of everything below it.
  [[nodiscard]] const std::string& name() const noexcept;
  /// The time on the engine's clock.
  [[nodiscard]] time_point now() const noexcept;
  /// Writes what the trace recorder holds to `file`; see recorder::write.
  [[nodiscard]] std::error_code write_trace(const std::string& file) const;

  /// For the library and `muster/caf.hpp`.
  [[nodiscard]] manager_actor* actor() const noexcept { return actor_.get(); }

private:
  friend struct manager_access;
  explicit manager(detail::ref<manager_actor> actor) noexcept;
  detail::ref<manager_actor> actor_;
};

} // namespace muster

MUSTER_API_END
