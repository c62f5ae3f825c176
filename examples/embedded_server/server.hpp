/// The application's own side: an event loop with threads, a port, and signals. It knows Muster only where a client
/// comes: its request is made a task of a scope that main owns.
///
/// Owner: main, which destroys it after the scope whose tasks use its event loop. Threads: `threads` of its own run the
/// loop; functions are for main. Invariant: after `stop_accepting` no task is started any more.
#pragma once

#include "options.hpp"
#include "request.hpp"

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/signal_set.hpp>
#include <asio/strand.hpp>

#include <functional>
#include <thread>
#include <vector>

namespace embedded {

class server {
public:
  /// Opens the port on the loopback; throws std::system_error if it cannot be had.
  server(const options& wanted, say tell);
  /// Ends the loop and joins its threads.
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  /// Begins: each client's request becomes a task of `requests`; `asked_to_stop` is called on the loop at each SIGINT
  /// and SIGTERM, with how many there have been.
  void start(muster::scope& requests, std::function<void(int)> asked_to_stop);
  /// Closes the port. On return no further request is started. Not on the loop's own threads, nor the next one.
  void stop_accepting();
  /// On return `asked_to_stop` does not run and will not be called any more. Signals do nothing from then on.
  void forget_signals();

private:
  void accept_next();
  void wait_for_signal();
  void at_the_door(const std::function<void()>& fn);

  const options wanted_;
  const say tell_;
  asio::io_context loop_;
  asio::executor_work_guard<asio::io_context::executor_type> busy_;
  asio::strand<asio::io_context::executor_type> at_the_door_; ///< where `door_`, `seen_` and `requests_` are used
  asio::ip::tcp::acceptor door_;
  asio::signal_set signals_;
  muster::scope* requests_ = nullptr;
  std::function<void(int)> asked_to_stop_;
  int seen_ = 0;
  int asked_ = 0;
  std::vector<std::thread> threads_;
};

} // namespace embedded
