/// CAF's scheduler and clock for an actor system that lives in a simulation: its jobs are steps of the conductor, its
/// timeouts are on the simulated time.
///
/// Owner: the actor system, which makes it from its configuration. Threads: those of the simulation, with the baton.
/// Invariants: each queued job has been offered; CAF's clock shows the simulation's time.
///
/// CAF 0.17.6 has a test coordinator, from which this one takes the queue and the clock. Its own way to stop would go
/// round for ever with an actor that renews a timeout, so it is not used.
#pragma once

#include "conductor.hpp"

#include <caf/fwd.hpp>

namespace muster::runtime {

/// Makes systems of this configuration live in the simulation of `by`.
void simulate(caf::actor_system_config& config, conductor& by);
/// Runs what is queued. Asserts that no actor of the application is left.
void settle_simulated(caf::actor_system& system);

} // namespace muster::runtime
