/// One HTTP POST on loopback, which a Muster task can be called away from.
///
/// Stateless: a connection for each call. Threads: any; the call blocks its own. Always holds: a call from a context
/// returns soon after the task is asked to stop, whatever the other side does, and then gives the reason for that.
#pragma once

#include <muster/context.hpp>

#include <string>

namespace shop {

struct http_reply {
  int status = 0;
  std::string body;
};

/// Until the context's deadline, or until it is asked to stop. failure::service_down if nobody listens on the port:
/// then nothing was sent; failure::service_broke if the answer did not come whole: then nobody knows what happened.
[[nodiscard]] muster::result<http_reply> http_post(muster::context& ctx, int port, const std::string& path,
                                                   const std::string& body);
/// The same without a context, as in the release of a resource, for at most `limit` to connect and `limit` to answer.
[[nodiscard]] muster::result<http_reply> http_post(muster::duration limit, int port, const std::string& path,
                                                   const std::string& body);

} // namespace shop
