/// Times on the command line: see time_option.hpp.
#include "time_option.hpp"

#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>

namespace command_line {

namespace {

std::optional<muster::duration> parse_duration(std::string_view text) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (problem != std::errc{} || !std::isfinite(number) || number <= 0)
    return {};
  const std::string_view unit{rest, end};
  const double seconds = unit == "ms"                ? number / 1000
                         : unit == "s" || unit == "" ? number
                         : unit == "m"               ? number * 60
                         : unit == "h"               ? number * 3600
                                                     : -1;
  constexpr double century = 100.0 * 365 * 24 * 3600;
  if (seconds < 0 || seconds > century)
    return {};
  return std::chrono::ceil<muster::duration>(std::chrono::duration<double>{seconds});
}

} // namespace

void add_time(CLI::App& app, const char* name, muster::duration& into, const char* what) {
  app.add_option_function<std::string>(
         name,
         [asked_as = std::string{name}, &into](const std::string& text) {
           const auto limit = parse_duration(text);
           if (!limit)
             throw CLI::ValidationError(asked_as, "'" + text + "' is not a time such as 500ms, 30s, 2m or 1h");
           into = *limit;
         },
         what)
      ->type_name("TIME");
}

} // namespace command_line
