/// The shop's door: HTTP on one port, `POST /checkout` behind it.
///
/// Owner: the site, as a resource of its scope. Threads: accepting is one task of that scope and each connection
/// another, so whoever ends the scope ends them, and the supervision tree shows them. Always holds: every request that
/// can be answered is answered once, with JSON; at most `most_connections` are served at a time, the others are told
/// so.
#pragma once

#include "checkout_flow.hpp"
#include "sockets.hpp"

#include <atomic>
#include <functional>

namespace shop {

inline constexpr std::size_t largest_body = 64 * 1024;
inline constexpr int most_connections = 64;

/// Called once for each request that was answered, on the connection's worker: "order-0042" (empty if it never became
/// known which order it is) and the verdict.
using outcome_hook = std::function<void(const std::string& order_id, const verdict& v)>;

class http_front {
public:
  /// `listening` is open already; `at` and `crew` outlive this object's tasks.
  http_front(file_descriptor listening, const counter& at, muster::scope& crew, outcome_hook hook);

  /// Starts to accept.
  void open();
  /// No more connections; those that are there are served to their end. Idempotent; any thread.
  void close() noexcept;
  [[nodiscard]] int port() const noexcept { return port_; }

private:
  muster::result<void> accept(muster::context& ctx);

  file_descriptor listening_;
  const int port_;
  const counter& at_;
  muster::scope& crew_;
  const outcome_hook hook_;
  std::atomic<bool> closed_ = false;
  std::atomic<int> connections_ = 0;
  std::uint64_t accepted_ = 0;
};

} // namespace shop
