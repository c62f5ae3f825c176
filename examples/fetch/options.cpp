/// The command line: see options.hpp.
#include "options.hpp"

#include "time_option.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <fstream>
#include <iostream>

namespace fetch {

namespace {

constexpr int bad_usage = 2;

bool add_lines(std::istream& in, std::vector<std::string>& urls) {
  for (std::string line; std::getline(in, line);) {
    if (line.ends_with('\r'))
      line.pop_back();
    if (!line.empty() && line.front() != '#')
      urls.push_back(line);
  }
  return !in.bad();
}

/// All or none: a list with a mistake in it is not begun.
bool understood(const std::vector<std::string>& urls, std::vector<wanted_page>& pages) {
  bool all = true;
  for (const auto& text : urls) {
    auto from = read_url(text);
    if (from) {
      pages.push_back({text, std::move(*from)});
    } else {
      fmt::print(stderr, "fetch: {}: {}\n", text, from.error().message());
      all = false;
    }
  }
  return all;
}

} // namespace

std::expected<options, int> read_options(int argc, const char* const* argv) {
  options wanted;
  std::vector<std::string> urls;
  std::string list;

  CLI::App app{"Downloads a list of URLs over HTTP, many at the same time, on two threads.", "fetch"};
  app.footer(
      "Writes \"<bytes> <URL>\" for each, in the order of the list, when all is over.\n"
      "Exit status: 0 all fetched; 1 something was not; 2 bad usage; 124 out of time;\n"
      "128 + the signal's number if interrupted (130 for Ctrl-C).");
  app.add_option("URL", urls, "what to fetch: http://host[:port]/path");
  app.add_option("-f,--from", list, "read URLs from this file, one a line (- for stdin; # begins a comment)")
      ->type_name("FILE");
  app.add_option("--into", wanted.into, "write the bodies into this folder, as 1, 2, … in the order of the list")
      ->type_name("DIR");
  command_line::add_time(app, "-t,--timeout", wanted.timeout,
                         "give up a download after this time: 500ms, 30s, 2m (default 10s)");
  command_line::add_time(app, "-T,--total", wanted.total, "give up all of them after this time");
  app.add_option("-j,--at-once", wanted.at_once, "how many downloads at the same time")
      ->check(CLI::Range(1U, 1'000'000U))
      ->capture_default_str();
  auto* serve =
      app.add_flag("--serve", wanted.serves, "be a local server with pages to try this on, until a signal comes");
  app.add_option("--port", wanted.port, "its port (default: a free one, which it prints)")->needs(serve);
  app.add_option("--demo", wanted.demo, "fetch so many pages from a local server inside this program")
      ->check(CLI::Range(1U, 100'000U));

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return std::unexpected{app.exit(e) == 0 ? 0 : bad_usage};
  }
  if (list == "-") {
    add_lines(std::cin, urls);
  } else if (!list.empty()) {
    std::ifstream in{list};
    if (!in || !add_lines(in, urls)) {
      fmt::print(stderr, "fetch: {} cannot be read\n", list);
      return std::unexpected{bad_usage};
    }
  }
  if (!understood(urls, wanted.pages))
    return std::unexpected{bad_usage};
  if (wanted.pages.empty() && !wanted.serves && wanted.demo == 0) {
    fmt::print(stderr, "fetch: nothing to fetch: give URLs, or --from FILE (try fetch --help)\n");
    return std::unexpected{bad_usage};
  }
  return wanted;
}

} // namespace fetch
