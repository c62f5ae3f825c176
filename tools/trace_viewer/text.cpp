/// Names, times and numbers as text.
#include "text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace muster::trace_viewer {

std::size_t utf8_length(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80)
    return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length)
    return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0U) != 0x80U)
      return 0;
  const unsigned second = byte(1);
  if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) || (first == 0xF0 && second < 0x90) ||
      (first == 0xF4 && second > 0x8F))
    return 0;
  return length;
}

namespace {

/// Code points that say nothing but move, hide or turn what is around them.
bool is_format(std::uint32_t c) noexcept {
  return (c >= 0x80 && c < 0xA0) || c == 0xAD || c == 0x61C || (c >= 0x200B && c <= 0x200F) ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB) ||
         (c >= 0xE0000 && c <= 0xE007F);
}

std::uint32_t code_point(std::string_view c) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(c[i])); };
  switch (c.size()) {
    case 1:
      return byte(0);
    case 2:
      return (byte(0) & 0x1FU) << 6U | (byte(1) & 0x3FU);
    case 3:
      return (byte(0) & 0x0FU) << 12U | (byte(1) & 0x3FU) << 6U | (byte(2) & 0x3FU);
    default:
      return (byte(0) & 0x07U) << 18U | (byte(1) & 0x3FU) << 12U | (byte(2) & 0x3FU) << 6U | (byte(3) & 0x3FU);
  }
}

} // namespace

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto length = utf8_length(text);
    const auto c = static_cast<unsigned char>(text.front());
    if (length == 0)
      out += fmt::format("\\x{:02x}", c);
    else if (length == 1) {
      if (c == '\\')
        out += "\\\\";
      else if (c == '\n')
        out += "\\n";
      else if (c == '\t')
        out += "\\t";
      else if (c == '\r')
        out += "\\r";
      else if (c < 0x20 || c == 0x7F)
        out += fmt::format("\\x{:02x}", c);
      else
        out += static_cast<char>(c);
    } else if (const auto point = code_point(text.substr(0, length)); is_format(point))
      out += fmt::format("\\u{{{:x}}}", point);
    else
      out += text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

std::string valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto length = utf8_length(text);
    if (length == 0)
      out += "\xEF\xBF\xBD";
    else
      out += text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

namespace {

/// How many bytes at the front of `text` take no column: an escape sequence of `paint`, or the rest of a character.
std::size_t without_width(std::string_view text) noexcept {
  if (text.starts_with("\x1b[")) {
    const auto end = text.find('m');
    return end == std::string_view::npos ? 1 : end + 1;
  }
  return (static_cast<unsigned char>(text.front()) & 0xC0U) == 0x80U ? 1 : 0;
}

} // namespace

std::size_t columns_of(std::string_view text) noexcept {
  std::size_t n = 0;
  while (!text.empty()) {
    const auto skipped = without_width(text);
    n += skipped == 0;
    text.remove_prefix(std::max<std::size_t>(1, skipped));
  }
  return n;
}

std::string fitted(std::string_view text, std::size_t columns) {
  if (columns_of(text) <= columns)
    return std::string{text};
  if (columns == 0)
    return {};
  std::size_t end = 0;
  bool coloured = false;
  for (std::size_t n = 0; end < text.size();) {
    const auto skipped = without_width(text.substr(end));
    if (skipped == 0 && n++ == columns - 1)
      break;
    coloured = coloured || skipped > 1;
    end += std::max<std::size_t>(1, skipped);
  }
  return std::string{text.substr(0, end)} + (coloured ? "\x1b[0m…" : "…");
}

std::string fitted_to_end(std::string_view text, std::size_t columns) {
  auto left = columns_of(text);
  if (left <= columns)
    return std::string{text};
  if (columns == 0)
    return {};
  while (left > columns - 1 || without_width(text) != 0) {
    const auto skipped = without_width(text);
    left -= skipped == 0 ? 1 : 0;
    text.remove_prefix(std::max<std::size_t>(1, skipped));
    if (text.empty())
      break;
  }
  return "…" + std::string{text};
}

std::string wrapped(std::string_view text, std::size_t columns, std::size_t indent) {
  std::string out;
  std::size_t used = 0;
  bool fresh = true; // nothing but the indent is in this line
  const auto begin = std::min(text.find_first_not_of(' '), text.size());
  out.append(begin, ' ');
  used = begin;
  text.remove_prefix(begin);
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    const auto word = text.substr(0, end);
    const auto width = columns_of(word);
    const auto spaces = std::min(text.find_first_not_of(' ', end), text.size()) - end;
    if (!fresh && used + width > columns) {
      out.erase(out.find_last_not_of(' ') + 1);
      out += '\n';
      out.append(indent, ' ');
      used = indent;
    }
    out += word;
    out.append(spaces, ' ');
    used += width + spaces;
    fresh = false;
    text.remove_prefix(end + spaces);
  }
  out.erase(out.find_last_not_of(' ') + 1);
  return out + '\n';
}

