// What is tested: the best of several quotes, with a time limit, as an application might have it.
#pragma once

#include <muster/muster.hpp>

#include <functional>
#include <string>
#include <vector>

namespace shop {

/// Asks one supplier; takes as long as it takes.
using supplier = std::function<muster::result<int>(muster::context&)>;

/// The lowest price that comes within two seconds. Fails if none does.
inline muster::result<int> best_quote(muster::manager& site, const std::vector<supplier>& suppliers) {
  using namespace std::chrono_literals;
  auto crew = site.create_scope("quotes", {.on_failure = muster::isolate});
  std::vector<muster::task<int>> quotes;
  for (const auto& ask : suppliers)
    quotes.push_back(crew.execute({.name = "supplier", .timeout = 2s}, ask));
  const auto whole = crew.wait();
  muster::result<int> best =
      std::unexpected{whole ? muster::error{muster::errc::bad_argument, "no suppliers"} : whole.error()};
  for (const auto& quote : quotes)
    if (const auto& price = quote.get(); price.ok() && (!best || price.value() < *best))
      best = price.value();
  return best;
}

} // namespace shop
