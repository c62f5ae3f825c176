/// What a scope that restarts keeps beside its other state: the restart policy's machine and the index of its children.
///
/// Owner: the scope. Threads: guarded by its lock, but the alarm. Invariants: a child is in the index from its adoption
/// until it has left the scope for good; it is known to the machine once it has been up.
#pragma once

#include "actor_child.hpp"
#include "restart_machine.hpp"
#include "scope_actor.hpp"

#include <deque>
#include <string>
#include <unordered_map>

namespace muster {

struct child_supervision {
  child_supervision(scope_actor& of, const restart& policy, child_hook hook)
      : machine(policy), how(policy), complaint(complaint_about(policy)), alarm(of) {
    if (hook)
      on_child = std::make_shared<const child_hook>(std::move(hook));
  }

  /// The end of a backoff.
  class alarm final : public runtime::timer {
  public:
    explicit alarm(scope_actor& of) noexcept : scope_(of) {}

  private:
    void on_due(time_point) noexcept override;
    void retain() noexcept override { runtime::retain_actor(scope_); }
    void release() noexcept override { runtime::release_actor(scope_); }
    scope_actor& scope_;
  };

  restart_machine machine;
  const restart how;
  const std::optional<std::string> complaint; ///< the policy cannot be carried out
  std::unordered_map<std::uint64_t, actor_ref<actor_child>> all; ///< by key; looked up only
  std::unordered_map<std::string, actor_child*> by_name;
  std::shared_ptr<const child_hook> on_child;
  std::deque<child_event> news; ///< that the hook is yet to be told, in the order in which it happened
  bool telling = false;         ///< the hook is being called, or is about to be
  std::uint64_t named = 0; ///< children that were given their name here
  bool over = false; ///< the scope is being taken down: nothing is started again
  class alarm alarm;
};

} // namespace muster
