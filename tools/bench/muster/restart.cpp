/// Case restart: an actor below a scope that restarts it tells a driver that it is up and is told to crash, n times.
///
/// Nanoseconds a cycle. The driver is a CAF actor outside the scope, as the peers' driver is a process outside the
/// supervisor; it speaks to the one handle that stands for the child through all its incarnations.
#include "site.hpp"

#include <muster/caf.hpp>

#include <atomic>
#include <memory>
#include <stdexcept>

using namespace std::chrono_literals;

namespace {

// What is said, by its type: an incarnation is up (bool), crash now (a number), the handle of the child (an actor).

caf::behavior driver(caf::event_based_actor* self, std::uint64_t n, std::atomic<std::uint64_t>* cycles) {
  auto child = std::make_shared<caf::actor>();
  auto early = std::make_shared<bool>(false);
  auto step = [=] {
    if (cycles->load() == n) {
      ++*cycles;
      cycles->notify_all();
      self->quit();
    } else {
      ++*cycles;
      caf::anon_send(*child, n); // CAF 1.1 would tell a sender of the exception, and that would end it
    }
  };
  return {
      [=](bool) {
        if (*child)
          step();
        else
          *early = true; // the first incarnation was up before its handle was known
      },
      [=](const caf::actor& handle) {
        *child = handle;
        if (*early)
          step();
      },
  };
}

caf::behavior fragile(caf::event_based_actor* self, const caf::actor& whom, std::atomic<std::uint64_t>* born) {
  ++*born;
  self->send(whom, true);
  return {[](std::uint64_t) { throw std::runtime_error{"crash"}; }};
}

void restarts(std::uint64_t n) {
  muster::manager site{bench::two_workers()};
  auto crew = site.create_scope("restart", {.on_failure = muster::restart{.max_restarts = 1'000'000, .within = 1s}});
  std::atomic<std::uint64_t> cycles{0};
  std::atomic<std::uint64_t> born{0};
  auto boss = muster::system_of(site).spawn(driver, n, &cycles);
  const bench::stopwatch watch;
  auto child = muster::spawn_actor(crew, {.name = "child"}, fragile, boss, &born);
  bench::expect(child.has_value(), "the child did not start");
  caf::anon_send(boss, *child);
  for (auto seen = cycles.load(); seen != n + 1; seen = cycles.load())
    cycles.wait(seen);
  const auto ns = watch.ns();
  bench::expect(born == n + 1, "there was not one incarnation for each crash and one more");
  bench::report("restart", ns / static_cast<double>(n), "ns/cycle");
  crew.cancel();
  bench::expect(!crew.wait(), "a cancelled scope did not say so");
}

const bench::entry here{"restart", restarts};

} // namespace
