/// What the demo prints, and its judgement of what came out.
///
/// Owner: the demo. Threads: `answer`, `remark`, `served` and the breaker's changes may be called from any thread at
/// once, the rest from the main thread. Always holds: lines are whole, and nothing is judged by how long it took.
#pragma once

#include "books.hpp"
#include "checkout_flow.hpp"
#include "crowd.hpp"

#include <map>
#include <mutex>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace shop {

class shop_site;

/// What was seen of the pool of connections at its busiest.
struct rush_hour {
  std::size_t most_lent = 0;
  std::size_t most_waiting = 0;
};

class demo_report {
public:
  demo_report(const std::vector<csv_order>& orders, muster::duration time_for_all);

  void opening(const shop_site& shop);
  void act(std::string_view what, std::size_t orders);
  void remark(std::string_view what);
  /// An answer, as the customer got it.
  void answer(const csv_order& o, const answered& got);
  /// The same request, as the shop saw it: with the error itself.
  void served(const std::string& id, const verdict& v);
  /// The payment service's circuit breaker; in order.
  void breaker_changed(const muster::breaker_change& change);
  /// What was heard last.
  [[nodiscard]] muster::breaker_state breaker_state() const;

  void failures();
  void tree(const muster::supervision_tree& tree);
  void numbers(const muster::manager& site);
  /// True if every order was answered as its fault asks for and has one final state in the books, or none if it never
  /// was an order.
  [[nodiscard]] bool outcomes(const std::vector<order_record>& recorded);
  [[nodiscard]] bool books(const audit& found);
  /// True if it is closed, and has been open if the service was stopped.
  [[nodiscard]] bool breaker(const muster::breaker_stats& numbers, bool service_was_stopped) const;
  /// After the shop has closed: true if there never were more than may be, and all were given back and closed.
  [[nodiscard]] bool pool(const muster::pool_stats& numbers, const rush_hour& seen) const;
  [[nodiscard]] bool processes(const std::vector<pid_t>& pids);

private:
  const std::vector<csv_order>& orders_;
  const muster::duration time_for_all_;
  mutable std::mutex mutex_;
  muster::time_point opened_at_{}; ///< of the shop
  std::vector<muster::breaker_change> changes_;
  std::map<std::string, answered> answers_;     ///< by order id
  std::map<std::string, muster::error> errors_; ///< by order id
};

} // namespace shop
