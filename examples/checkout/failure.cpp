/// The table of failures, and errors as JSON. Stateless; any thread.
#include "failure.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace shop {

namespace {

struct row {
  failure code;
  int status;
  std::string_view name;
  const char* text;
};

constexpr std::array table{
  row{failure::malformed, 400, "malformed", "malformed request"},
  row{failure::invalid_cart, 422, "invalid_cart", "invalid cart"},
  row{failure::unknown_user, 422, "unknown_user", "unknown user"},
  row{failure::declined, 402, "declined", "card declined"},
  row{failure::sold_out, 409, "sold_out", "sold out"},
  row{failure::in_progress, 409, "in_progress", "order in progress"},
  row{failure::voided, 409, "voided", "taken back before it was made"},
  row{failure::no_such_route, 404, "no_such_route", "no such route"},
  row{failure::wrong_method, 405, "wrong_method", "wrong method"},
  row{failure::length_required, 411, "length_required", "length required"},
  row{failure::too_large, 413, "too_large", "request too large"},
  row{failure::unsupported_type, 415, "unsupported_type", "not JSON"},
  row{failure::service_broke, 502, "service_broke", "a service broke off"},
  row{failure::service_down, 503, "service_down", "a service is down"},
  row{failure::busy, 503, "busy", "too many connections"},
  row{failure::shutting_down, 503, "shutting_down", "shutting down"},
  row{failure::client_gone, 499, "client_gone", "the client is gone"},
};

const row* find(int code) noexcept {
  const auto found = std::ranges::find(table, code, [](const row& r) { return static_cast<int>(r.code); });
  return found == table.end() ? nullptr : &*found;
}

class category final : public std::error_category {
public:
  const char* name() const noexcept override { return "checkout"; }
  std::string message(int code) const override {
    const row* r = find(code);
    return r ? r->text : "unknown failure";
  }
};

nlohmann::json to_json(const muster::error& e, int levels) {
  nlohmann::json causes = nlohmann::json::array();
  nlohmann::json later = nlohmann::json::array();
  if (levels > 0) {
    if (const auto* cause = e.cause())
      causes.push_back(to_json(*cause, levels - 1));
    for (const auto& other : e.later())
      later.push_back(to_json(other, levels - 1));
  }
  return {{"code", e.code().value()},
          {"category", e.code().category().name()},
          {"message", e.message().empty() ? e.code().message() : e.message()},
          {"path", e.path()},
          {"causes", std::move(causes)},
          {"later", std::move(later)}};
}

} // namespace

const std::error_category& failure_category() noexcept {
  static const category the_category;
  return the_category;
}

std::error_code make_error_code(failure code) noexcept { return {static_cast<int>(code), failure_category()}; }

std::string_view name_of(failure code) noexcept {
  const row* r = find(static_cast<int>(code));
  return r ? r->name : "unknown";
}

failure failure_named(std::string_view name) noexcept {
  const auto found = std::ranges::find(table, name, &row::name);
  return found == table.end() ? failure::service_broke : found->code;
}

int http_status(failure code) noexcept {
  const row* r = find(static_cast<int>(code));
  return r ? r->status : 500;
}

int http_status(const muster::error& e) {
  for (const auto* at = &e; at != nullptr; at = at->cause())
    if (at->code().category() == failure_category())
      return http_status(static_cast<failure>(at->code().value()));
  if (e.is(std::errc::timed_out))
    return 504;
  if (e.is(muster::errc::breaker_open) || e.is(std::errc::operation_canceled) || e.is(muster::errc::shut_down))
    return 503;
  return 500;
}

nlohmann::json to_json(const muster::error& e) { return to_json(e, 8); }

std::string text_of(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

} // namespace shop
