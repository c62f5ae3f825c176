/// Prints what came of a run.
#pragma once

#include "audit.hpp"

#include <string>

namespace telemetry {

[[nodiscard]] std::string as_text(const outcome& said, const audit& books);
[[nodiscard]] std::string as_json(const outcome& said, const audit& books);

} // namespace telemetry
