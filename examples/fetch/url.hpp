/// Addresses of what is to be fetched.
///
/// Threads: any; no state. Invariant: a url that was read is sound: it can be put into a request as it is, and nothing
/// in it ends a line.
#pragma once

#include <muster/error.hpp>

#include <string>
#include <string_view>

namespace fetch {

struct url {
  std::string host;   ///< a name or an address; an IPv6 address without its brackets
  std::string port;   ///< "80" if the text has none
  std::string target; ///< path and query, beginning with a slash
};

/// Reads "http://host[:port][/path][?query][#fragment]"; the fragment is dropped. Anything else:
/// std::errc::invalid_argument, with a message that says what is wrong.
[[nodiscard]] muster::result<url> read_url(std::string_view text);

} // namespace fetch
