/// What the three downstream services have in common: a process that answers JSON with JSON on one port until SIGTERM.
///
/// Threads: handlers run on the threads of httplib's pool, several at a time. Always holds: the process ends with the
/// one that started it; whatever a handler throws becomes a 500.
#pragma once

#include "failure.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <map>
#include <string>

namespace shop {

struct service_options {
  int port = 0;
  int parent = 0; ///< process id of the program that started it
  std::string db;
};

using service_handler = std::function<muster::result<nlohmann::json>(const nlohmann::json&)>;
using service_routes = std::map<std::string, service_handler>;

/// Serves POST requests on the routes until SIGTERM or SIGINT; then calls `stopping` (for handlers that wait), lets
/// the handlers finish and returns the process's exit code. Says "ready" on standard output when it listens. To be
/// called on the main thread before there is any other.
[[nodiscard]] int run_service(
    const service_options& options, const std::function<service_routes()>& start,
    const std::function<void()>& stopping = [] {});

[[nodiscard]] int run_user_service(const service_options& options);
[[nodiscard]] int run_payment_service(const service_options& options);
[[nodiscard]] int run_inventory_service(const service_options& options);

} // namespace shop
