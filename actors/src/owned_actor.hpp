/// Something that a scope owns and stops at its end, in reverse order of start: a resource, or an application's actor.
///
/// Owner: the scope's stack. Threads: `stop` on a control thread, once. Invariant: after `stop` the scope is told
/// `owned_ended` exactly once, however long it takes; what is overdue is reported, and awaited all the same.
#pragma once

#include "actor_ref.hpp"
#include "control_actor.hpp"

#include <muster/error.hpp>
#include <muster/tree.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <string>

namespace muster {

class scope_actor;

class owned_actor : public control_actor, private runtime::timer {
public:
  owned_actor(scope_actor& scope, std::string name, duration limit, node_kind kind);

  [[nodiscard]] const std::string& label() const noexcept { return name_; }
  [[nodiscard]] std::string path() const;
  /// Begins the end.
  void stop() noexcept;
  [[nodiscard]] tree_node draw(time_point now) const;

protected:
  /// Does what ends it; `stopped` follows.
  virtual void begin_stop() noexcept = 0;
  /// It has ended: with `failure`, if there was one.
  void stopped(const std::optional<error>& failure, bool released) noexcept;
  void on_signal(std::uint32_t) noexcept override {}
  [[nodiscard]] bool stopping() const noexcept { return asked_at_.load() != time_point{}; }
  [[nodiscard]] scope_actor& scope() const noexcept { return *scope_; }
  [[nodiscard]] const actor_ref<scope_actor>& shared_scope() const noexcept { return scope_; }

private:
  void on_due(time_point now) noexcept override;
  void retain() noexcept override { runtime::retain_actor(*this); }
  void release() noexcept override { runtime::release_actor(*this); }

  const actor_ref<scope_actor> scope_;
  const std::string name_;
  const duration limit_;
  const node_kind kind_;
  const time_point created_;
  std::atomic<time_point> asked_at_{time_point{}};
  std::atomic<bool> gone_ = false;
  bool reported_ = false; ///< control thread only
};

} // namespace muster
