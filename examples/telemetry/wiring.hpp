/// What every actor of the system is given. Owner: the run (system.cpp); it outlives all of them. Threads: any.
#pragma once

#include "ledger.hpp"
#include "plan.hpp"
#include "store.hpp"

#include <muster/caf.hpp>

#include <caf/actor_addr.hpp>

#include <atomic>
#include <map>
#include <mutex>

namespace telemetry {

/// The incarnations that are there, by name: for chaos, which hits one of them and not the child behind its handle.
class targets {
public:
  void set(const std::string& name, caf::actor_addr who) {
    const std::scoped_lock lock{mutex_};
    who_[name] = std::move(who);
  }
  /// Empty if it is gone.
  [[nodiscard]] caf::actor find(const std::string& name) const {
    const std::scoped_lock lock{mutex_};
    const auto found = who_.find(name);
    return found == who_.end() ? caf::actor{} : caf::actor_cast<caf::actor>(found->second);
  }

private:
  mutable std::mutex mutex_;
  std::map<std::string, caf::actor_addr> who_;
};

struct wiring {
  wiring(const plan& p, std::vector<source> s, ledger& l) : wanted(p), sources(std::move(s)), books(l) {}

  const plan wanted;
  const std::vector<source> sources;
  ledger& books;
  targets reachable;
  std::optional<muster::resource<std::shared_ptr<store>>> kept_in; ///< set before the first actor
  caf::actor writer; ///< set before whoever sends to it starts; good for all of its incarnations
  caf::actor aggregator;
  std::atomic<bool> calm{false}; ///< orders that have not been carried out yet are void
};

} // namespace telemetry
