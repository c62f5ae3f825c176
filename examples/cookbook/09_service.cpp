// A service that lives long: actors as supervised children, started again when they break.
//
// The handles stay good across restarts. The last part shows the end of patience: a supervisor that has restarted too
// often stops its children and fails, and whoever is above it decides.
#include <muster/caf.hpp>

#include <caf/event_based_actor.hpp>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;

// Adds up what it is sent; what it has added up is lost when it breaks.
static caf::behavior store(caf::event_based_actor*) {
  return {[sum = std::make_shared<int>(0)](int reading) {
    if (reading < 0)
      throw std::runtime_error{"a reading below zero"};
    return *sum += reading;
  }};
}

// Asks until it is answered: what a child is asked in the moment in which it breaks is lost with it.
static int ask(muster::context& ctx, const caf::actor& whom, int what) {
  auto answer = muster::request<int>(ctx, whom, 10s, what);
  while (!answer && ctx.sleep_for(1ms))
    answer = muster::request<int>(ctx, whom, 10s, what);
  return answer.value();
}

int main() {
  muster::manager site{{.name = "site"}};

  // rest_for_one: when one breaks, those that were started after it, and so may depend on it, are started again too.
  std::vector<std::string> seen; // declared first: the hook writes to it until the scope has ended
  auto crew = site.create_scope(
    "plant", {.on_failure = muster::restart{.strategy = muster::restart_strategy::rest_for_one, .max_restarts = 5},
              .on_child = [&](const muster::child_event& e) {
                seen.push_back(e.path + " " + std::string{to_string(e.what)}); // e.text says why
              }});
  // Daemons: they are stopped when the last child that is none has ended. Others would keep `wait()` waiting.
  const auto cellar = muster::spawn_actor(crew, {.name = "cellar", .daemon = true}, store);
  const auto attic = muster::spawn_actor(crew, {.name = "attic", .daemon = true}, store);
  if (!cellar || !attic)
    return 1;
  const auto total = crew.execute("client", [cellar = *cellar, attic = *attic](muster::context& ctx) {
    static_cast<void>(ask(ctx, attic, 20));
    static_cast<void>(ask(ctx, cellar, 7));
    static_cast<void>(muster::request<int>(ctx, cellar, 10s, -1)); // breaks it; the answer is an error
    const int below = ask(ctx, cellar, 5);                         // it has begun anew …
    return below + ask(ctx, attic, 1);                             // … and so has the one that came after it
  });
  if (const auto done = crew.wait(); !done)
    return std::fprintf(stderr, "%s\n", to_string(done.error()).c_str()), 1;
  std::printf("cellar and attic after the restart: %d\n", total.get().value());
  for (const auto& line : seen)
    std::printf("  %s\n", line.c_str());

  // A supervisor below: one restart in 5 s is what it allows by default.
  caf::actor weak;
  auto house = site.create_scope("house");
  const auto pumps = house.supervise({.name = "pumps"}, {.on_failure = muster::restart{}},
                                     [&](muster::scope& below) -> muster::result<void> {
    const auto pump = muster::spawn_actor(below, {.name = "weak"}, store);
    if (!pump)
      return std::unexpected{pump.error()};
    weak = *pump;
    return {};
  });
  if (!pumps)
    return 1;
  house.execute("breaks it", [&](muster::context& ctx) {
    do
      static_cast<void>(muster::request<int>(ctx, weak, 10s, -1));
    while (ctx.sleep_for(1ms)); // until the pumps have given up, which cancels the house
  });
  std::printf("the house: %s\n", house.wait().error().code().message().c_str());
}
