/// httplib's blocking client under a Muster context: how a third party's blocking call is made to end in time.
/// The caller's thread blocks in the call; `stop` comes from the callback lane.
#include "http_client.hpp"

#include "failure.hpp"

#include <httplib.h>

#include <algorithm>

namespace shop {

namespace {

using namespace std::chrono_literals;

/// A client that a cancellation cannot miss. `stop` ends a request that is under way and does nothing before that; a
/// task that was asked to stop in between would wait for the answer all the same. httplib connects and marks the
/// request as under way under one lock that `stop` takes too, so it is enough to look once more in there.
class interruptible_client final : public httplib::ClientImpl {
public:
  interruptible_client(int port, const muster::context* ctx) : ClientImpl("127.0.0.1", port), ctx_(ctx) {
    set_tcp_nodelay(true);
  }

private:
  bool create_and_connect_socket(Socket& socket, httplib::Error& error) override {
    if (!ClientImpl::create_and_connect_socket(socket, error))
      return false;
    if (ctx_ == nullptr || !ctx_->cancelled())
      return true;
    close_socket(socket);
    error = httplib::Error::Canceled;
    return false;
  }

  const muster::context* ctx_;
};

muster::result<http_reply> send(interruptible_client& client, muster::duration limit, const std::string& path,
                                const std::string& body) {
  client.set_connection_timeout(limit);
  client.set_read_timeout(limit);
  client.set_write_timeout(limit);
  auto answer = client.Post(path, body, "application/json");
  if (answer)
    return http_reply{answer->status, std::move(answer->body)};
  const bool nobody = answer.error() == httplib::Error::Connection;
  return std::unexpected{muster::error{nobody ? failure::service_down : failure::service_broke,
                                       nobody ? "nobody listens" : "no answer: " + httplib::to_string(answer.error())}};
}

} // namespace

muster::result<http_reply> http_post(muster::context& ctx, int port, const std::string& path, const std::string& body) {
  interruptible_client client{port, &ctx};
  const auto stop_when_asked = ctx.on_cancel([&] { client.stop(); });
  // The deadline is Muster's business; httplib's own limit only comes after it, so that it never speaks first.
  const auto limit = std::min<muster::duration>(ctx.time_left(), 1h) + 1s;
  auto reply = send(client, limit, path, body);
  if (!reply)
    if (auto asked = ctx.checkpoint(); !asked)
      return std::unexpected{std::move(asked).error()};
  return reply;
}

muster::result<http_reply> http_post(muster::duration limit, int port, const std::string& path,
                                     const std::string& body) {
  interruptible_client client{port, nullptr};
  return send(client, limit, path, body);
}

} // namespace shop
