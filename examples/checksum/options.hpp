/// What the user asks for on the command line.
///
/// Threads: main alone. Invariant: options that were read are sound; a bad one has been explained and ends the program.
#pragma once

#include <muster/options.hpp>

#include <expected>
#include <string>
#include <vector>

namespace checksum {

struct options {
  std::vector<std::string> folders;              ///< as they were written
  unsigned jobs = 1;                             ///< bodies that hash at the same time
  muster::duration timeout = muster::no_timeout; ///< for everything together
  std::string trace;                             ///< file for the trace; empty: none is written
};

/// Reads the arguments. If there is nothing to do then (a mistake, which was explained on stderr; --help) the exit
/// status.
[[nodiscard]] std::expected<options, int> read_options(int argc, const char* const* argv);

} // namespace checksum
