/// See server.hpp.
#include "server.hpp"

#include <asio/post.hpp>

#include <csignal>
#include <future>
#include <string>

namespace embedded {

using asio::ip::tcp;

server::server(const options& wanted, say tell)
    : wanted_{wanted},
      tell_{std::move(tell)},
      busy_{asio::make_work_guard(loop_)},
      at_the_door_{asio::make_strand(loop_)},
      door_{at_the_door_, tcp::endpoint{asio::ip::address_v4::loopback(), wanted.port}},
      signals_{at_the_door_, SIGINT, SIGTERM} {
  for (unsigned i = 0; i < wanted_.threads; ++i)
    threads_.emplace_back([this] { loop_.run(); });
}

server::~server() {
  loop_.stop();
  for (auto& each : threads_)
    each.join();
}

void server::start(muster::scope& requests, std::function<void(int)> asked_to_stop) {
  requests_ = &requests;
  asked_to_stop_ = std::move(asked_to_stop);
  asio::post(at_the_door_, [this] {
    tell_("listening on 127.0.0.1:" + std::to_string(door_.local_endpoint().port()));
    wait_for_signal();
    accept_next();
  });
}

void server::accept_next() {
  // The socket is the application's: it lives on its loop, not in the strand of the door.
  door_.async_accept(loop_, [this](std::error_code problem, tcp::socket client) {
    if (!door_.is_open())
      return;
    if (!problem)
      requests_->execute({.name = "request " + std::to_string(++seen_), .timeout = wanted_.limit},
                         [client = std::move(client), tell = tell_](muster::async_context& ctx) mutable {
                           return serve(ctx, client, tell);
                         });
    accept_next();
  });
}

void server::wait_for_signal() {
  signals_.async_wait([this](std::error_code problem, int) {
    if (problem)
      return;
    if (asked_to_stop_)
      asked_to_stop_(++asked_);
    wait_for_signal();
  });
}

void server::at_the_door(const std::function<void()>& fn) {
  std::promise<void> done;
  asio::post(at_the_door_, [&] {
    fn();
    done.set_value();
  });
  done.get_future().wait();
}

void server::stop_accepting() {
  at_the_door([this] {
    std::error_code ignored;
    door_.close(ignored);
  });
}

void server::forget_signals() {
  at_the_door([this] { asked_to_stop_ = {}; });
}

} // namespace embedded
