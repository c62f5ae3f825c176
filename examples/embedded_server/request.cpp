/// See request.hpp.
#include "request.hpp"

#include <asio/buffer.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>

#include <charconv>
#include <string_view>
#include <vector>

namespace embedded {

namespace {

using asio::ip::tcp;
using namespace std::chrono_literals;
using muster::async_context;
using muster::coro;
using muster::result;

constexpr std::size_t longest_line = 4096;

/// The next line of a client. `buffer` keeps what has come behind it.
coro<result<std::string>> line_from(async_context& ctx, tcp::socket& client, std::string& buffer) {
  auto reading =
    asio::async_read_until(client, asio::dynamic_buffer(buffer, longest_line), '\n', muster::use_task(ctx));
  auto length = co_await reading;
  if (!length)
    co_return std::unexpected{length.error()};
  std::string line = buffer.substr(0, *length - 1);
  buffer.erase(0, *length);
  co_return line;
}

result<long> number_in(std::string_view text) {
  long number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{} || end != text.data() + text.size())
    return std::unexpected{muster::error{std::errc::invalid_argument, std::string{text} + " is no number"}};
  return number;
}

/// Each number is a task in a scope of this request: if one fails, the others are stopped and joined.
coro<result<std::string>> sum(async_context& ctx, std::string_view words) {
  auto crew = ctx.create_scope("sum");
  std::vector<muster::task<long>> parts;
  while (!words.empty()) {
    const auto word = words.substr(0, words.find(' '));
    words.remove_prefix(std::min(word.size() + 1, words.size()));
    parts.push_back(crew.execute("part", [word = std::string{word}] { return number_in(word); }));
  }
  auto joined = co_await crew;
  if (!joined)
    co_return std::unexpected{joined.error()};
  long all = 0;
  for (const auto& part : parts)
    all += part.get().value(); // all of them have ended
  co_return std::to_string(all);
}

coro<result<std::string>> answer_to(async_context& ctx, tcp::socket& client, std::string& buffer, std::string line) {
  constexpr std::string_view echo = "echo ";
  constexpr std::string_view add = "sum ";
  if (line.starts_with(echo))
    co_return line.substr(echo.size());
  if (line.starts_with(add)) {
    auto adding = sum(ctx, std::string_view{line}.substr(add.size()));
    co_return co_await adding;
  }
  if (line == "hold") {
    auto reading = line_from(ctx, client, buffer);
    co_return co_await reading;
  }
  co_return std::unexpected{muster::error{std::errc::invalid_argument, "there is no such request"}};
}

std::string text_for(const async_context& ctx, const muster::error& why) {
  if (!ctx.cancelled())
    return "error: " + why.message();
  return ctx.reason().kind() == muster::cancel_kind::timeout ? "called off: it took too long"
                                                             : "called off: the server stops";
}

} // namespace

coro<void> serve(async_context& ctx, tcp::socket& client, const say& tell) {
  std::string buffer;
  auto reading = line_from(ctx, client, buffer);
  auto line = co_await reading;
  std::string answer;
  if (line) {
    tell(ctx.name() + " begins: " + *line);
    auto making = answer_to(ctx, client, buffer, std::move(*line));
    auto made = co_await making;
    answer = made ? *made : text_for(ctx, made.error());
  } else {
    answer = text_for(ctx, line.error());
  }
  tell(ctx.name() + " ends: " + answer);
  answer += '\n';
  // The client is told also when the request has been called off, but that may not take long.
  auto last_word = ctx.shield(500ms, [&](async_context& shielded) -> coro<void> {
    auto writing = asio::async_write(client, asio::buffer(answer), muster::use_task(shielded));
    static_cast<void>(co_await writing); // a client that has left needs no answer
  });
  co_await last_word;
  std::error_code gone_already;
  client.shutdown(tcp::socket::shutdown_both, gone_already);
}

} // namespace embedded
