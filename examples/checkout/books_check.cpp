/// The audit: every way in which the orders, the charges and the stock could disagree, as one query each that must
/// find nothing. It reads one consistent state of the file; any thread.
#include "books.hpp"

#include <fmt/format.h>

namespace shop {

namespace {

/// A query whose every row is a disagreement: what it is about, and up to two numbers.
struct question {
  const char* sentence; ///< {0}: what it is about; {1}, {2}: the numbers
  const char* sql;
};

constexpr question questions[] = {
  {"order {0} has no final state", "SELECT id, 0, 0 FROM orders WHERE state NOT IN ('confirmed', 'failed')"},
  {"order {0} failed, and something of it is still to be taken back",
   "SELECT id, 0, 0 FROM orders WHERE state = 'failed' AND settled = 0"},
  {"order {0} is confirmed for {1} cents, but {2} cents were charged",
   "SELECT id, o.cents, coalesce(c.cents, 0) FROM orders o LEFT JOIN charges c ON c.key = o.id AND c.state = 'captured'"
   " WHERE o.state = 'confirmed' AND coalesce(c.cents, -1) != o.cents"},
  {"{1} cents are charged for {0}, which is no confirmed order",
   "SELECT key, cents, 0 FROM charges WHERE state = 'captured' AND key NOT IN"
   " (SELECT id FROM orders WHERE state = 'confirmed')"},
  {"order {0} sold {1} items, but has {2} reserved",
   "SELECT id, (SELECT sum(quantity) FROM order_lines l WHERE l.id = o.id) AS sold,"
   " (SELECT coalesce(sum(quantity), 0) FROM reserved_lines JOIN reservations USING (key)"
   "  WHERE key = o.id AND state = 'held') AS held"
   " FROM orders o WHERE o.state = 'confirmed' AND sold IS NOT held"},
  {"stock is reserved for {0}, which is no confirmed order",
   "SELECT key, 0, 0 FROM reservations WHERE state = 'held' AND key NOT IN"
   " (SELECT id FROM orders WHERE state = 'confirmed')"},
  {"{0}: {1} have left the stock, but {2} were sold",
   "SELECT product, initial - available AS gone, (SELECT coalesce(sum(quantity), 0) FROM order_lines l"
   " JOIN orders o USING (id) WHERE l.product = s.product AND o.state = 'confirmed') AS sold"
   " FROM stock s WHERE gone != sold"},
};

} // namespace

audit check_books(const std::string& file) {
  database db{file, database::access::existing};
  auto t = db.read();
  audit found;
  for (const auto& q : questions)
    t.each(q.sql, [&](const row_view& row) {
      found.disagreements.push_back(fmt::format(fmt::runtime(q.sentence), row.text(0), row.number(1), row.number(2)));
    });
  found.confirmed = t.number("SELECT count(*) FROM orders WHERE state = 'confirmed'", 0);
  found.failed = t.number("SELECT count(*) FROM orders WHERE state = 'failed'", 0);
  found.captured_cents = t.number("SELECT coalesce(sum(cents), 0) FROM charges WHERE state = 'captured'", 0);
  found.items_sold = t.number(
    "SELECT coalesce(sum(quantity), 0) FROM order_lines JOIN orders USING (id) WHERE state = 'confirmed'", 0);
  const auto due = t.number("SELECT coalesce(sum(cents), 0) FROM orders WHERE state = 'confirmed'", 0);
  if (due != found.captured_cents)
    found.disagreements.push_back(
      fmt::format("{} cents are due for the confirmed orders, {} were charged", due, found.captured_cents));
  return found;
}

} // namespace shop