std::string padded(std::string_view text, std::size_t columns) {
  auto out = fitted(text, columns);
  out.append(columns - columns_of(out), ' ');
  return out;
}

std::string duration_text(std::int64_t ns) {
  if (ns < 0)
    return ns == INT64_MIN ? "-292 years" : "-" + duration_text(-ns);
  const auto value = static_cast<double>(ns);
  const auto in = [&](double unit, const char* name) {
    const double v = value / unit;
    return v >= 100 ? fmt::format("{:.0f} {}", v, name) : v >= 10 ? fmt::format("{:.1f} {}", v, name)
                                                                  : fmt::format("{:.2f} {}", v, name);
  };
  if (ns < 1'000)
    return fmt::format("{} ns", ns);
  if (value < 999.5e3)
    return in(1e3, "µs");
  if (value < 999.5e6)
    return in(1e6, "ms");
  if (ns < 120'000'000'000)
    return in(1e9, "s");
  const auto seconds = ns / 1'000'000'000;
  if (seconds < 7200)
    return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  return fmt::format("{} h {} min", count_text(static_cast<std::uint64_t>(seconds / 3600)), seconds / 60 % 60);
}

std::string moment_text(std::int64_t ns) {
  const bool before = ns < 0;
  const auto size = before ? 0 - static_cast<std::uint64_t>(ns) : static_cast<std::uint64_t>(ns);
  const auto us = size / 1'000;
  return fmt::format("{}{}.{:06} s", before ? '-' : '+', us / 1'000'000, us % 1'000'000);
}

std::string count_text(std::uint64_t n) {
  auto digits = std::to_string(n);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), 1, ',');
  return digits;
}

std::string counted(std::uint64_t n, std::string_view noun) {
  return fmt::format("{} {}{}", count_text(n), noun, n == 1 ? "" : "s");
}

std::string share_text(std::uint64_t part, std::uint64_t of) {
  if (of == 0)
    return "-";
  return fmt::format("{:.1f} %", 100.0 * static_cast<double>(part) / static_cast<double>(of));
}

std::string stem_of(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool digit = name[i] >= '0' && name[i] <= '9';
    if (!digit)
      out += name[i];
    else if (out.empty() || out.back() != '*' || i == 0 || name[i - 1] < '0' || name[i - 1] > '9')
      out += '*';
  }
  return out;
}

std::expected<std::int64_t, std::string> parse_duration(std::string_view text) {
  const auto wrong = [&] {
    return std::unexpected{
      fmt::format("'{}' is not a span of time; write for example 1.5s, 200ms, 30us, 10ns, 2m or 1h", escaped(text))};
  };
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (code != std::errc{} || !std::isfinite(value) || value < 0)
    return wrong();
  const std::string_view unit{end, static_cast<std::size_t>(text.data() + text.size() - end)};
  const double scale = unit == "s"                                       ? 1e9
                       : unit == "ms"                                    ? 1e6
                       : unit == "us" || unit == "µs" || unit == "μs" ? 1e3
                       : unit == "ns"                                    ? 1
                       : unit == "m" || unit == "min"                    ? 60e9
                       : unit == "h"                                     ? 3600e9
                                                                         : 0;
  if (scale == 0 || value * scale > 9e18)
    return wrong();
  return static_cast<std::int64_t>(std::llround(value * scale));
}

std::expected<std::int64_t, std::string> parse_moment(std::string_view text, std::int64_t begin_ns, std::int64_t end_ns,
                                                      std::int64_t wall_offset_ns) {
  if (text == "end")
    return end_ns;
  if (text == "begin")
    return begin_ns;
  const auto wrong = [&] {
    return std::unexpected{
        fmt::format("'{}' is not a moment; write for example 1.5s or +1.5s (since the beginning), -200ms "
                    "(before the end), @1700000000.25 (seconds since 1970), a bare number (nanoseconds of "
                    "the trace clock), begin or end",
                    escaped(text))};
  };
  const auto added = [&](std::int64_t to, std::int64_t what) -> std::expected<std::int64_t, std::string> {
    std::int64_t sum = 0;
    if (__builtin_add_overflow(to, what, &sum))
      return wrong();
    return sum;
  };
  if (text.starts_with('@')) {
    double seconds = 0;
    const auto [end, code] =
        std::from_chars(text.data() + 1, text.data() + text.size(), seconds, std::chars_format::fixed);
    if (code != std::errc{} || end != text.data() + text.size() || std::abs(seconds) > 9e9)
      return wrong();
    return added(static_cast<std::int64_t>(std::llround(seconds * 1e9)), -wall_offset_ns);
  }
  std::int64_t bare = 0;
  if (const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), bare);
      code == std::errc{} && end == text.data() + text.size() && !text.starts_with('-'))
    return bare;
  const bool before = text.starts_with('-');
  const auto span = parse_duration(before || text.starts_with('+') ? text.substr(1) : text);
  if (!span)
    return wrong();
  return before ? added(end_ns, -*span) : added(begin_ns, *span);
}

} // namespace muster::trace_viewer
