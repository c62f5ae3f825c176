/// The local server: see server.hpp.
#include "server.hpp"

#include "pages.hpp"

#include <asio/buffer.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>

namespace fetch {

namespace {

using asio::ip::tcp;
using namespace std::chrono_literals;
using muster::async_context;
using muster::coro;
using muster::result;
using muster::use_task;
using service = muster::resource<muster::io_service>;

constexpr std::size_t longest_request = 16 * 1024;

/// The path in "GET /path HTTP/1.0"; empty if it is no such line.
std::string path_in(std::string_view request) {
  constexpr std::string_view get = "GET ";
  if (!request.starts_with(get))
    return {};
  request.remove_prefix(get.size());
  return std::string{request.substr(0, request.find_first_of(" ?\r\n"))};
}

/// One request and its answer. Whatever happens to a connection is the business of who has opened it.
coro<void> talk(async_context& ctx, tcp::socket& socket, pages& book) {
  std::string request;
  auto read = co_await asio::async_read_until(socket, asio::dynamic_buffer(request, longest_request), "\r\n\r\n",
                                              use_task(ctx));
  if (!read)
    co_return;
  auto making = book.answer(ctx, path_in(request));
  const auto answer = co_await making;
  if (!answer)
    co_return;
  auto written = co_await asio::async_write(socket, asio::buffer(*answer), use_task(ctx));
  if (written) {
    std::error_code gone_already;
    socket.shutdown(tcp::socket::shutdown_send, gone_already);
  }
}

/// Takes connections until it is asked to stop. Each has a task of its own, in a scope of the door's.
coro<result<void>> keep_door(async_context& ctx, tcp::acceptor& door, pages& book) {
  auto guests = ctx.create_scope("guests", {.on_failure = muster::isolate});
  for (;;) {
    auto came = co_await door.async_accept(use_task(ctx));
    if (!came && ctx.cancelled())
      break;
    if (!came) { // out of descriptors, most likely: those that leave make room
      static_cast<void>(co_await ctx.sleep_for(10ms));
      continue;
    }
    guests.execute(
        "guest", [socket = std::move(*came), &book](async_context& mine) mutable { return talk(mine, socket, book); });
  }
  static_cast<void>(co_await guests);
  co_return result<void>{};
}

} // namespace

result<std::uint16_t> serve(muster::scope& crew, service io, std::uint16_t port) {
  std::error_code problem;
  tcp::acceptor door{io->context()};
  const tcp::endpoint here{asio::ip::address_v4::loopback(), port};
  door.open(here.protocol(), problem);
  if (!problem)
    door.set_option(tcp::acceptor::reuse_address{true}, problem);
  if (!problem)
    door.bind(here, problem);
  if (!problem)
    door.listen(tcp::acceptor::max_listen_connections, problem);
  if (problem)
    return std::unexpected{muster::error{problem, "listening on 127.0.0.1:" + std::to_string(port)}};
  const auto chosen = door.local_endpoint().port();
  crew.execute({.name = "door", .daemon = true},
               [door = std::move(door), book = std::make_unique<pages>()](async_context& ctx) mutable {
                 return keep_door(ctx, door, *book);
               });
  return chosen;
}

} // namespace fetch
