/// Lines: see line.hpp.
#include "line.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace checksum {

namespace {

constexpr std::string_view special = "\\\n\r";

bool needs_escape(std::string_view text) { return text.find_first_of(special) != std::string_view::npos; }

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text)
    switch (c) {
    case '\\': out += "\\\\"; break;
    case '\n': out += "\\n"; break;
    case '\r': out += "\\r"; break;
    default: out += c;
    }
}

void append_hex(std::string& out, const digest& sum) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (const unsigned char byte : sum) {
    out += digits[byte >> 4U];
    out += digits[byte & 0xFU];
  }
}

} // namespace

void append_line(std::string& out, const digest& sum, std::string_view folder, std::string_view name) {
  const bool escaped = needs_escape(folder) || needs_escape(name);
  if (escaped)
    out += '\\';
  append_hex(out, sum);
  out += "  ";
  if (escaped) {
    append_escaped(out, folder);
    append_escaped(out, name);
  } else {
    out += folder;
    out += name;
  }
  out += '\n';
}

std::string printable(std::string_view path) {
  std::string out;
  for (const char c : path)
    if (const auto byte = static_cast<unsigned char>(c); byte >= 0x20 && byte != 0x7F)
      out += c;
    else if (c == '\n')
      out += "\\n";
    else if (c == '\r')
      out += "\\r";
    else
      out += fmt::format("\\{:03o}", byte);
  return out;
}

} // namespace checksum
