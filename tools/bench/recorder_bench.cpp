/// What one trace event costs: recorder on and off, one thread and two. Prints the best and the median of the
/// undisturbed rounds, in nanoseconds of wall time for each event of each thread; the goal is at most 50 on and 2 off.
/// Rounds are short, and one in which a thread was set aside by the scheduler or began late does not count, so that in
/// those of two threads both did record at the same time, also on a busy machine.
///
/// Owner and threads: a program of its own. It reads the machine's clocks, since real time is its subject.
#include <muster/trace.hpp>

#include <algorithm>
#include <atomic>
#include <ctime>
#include <optional>
#include <thread>
#include <vector>

#include <fmt/core.h>

namespace {

constexpr std::uint64_t events = 50'000;
constexpr int most_rounds = 3000;
constexpr std::size_t enough = 200;

double ns(clockid_t id) {
  timespec t{};
  ::clock_gettime(id, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

/// Nanoseconds an event while `threads` threads record at the same time, the slowest of them; nothing if a thread had
/// to wait for a processor before it began or on the way.
std::optional<double> round(muster::recorder& r, unsigned threads) {
  std::atomic<unsigned> here{0};
  std::atomic<bool> disturbed{false};
  std::vector<double> began(threads);
  std::vector<double> took(threads);
  {
    std::vector<std::jthread> crew;
    for (unsigned t = 0; t < threads; ++t)
      crew.emplace_back([&, t] {
        std::uint64_t cause = r.record(muster::event_kind::note, t, 0); // the place is made outside the measure
        ++here;
        while (here != threads) // spinning, so that all start within a cache line's journey
          ;
        began[t] = ns(CLOCK_MONOTONIC);
        const auto cpu = ns(CLOCK_THREAD_CPUTIME_ID);
        for (std::uint64_t n = 0; n < events; ++n) {
          cause = r.record(muster::event_kind::note, t, static_cast<std::int64_t>(n), cause, 1, 2);
          asm volatile("" : : : "memory"); // the off branch must be taken each time, as it is between other work
        }
        const auto cpu_took = ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
        took[t] = ns(CLOCK_MONOTONIC) - began[t];
        if (took[t] > cpu_took * 1.05 + 1000)
          disturbed = true;
      });
  }
  const auto slowest = std::ranges::max(took);
  if (disturbed || std::ranges::max(began) - std::ranges::min(began) > slowest / 10)
    return std::nullopt;
  return slowest / static_cast<double>(events);
}

void measure(muster::trace_mode mode, unsigned threads) {
  muster::recorder r{{.mode = mode}};
  std::vector<double> kept;
  for (int n = 0; n < most_rounds && kept.size() < enough; ++n)
    if (const auto one = round(r, threads))
      kept.push_back(*one);
  std::ranges::sort(kept);
  fmt::print("recorder {:3}  {} thread(s)  ", r.enabled() ? "on" : "off", threads);
  if (kept.empty())
    fmt::print("no undisturbed round\n");
  else
    fmt::print("best {:6.2f}  median {:6.2f} ns/event  ({} rounds)\n", kept.front(), kept[kept.size() / 2],
               kept.size());
}

} // namespace

int main() {
  for (const unsigned threads : {1U, 2U}) {
    measure(muster::trace_mode::ring, threads);
    measure(muster::trace_mode::off, threads);
  }
}
