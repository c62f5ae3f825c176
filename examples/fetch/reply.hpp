/// The head of what an HTTP server answers.
///
/// Threads: any; no state. Servers are asked in HTTP/1.0, so that a body is as long as its Content-Length says, or as
/// the connection lasts, and never comes in chunks.
#pragma once

#include <muster/error.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fetch {

struct reply_head {
  int status = 0;
  std::string reason;                    ///< as the server says it: "Not Found"
  std::optional<std::uint64_t> length{}; ///< of the body, if it is said
};

/// Reads all up to the empty line. What is no HTTP, has two lengths or one that is no number: std::errc::bad_message.
[[nodiscard]] muster::result<reply_head> read_head(std::string_view text);

} // namespace fetch
