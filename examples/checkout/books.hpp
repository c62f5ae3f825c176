/// The orders' books: what is known of each order, and whether the orders, the charges and the stock agree.
///
/// Owner: the site; the tables `orders` and `order_lines` are its own, the rest of the file is the services'. Threads:
/// any. Always holds: an order is pending until it becomes confirmed or failed, once and for ever, in one transaction;
/// that transaction is what decides. A failed order is `settled` when nothing of it is left with the services.
#pragma once

#include "database.hpp"
#include "orders.hpp"

#include <optional>
#include <string>
#include <vector>

namespace shop {

enum class order_state { pending, confirmed, failed };

struct order_record {
  std::string id;
  order_state state = order_state::pending;
  bool settled = false;
  int status = 0;     ///< the HTTP status it was answered with
  std::string answer; ///< and the JSON
};

class books {
public:
  explicit books(const std::string& file);

  /// Enters the order as pending; nothing if it is new. Otherwise what is known of it, and nothing is entered.
  std::optional<order_record> open(const order& o, std::int64_t cents);
  /// Pending becomes confirmed. False, and nothing has changed, if it was not pending.
  [[nodiscard]] bool confirm(const std::string& id, int status, const std::string& answer);
  /// Pending becomes failed; a confirmed order stays what it is.
  void fail(const std::string& id, int status, const std::string& answer, bool settled);

  /// Failed orders of which something may be left with the services; in random order, so that none stands in the way.
  [[nodiscard]] std::vector<std::string> unsettled();
  void settle(const std::string& id);
  /// After a crash: whatever is pending has failed, with `status` and `answer`, and is to be settled.
  std::int64_t fail_what_was_pending(int status, const std::string& answer);

private:
  database db_;
};

struct audit {
  std::int64_t confirmed = 0;
  std::int64_t failed = 0;
  std::int64_t captured_cents = 0;
  std::int64_t items_sold = 0;
  std::vector<std::string> disagreements; ///< a sentence each; empty: the books agree

  [[nodiscard]] bool agrees() const noexcept { return disagreements.empty(); }
};
/// Compares the orders, the charges and the stock in `file`. Throws std::system_error if it cannot be read.
[[nodiscard]] audit check_books(const std::string& file);
/// All orders by id.
[[nodiscard]] std::vector<order_record> read_orders(const std::string& file);

} // namespace shop
