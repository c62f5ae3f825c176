/// One line of output: how sha256sum (coreutils 9) writes a sum and a file name, and how a name is shown to a person.
///
/// Threads: any; no state. Invariant: a line has exactly one newline, at its end, whatever the name holds.
#pragma once

#include "digest.hpp"

#include <string>
#include <string_view>

namespace checksum {

/// Appends "<64 hex digits>  <folder><name>\n" to `out`. If the path holds a backslash, newline or carriage return,
/// these are written as \\, \n and \r, and the line begins with a backslash to say so. Other bytes pass unchanged.
void append_line(std::string& out, const digest& sum, std::string_view folder, std::string_view name);

/// The path with every control character as \n, \r or \ooo: safe on a terminal, and in one line.
[[nodiscard]] std::string printable(std::string_view path);

} // namespace checksum
