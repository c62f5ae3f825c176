/// Heads of replies: see reply.hpp.
#include "reply.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace fetch {

namespace {

std::unexpected<muster::error> wrong(const char* what) {
  return std::unexpected{muster::error{std::errc::bad_message, what}};
}

template <class Number>
std::optional<Number> as_number(std::string_view text) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, number);
  return problem == std::errc{} && rest == end ? std::optional{number} : std::nullopt;
}

std::string_view trimmed(std::string_view text) {
  const auto first = std::min(text.find_first_not_of(" \t"), text.size());
  text.remove_prefix(first);
  return text.substr(0, text.find_last_not_of(" \t") + 1);
}

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

std::string_view take_line(std::string_view& text) {
  const auto end = std::min(text.find("\r\n"), text.size());
  const auto line = text.substr(0, end);
  text.remove_prefix(std::min(end + 2, text.size()));
  return line;
}

} // namespace

muster::result<reply_head> read_head(std::string_view text) {
  const auto first = take_line(text);
  if (!first.starts_with("HTTP/1.") || first.size() < 12 || first[8] != ' ')
    return wrong("what it answers is not HTTP");
  const auto status = as_number<int>(first.substr(9, 3));
  if (!status || *status < 100)
    return wrong("what it answers has no status");
  reply_head head{.status = *status, .reason = std::string{trimmed(first.substr(12))}};
  while (!text.empty()) {
    const auto line = take_line(text);
    if (line.empty())
      break;
    const auto colon = line.find(':');
    if (colon == std::string_view::npos)
      return wrong("what it answers has a header without a colon");
    const auto name = line.substr(0, colon);
    const auto value = trimmed(line.substr(colon + 1));
    if (same_name(name, "transfer-encoding"))
      return wrong("it sends its answer in chunks, which nobody asked for");
    if (!same_name(name, "content-length"))
      continue;
    const auto length = as_number<std::uint64_t>(value);
    if (!length || (head.length && head.length != length))
      return wrong("what it answers has a length that makes no sense");
    head.length = length;
  }
  return head;
}

} // namespace fetch
