/// checksum: SHA-256 of every regular file below some folders, sorted by path, as sha256sum writes it.
///
/// Threads: this one walks, prints and joins (sweep.hpp); Muster's workers hash (batch.hpp); one of its own receives
/// the signals (interrupts.hpp). The time limit and the signals reach everything through one scope. Invariant: whatever
/// asks it to stop, `with_timeout` returns once the last body has left; if the system holds one up, the program ends
/// all the same (last_resort.hpp).
#include "descriptor.hpp"
#include "interrupts.hpp"
#include "last_resort.hpp"
#include "options.hpp"
#include "output.hpp"
#include "screen.hpp"
#include "sweep.hpp"
#include "tally.hpp"

#include <muster/muster.hpp>

#include <csignal>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <unistd.h>

namespace checksum {

namespace {

enum exit_status : int { success = 0, trouble = 1, out_of_time = 124, by_signal = 128 };

/// How the end came early, how far everything was, and the exit status for that.
int say_last_words(screen& shown, const tally& counts, int signal, bool timed_out, std::string_view otherwise) {
  const auto how = signal != 0 ? "interrupted" : timed_out ? "out of time" : otherwise;
  shown.say(fmt::format("{} ({})", how, how_far(counts)));
  return signal != 0 ? by_signal + signal : timed_out ? out_of_time : trouble;
}

/// Writes the trace, if one is wanted; false if that failed.
bool save_trace(const muster::manager& site, const options& wanted, screen& shown) {
  const auto problem = wanted.trace.empty() ? std::error_code{} : site.write_trace(wanted.trace);
  if (problem)
    shown.complain(wanted.trace, problem.message());
  return !problem;
}

/// Names the bodies that are still running.
void name_survivors(const muster::manager& site, screen& shown) {
  const auto everybody = site.tree();
  for (std::size_t i = 0; i < everybody.nodes.size(); ++i)
    if (everybody.nodes[i].thread != 0)
      shown.complain(everybody.path_of(i), "does not stop");
}

int run(const options& wanted) {
  command_line::interrupts signals; // first, so that every other thread inherits its mask
  muster::manager site{{
      .name = "checksum",
      .workers = wanted.jobs,
      .max_workers = wanted.jobs, // no more even while they wait for the disk
      .trace = {.mode = wanted.trace.empty() ? muster::trace_mode::off : muster::trace_mode::ring},
      .parent = signals.token(),
  }};
  tally counts;
  screen shown{counts};
  output out{[&, on_one_terminal = isatty(STDOUT_FILENO) == 1] {
    if (on_one_terminal)
      shown.hide_bar();
  }};

  // Declared before the scope that they work in: when it is cancelled all folders are joined together, and not one by
  // one by the destructor of the sweep.
  std::optional<sweep> work;
  std::optional<last_resort> way_out;
  std::string failure; // the body's own: written before that cancels the scope
  const auto all_read = site.with_timeout("tree", wanted.timeout, [&](muster::scope& crew) {
    way_out.emplace(crew.stop_token(), [&, deadline = crew.deadline()] {
      const bool timed_out = site.now() >= deadline;
      const bool failed = signals.number() == 0 && !timed_out;
      name_survivors(site, shown);
      const int status = say_last_words(shown, counts, signals.number(), timed_out, failed ? failure : "");
      save_trace(site, wanted, shown);
      return status;
    });
    auto done = work.emplace(site, crew, wanted.folders, out, shown, counts).run();
    if (!done)
      failure = fmt::format("{}: {}", done.error().message(), done.error().code().message());
    return done;
  });
  way_out.reset();

  int status = all_read && *all_read ? success : trouble;
  if (!all_read)
    status = say_last_words(shown, counts, signals.number(), all_read.error().is(muster::errc::timed_out),
                            failure.empty() ? to_line(all_read.error()) : failure);
  if (!save_trace(site, wanted, shown) && status == success)
    status = trouble;
  return status;
}

} // namespace

} // namespace checksum

int main(int argc, char** argv) {
  checksum::occupy_standard_descriptors();
  std::signal(SIGPIPE, SIG_IGN); // a reader that has left is a write error like any other
  try {
    const auto wanted = checksum::read_options(argc, argv);
    return wanted ? checksum::run(*wanted) : wanted.error();
  } catch (const std::exception& e) {
    fmt::print(stderr, "checksum: {}\n", e.what());
    return checksum::trouble;
  }
}
