/// The command line: see options.hpp.
#include "options.hpp"

#include <CLI/CLI.hpp>

namespace telemetry {

std::expected<options, int> read_options(int argc, const char* const* argv) {
  constexpr int bad_usage = 2;
  options asked;
  double seconds = 10;
  unsigned period = 200;
  std::uint64_t seed = 0;

  // Not CLI::Range, to which "nan" is in every range.
  const CLI::Validator a_time{[](const std::string& text) {
                                double value = 0;
                                return CLI::detail::lexical_cast(text, value) && value >= 0.001 && value <= 1e9
                                           ? std::string{}
                                           : text + " is not a number of seconds from 0.001 to 1000000000";
                              },
                              "SECONDS", "time"};
  CLI::App app{"Reads numbers below /proc into a database, by actors that are restarted when they break.", "telemetry"};
  app.require_subcommand(1);
  app.footer(
      "Exit status: 0 all is accounted for (also after Ctrl-C); 1 something could not be opened or read, or the\n"
      "books do not agree; 2 bad usage.");
  auto* run = app.add_subcommand("run", "run the system, then print its tree and its books");
  run->add_option("--seconds", seconds, "how long")->check(a_time)->capture_default_str();
  run->add_option("--db", asked.database, "the SQLite file that readings are added to")
      ->type_name("FILE")
      ->capture_default_str();
  auto* chaos = run->add_option("--chaos", seed, "kill children at random, drawn from this seed")->type_name("SEED");
  run->add_option("--period", period, "of each sensor, in milliseconds")
      ->check(CLI::Range(1U, 3'600'000U))
      ->capture_default_str();
  run->add_option("--source", asked.files, "also read the first number in this file (may be repeated)")
      ->type_name("FILE");
  run->add_option("--trace", asked.trace, "write what the runtime did to this file, for muster-trace")
      ->type_name("FILE");
  run->add_flag("--json", asked.json, "print the books as JSON");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return std::unexpected{app.exit(e) == 0 ? 0 : bad_usage};
  }
  asked.wanted.lasts = std::chrono::round<muster::duration>(std::chrono::duration<double>{seconds});
  asked.wanted.period = std::chrono::milliseconds{period};
  if (*chaos) {
    asked.wanted.chaos = chaos_plan{.seed = seed};
    asked.wanted.core.max_restarts = core_restarts_under_chaos;
  }
  return asked;
}

} // namespace telemetry
