/// Taking back what a failed order has left with the services: at once if they can be reached, else later.
///
/// Threads: any. Always holds: taking back is idempotent, and right also if what it is about was never made, or is
/// made only later: then the service remembers and refuses it. What could not be taken back stays unsettled in the
/// books, which a crash of this process survives.
#pragma once

#include "downstream.hpp"

#include <muster/context.hpp>

#include <string>

namespace shop {

struct counter;

/// Voids the charge or releases the reservation of order `id`.
[[nodiscard]] muster::result<void> void_charge(const downstream& payment, const std::string& id);
[[nodiscard]] muster::result<void> release_reservation(const downstream& inventory, const std::string& id);

/// Tries again and again with all unsettled orders. For a daemon: runs until it is asked to stop.
[[nodiscard]] muster::result<void> settle_for_ever(muster::context& ctx, const counter& at);
/// One last round, for a release: on a connection of its own, since there is no task that could hold a lease, and past
/// the circuit breaker, since there is no later. Broken off after about `limit`: an error if something remains
/// unsettled.
[[nodiscard]] muster::result<void> settle_at_the_end(const counter& at, const std::string& db, muster::duration limit);

} // namespace shop
