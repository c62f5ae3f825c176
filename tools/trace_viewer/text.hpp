/// How the viewer writes names, times and numbers for people, and what it understands when people write them.
///
/// Owner: nobody. Threads: any; pure functions. Invariant: whatever bytes a trace holds, what comes out is valid UTF-8
/// without control characters, so a hostile name can neither move the cursor nor end a line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace muster::trace_viewer {

/// How many bytes the UTF-8 character at the front of `text` (not empty) has; 0 if what is there is none.
[[nodiscard]] std::size_t utf8_length(std::string_view text) noexcept;

/// `text` in one line: control characters and bytes that are not UTF-8 as \n, \t, \xNN; a backslash doubled. Unicode's
/// own controls (C1, bidirectional marks, line separators) as \u{NNNN}.
[[nodiscard]] std::string escaped(std::string_view text);
/// `text` as it is, but valid UTF-8: each bad byte becomes U+FFFD. For JSON and Protocol Buffers.
[[nodiscard]] std::string valid_utf8(std::string_view text);
/// `text` (which is UTF-8) cut to `columns` characters, with "…" at its end if something was cut.
[[nodiscard]] std::string fitted(std::string_view text, std::size_t columns);
/// The same with its beginning cut off: of a path the end says more.
[[nodiscard]] std::string fitted_to_end(std::string_view text, std::size_t columns);
/// `text` in as many lines of `columns` characters as it takes, broken at spaces and each ended by a newline. All but
/// the first begin with `indent` spaces. A word that is longer than a line has one to itself, uncut.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t columns, std::size_t indent);
/// The same as `fitted`, filled with spaces on the right.
[[nodiscard]] std::string padded(std::string_view text, std::size_t columns);
/// How many columns `text` takes: a character one, a colour none.
[[nodiscard]] std::size_t columns_of(std::string_view text) noexcept;

/// "0 ns", "950 ns", "12.5 µs", "3.21 ms", "1.50 s", "2 min 5 s", "3 h 0 min"; negative ones with a minus.
[[nodiscard]] std::string duration_text(std::int64_t ns);
/// A moment as seconds since the beginning: "+1.234567 s".
[[nodiscard]] std::string moment_text(std::int64_t ns_since_beginning);
/// "1,234,567".
[[nodiscard]] std::string count_text(std::uint64_t n);
/// "1 task", "2 tasks": the plural takes an s.
[[nodiscard]] std::string counted(std::uint64_t n, std::string_view noun);
/// "97.5 %"; "-" if `of` is 0.
[[nodiscard]] std::string share_text(std::uint64_t part, std::uint64_t of);

/// A name without its numbers: "worker-17" becomes "worker-*". Names that differ in numbers only have the same stem.
[[nodiscard]] std::string stem_of(std::string_view name);

/// A span like "1.5s", "200ms", "30us", "10ns", "2m", "1h"; no sign, and a unit is needed. The error is a sentence.
[[nodiscard]] std::expected<std::int64_t, std::string> parse_duration(std::string_view text);
/// A moment on the trace clock. "1.5s" or "+1.5s": since the beginning; "-200ms": before the end; "begin", "end"; a
/// bare number: nanoseconds of the trace clock; "@1700000000.25": seconds since 1970, for which `wall_offset_ns` is
/// added to the trace clock. The error is a sentence.
[[nodiscard]] std::expected<std::int64_t, std::string> parse_moment(std::string_view text, std::int64_t begin_ns,
                                                                    std::int64_t end_ns, std::int64_t wall_offset_ns);

} // namespace muster::trace_viewer
