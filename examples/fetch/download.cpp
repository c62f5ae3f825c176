/// Downloads: see download.hpp.
#include "download.hpp"

#include "reply.hpp"

#include <muster/asio.hpp>

#include <asio/buffer.hpp>
#include <asio/connect.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>

#include <fmt/format.h>

namespace fetch {

namespace {

using asio::ip::tcp;
using muster::async_context;
using muster::coro;
using muster::error;
using muster::result;
using muster::use_task;

constexpr std::size_t longest_head = 64 * 1024;

std::unexpected<error> failed(error cause, std::string doing) {
  return std::unexpected{error{std::move(cause), std::move(doing)}};
}

bool says(const error& why, const std::error_code& code) { return why.code() == code; }

std::string place(const url& from) {
  return from.host.contains(':') ? fmt::format("[{}]:{}", from.host, from.port)
                                 : fmt::format("{}:{}", from.host, from.port);
}

coro<result<void>> connect(async_context& ctx, tcp::socket& socket, const url& from) {
  tcp::resolver names{socket.get_executor()};
  auto found = co_await names.async_resolve(from.host, from.port, use_task(ctx));
  if (!found)
    co_return failed(found.error(), fmt::format("looking for host '{}'", from.host));
  auto connected = co_await asio::async_connect(socket, *found, use_task(ctx));
  if (!connected)
    co_return failed(connected.error(), "connecting to " + place(from));
  co_return result<void>{};
}

/// The whole head, and what of the body has come with it.
struct begun {
  reply_head head;
  std::string body;
};

coro<result<begun>> ask(async_context& ctx, tcp::socket& socket, const url& from) {
  const auto question = fmt::format("GET {} HTTP/1.0\r\nHost: {}\r\nUser-Agent: muster-fetch\r\nAccept: */*\r\n\r\n",
                                    from.target, from.port == "80" ? from.host : place(from));
  auto sent = co_await asio::async_write(socket, asio::buffer(question), use_task(ctx));
  if (!sent)
    co_return failed(sent.error(), "asking " + place(from));

  std::string text;
  auto read =
      co_await asio::async_read_until(socket, asio::dynamic_buffer(text, longest_head), "\r\n\r\n", use_task(ctx));
  if (!read) {
    if (says(read.error(), asio::error::make_error_code(asio::error::eof)))
      co_return failed(error{std::errc::connection_aborted}, "the server closed the connection before it had answered");
    if (says(read.error(), asio::error::make_error_code(asio::error::not_found)))
      co_return failed(error{std::errc::bad_message}, "the head of the answer does not end");
    co_return failed(read.error(), "reading the answer");
  }
  auto head = read_head(std::string_view{text}.substr(0, *read));
  if (!head)
    co_return std::unexpected{head.error()};
  if (head->status < 200 || head->status > 299)
    co_return failed(error{std::errc::protocol_error},
                     fmt::format("the server answered {} {}", head->status, head->reason));
  text.erase(0, *read);
  begun got{.head = std::move(*head), .body = std::move(text)};
  co_return got;
}

std::unexpected<error> too_long() {
  return failed(error{std::errc::file_too_large}, fmt::format("the answer is longer than {} bytes", longest_body));
}

coro<result<std::string>> read_rest(async_context& ctx, tcp::socket& socket, begun from) {
  auto& [head, body] = from;
  const auto wanted = head.length.value_or(longest_body + 1);
  if (head.length && wanted > longest_body)
    co_return too_long();
  if (body.size() < wanted) {
    const auto rest = static_cast<std::size_t>(wanted) - body.size();
    auto read =
        co_await asio::async_read(socket, asio::dynamic_buffer(body), asio::transfer_exactly(rest), use_task(ctx));
    const bool ended = !read && says(read.error(), asio::error::make_error_code(asio::error::eof));
    if (read && !head.length)
      co_return too_long();
    if (ended && head.length)
      co_return failed(error{std::errc::connection_aborted},
                       fmt::format("the answer is cut off: {} of {} bytes came", body.size(), wanted));
    if (!read && !ended)
      co_return failed(read.error(), "reading the answer");
  }
  if (head.length)
    body.resize(static_cast<std::size_t>(wanted)); // what is behind it is not part of it
  co_return std::move(body);
}

} // namespace

coro<result<std::string>> download(async_context& ctx, asio::io_context& io, url from) {
  tcp::socket socket{io};
  auto connected = co_await connect(ctx, socket, from);
  if (!connected)
    co_return std::unexpected{connected.error()};
  auto answer = co_await ask(ctx, socket, from);
  if (!answer)
    co_return std::unexpected{answer.error()};
  auto rest = read_rest(ctx, socket, std::move(*answer));
  co_return co_await rest;
}

} // namespace fetch
