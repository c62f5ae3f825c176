/// The command line: see options.hpp.
#include "options.hpp"

#include <CLI/CLI.hpp>

#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>
#include <thread>

namespace checksum {

namespace {

constexpr int bad_usage = 2;

/// "500ms", "30s", "2m", "1.5h"; a bare number means seconds.
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

/// CLI11 takes an argument like "[a,b]" for two. No argument can hold a NUL: one in front hides the bracket.
constexpr char shield = '\0';

std::vector<std::string> shielded(int argc, const char* const* argv) {
  std::vector<std::string> arguments; // last one first, as CLI11 wants them
  for (int i = argc - 1; i > 0; --i)
    arguments.push_back(argv[i][0] == '[' ? std::string(1, shield) + argv[i] : std::string{argv[i]});
  return arguments;
}

void unshield(std::string& text) {
  if (!text.empty() && text.front() == shield)
    text.erase(0, 1);
}

} // namespace

std::expected<options, int> read_options(int argc, const char* const* argv) {
  options wanted;
  wanted.jobs = std::max(1U, std::thread::hardware_concurrency());

  CLI::App app{"SHA-256 of every regular file below the folders, sorted by path, as sha256sum writes it.", "checksum"};
  app.footer(
      "Exit status: 0 all done; 1 something could not be read or written; 2 bad usage; 124 out of time;\n"
      "128 + the signal's number if interrupted (130 for Ctrl-C).");
  app.add_option("DIR", wanted.folders, "folders (or files); symbolic links are not followed")->required();
  app.add_option("-j,--jobs", wanted.jobs, "how many files are hashed at the same time")
      ->check(CLI::Range(1U, 1024U))
      ->capture_default_str();
  app.add_option_function<std::string>(
         "-t,--timeout",
         [&](const std::string& text) {
           const auto limit = parse_duration(text);
           if (!limit)
             throw CLI::ValidationError("--timeout", "'" + text + "' is not a time such as 500ms, 30s, 2m or 1h");
           wanted.timeout = *limit;
         },
         "stop after this time: 500ms, 30s, 2m, 1h")
      ->type_name("TIME");
  app.add_option("--trace", wanted.trace, "write what the runtime did to this file, for muster-trace")
      ->type_name("FILE");

  try {
    app.parse(shielded(argc, argv));
  } catch (const CLI::ParseError& e) {
    return std::unexpected{app.exit(e) == 0 ? 0 : bad_usage};
  }
  std::ranges::for_each(wanted.folders, unshield);
  unshield(wanted.trace);
  return wanted;
}

} // namespace checksum
