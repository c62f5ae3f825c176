// How the viewer writes and reads names, times and numbers.
#include "../catch.hpp"

#include "text.hpp"

#include <string>

using namespace muster::trace_viewer;

TEST_CASE("names are printed in one line whatever bytes they hold") {
  CHECK(escaped("plain") == "plain");
  CHECK(escaped("häuser ✓") == "häuser ✓");
  CHECK(escaped("a\nb\tc\rd\\e") == "a\\nb\\tc\\rd\\\\e");
  CHECK(escaped(std::string_view{"\x1b[31mred\0", 9}) == "\\x1b[31mred\\x00");
  CHECK(escaped("\xff\xc0\x80z\xe2\x82") == "\\xff\\xc0\\x80z\\xe2\\x82");
  CHECK(escaped("right\u202eleft") == "right\\u{202e}left");
  CHECK(escaped("next\u0085line") == "next\\u{85}line");
}

TEST_CASE("text for others is valid UTF-8") {
  CHECK(valid_utf8("ok \"</script>") == "ok \"</script>");
  CHECK(valid_utf8("a\xff z") == "a\uFFFD z");
}

TEST_CASE("lines are cut by characters and colours take no room") {
  CHECK(fitted("häuser", 6) == "häuser");
  CHECK(fitted("häuser", 4) == "häu…");
  CHECK(padded("ä", 3) == "ä  ");
  CHECK(columns_of("\x1b[31mred\x1b[0m") == 3);
  CHECK(fitted("\x1b[31mabcdef\x1b[0m", 4) == "\x1b[31mabc\x1b[0m…");
}

TEST_CASE("spans of time are written with three digits and a unit") {
  CHECK(duration_text(0) == "0 ns");
  CHECK(duration_text(999) == "999 ns");
  CHECK(duration_text(1'500) == "1.50 µs");
  CHECK(duration_text(12'345'678) == "12.3 ms");
  CHECK(duration_text(999'600'000) == "1.00 s");
  CHECK(duration_text(-2'000'000'000) == "-2.00 s");
  CHECK(duration_text(125'000'000'000) == "2 min 5 s");
  CHECK(duration_text(3 * 3'600'000'000'000) == "3 h 0 min");
  CHECK(duration_text(INT64_MIN) == "-292 years");
  CHECK(moment_text(1'234'567'890) == "+1.234567 s");
  CHECK(moment_text(-1'000) == "-0.000001 s");
  CHECK(count_text(0) == "0");
  CHECK(count_text(1'000) == "1,000");
  CHECK(count_text(999'998) == "999,998");
}

TEST_CASE("names that differ in numbers only have the same stem") {
  CHECK(stem_of("worker-17") == "worker-*");
  CHECK(stem_of("worker-999999") == "worker-*");
  CHECK(stem_of("r2d2") == "r*d*");
  CHECK(stem_of("plain") == "plain");
}

TEST_CASE("moments are understood in every way in which they may be written") {
  const auto at = [](std::string_view text) { return parse_moment(text, 1'000, 9'000'000'000, 500); };
  CHECK(at("1.5s").value() == 1'500'001'000);
  CHECK(at("+200ms").value() == 200'001'000);
  CHECK(at("-1s").value() == 8'000'000'000);
  CHECK(at("12345").value() == 12'345);
  CHECK(at("@2").value() == 1'999'999'500);
  CHECK(at("begin").value() == 1'000);
  CHECK(at("end").value() == 9'000'000'000);
  for (const auto* wrong : {"", "soon", "1.5", "-", "+", "1 s", "s", "-5", "1e5s", "nan s", "infs", "99999999999h"})
    CHECK_FALSE(at(wrong).has_value());
  CHECK(at("so\non").error().find("'so\\non' is not a moment") == 0);
}
