// A supervised actor: it answers pings, breaks at every third, and is started again. Whoever asks keeps one handle.
#include <muster/caf.hpp>

#include <caf/event_based_actor.hpp>

#include <cstdio>
#include <stdexcept>

using namespace std::chrono_literals;

// A CAF actor as CAF's users write it. What it counts is lost when it breaks: a restart is a fresh start.
static caf::behavior ponger(caf::event_based_actor*) {
  auto answered = std::make_shared<int>(0);
  return {[answered](int ping) {
    if (++*answered == 3)
      throw std::runtime_error{"worn out"};
    return ping;
  }};
}

int main() {
  muster::manager site{{.name = "site"}};
  auto crew = site.create_scope("crew", {.on_failure = muster::restart{.max_restarts = 5, .within = 1min}});
  const auto pong = muster::spawn_actor(crew, {.name = "ponger", .daemon = true}, ponger);
  if (!pong) {
    std::puts(to_string(pong.error()).c_str());
    return 1;
  }
  crew.execute("pinger", [&](muster::context& ctx) {
    for (int ping = 1; ping <= 8; ++ping) {
      // What it was asked when it broke is lost with it, and has to be asked again.
      auto answer = muster::request<int>(ctx, *pong, 10s, ping);
      while (!answer && answer.error().code() == muster::errc::actor_exited && ctx.sleep_for(1ms))
        answer = muster::request<int>(ctx, *pong, 10s, ping);
      std::printf("ping %d: pong %d\n", ping, answer.value());
    }
    for (const auto& child : crew.children())
      if (child.name == "ponger")
        std::printf("%s was restarted %d times\n", child.name.c_str(), static_cast<int>(child.restarts));
  });
  const auto done = crew.wait(); // the pinger ends; the ponger, a daemon, is stopped
  std::puts(done ? "the crew has left" : to_string(done.error()).c_str());
  return done ? 0 : 1;
}
