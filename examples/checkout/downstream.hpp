/// A downstream service as the checkout sees it: a name, a port, and calls with JSON both ways.
///
/// Owner: the site. Threads: any. Always holds: an answer is JSON with status 200, or an error that says which service
/// it came from, with the service's own code if it gave one.
#pragma once

#include "failure.hpp"
#include "http_client.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace shop {

class downstream {
public:
  downstream(std::string name, int port) : name_(std::move(name)), port_(port) {}

  /// For tasks: ends at the context's deadline and when it is asked to stop.
  [[nodiscard]] muster::result<nlohmann::json> post(muster::context& ctx, const std::string& path,
                                                    const nlohmann::json& body) const {
    return understand(http_post(ctx, port_, path, text_of(body)));
  }
  /// For releases, which have no context.
  [[nodiscard]] muster::result<nlohmann::json> post(muster::duration limit, const std::string& path,
                                                    const nlohmann::json& body) const {
    return understand(http_post(limit, port_, path, text_of(body)));
  }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

private:
  [[nodiscard]] muster::result<nlohmann::json> understand(muster::result<http_reply> reply) const;

  std::string name_;
  int port_;
};

} // namespace shop
