// From Erlang/OTP: a supervisor's specification. See actors/MIGRATING.md.
#include <muster/caf.hpp>

#include <caf/event_based_actor.hpp>

#include <cstdio>
#include <stdexcept>

using namespace std::chrono_literals;

// A reading below zero breaks it.
static caf::behavior echo(caf::event_based_actor*) {
  return {[](int reading) {
    if (reading < 0)
      throw std::runtime_error{"a reading below zero"};
    return reading;
  }};
}

int main() {
  muster::manager site{{.name = "site"}};

  auto plant = site.create_scope("plant", {.on_failure = muster::restart{
                                             .strategy = muster::restart_strategy::rest_for_one,
                                             .max_restarts = 3, .within = 10s}});
  auto store = muster::spawn_actor(plant, {.name = "store", .daemon = true, .stop_timeout = 5s}, echo);
  auto sensor = muster::spawn_actor(
    plant, {.name = "sensor", .daemon = true, .kind = muster::child_kind::transient}, echo);
  if (!store || !sensor)
    return 1;

  plant.execute("client", [&plant, store = *store, sensor = *sensor](muster::context& ctx) {
    static_cast<void>(muster::request<int>(ctx, store, 10s, -1)); // it breaks, and is started again with the sensor
    while (!muster::request<int>(ctx, store, 10s, 1) && ctx.sleep_for(1ms)) {} // held until it is up
    while (!muster::request<int>(ctx, sensor, 10s, 1) && ctx.sleep_for(1ms)) {}
    for (const auto& child : plant.children()) // which_children
      if (child.kind == muster::node_kind::actor)
        std::printf("%s was started %d times\n", child.name.c_str(), static_cast<int>(child.restarts) + 1);
  });
  return plant.wait() ? 0 : 1;
}
