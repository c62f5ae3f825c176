/// Text made harmless for people's eyes and terminals. See reader.hpp.
#include "reader.hpp"

#include <fmt/format.h>

#include <optional>

namespace muster::trace_viewer {

namespace {

struct decoded {
  char32_t character;
  std::size_t bytes;
};

/// The character at the front, if it is one: shortest form, no surrogate, not above U+10FFFF.
[[nodiscard]] std::optional<decoded> decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto first = byte(0);
  const std::size_t bytes = first < 0x80   ? 1
                            : first < 0xC2 ? 0
                            : first < 0xE0 ? 2
                            : first < 0xF0 ? 3
                            : first < 0xF5 ? 4
                                           : 0;
  if (bytes == 0 || text.size() < bytes)
    return std::nullopt;
  char32_t c = bytes == 1 ? first : first & (0x7FU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U)
      return std::nullopt;
    c = c << 6U | (byte(i) & 0x3FU);
  }
  constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (c < smallest[bytes] || (c >= 0xD800 && c < 0xE000) || c > 0x10FFFF)
    return std::nullopt;
  return decoded{c, bytes};
}

/// Moves the cursor, ends the line or turns the writing round, in some terminal or browser.
[[nodiscard]] bool unruly(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB);
}

} // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto c = decode(text);
    if (!c || (c->bytes == 1 && unruly(c->character))) {
      const auto byte = static_cast<unsigned char>(text.front());
      out += byte == '\n' ? "\\n" : byte == '\t' ? "\\t" : byte == '\r' ? "\\r" : fmt::format("\\x{:02x}", byte);
      text.remove_prefix(1);
      continue;
    }
    if (c->character == U'\\')
      out += "\\\\";
    else if (unruly(c->character))
      out += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(c->character));
    else
      out += text.substr(0, c->bytes);
    text.remove_prefix(c->bytes);
  }
  return out;
}

} // namespace muster::trace_viewer
