/// The payment service: charges cards and takes charges back. A process of its own; owns the table `charges`.
///
/// Always holds: one row for each key at most, whatever is repeated, and in whatever order a charge and the request to
/// void it arrive: a void that comes first leaves a row behind, so that the charge that comes after it is refused.
/// Threads: httplib's; `voided` wakes those that play a slow bank.
#include "database.hpp"
#include "orders.hpp"
#include "service_host.hpp"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>

namespace shop {

namespace {

using namespace std::chrono_literals;

class payment {
public:
  explicit payment(const std::string& file) : db_(file) {
    db_.script("CREATE TABLE IF NOT EXISTS charges ("
               " key TEXT PRIMARY KEY, card TEXT, cents INTEGER NOT NULL, state TEXT NOT NULL) -- captured, voided");
  }

  muster::result<nlohmann::json> charge(const nlohmann::json& asked) {
    const auto key = asked.at("key").get<std::string>();
    const auto card = asked.at("card").get<std::string>();
    if (card == cards::declined)
      return std::unexpected{muster::error{failure::declined, "the bank declines " + card}};
    if (card == cards::slow)
      wait_until_voided(key);
    if (!capture(key, card, asked.at("cents").get<std::int64_t>()))
      return std::unexpected{muster::error{failure::voided, "the charge " + key + " was voided before it was made"}};
    if (card == cards::mute)
      wait_until_voided(key);
    return nlohmann::json{{"charge", key}};
  }

  muster::result<nlohmann::json> take_back(const nlohmann::json& asked) {
    const auto key = asked.at("key").get<std::string>();
    {
      auto t = db_.write();
      t.run("INSERT INTO charges VALUES (?, '', 0, 'voided') ON CONFLICT (key) DO UPDATE SET state = 'voided'", key);
      t.commit();
    }
    const std::lock_guard lock{mutex_};
    changed_.notify_all();
    return nlohmann::json{{"voided", key}};
  }

  void stop() {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    changed_.notify_all();
  }

private:
  /// True if the money is taken, now or by an earlier request with this key.
  bool capture(const std::string& key, const std::string& card, std::int64_t cents) {
    auto t = db_.write();
    t.run("INSERT OR IGNORE INTO charges VALUES (?, ?, ?, 'captured')", key, card, cents);
    const bool captured = is(t, key, "captured");
    t.commit();
    return captured;
  }

  static bool is(transaction& t, const std::string& key, std::string_view state) {
    return t.number("SELECT count(*) FROM charges WHERE key = ? AND state = ?", 0, key, state) == 1;
  }

  void wait_until_voided(const std::string& key) {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, 60s, [&] {
      auto t = db_.read();
      return stopping_ || is(t, key, "voided");
    });
  }

  database db_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
};

} // namespace

int run_payment_service(const service_options& options) {
  std::unique_ptr<payment> bank;
  return run_service(
    options,
    [&] {
      bank = std::make_unique<payment>(options.db);
      return service_routes{{"/charge", [&](const nlohmann::json& asked) { return bank->charge(asked); }},
                            {"/void", [&](const nlohmann::json& asked) { return bank->take_back(asked); }}};
    },
    [&] { bank->stop(); });
}

} // namespace shop
