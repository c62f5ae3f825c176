/// Who is linked to an actor of ours: found in constant time, however many they are.
///
/// CAF keeps links in a list that is walked by each link and unlink, and at the end of each of the linked; so a scope
/// to which n actors are linked would cost n² steps.
///
/// Owner: the actor. Threads: any, with CAF's lock on that actor held. Invariants: one entry for each actor that is
/// linked and is not known to have ended; no entry keeps an actor alive.
#pragma once

#include "caf_port.hpp"

#include <unordered_map>

namespace muster {

class link_index {
public:
  /// False: it is there already.
  bool add(caf::abstract_actor& who) {
    return linked_.try_emplace(who.ctrl(), caf::weak_actor_ptr{who.ctrl()}).second;
  }
  /// False: it was not there.
  bool remove(const caf::abstract_actor& who) noexcept { return linked_.erase(who.ctrl()) != 0; }
  bool remove(const caf::actor_addr& who) noexcept { return linked_.erase(who.get()) != 0; }
  /// Calls `f` with each of those that still exist.
  template <class F>
  void each(F f) const {
    for (const auto& [block, who] : linked_)
      if (const auto there = who.lock())
        f(*there->get());
  }
  [[nodiscard]] std::size_t size() const noexcept { return linked_.size(); }

private:
  std::unordered_map<const caf::actor_control_block*, caf::weak_actor_ptr> linked_;
};

} // namespace muster
