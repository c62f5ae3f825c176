/// Accepting, and one connection from its request to its answer. httplib parses and writes; the tasks are Muster's.
#include "http_front.hpp"

#include "failure.hpp"
#include "http_stream.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace shop {

namespace {

using namespace std::chrono_literals;

constexpr auto time_to_ask = 3s;                    ///< for a request to arrive
constexpr std::size_t most_bytes = 8 * 1024 * 1024; ///< of one request, those that are only read away too

struct refusal {
  failure code;
  const char* message;
};

/// One connection, which carries one request. It is its own httplib server, so that the handlers know which connection
/// they are working for.
class conversation final : private httplib::Server {
public:
  conversation(muster::context& ctx, int socket, const counter& at, const outcome_hook& hook)
      : ctx_(ctx),
        socket_(socket),
        at_(at),
        hook_(hook),
        stream_(socket, http_stream::clock::now() + time_to_ask, most_bytes) {
    // A cancelled task stops waiting for its client's request, but may still say why it has none of it.
    reading_ = ctx.on_cancel([socket] { ::shutdown(socket, SHUT_RD); });
    set_payload_max_length(largest_body);
    set_pre_routing_handler([this](const httplib::Request& req, httplib::Response& res) {
      const auto why = refuse(req);
      if (!why)
        return HandlerResponse::Unhandled;
      read_whole_ = false;
      if (why->code == failure::wrong_method)
        res.set_header("Allow", "POST");
      answer(res, {}, verdict_on(muster::error{why->code, why->message}));
      return HandlerResponse::Handled;
    });
    Post("/checkout", [this](const httplib::Request&, httplib::Response& res, const httplib::ContentReader& read) {
      take_order(res, read);
    });
    // What httplib refuses by itself gets a body too.
    set_error_handler([this](const httplib::Request&, httplib::Response& res) {
      if (!answered_)
        answer(res, {}, refused_by_httplib(res.status));
    });
    set_exception_handler([this](const httplib::Request&, httplib::Response& res, std::exception_ptr thrown) {
      answer(res, {}, verdict_on(muster::error::from_exception(std::move(thrown))));
    });
  }

  void run() {
    bool closed = false;
    // Ranges mean nothing to a POST.
    process_request(stream_, true, closed, [](httplib::Request& req) { req.ranges.clear(); });
    if (!read_whole_)
      stream_.linger(1s);
  }

private:
  /// What can be refused before the body is read.
  static std::optional<refusal> refuse(const httplib::Request& req) {
    if (req.path != "/checkout")
      return refusal{failure::no_such_route, "there is only /checkout"};
    if (req.method != "POST")
      return refusal{failure::wrong_method, "/checkout takes POST"};
    const auto type = req.get_header_value("Content-Type");
    if (!type.empty() && !type.starts_with("application/json"))
      return refusal{failure::unsupported_type, "an order is application/json"};
    if (req.get_header_value("Transfer-Encoding") == "chunked")
      return {};
    const auto length = req.get_header_value("Content-Length");
    if (length.empty())
      return refusal{failure::length_required, "an order needs a Content-Length"};
    std::uint64_t bytes = 0;
    const auto [end, bad] = std::from_chars(length.data(), length.data() + length.size(), bytes);
    if (bad == std::errc::invalid_argument || end != length.data() + length.size())
      return refusal{failure::malformed, "this Content-Length is no number"};
    if (bad == std::errc::result_out_of_range || bytes > largest_body)
      return refusal{failure::too_large, "an order has at most 64 KiB"};
    return {};
  }

  void take_order(httplib::Response& res, const httplib::ContentReader& read) {
    std::string body;
    read_whole_ = read([&](const char* data, std::size_t size) {
      body.append(data, std::min(size, largest_body + 1 - body.size()));
      return body.size() <= largest_body;
    });
    reading_ = {};
    if (body.size() > largest_body)
      return answer(res, {}, verdict_on(muster::error{failure::too_large, "an order has at most 64 KiB"}));
    if (!read_whole_)
      return answer(res, {}, refused_by_httplib(res.status));
    auto o = parse_order(body);
    if (!o)
      return answer(res, {}, verdict_on(std::move(o).error()));
    answer(res, o->id, checkout(ctx_, at_, *o, [this] { return other_side_has_left(socket_); }));
  }

  static verdict refused_by_httplib(int status) {
    const auto code = status == 413   ? failure::too_large
                      : status == 415 ? failure::unsupported_type
                                      : failure::malformed;
    auto v = verdict_on(muster::error{code, "this request cannot be read"});
    v.status = status;
    return v;
  }

  void answer(httplib::Response& res, const std::string& order_id, const verdict& v) {
    answered_ = true;
    res.status = v.status;
    if (const auto later = v.error ? muster::retry_after(*v.error) : std::nullopt)
      res.set_header("Retry-After", std::to_string(std::chrono::ceil<std::chrono::seconds>(*later).count()));
    res.set_content(text_of(v.answer) + "\n", "application/json");
    hook_(order_id, v);
  }

  muster::context& ctx_;
  const int socket_;
  const counter& at_;
  const outcome_hook& hook_;
  http_stream stream_;
  muster::cancel_registration reading_;
  bool read_whole_ = true;
  bool answered_ = false;
};

/// Gives a connection's place back when its task is gone, even if it never ran.
using seat = std::unique_ptr<std::atomic<int>, decltype([](std::atomic<int>* taken) { --*taken; })>;

/// For a connection that is one too many. Does not block: so short an answer has room in the socket. What has come
/// already is read away, as in `linger`; there is no time to wait for the rest.
void turn_away(const file_descriptor& connection) {
  const auto v = verdict_on(muster::error{failure::busy, "too many connections"});
  const auto body = text_of(v.answer) + "\n";
  const auto text = fmt::format(
      "HTTP/1.1 {} Service Unavailable\r\nContent-Type: application/json\r\nConnection: close"
      "\r\nContent-Length: {}\r\n\r\n{}",
      v.status, body.size(), body);
  static_cast<void>(::send(connection.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
  ::shutdown(connection.get(), SHUT_WR);
  std::array<char, 8192> rest;
  static_cast<void>(::recv(connection.get(), rest.data(), rest.size(), MSG_DONTWAIT));
}

} // namespace

http_front::http_front(file_descriptor listening, const counter& at, muster::scope& crew, outcome_hook hook)
    : listening_(std::move(listening)),
      port_(port_of(listening_)),
      at_(at),
      crew_(crew),
      hook_(std::move(hook)) {}

void http_front::open() {
  crew_.execute({.name = "accept", .blocking = true}, [this](muster::context& ctx) { return accept(ctx); });
}

void http_front::close() noexcept {
  closed_ = true;
  ::shutdown(listening_.get(), SHUT_RDWR); // wakes `accept`
}

muster::result<void> http_front::accept(muster::context& ctx) {
  const auto close_when_asked = ctx.on_cancel([this] { close(); });
  while (!closed_) {
    file_descriptor connection{::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    if (!connection) {
      // Such as too many open files: somebody will give some back.
      ctx.note(to_line(system_failure("accepting a connection")));
      if (auto slept = ctx.sleep_for(closed_ ? 0ms : 10ms); !slept)
        break;
      continue;
    }
    if (connections_ >= most_connections) {
      turn_away(connection);
      continue;
    }
    ++connections_;
    crew_.execute({.name = fmt::format("connection-{}", ++accepted_), .blocking = true},
                  [this, line = std::move(connection), place = seat{&connections_}](muster::context& own) {
                    conversation{own, line.get(), at_, hook_}.run();
                  });
  }
  return {};
}

} // namespace shop
