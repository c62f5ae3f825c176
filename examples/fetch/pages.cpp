/// Pages: see pages.hpp.
#include "pages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace fetch {

namespace {

using muster::async_context;
using muster::coro;
using muster::result;

constexpr std::size_t longest = 64 * 1024 * 1024;

/// "/bytes/17" is {"/bytes/", 17}; one without a number is all path, and 0.
struct request {
  std::string_view what;
  std::size_t number = 0;
};

request taken_apart(std::string_view path) {
  const auto slash = path.rfind('/');
  request asked{.what = path};
  const auto digits = path.substr(std::min(slash + 1, path.size()));
  const auto [rest, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), asked.number);
  if (problem == std::errc{} && rest == digits.data() + digits.size())
    asked.what = path.substr(0, slash + 1);
  return asked;
}

std::string some_bytes(std::size_t count) {
  std::string body(std::min(count, longest), '.');
  for (std::size_t i = 0; i < body.size(); ++i)
    body[i] = static_cast<char>('0' + i % 10);
  return body;
}

std::string page(std::string_view body, int status = 200, std::string_view reason = "OK") {
  return fmt::format("HTTP/1.0 {} {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}", status, reason, body.size(),
                     body);
}

} // namespace

coro<result<std::string>> pages::answer(async_context& ctx, std::string path) {
  struct counted {
    std::atomic<int>& of;
    ~counted() { --of; }
  };
  const int now = ++busy_;
  const counted until_the_end{busy_};
  for (int before = most_.load(); before < now && !most_.compare_exchange_weak(before, now);) {}

  const auto asked = taken_apart(path);
  if (asked.what == "/bytes/")
    co_return page(some_bytes(asked.number));
  if (asked.what == "/open/")
    co_return "HTTP/1.0 200 OK\r\n\r\n" + some_bytes(asked.number);
  if (asked.what == "/cut/") {
    auto whole = page(some_bytes(asked.number));
    whole.resize(whole.size() - (std::min(asked.number, longest) + 1) / 2);
    co_return whole;
  }
  if (asked.what == "/status/")
    co_return page("", static_cast<int>(asked.number), "As You Wish");
  if (asked.what == "/garbage")
    co_return "Hello! I am no web server.\r\n\r\n";
  if (asked.what == "/most")
    co_return page(std::to_string(most_.load()));
  if (asked.what == "/slow/") {
    auto slept = co_await ctx.sleep_for(std::chrono::milliseconds{asked.number});
    if (!slept)
      co_return std::unexpected{slept.error()};
    co_return page("slow but sure\n");
  }
  if (asked.what == "/silent") {
    const auto reason = co_await ctx.cancelled_event();
    co_return std::unexpected{reason.to_error(ctx.path())};
  }
  if (asked.what == "/together/") {
    const auto open = joined(asked.number);
    auto opened = co_await open.receive(ctx);
    if (!opened && opened.error().code() != muster::errc::channel_closed)
      co_return std::unexpected{opened.error()};
    co_return page("together\n");
  }
  co_return page("no such page\n", 404, "Not Found");
}

pages::opening pages::joined(std::size_t wanted) {
  const std::scoped_lock lock{mutex_};
  const auto mine = together_;
  if (++here_ >= wanted) {
    here_ = 0;
    together_ = opening{0, mine.name()};
    mine.close();
  }
  return mine;
}

} // namespace fetch
