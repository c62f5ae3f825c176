/// What the actors say to each other. CAF passes these inside one process only, so they need no serialisation; CAF 1.x
/// wants them registered before the first manager (register_messages, in system.hpp).
#pragma once

#include "ledger.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/type_id.hpp>

namespace telemetry {

/// From a sensor to the aggregator.
struct one_reading {
  std::shared_ptr<letter> inside;
};
/// From the aggregator to the writer.
struct batch {
  std::shared_ptr<letter> inside;
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

} // namespace telemetry

CAF_BEGIN_TYPE_ID_BLOCK(telemetry, caf::first_custom_type_id)
CAF_ADD_TYPE_ID(telemetry, (telemetry::one_reading))
CAF_ADD_TYPE_ID(telemetry, (telemetry::batch))
CAF_ADD_TYPE_ID(telemetry, (telemetry::order))
/// An actor's own: its period is over; all that was there when it was asked to end is behind it.
CAF_ADD_ATOM(telemetry, telemetry, tick_atom, "tick")
CAF_ADD_ATOM(telemetry, telemetry, finish_atom, "finish")
CAF_END_TYPE_ID_BLOCK(telemetry)

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(::telemetry::one_reading)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(::telemetry::batch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(::telemetry::order)
