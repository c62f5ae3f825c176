/// fetch: downloads a list of URLs, each by a coroutine of its own, on two threads.
#include "crew.hpp"
#include "interrupts.hpp"
#include "server.hpp"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>

#include <sys/resource.h>

namespace fetch {

namespace {

using command_line::interrupts;

constexpr int success = 0;
constexpr int trouble = 1;
constexpr int out_of_time = 124;
constexpr int by_signal = 128;

/// A connection is a descriptor, and the usual limit is about a thousand of them.
void take_all_descriptors() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

muster::manager_options two_workers(const char* name, const interrupts& signals) {
  return {.name = name,
          .workers = 2,
          .max_workers = 2,
          .parent = signals.token()};
}

/// In one line: what was being done, and what the system or the server says about it.
std::string problem_of(const muster::error& why, const options& wanted) {
  if (why.code() == muster::errc::timed_out)
    return fmt::format("not there within {} ms",
                       std::chrono::duration_cast<std::chrono::milliseconds>(wanted.timeout).count());
  if (why.code() == muster::errc::cancelled)
    return "not fetched";
  const auto* first = &why;
  while (first->cause())
    first = first->cause();
  return why.message().empty() ? first->code().message()
                               : fmt::format("{}: {}", why.message(), first->code().message());
}

int report(const harvest& all, const std::vector<wanted_page>& pages, const options& wanted, const interrupts& signals,
           screen& shown) {
  std::size_t there = 0;
  for (std::size_t i = 0; i < pages.size(); ++i) {
    if (all.each[i]) {
      fmt::print("{} {}\n", *all.each[i], pages[i].text);
      ++there;
    } else if (all.whole || all.each[i].error().code() != muster::errc::cancelled) {
      shown.say(fmt::format("{}: {}", pages[i].text, problem_of(all.each[i].error(), wanted)));
    }
  }
  if (std::fflush(stdout) != 0) {
    shown.say("the standard output cannot be written");
    return trouble;
  }
  if (there == pages.size())
    return success;
  const char* how = signals.number() != 0 ? "interrupted: " : !all.whole ? "out of time: " : "";
  shown.say(fmt::format("{}{} of {} fetched", how, there, pages.size()));
  if (signals.number() != 0)
    return by_signal + signals.number();
  return !all.whole && all.whole.error().code() == muster::errc::timed_out ? out_of_time : trouble;
}

/// A server until a signal comes.
int be_server(const options& wanted, const interrupts& signals, screen& shown) {
  muster::manager site{two_workers("server", signals)};
  auto crew = site.create_scope("server");
  auto io = crew.register_resource("io", muster::io_service{});
  const auto port = io ? serve(crew, *io, wanted.port) : std::unexpected{io.error()};
  if (!port) {
    shown.say(problem_of(port.error(), wanted));
    return trouble;
  }
  fmt::print("http://127.0.0.1:{}\n", *port);
  std::fflush(stdout);
  crew.execute("until a signal comes", [](muster::context& ctx) { ctx.wait_until_cancelled(); });
  static_cast<void>(crew.wait());
  return success;
}

/// Everything from a server in this process: pages that are answered only when all of them have been asked for.
int show(const options& wanted, const interrupts& signals, screen& shown) {
  muster::manager host{two_workers("server", signals)};
  auto crew = host.create_scope("server");
  auto io = crew.register_resource("io", muster::io_service{});
  const auto port = io ? serve(crew, *io, 0) : std::unexpected{io.error()};
  if (!port) {
    shown.say(problem_of(port.error(), wanted));
    return trouble;
  }
  const auto together = std::min(wanted.demo, wanted.at_once);
  std::vector<wanted_page> pages;
  for (std::size_t i = 0; i < wanted.demo; ++i) {
    // What is left over when all full groups are served could wait for ever.
    const bool grouped = i < wanted.demo / together * together;
    const auto target = grouped ? fmt::format("/together/{}", together) : std::string{"/bytes/9"};
    pages.push_back(
        {fmt::format("http://127.0.0.1:{}{}", *port, target), {"127.0.0.1", std::to_string(*port), target}});
  }
  muster::manager site{two_workers("fetch", signals)};
  return report(fetch_all(site, pages, wanted, shown), pages, wanted, signals, shown);
}

int run(const options& wanted) {
  const interrupts signals; // first, so that every other thread inherits its mask
  take_all_descriptors();
  screen shown;
  if (wanted.serves)
    return be_server(wanted, signals, shown);
  if (!wanted.into.empty()) {
    std::error_code problem;
    std::filesystem::create_directories(wanted.into, problem);
    if (problem) {
      shown.say(fmt::format("{}: {}", wanted.into, problem.message()));
      return trouble;
    }
  }
  if (wanted.demo > 0)
    return show(wanted, signals, shown);
  muster::manager site{two_workers("fetch", signals)};
  return report(fetch_all(site, wanted.pages, wanted, shown), wanted.pages, wanted, signals, shown);
}

} // namespace

} // namespace fetch

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN); // a reader that has left is a write error like any other
  try {
    const auto wanted = fetch::read_options(argc, argv);
    return wanted ? fetch::run(*wanted) : wanted.error();
  } catch (const std::exception& e) {
    fmt::print(stderr, "fetch: {}\n", e.what());
    return fetch::trouble;
  }
}
