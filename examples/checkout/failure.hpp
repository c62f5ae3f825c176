/// What can go wrong in a checkout: the codes, the HTTP status of each, and an error as JSON.
///
/// Stateless; any thread. Always holds: every muster::error has exactly one HTTP status, and the originating failure
/// decides which, however it was wrapped and whatever came after it.
#pragma once

#include <muster/error.hpp>

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>
#include <system_error>

namespace shop {

/// The shop's own error codes. They pass through Muster unchanged.
enum class failure {
  malformed = 1,    ///< 400: not JSON, or not HTTP
  invalid_cart,     ///< 422: JSON, but not an order that can be filled
  unknown_user,     ///< 422
  declined,         ///< 402: the card's bank says no
  sold_out,         ///< 409: not enough in stock
  in_progress,      ///< 409: this very order is being worked on
  voided,           ///< 409: a charge or reservation that was taken back before it was made
  no_such_route,    ///< 404
  wrong_method,     ///< 405
  length_required,  ///< 411
  too_large,        ///< 413
  unsupported_type, ///< 415
  service_broke,    ///< 502: a service hung up or spoke nonsense; what it did is unknown
  service_down,     ///< 503: nobody listens there; it did nothing
  busy,             ///< 503: too many connections
  shutting_down,    ///< 503
  client_gone,      ///< 499: the client hung up; nobody reads the answer
};

[[nodiscard]] const std::error_category& failure_category() noexcept;
[[nodiscard]] std::error_code make_error_code(failure code) noexcept;

/// The identifier used on the wire between the services: "declined".
[[nodiscard]] std::string_view name_of(failure code) noexcept;
/// The code with this name; `service_broke` if there is none, since then somebody spoke nonsense.
[[nodiscard]] failure failure_named(std::string_view name) noexcept;

[[nodiscard]] int http_status(failure code) noexcept;
/// 504 for a deadline, 503 for an open circuit breaker and for a cancellation (only a shutdown cancels whole requests),
/// 500 for what nobody expected.
[[nodiscard]] int http_status(const muster::error& e);

/// {"code", "category", "message", "path", "causes": […], "later": […]}; at most eight levels deep.
[[nodiscard]] nlohmann::json to_json(const muster::error& e);
/// Any JSON as text; bytes that are no UTF-8 become U+FFFD.
[[nodiscard]] std::string text_of(const nlohmann::json& value);

} // namespace shop

template <>
struct std::is_error_code_enum<shop::failure> : std::true_type {};
