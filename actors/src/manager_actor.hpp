/// A manager: the supervisor at the root, or one below another that shares its engine.
///
/// Owner, threads, lock order: as in supervisor.hpp. What it adds: the bounded list of failures with its hook.
/// Invariant: each originating failure is listed once in every manager above it, the newest are kept, the dropped are
/// counted.
#pragma once

#include "supervisor.hpp"

#include <muster/manager.hpp>

#include <deque>

namespace muster {

class manager_actor final : public supervisor {
public:
  struct error_options {
    std::size_t most = 256;
    std::function<void(const error&)> hook;
  };
  /// `owns_engine`: the engine ends with this manager.
  [[nodiscard]] static actor_ref<manager_actor> make(supervisor_seed seed, error_options errors, bool owns_engine);
  manager_actor(supervisor_seed seed, error_options errors, bool owns_engine);

  [[nodiscard]] manager_actor& foreman() noexcept override { return *this; }
  [[nodiscard]] bool owns_engine() const noexcept { return owns_engine_; }

  /// Lists `what` here and in the managers above, unless the same originating failure has been listed before.
  void report(const error& what);
  [[nodiscard]] error_report errors() const;
  [[nodiscard]] std::uint64_t errors_dropped() const;

  /// See manager::shutdown.
  [[nodiscard]] std::optional<error> shutdown(duration drain);

private:
  bool ask_members(std::size_t&, const cancel_reason&) noexcept override { return false; }
  void ask_daemons() noexcept override {}
  void each_task(runtime::function_ref<void(task_actor&)>) override {}
  void draw(picture& into, time_point now) const override { draw_owned(into, now); }
  void at_end() noexcept override;
  void list(const error& what);
  [[nodiscard]] error still_here();

  /// The time for draining is up; only for a shutdown that was asked for from below.
  void on_due(time_point now) noexcept override;

  const bool owns_engine_;
  const std::size_t most_errors_;
  std::shared_ptr<const std::function<void(const error&)>> hook_;
  mutable std::mutex errors_mutex_; ///< a leaf
  std::deque<error> errors_;
  std::uint64_t dropped_ = 0;
};

} // namespace muster
