/// How urgent a task is among those that are ready.
#pragma once

#include <muster/api.hpp>

#include <cstdint>

MUSTER_API_BEGIN

namespace muster {

/// Ready tasks start by priority, first in first out within one priority. A low one is overtaken often but not for
/// ever: after a bounded number of overtakings the oldest waiting task is taken.
enum class priority : std::uint8_t { low, normal, high };

} // namespace muster

MUSTER_API_END
