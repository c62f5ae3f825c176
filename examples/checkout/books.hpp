/// The orders' books: what is known of each order, and whether the orders, the charges and the stock agree.
///
/// Owner: the pool of the site, which lends one connection to one task at a time; the tables `orders` and
/// `order_lines` are its own, the rest of the file is the services'. Threads: any, one at a time. Always holds: an
/// order is pending until it becomes confirmed or failed, once and for ever, in one transaction; that transaction is
/// what decides. A failed order is `settled` when nothing of it is left with the services.
#pragma once

#include "database.hpp"
#include "orders.hpp"

#include <muster/resource_pool.hpp>

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

/// One connection to the books.
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

/// The connections that the shop has. A lease is for one piece of work with the books, never for a whole order.
using ledger = muster::resource_pool<books>;

/// Waits for a connection for at most `patience`, calls `work` with it and gives it back. What `work` returns, or why
/// there was no connection.
template <class Work>
[[nodiscard]] auto with_books(muster::context& ctx, ledger& from, muster::duration patience, Work&& work)
  -> muster::result<std::invoke_result_t<Work&, books&>> {
  auto connection = from.acquire(ctx, patience);
  if (!connection)
    return std::unexpected{std::move(connection).error()};
  if constexpr (std::is_void_v<std::invoke_result_t<Work&, books&>>)
    return work(**connection), muster::result<void>{};
  else
    return work(**connection);
}

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
