/// The user service: knows who may buy. A process of its own; owns the table `users`.
#include "database.hpp"
#include "orders.hpp"
#include "service_host.hpp"

#include <memory>

namespace shop {

int run_user_service(const service_options& options) {
  std::unique_ptr<database> db;

  auto verify = [&](const nlohmann::json& asked) -> muster::result<nlohmann::json> {
    const auto name = asked.at("user").get<std::string>();
    if (db->read().number("SELECT count(*) FROM users WHERE name = ?", 0, name) == 0)
      return std::unexpected{muster::error{failure::unknown_user, "there is no user " + name}};
    return nlohmann::json{{"user", name}};
  };

  return run_service(options, [&] {
    db = std::make_unique<database>(options.db);
    db->script("CREATE TABLE IF NOT EXISTS users (name TEXT PRIMARY KEY)");
    auto t = db->write();
    for (const auto name : known_users())
      t.run("INSERT OR IGNORE INTO users VALUES (?)", name);
    t.commit();
    return service_routes{{"/verify", verify}};
  });
}

} // namespace shop
