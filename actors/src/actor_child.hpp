/// An application's CAF actor as a child of a scope.
///
/// Owner: the scope's stack of what it has to stop. Threads: control. Invariant: the scope hears of the actor's end
/// exactly once: as its own end if it was not asked for, and then as the end of the stopping.
#pragma once

#include "owned_actor.hpp"

#include <caf/actor.hpp>

namespace muster {

class scope_actor;

class actor_child final : public owned_actor {
public:
  actor_child(scope_actor& scope, std::string name, duration limit, caf::actor actor, bool daemon);

  /// Begins to watch the actor. Once, after the scope has adopted this.
  void watch();
  [[nodiscard]] bool daemon() const noexcept { return daemon_; }

private:
  void begin_stop() noexcept override { signal(stop_flag); }
  void on_signal(std::uint32_t flags) noexcept override;
  void on_down(const caf::down_msg& down) noexcept override;

  static constexpr std::uint32_t stop_flag = 1;

  caf::actor actor_; ///< this actor's own turn only, once it watches
  const bool daemon_;
  bool down_ = false; ///< this actor's own turn only
};

} // namespace muster
