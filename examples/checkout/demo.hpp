/// The whole example in one command: a shop, its customers, everything that can go wrong, and the books afterwards.
///
/// Threads: runs on the main thread; customers and shop are managers below one root, in one process, the services are
/// processes of their own. Always holds: it returns 0 only if every order was answered as its fault asks for, the books
/// agree, the payment service's circuit breaker opened while that was down and closed afterwards, every connection was
/// given back, and no process is left.
#pragma once

#include <muster/clock.hpp>

#include <cstdint>
#include <string>

namespace shop {

struct demo_options {
  std::size_t orders = 300;
  std::uint64_t seed = 1;
  std::string csv;  ///< given orders, in place of generated ones
  std::string keep; ///< a folder for the files, which stays; empty: a temporary one
  std::string trace;      ///< what the runtime recorded is written to this file; empty: it is not
  std::size_t at_a_time = 8;
  muster::duration time_for_all = std::chrono::seconds{2};
  muster::duration breaker_open_for = std::chrono::milliseconds{300};
  std::size_t connections = 4;
};

[[nodiscard]] int run_demo(const demo_options& options);

} // namespace shop
