/// Text as a JSON string, for the few files the runtime writes itself.
///
/// Owner: nobody. Threads: any. Invariant: what comes out is valid JSON (RFC 8259) in valid UTF-8, whatever goes in.
#pragma once

#include <cstddef>
#include <string_view>

#include <fmt/format.h>

namespace muster::runtime {

/// How many bytes the UTF-8 character at the front of `text` (not empty) has, or 0 if there is none: a stray or
/// missing continuation, an overlong form, a surrogate, or beyond U+10FFFF (Unicode 15, table 3-7).
[[nodiscard]] inline std::size_t utf8_length(std::string_view text) noexcept {
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

/// Appends `text` in quotes. Each byte that is not UTF-8 becomes U+FFFD. Throws std::bad_alloc.
inline void append_json(fmt::memory_buffer& out, std::string_view text) {
  const auto put = [&](std::string_view s) { out.append(s.data(), s.data() + s.size()); };
  out.push_back('"');
  while (!text.empty()) {
    const auto length = utf8_length(text);
    const auto c = text.front();
    if (length == 0)
      put("\\ufffd");
    else if (c == '"' || c == '\\')
      put(c == '"' ? "\\\"" : "\\\\");
    else if (c == '\n')
      put("\\n");
    else if (c == '\t')
      put("\\t");
    else if (length == 1 && (static_cast<unsigned char>(c) < 0x20 || c == 0x7F))
      fmt::format_to(fmt::appender(out), "\\u{:04x}", static_cast<unsigned>(c));
    else
      put(text.substr(0, length));
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out.push_back('"');
}

} // namespace muster::runtime
