/// What the actors say to each other. CAF passes these inside one process only, so they need no serialisation.
#pragma once

#include "ledger.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/atom.hpp>

namespace telemetry {

/// From a sensor to the aggregator.
struct one_reading {
  std::shared_ptr<const letter> inside;
};
/// From the aggregator to the writer.
struct batch {
  std::shared_ptr<const letter> inside;
  std::vector<summary> summaries;
};
/// From chaos to any of them.
enum class mischief : std::uint8_t {
  throws,      ///< an exception leaves it now
  quits,       ///< it ends now, with an error of its own
  breaks_later ///< an exception leaves it when it has its next piece of work in hand
};
struct order {
  mischief what{};
};

using tick_atom = caf::atom_constant<caf::atom("tick")>; ///< an actor's own, when its period is over
using finish_atom =
    caf::atom_constant<caf::atom("finish")>; ///< an actor's own, behind all that was there when it was asked to end

} // namespace telemetry

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(telemetry::one_reading)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(telemetry::batch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(telemetry::order)
