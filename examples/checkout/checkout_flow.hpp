/// The checkout: validate, then charge, the inventory beside them, and the confirmation that decides.
///
/// Threads: `checkout` blocks its caller until the order has its final state and nothing of it runs any more; its steps
/// run on the manager's lane. Always holds: an order is either confirmed, charged and reserved, or failed, with charge
/// and reservation taken back or entered in the books as still to be taken back.
#pragma once

#include "books.hpp"
#include "downstream.hpp"
#include "orders.hpp"

#include <muster/muster.hpp>

#include <functional>
#include <optional>

namespace shop {

/// What every checkout works with. It outlives them all.
struct counter {
  muster::manager& site;
  ledger& connections; ///< to the books
  downstream users;
  downstream payment;
  downstream inventory;
  muster::duration time_for_all; ///< for a whole checkout
};

/// What the client is told.
struct verdict {
  int status = 200;
  nlohmann::json answer{};
  std::optional<muster::error> error{}; ///< why, if it is no success
};

/// Fills the order, in the task of `ctx`. `client_has_left` is asked now and then whether anybody still waits for the
/// answer; it must not block. An order that is known already is not filled again: it gets its first answer.
[[nodiscard]] verdict checkout(muster::context& ctx, const counter& at, const order& o,
                               const std::function<bool()>& client_has_left);

/// The verdict on a request that failed with `e`: its HTTP status, and the error as JSON.
[[nodiscard]] verdict verdict_on(muster::error e);

} // namespace shop
