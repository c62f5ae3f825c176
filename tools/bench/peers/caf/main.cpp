/// The peer "raw CAF": fan_out_linked and fan_out_monitored (a parent spawns n actors that send it a number and end,
/// linked to it or monitored by it) and message (see ping_pong.hpp). The sharing scheduler is used for fan-out: its
/// default, stealing, walks the victim's whole queue.
///
/// Nanoseconds an actor, or a question and its answer.
#include "harness.hpp"
#include "ping_pong.hpp"

#include <caf/all.hpp>

namespace {

struct gathered {
  std::vector<std::uint64_t> values;
  std::vector<caf::error> reasons;
};

/// Spawns `n` children, keeps what they send and how they end, and is over when it has both of all.
template <caf::spawn_options How>
caf::behavior parent(caf::event_based_actor* self, std::uint64_t n, std::shared_ptr<gathered> all,
                     std::atomic<bool>* done) {
  all->values.reserve(n);
  all->reasons.reserve(n);
  const auto look = [=] {
    if (all->values.size() < n || all->reasons.size() < n)
      return;
    *done = true;
    done->notify_all();
    self->quit();
  };
  if constexpr (How == caf::linked)
    self->set_exit_handler([=](caf::exit_msg& how) {
      all->reasons.push_back(std::move(how.reason));
      look();
    });
  else
    self->set_down_handler([=](caf::down_msg& how) {
      all->reasons.push_back(std::move(how.reason));
      look();
    });
  const auto me = caf::actor_cast<caf::actor>(self);
  for (std::uint64_t i = 0; i < n; ++i)
    self->spawn<How>([i, me](caf::event_based_actor* child) { child->send(me, i); });
  return {[=](std::uint64_t value) {
    all->values.push_back(value);
    look();
  }};
}

template <caf::spawn_options How>
void fan_out(caf::actor_system& system, std::uint64_t n) {
  std::atomic<bool> done{false};
  auto all = std::make_shared<gathered>();
  system.spawn(parent<How>, n, all, &done);
  done.wait(false);
  std::uint64_t sum = 0;
  for (const auto value : all->values)
    sum += value;
  bench::expect(sum == n * (n - 1) / 2, "the values of the actors do not add up");
  for (const auto& reason : all->reasons)
    bench::expect(!reason, "an actor did not end normally");
  system.await_all_actors_done();
}

template <caf::spawn_options How>
void measure(std::uint64_t n) {
  caf::actor_system_config config;
  caf::actor_system system{bench::with_sharing_threads(config, bench::threads)};
  const bench::stopwatch first;
  fan_out<How>(system, n);
  bench::report("fan_out.first", first.ns() / static_cast<double>(n), "ns/task");
  const bench::stopwatch watch;
  fan_out<How>(system, n);
  bench::report("fan_out", watch.ns() / static_cast<double>(n), "ns/task");
}

void message(std::uint64_t n) {
  caf::actor_system_config config;
  caf::actor_system system{bench::with_threads(config, bench::threads)};
  const auto whom = system.spawn(bench::pong);
  const auto run = [&](std::uint64_t times) {
    bench::ping_result result;
    const bench::stopwatch watch;
    const auto asking = system.spawn(bench::ping, whom, times, &result);
    result.done.wait(false);
    const auto ns = watch.ns();
    bench::expect(result.answered == times, "not every question was answered");
    caf::anon_send_exit(asking, caf::exit_reason::user_shutdown);
    return ns;
  };
  (void)run(n / 10 + 1);
  bench::report("message", run(n) / static_cast<double>(n), "ns/request");
  caf::anon_send_exit(whom, caf::exit_reason::user_shutdown);
}

const bench::entry linked{"fan_out_linked", measure<caf::linked>};
const bench::entry monitored{"fan_out_monitored", measure<caf::monitored>};
const bench::entry asking{"message", message};

} // namespace
