/// The command line of embedded_server.
#pragma once

#include <muster/clock.hpp>

#include <cstdint>
#include <expected>
#include <string>

namespace embedded {

struct options {
  std::uint16_t port = 0;                        ///< 0: the system chooses
  unsigned threads = 2;                          ///< of the event loop
  muster::duration limit = std::chrono::seconds{10}; ///< for one request
  muster::duration drain = std::chrono::seconds{10}; ///< for all that are there when the server is asked to stop
};

/// `--port N`, `--threads N`, `--limit MS`, `--drain MS`; or what is wrong with them.
[[nodiscard]] std::expected<options, std::string> read_options(int argc, char** argv);

} // namespace embedded
