/// Asking a service, and what its answer means. Any thread.
#include "downstream.hpp"

#include <muster/retry.hpp>

namespace shop {

namespace {

using namespace std::chrono_literals;

/// Not if the service broke off: then nobody knows what it did, and the order is taken back. Not if the breaker is
/// open: it refuses so that nobody waits.
muster::retry_policy only_if_nothing_was_sent() {
  return {.attempts = 3,
          .first_delay = 20ms,
          .retry_if = [](const muster::error& e) { return e.is(failure::service_down); }};
}

} // namespace

bool service_is_missing(const muster::error& e) noexcept {
  return e.is(failure::service_down) || e.is(failure::service_broke);
}

muster::result<nlohmann::json> downstream::post(muster::context& ctx, const std::string& path,
                                                const nlohmann::json& body) const {
  const auto ask = [&] { return understand(http_post(ctx, port_, path, text_of(body))); };
  return muster::retry(ctx, only_if_nothing_was_sent(), [&] { return breaker_ ? breaker_->execute(ctx, ask) : ask(); });
}

muster::result<nlohmann::json> downstream::post(muster::duration limit, const std::string& path,
                                                const nlohmann::json& body) const {
  const auto ask = [&] { return understand(http_post(limit, port_, path, text_of(body))); };
  return breaker_ ? breaker_->execute(ask) : ask();
}

muster::result<nlohmann::json> downstream::understand(muster::result<http_reply> reply) const {
  if (!reply)
    return std::unexpected{muster::error{std::move(reply).error(), "asking the " + name_ + " service"}};
  auto body = nlohmann::json::parse(reply->body, nullptr, false);
  if (reply->status == 200 && !body.is_discarded())
    return body;
  const auto text = [&](const char* key) {
    return body.is_object() && body.contains(key) && body[key].is_string() ? body[key].get<std::string>()
                                                                           : std::string{};
  };
  const auto code = failure_named(text("failure"));
  auto message = text("message");
  if (message.empty())
    message = "the " + name_ + " service answered " + std::to_string(reply->status);
  return std::unexpected{muster::error{code, std::move(message)}};
}

} // namespace shop
