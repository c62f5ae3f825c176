/// The three kinds of actors, as functions for muster::spawn_actor. What an incarnation knows is lost with it.
///
///     sensor ──one_reading──▶ aggregator ──batch──▶ writer ──▶ store
#pragma once

#include "post.hpp"

namespace telemetry {

/// Reads `around->sources[which]` each period and sends the reading on. Dies if its source cannot be read.
caf::behavior sensor(caf::event_based_actor* self, wiring* around, std::size_t which);
/// Gathers readings into batches, and adds a summary of each.
caf::behavior aggregator(caf::event_based_actor* self, wiring* around);
/// Writes each batch into the store. Dies, with the batch, if that cannot take it.
caf::behavior writer(caf::event_based_actor* self, wiring* around);

} // namespace telemetry
