/// The command line: see options.hpp.
#include "options.hpp"

#include "time_option.hpp"

#include <CLI/CLI.hpp>

#include <thread>

namespace checksum {

namespace {

constexpr int bad_usage = 2;

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
  command_line::add_time(app, "-t,--timeout", wanted.timeout, "stop after this time: 500ms, 30s, 2m, 1h");
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
