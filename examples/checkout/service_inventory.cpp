/// The inventory service: owns the stock and who has reserved what. A process of its own; owns the tables `stock`,
/// `reservations` and `reserved_lines`.
///
/// Always holds: initial − available is what the reservations that are held add up to; one reservation for each key at
/// most, in whatever order it and its release arrive. A reservation that is never released is a sale.
#include "database.hpp"
#include "orders.hpp"
#include "service_host.hpp"

#include <memory>

namespace shop {

namespace {

class inventory {
public:
  explicit inventory(const std::string& file) : db_(file) {
    db_.script(
        "CREATE TABLE IF NOT EXISTS stock ("
        " product TEXT PRIMARY KEY, initial INTEGER NOT NULL, available INTEGER NOT NULL CHECK (available >= 0));"
        "CREATE TABLE IF NOT EXISTS reservations (key TEXT PRIMARY KEY, state TEXT NOT NULL); -- held, released\n"
        "CREATE TABLE IF NOT EXISTS reserved_lines ("
        " key TEXT NOT NULL REFERENCES reservations, product TEXT NOT NULL, quantity INTEGER NOT NULL);"
        "CREATE INDEX IF NOT EXISTS reserved_lines_by_key ON reserved_lines (key)");
    auto t = db_.write();
    for (const auto& p : catalogue())
      t.run("INSERT OR IGNORE INTO stock VALUES (?, ?, ?)", p.name, p.stock, p.stock);
    t.commit();
  }

  muster::result<nlohmann::json> reserve(const nlohmann::json& asked) {
    const auto key = asked.at("key").get<std::string>();
    const auto cart = parse_cart(asked.at("items"));
    if (!cart)
      return std::unexpected{cart.error()};
    // Asked beside the validation, so it cannot rely on it.
    if (const auto price = price_of(*cart); !price)
      return std::unexpected{price.error()};

    auto t = db_.write();
    if (t.run("INSERT OR IGNORE INTO reservations VALUES (?, 'held')", key) == 0) {
      if (t.number("SELECT count(*) FROM reservations WHERE key = ? AND state = 'held'", 0, key) == 0)
        return std::unexpected{muster::error{failure::voided, "the reservation " + key + " was released already"}};
      return nlohmann::json{{"reservation", key}};
    }
    for (const auto& line : *cart) {
      if (t.run("UPDATE stock SET available = available - ? WHERE product = ? AND available >= ?", line.quantity,
                line.product, line.quantity) == 0)
        return std::unexpected{muster::error{failure::sold_out, "not enough " + line.product + " in stock"}};
      t.run("INSERT INTO reserved_lines VALUES (?, ?, ?)", key, line.product, line.quantity);
    }
    t.commit();
    return nlohmann::json{{"reservation", key}};
  }

  muster::result<nlohmann::json> release(const nlohmann::json& asked) {
    const auto key = asked.at("key").get<std::string>();
    auto t = db_.write();
    if (t.run("UPDATE reservations SET state = 'released' WHERE key = ? AND state = 'held'", key) == 1)
      t.run("UPDATE stock SET available = available + held.quantity FROM"
            " (SELECT product, sum(quantity) AS quantity FROM reserved_lines WHERE key = ? GROUP BY product) AS held"
            " WHERE stock.product = held.product",
            key);
    else
      t.run("INSERT OR IGNORE INTO reservations VALUES (?, 'released')", key);
    t.commit();
    return nlohmann::json{{"released", key}};
  }

private:
  database db_;
};

} // namespace

int run_inventory_service(const service_options& options) {
  std::unique_ptr<inventory> store;
  return run_service(options, [&] {
    store = std::make_unique<inventory>(options.db);
    return service_routes{{"/reserve", [&](const nlohmann::json& asked) { return store->reserve(asked); }},
                          {"/release", [&](const nlohmann::json& asked) { return store->release(asked); }}};
  });
}

} // namespace shop
