/// What a service's answer means. Pure; any thread.
#include "downstream.hpp"

namespace shop {

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
