/// What CAF 1.x is told of Muster's messages.
#include "caf_port.hpp"

#include <muster/assert.hpp>
#include <muster/caf_types.hpp>

namespace muster {

bool detail::caf_types_missing(std::uint16_t first) {
  if (runtime::type_known(first))
    return false;
  MUSTER_ASSERT(!runtime::any_system_lives(),
                "types of messages were to be registered after an actor system had come up: call "
                "muster::init_caf_types() before the first caf::actor_system");
  return true;
}

void init_caf_types() {
  if (detail::caf_types_missing(first_caf_type_id))
    runtime::make_types_known();
}

} // namespace muster
