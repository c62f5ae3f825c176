/// What the user asks for on the command line.
///
/// Threads: main alone. Invariant: options that were read are sound; a bad one has been explained and ends the program.
#pragma once

#include "url.hpp"

#include <muster/options.hpp>

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

namespace fetch {

struct wanted_page {
  std::string text; ///< as it was written
  url from;
};

struct options {
  std::vector<wanted_page> pages;
  std::string into;                                    ///< folder for the bodies; empty: they are only counted
  muster::duration timeout = std::chrono::seconds{10}; ///< for each
  muster::duration total = muster::no_timeout;         ///< for all
  std::size_t at_once = 1000;                          ///< downloads at the same time
  bool serves = false;                                 ///< be the local server instead
  std::uint16_t port = 0;
  std::size_t demo = 0; ///< so many downloads from a server of its own
};

/// Reads the arguments and the list of URLs. If there is nothing to do then (a mistake, which was explained on stderr;
/// --help) the exit status.
[[nodiscard]] std::expected<options, int> read_options(int argc, const char* const* argv);

} // namespace fetch
