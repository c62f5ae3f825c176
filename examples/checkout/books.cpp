/// The orders' tables. The thread of whoever holds the connection; several connections take turns as SQLite makes them.
#include "books.hpp"

namespace shop {

namespace {

order_record record_in(const row_view& row) {
  const auto state = row.text(1);
  return {.id = row.text(0),
          .state = state == "confirmed" ? order_state::confirmed
                   : state == "failed"  ? order_state::failed
                                        : order_state::pending,
          .settled = row.number(2) != 0,
          .status = static_cast<int>(row.number(3)),
          .answer = row.text(4)};
}

} // namespace

books::books(const std::string& file) : db_(file) {
  db_.script("CREATE TABLE IF NOT EXISTS orders ("
             " id TEXT PRIMARY KEY, user TEXT NOT NULL, cents INTEGER NOT NULL, state TEXT NOT NULL,"
             " settled INTEGER NOT NULL, status INTEGER NOT NULL, answer TEXT NOT NULL);"
             "CREATE TABLE IF NOT EXISTS order_lines ("
             " id TEXT NOT NULL REFERENCES orders, product TEXT NOT NULL, quantity INTEGER NOT NULL);"
             "CREATE INDEX IF NOT EXISTS order_lines_by_id ON order_lines (id);"
             "CREATE INDEX IF NOT EXISTS orders_to_settle ON orders (id) WHERE state = 'failed' AND settled = 0;");
}

std::optional<order_record> books::open(const order& o, std::int64_t cents) {
  auto t = db_.write();
  std::optional<order_record> known;
  t.each("SELECT id, state, settled, status, answer FROM orders WHERE id = ?",
         [&](const row_view& row) { known = record_in(row); }, o.id);
  if (known)
    return known;
  t.run("INSERT INTO orders VALUES (?, ?, ?, 'pending', 0, 0, '')", o.id, o.user, cents);
  for (const auto& line : o.cart)
    t.run("INSERT INTO order_lines VALUES (?, ?, ?)", o.id, line.product, line.quantity);
  t.commit();
  return {};
}

bool books::confirm(const std::string& id, int status, const std::string& answer) {
  auto t = db_.write();
  const bool done = t.run("UPDATE orders SET state = 'confirmed', settled = 1, status = ?, answer = ?"
                          " WHERE id = ? AND state = 'pending'",
                          status, answer, id) == 1;
  t.commit();
  return done;
}

void books::fail(const std::string& id, int status, const std::string& answer, bool settled) {
  auto t = db_.write();
  t.run("UPDATE orders SET state = 'failed', settled = ?, status = ?, answer = ? WHERE id = ? AND state = 'pending'",
        settled ? 1 : 0, status, answer, id);
  t.commit();
}

std::vector<std::string> books::unsettled() {
  std::vector<std::string> ids;
  auto t = db_.read();
  t.each("SELECT id FROM orders WHERE state = 'failed' AND settled = 0 ORDER BY random()",
         [&](const row_view& row) { ids.push_back(row.text(0)); });
  return ids;
}

void books::settle(const std::string& id) {
  auto t = db_.write();
  t.run("UPDATE orders SET settled = 1 WHERE id = ?", id);
  t.commit();
}

std::int64_t books::fail_what_was_pending(int status, const std::string& answer) {
  auto t = db_.write();
  const auto found =
    t.run("UPDATE orders SET state = 'failed', status = ?, answer = ? WHERE state = 'pending'", status, answer);
  t.commit();
  return found;
}

std::vector<order_record> read_orders(const std::string& file) {
  database db{file, database::access::existing};
  auto t = db.read();
  std::vector<order_record> orders;
  t.each("SELECT id, state, settled, status, answer FROM orders ORDER BY id",
         [&](const row_view& row) { orders.push_back(record_in(row)); });
  return orders;
}

} // namespace shop
