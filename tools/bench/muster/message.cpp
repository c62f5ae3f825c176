/// Case message: two actors below a scope; one asks the other n times, each question after the answer to the one
/// before.
///
/// Nanoseconds for a question and its answer. The actors' code is that of the CAF peer.
#include "site.hpp"

#include "../peers/caf/ping_pong.hpp"

#include <muster/caf.hpp>

namespace {

void message(std::uint64_t n) {
  muster::init_caf_types();
  caf::actor_system_config config;
  caf::actor_system system{bench::with_threads(config, bench::threads)};
  auto site = muster::in_system(system, bench::two_workers());
  auto crew = site.create_scope("message");
  auto whom = muster::spawn_actor(crew, {.name = "pong"}, bench::pong);
  bench::expect(whom.has_value(), "the first actor did not start");
  const auto run = [&](std::uint64_t times) {
    bench::ping_result result;
    const bench::stopwatch watch;
    auto asking = muster::spawn_actor(crew, {.name = "ping"}, bench::ping, *whom, times, &result);
    bench::expect(asking.has_value(), "the second actor did not start");
    result.done.wait(false);
    const auto ns = watch.ns();
    bench::expect(result.answered == times, "not every question was answered");
    return ns;
  };
  (void)run(n / 10 + 1);
  bench::report("message", run(n) / static_cast<double>(n), "ns/request");
  crew.cancel();
  bench::expect(!crew.wait(), "a cancelled scope did not say so");
}

const bench::entry here{"message", message};

} // namespace
