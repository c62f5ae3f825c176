/// How customers behave. Each order is sent by one task, on its own thread; see crowd.hpp.
#include "crowd.hpp"

#include "failure.hpp"
#include "http_client.hpp"
#include "sockets.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <sys/socket.h>

namespace shop {

namespace {

using namespace std::chrono_literals;

std::string body_of(const csv_order& o) {
  auto body = text_of(to_json(o.what));
  if (o.wrong == fault::bad_json)
    body.resize(body.size() / 2);
  if (o.wrong == fault::oversized)
    body.append(2 * 1024 * 1024, ' ');
  return body;
}

/// Sends the order and hangs up a moment later.
muster::result<answered> send_and_leave(muster::context& ctx, int port, const std::string& body) {
  auto line = connect_to(port);
  if (!line)
    return std::unexpected{std::move(line).error()};
  const auto text = fmt::format(
      "POST /checkout HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n"
      "Content-Length: {}\r\n\r\n{}",
      body.size(), body);
  if (::send(line->get(), text.data(), text.size(), MSG_NOSIGNAL) < 0)
    return std::unexpected{system_failure("sending an order")};
  if (auto patience = ctx.sleep_for(150ms); !patience)
    return std::unexpected{std::move(patience).error()};
  return answered{};
}

muster::result<answered> send_and_wait(muster::context& ctx, int port, const std::string& body) {
  auto reply = http_post(ctx, port, "/checkout", body);
  if (!reply)
    return std::unexpected{std::move(reply).error()};
  return answered{.status = reply->status, .body = std::move(reply->body)};
}

} // namespace

muster::result<answered> send_order(muster::context& ctx, int port, const csv_order& o) {
  const auto began = ctx.now();
  const auto body = body_of(o);
  auto got = o.wrong == fault::client_gone ? send_and_leave(ctx, port, body) : send_and_wait(ctx, port, body);
  if (got && o.wrong == fault::repeated)
    if (const auto again = send_and_wait(ctx, port, body); !again || again->body != got->body)
      got->status = -1;
  if (got)
    got->took = ctx.now() - began;
  return got;
}

muster::result<std::vector<answered>> send_orders(muster::manager& customers, int port,
                                                  std::span<const csv_order> orders, std::size_t at_a_time,
                                                  const answer_hook& on_answer) {
  return customers.parallel("orders", {.max_parallel = at_a_time}, orders,
                            [&](muster::context& ctx, const csv_order& o) -> muster::result<answered> {
                              auto got = send_order(ctx, port, o);
                              if (auto asked = ctx.checkpoint(); !asked)
                                return std::unexpected{std::move(asked).error()};
                              auto seen = got ? std::move(*got) : answered{-1, to_line(got.error()), {}};
                              on_answer(o, seen);
                              return seen;
                            });
}

} // namespace shop
