/// How managers are made inside the library: by the manager's own constructor, and for `muster/caf.hpp`.
#pragma once

#include <muster/manager.hpp>

namespace caf {
class actor_system;
}

namespace muster {

struct manager_access {
  /// A root with an engine of its own, in `system` or (null) in an actor system of its own.
  [[nodiscard]] static detail::ref<manager_actor> root(manager_options options, caf::actor_system* system);
  [[nodiscard]] static manager make(detail::ref<manager_actor> actor) { return manager{std::move(actor)}; }
};

} // namespace muster
