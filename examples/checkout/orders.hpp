/// Orders: what they are, what the shop sells, how they come as JSON and in orders.csv, and how such a file is made up.
///
/// Plain values and pure functions; any thread. Always holds: the same count and seed give the same orders.
#pragma once

#include <muster/error.hpp>

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace shop {

struct cart_line {
  std::string product;
  std::int64_t quantity = 0;
};

struct order {
  std::string id;
  std::string user;
  std::string card;
  std::vector<cart_line> cart;
};

struct product {
  std::string_view name;
  std::int64_t cents;
  std::int64_t stock; ///< on the first day
};
[[nodiscard]] std::span<const product> catalogue() noexcept;
[[nodiscard]] std::span<const std::string_view> known_users() noexcept;

/// The cards that the payment service treats in a way of their own; it takes money from every other one.
namespace cards {
inline constexpr std::string_view good = "card-good";
inline constexpr std::string_view declined = "card-declined"; ///< the bank says no
inline constexpr std::string_view slow = "card-slow";         ///< the bank takes for ever to take the money
inline constexpr std::string_view mute = "card-mute";         ///< the money is taken at once, the answer never comes
} // namespace cards

/// The order in a request's body. failure::malformed if it is not JSON; failure::invalid_cart if it is JSON but not of
/// the shape of an order. What is in the cart is not judged here: see `price_of`.
[[nodiscard]] muster::result<order> parse_order(std::string_view body);
[[nodiscard]] nlohmann::json to_json(const order& o);
[[nodiscard]] nlohmann::json to_json(const std::vector<cart_line>& cart);
/// The lines in such an array; failure::invalid_cart if it is none.
[[nodiscard]] muster::result<std::vector<cart_line>> parse_cart(const nlohmann::json& lines);

/// What the cart costs, in cents; failure::invalid_cart if it cannot be sold (empty, quantities that make no sense,
/// products that there are not).
[[nodiscard]] muster::result<std::int64_t> price_of(const std::vector<cart_line>& cart);

/// What is the matter with an order of orders.csv, which decides how the client behaves and what it should be answered.
enum class fault {
  unknown, ///< an empty column: nobody says what should become of it
  none,
  invalid_cart,
  unknown_user,
  declined_card,
  sold_out,
  last_items,   ///< more orders than items: the first of them get one
  slow_payment, ///< the charge outlasts the order's time; it is taken back before it is made
  mute_payment, ///< the charge is made, but its answer outlasts the order's time; it is taken back
  payment_dies, ///< the payment service is killed while it works on this order
  payment_down, ///< comes while the payment service is down
  client_gone,  ///< the client hangs up without waiting for the answer
  bad_json,
  oversized,
  repeated, ///< sent twice; must be charged once
};
[[nodiscard]] std::string_view to_string(fault what) noexcept;
[[nodiscard]] std::optional<fault> fault_named(std::string_view name) noexcept;
/// Refused before anybody knows which order it is, so that the books have nothing of it.
[[nodiscard]] constexpr bool refused_at_the_door(fault what) noexcept {
  return what == fault::bad_json || what == fault::oversized;
}

/// One line of orders.csv. Such a file has one cart line for each order.
struct csv_order {
  order what;
  fault wrong = fault::unknown;
};

/// A mix in which everything occurs from 40 orders on; at most 100,000.
[[nodiscard]] std::vector<csv_order> generate_orders(std::size_t count, std::uint64_t seed);
[[nodiscard]] muster::result<void> write_csv(const std::string& file, const std::vector<csv_order>& orders);
/// Names the line that it does not understand. Ids must be unique.
[[nodiscard]] muster::result<std::vector<csv_order>> read_csv(const std::string& file);

/// What each order of the file should be answered, by index: 0 where nobody says, -1 where one of `last_items` gets
/// 200 and the next 409 (`expected_last_items` says how many).
[[nodiscard]] int expected_status(fault what) noexcept;
[[nodiscard]] std::size_t expected_last_items(const std::vector<csv_order>& orders);

} // namespace shop
