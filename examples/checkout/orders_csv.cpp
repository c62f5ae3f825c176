/// orders.csv: its faults, its generator, its reader and writer. Pure but for the files; any thread.
#include "failure.hpp"
#include "orders.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <random>
#include <unordered_set>

namespace shop {

namespace {

constexpr std::string_view header = "order,user,card,product,quantity,fault";
constexpr std::size_t most_orders = 100'000;

/// How often a fault occurs in a generated mix, and how it should be answered.
struct fault_row {
  fault what;
  std::string_view name;
  int status;
  std::size_t per_thousand;
  std::size_t at_least; ///< in a mix of 40 or more
  std::size_t at_most;
};
constexpr std::array faults{
  fault_row{fault::unknown, "", 0, 0, 0, 0},
  fault_row{fault::none, "none", 200, 0, 0, 0},
  fault_row{fault::invalid_cart, "invalid_cart", 422, 50, 1, most_orders},
  fault_row{fault::unknown_user, "unknown_user", 422, 30, 1, most_orders},
  fault_row{fault::declined_card, "declined_card", 402, 60, 2, most_orders},
  fault_row{fault::sold_out, "sold_out", 409, 40, 1, most_orders},
  fault_row{fault::last_items, "last_items", -1, 40, 4, most_orders},
  fault_row{fault::slow_payment, "slow_payment", 504, 15, 1, most_orders},
  fault_row{fault::mute_payment, "mute_payment", 504, 15, 1, most_orders},
  fault_row{fault::payment_dies, "payment_dies", 502, 5, 1, 2},
  fault_row{fault::payment_down, "payment_down", 503, 30, 1, most_orders},
  fault_row{fault::client_gone, "client_gone", 499, 40, 2, most_orders},
  fault_row{fault::bad_json, "bad_json", 400, 20, 1, most_orders},
  fault_row{fault::oversized, "oversized", 413, 15, 1, most_orders},
  fault_row{fault::repeated, "repeated", 200, 30, 1, most_orders},
};

const fault_row& row_of(fault what) noexcept { return *std::ranges::find(faults, what, &fault_row::what); }

/// Not std::uniform_int_distribution: its numbers differ from one standard library to the next.
std::size_t below(std::mt19937_64& dice, std::size_t limit) { return static_cast<std::size_t>(dice() % limit); }

order ordinary_order(std::size_t number, std::mt19937_64& dice) {
  constexpr std::size_t plenty = 5; // the first products of the catalogue never run out
  return {.id = fmt::format("order-{:04}", number),
          .user = std::string{known_users()[below(dice, known_users().size())]},
          .card = std::string{cards::good},
          .cart = {{std::string{catalogue()[below(dice, plenty)].name},
                    static_cast<std::int64_t>(1 + below(dice, 4))}}};
}

void make_wrong(order& o, fault what, std::mt19937_64& dice) {
  constexpr std::array<std::int64_t, 3> senseless{0, -3, 1'000'000'000};
  switch (what) {
  case fault::invalid_cart: o.cart[0].quantity = senseless[below(dice, senseless.size())]; break;
  case fault::unknown_user: o.user = "nobody"; break;
  case fault::declined_card: o.card = cards::declined; break;
  case fault::sold_out: o.cart[0].product = "unicorn"; break;
  case fault::last_items: o.cart[0] = {"lantern", 1}; break;
  case fault::slow_payment:
  case fault::client_gone: o.card = cards::slow; break;
  case fault::mute_payment:
  case fault::payment_dies: o.card = cards::mute; break;
  default: break;
  }
}

muster::error bad_line(const std::string& file, std::size_t number, std::string_view why) {
  return {std::errc::invalid_argument, fmt::format("{}:{}: {}", file, number, why)};
}

/// The six fields of a line, or an empty list. There is no quoting: no field can hold a comma.
std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> fields;
  for (;;) {
    const auto comma = line.find(',');
    fields.push_back(line.substr(0, comma));
    if (comma == std::string_view::npos)
      break;
    line.remove_prefix(comma + 1);
  }
  if (fields.size() != 6 || line.find('"') != std::string_view::npos)
    fields.clear();
  return fields;
}

} // namespace

std::string_view to_string(fault what) noexcept { return row_of(what).name; }

std::optional<fault> fault_named(std::string_view name) noexcept {
  const auto found = std::ranges::find(faults, name, &fault_row::name);
  return found == faults.end() ? std::nullopt : std::optional{found->what};
}

int expected_status(fault what) noexcept { return row_of(what).status; }

std::size_t expected_last_items(const std::vector<csv_order>& orders) {
  const auto wanted = std::ranges::count(orders, fault::last_items, &csv_order::wrong);
  const auto lantern = std::ranges::find(catalogue(), "lantern", &product::name);
  return static_cast<std::size_t>(std::min<std::int64_t>(wanted, lantern->stock));
}

std::vector<csv_order> generate_orders(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 dice{seed};
  count = std::min(count, most_orders);
  std::vector<fault> mix;
  for (const auto& row : faults) {
    const auto least = count >= 40 ? row.at_least : 0;
    const auto wanted = std::clamp(count * row.per_thousand / 1000, least, std::max(least, row.at_most));
    mix.insert(mix.end(), wanted, row.what);
  }
  mix.resize(count, fault::none);
  for (std::size_t i = mix.size(); i > 1; --i)
    std::swap(mix[i - 1], mix[below(dice, i)]);

  std::vector<csv_order> orders;
  for (const auto what : mix) {
    orders.push_back({ordinary_order(orders.size() + 1, dice), what});
    make_wrong(orders.back().what, what, dice);
  }
  return orders;
}

muster::result<void> write_csv(const std::string& file, const std::vector<csv_order>& orders) {
  std::ofstream out{file};
  out << header << '\n';
  for (const auto& [o, wrong] : orders)
    out << fmt::format("{},{},{},{},{},{}\n", o.id, o.user, o.card, o.cart.at(0).product, o.cart[0].quantity,
                       to_string(wrong));
  out.close();
  if (!out)
    return std::unexpected{muster::error{std::errc::io_error, "cannot write " + file}};
  return {};
}

muster::result<std::vector<csv_order>> read_csv(const std::string& file) {
  std::ifstream in{file};
  if (!in)
    return std::unexpected{muster::error{std::errc::no_such_file_or_directory, "cannot read " + file}};
  std::vector<csv_order> orders;
  std::unordered_set<std::string> ids;
  std::string line;
  std::size_t number = 0;
  while (std::getline(in, line)) {
    if (!line.empty() && line.back() == '\r')
      line.pop_back();
    if (++number == 1) {
      if (line != header)
        return std::unexpected{bad_line(file, number, fmt::format("the first line must be {}", header))};
      continue;
    }
    if (line.empty())
      continue;
    if (orders.size() == most_orders)
      return std::unexpected{bad_line(file, number, "too many orders")};
    const auto fields = split(line);
    if (fields.empty())
      return std::unexpected{bad_line(file, number, "six plain fields are wanted")};
    std::int64_t quantity = 0;
    const auto [end, bad] = std::from_chars(fields[4].data(), fields[4].data() + fields[4].size(), quantity);
    if (bad != std::errc{} || end != fields[4].data() + fields[4].size())
      return std::unexpected{bad_line(file, number, "the quantity is no number")};
    const auto wrong = fault_named(fields[5]);
    if (!wrong)
      return std::unexpected{bad_line(file, number, fmt::format("there is no fault '{}'", fields[5]))};
    if (!ids.emplace(fields[0]).second)
      return std::unexpected{bad_line(file, number, "this order is there already")};
    orders.push_back({order{std::string{fields[0]}, std::string{fields[1]}, std::string{fields[2]},
                            {{std::string{fields[3]}, quantity}}},
                      *wrong});
  }
  return orders;
}

} // namespace shop
