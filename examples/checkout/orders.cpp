/// Orders as JSON, their price, and the catalogue. Pure functions; any thread.
#include "orders.hpp"

#include "failure.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace shop {

namespace {

constexpr std::size_t longest_name = 64;
constexpr std::size_t longest_cart = 20;
constexpr std::int64_t most_of_one = 1000;

constexpr std::array the_catalogue{
    product{"anvil", 12'900, 1'000'000}, product{"rope", 1'450, 1'000'000},   product{"lamp", 3'990, 1'000'000},
    product{"boots", 8'900, 1'000'000},  product{"shovel", 2'499, 1'000'000}, product{"lantern", 5'500, 3},
    product{"unicorn", 990'000, 0},
};
constexpr std::array<std::string_view, 6> the_users{"ada", "bob", "cleo", "dan", "eve", "finn"};

std::unexpected<muster::error> invalid(std::string message) {
  return std::unexpected{muster::error{failure::invalid_cart, std::move(message)}};
}

/// Letters, digits, '-', '_' and '.': such a text can be a key, a path and a line of a log.
bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= longest_name && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
}

muster::result<std::string> name_at(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string() || !is_name(found->get_ref<const std::string&>()))
    return invalid(fmt::format("\"{}\" must be a text of 1 to {} letters, digits, '-', '_' or '.'", key, longest_name));
  return found->get<std::string>();
}

} // namespace

std::span<const product> catalogue() noexcept { return the_catalogue; }
std::span<const std::string_view> known_users() noexcept { return the_users; }

muster::result<std::vector<cart_line>> parse_cart(const nlohmann::json& lines) {
  if (!lines.is_array() || lines.size() > longest_cart)
    return invalid(fmt::format("\"items\" must be an array of at most {}", longest_cart));
  std::vector<cart_line> cart;
  for (const auto& line : lines) {
    if (!line.is_object())
      return invalid("each of \"items\" must be an object");
    auto product_name = name_at(line, "product");
    if (!product_name)
      return std::unexpected{std::move(product_name).error()};
    const auto quantity = line.find("quantity");
    // A number beyond 64 bits is parsed as a fraction or an unsigned one, and is no quantity either.
    if (quantity == line.end() || !quantity->is_number_integer() ||
        (quantity->is_number_unsigned() && quantity->get<std::uint64_t>() > std::uint64_t{INT64_MAX}))
      return invalid("\"quantity\" must be a whole number");
    cart.push_back({std::move(*product_name), quantity->get<std::int64_t>()});
  }
  return cart;
}

muster::result<order> parse_order(std::string_view body) {
  nlohmann::json parsed;
  try {
    parsed = nlohmann::json::parse(body);
  } catch (const nlohmann::json::exception& e) {
    return std::unexpected{muster::error{failure::malformed, e.what()}};
  }
  if (!parsed.is_object())
    return invalid("an order must be an object");
  order o;
  for (auto [key, member] : {std::pair{"order", &order::id}, {"user", &order::user}, {"card", &order::card}}) {
    auto name = name_at(parsed, key);
    if (!name)
      return std::unexpected{std::move(name).error()};
    o.*member = std::move(*name);
  }
  const auto items = parsed.find("items");
  if (items == parsed.end())
    return invalid("\"items\" is missing");
  auto cart = parse_cart(*items);
  if (!cart)
    return std::unexpected{std::move(cart).error()};
  o.cart = std::move(*cart);
  return o;
}

nlohmann::json to_json(const std::vector<cart_line>& cart) {
  auto lines = nlohmann::json::array();
  for (const auto& line : cart)
    lines.push_back({{"product", line.product}, {"quantity", line.quantity}});
  return lines;
}

nlohmann::json to_json(const order& o) {
  return {{"order", o.id}, {"user", o.user}, {"card", o.card}, {"items", to_json(o.cart)}};
}

muster::result<std::int64_t> price_of(const std::vector<cart_line>& cart) {
  if (cart.empty())
    return invalid("the cart is empty");
  std::int64_t total = 0; // cannot overflow: at most 20 lines of 1000 pieces of less than ten million
  for (const auto& line : cart) {
    if (line.quantity < 1 || line.quantity > most_of_one)
      return invalid(fmt::format("{} of {}: a quantity is 1 to {}", line.quantity, line.product, most_of_one));
    const auto found = std::ranges::find(the_catalogue, line.product, &product::name);
    if (found == the_catalogue.end())
      return invalid(fmt::format("there is no {}", line.product));
    total += found->cents * line.quantity;
  }
  return total;
}

} // namespace shop
