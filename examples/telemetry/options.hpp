/// What the user asks for on the command line.
///
/// Threads: main alone. Invariant: options that were read are sound; a bad one has been explained and ends the program.
#pragma once

#include "plan.hpp"

#include <expected>
#include <string>
#include <vector>

namespace telemetry {

struct options {
  plan wanted;
  std::string database = "telemetry.db";
  std::vector<std::string> files; ///< more sources
  std::string trace; ///< empty: it is not kept
  bool json = false;
};

/// Reads the arguments. If there is nothing to do then (a mistake, which was explained on stderr; --help) the exit
/// status.
[[nodiscard]] std::expected<options, int> read_options(int argc, const char* const* argv);

} // namespace telemetry
