/// What the demo prints, and its judgement of what came out.
///
/// Owner: the demo. Threads: `answer`, `remark` and `served` may be called from any thread at once, the rest from the
/// main thread. Always holds: lines are whole, and nothing is judged by how long it took.
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

  void failures();
  void tree(const muster::supervision_tree& tree);
  void numbers(const muster::manager& site);
  /// True if every order was answered as its fault asks for and has one final state in the books, or none if it never
  /// was an order.
  [[nodiscard]] bool outcomes(const std::vector<order_record>& recorded);
  [[nodiscard]] bool books(const audit& found);
  [[nodiscard]] bool processes(const std::vector<pid_t>& pids);

private:
  const std::vector<csv_order>& orders_;
  const muster::duration time_for_all_;
  std::mutex mutex_;
  std::map<std::string, answered> answers_;     ///< by order id
  std::map<std::string, muster::error> errors_; ///< by order id
};

} // namespace shop
