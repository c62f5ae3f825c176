/// The customers: they send the orders of a csv file to the shop's door, each in the way its fault asks for.
///
/// Threads: `send_orders` blocks its caller; each order is a task, at most `at_a_time` of them at once. Always holds:
/// each order is sent once (a repeated one twice), and all connections are closed on return.
#pragma once

#include "orders.hpp"

#include <muster/muster.hpp>

#include <functional>
#include <span>

namespace shop {

/// What became of one order, as its customer sees it.
struct answered {
  int status = 0; ///< 0: hung up without waiting; -1: no answer came, or a repeated order got two different ones
  std::string body;
  muster::duration took{};
};

/// Called for each order as its answer comes, on the task's worker.
using answer_hook = std::function<void(const csv_order&, const answered&)>;

/// Sends them and waits for all answers, in the order of `orders`.
[[nodiscard]] muster::result<std::vector<answered>> send_orders(muster::manager& customers, int port,
                                                                std::span<const csv_order> orders,
                                                                std::size_t at_a_time, const answer_hook& on_answer);

/// One order, from within a task.
[[nodiscard]] muster::result<answered> send_order(muster::context& ctx, int port, const csv_order& o);

} // namespace shop
