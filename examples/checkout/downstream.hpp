/// A downstream service as the checkout sees it: a name, a port, and calls with JSON both ways; behind a circuit
/// breaker, if it is given one.
///
/// Owner: the site. Threads: any. Always holds: an answer is JSON with status 200, or an error that says which service
/// it came from, with the service's own code if it gave one. While the breaker is open nothing is sent: then the error
/// is muster::errc::breaker_open.
#pragma once

#include "failure.hpp"
#include "http_client.hpp"

#include <muster/circuit_breaker.hpp>

#include <nlohmann/json.hpp>

#include <string>

namespace shop {

class downstream {
public:
  /// `breaker` may be null, and outlives this and its copies.
  downstream(std::string name, int port, muster::circuit_breaker* breaker = nullptr)
      : name_(std::move(name)), port_(port), breaker_(breaker) {}

  /// For tasks: ends at the context's deadline and when it is asked to stop. If nobody listens, nothing was sent: then
  /// it tries again once or twice, in case the service is only being started.
  [[nodiscard]] muster::result<nlohmann::json> post(muster::context& ctx, const std::string& path,
                                                    const nlohmann::json& body) const;
  /// For releases, which have no context. Tries once.
  [[nodiscard]] muster::result<nlohmann::json> post(muster::duration limit, const std::string& path,
                                                    const nlohmann::json& body) const;
  /// The same service, asked whether its breaker is open or not: for when there is no later.
  [[nodiscard]] downstream without_breaker() const { return {name_, port_}; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

private:
  [[nodiscard]] muster::result<nlohmann::json> understand(muster::result<http_reply> reply) const;

  std::string name_;
  int port_;
  muster::circuit_breaker* breaker_;
};

/// Which errors say that a service is not there. All others are answers of one that is, or (a card whose bank takes for
/// ever) the end of an order's time, which says nothing about the service.
[[nodiscard]] bool service_is_missing(const muster::error& e) noexcept;

} // namespace shop
