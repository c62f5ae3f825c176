/// telemetry: real sources, a real store and a real clock for the system in system.hpp.
///
/// Threads: this one waits for the system and examines the books when its manager, and with it everybody who could
/// still write into them, is gone. Exit status: see options.cpp.
#include "audit.hpp"
#include "interrupts.hpp"
#include "options.hpp"
#include "proc_sources.hpp"
#include "report.hpp"
#include "sqlite_store.hpp"

#include <algorithm>
#include <cstdio>
#include <exception>

#include <fmt/format.h>

namespace telemetry {

namespace {

enum exit_status : int { success = 0, trouble = 1 };

int complain(const std::string& about, const muster::error& why) {
  fmt::print(stderr, "telemetry: {}: {}\n", about, why.message());
  return trouble;
}

int run_real(const options& asked) {
  auto sources = proc_sources();
  for (const auto& file : asked.files)
    sources.push_back(file_source(file));
  if (const auto read = probe(sources); !read)
    return complain("source", muster::error{read.error().code(),
                                            read.error().message() + " (" + read.error().code().message() + ")"});
  std::vector<std::string> names;
  for (const auto& each : sources) {
    if (std::ranges::find(names, each.name) != names.end())
      return complain("source", muster::error{muster::errc::bad_argument, each.name + " is named twice"});
    names.push_back(each.name);
  }

  command_line::interrupts signals; // before any other thread
  auto kept_in = sqlite_store::open(asked.database);
  if (!kept_in)
    return complain(asked.database, kept_in.error());
  const auto number = (*kept_in)->run();

  const auto time = muster::real_clock();
  ledger books{time, asked.wanted.held_messages};
  outcome said;
  std::error_code untraced;
  register_messages();
  {
    muster::manager site{{.name = "site", .clock = time, .parent = signals.token()}};
    said = run(site, asked.wanted, std::move(sources), std::move(*kept_in), books);
    if (!asked.trace.empty())
      untraced = site.write_trace(asked.trace);
  }
  const auto stored = count_readings(asked.database, number);
  if (!stored)
    return complain(asked.database, stored.error());
  const auto found = examine(said, books, names, *stored, false);
  const auto report = asked.json ? as_json(said, found) : as_text(said, found);
  if (std::fwrite(report.data(), 1, report.size(), stdout) != report.size() || std::fflush(stdout) != 0)
    return trouble;
  if (said.failure)
    fmt::print(stderr, "telemetry: {}\n", to_string(*said.failure));
  if (untraced)
    return complain(asked.trace, muster::error{untraced, "the trace cannot be written: " + untraced.message()});
  return said.failure || !found.complaints.empty() ? trouble : success;
}

} // namespace

} // namespace telemetry

int main(int argc, char** argv) {
  try {
    const auto asked = telemetry::read_options(argc, argv);
    return asked ? telemetry::run_real(*asked) : asked.error();
  } catch (const std::exception& e) {
    fmt::print(stderr, "telemetry: {}\n", e.what());
    return telemetry::trouble;
  }
}
