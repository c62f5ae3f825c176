// Misuse, one kind for each run: the program is to end in an assertion whose sentence says what to do instead. CTest
// runs it with each name (see tests/CMakeLists.txt) and looks for a part of that sentence.
#include "kinds.hpp"

#include <muster/caf.hpp>
#include <muster/muster.hpp>
#include <muster/testing.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>

using namespace std::chrono_literals;
using muster::testing::simulation;

/// Never defined: it lets the name be asked for in a CAF that has no such function.
namespace caf::core {
void init_global_meta_objects(muster::manager&);
}

namespace {

template <class Body>
void in_a_body(Body body) {
  simulation sim{1};
  static_cast<void>(sim.run([&] {
    auto crew = sim.create_scope("crew");
    crew.execute("body", [&](muster::context& ctx) { body(sim, ctx); });
    return crew.wait();
  }));
}

/// What an application does that has not heard of Muster's messages. CAF 0.17 has no such function.
template <class... None>
void register_cafs_types_only(None... none) {
  if constexpr (requires { caf::core::init_global_meta_objects(none...); })
    caf::core::init_global_meta_objects(none...);
}

const misuse_kinds actor_system_kinds{
  {"caf_types_not_registered",
   [] {
     register_cafs_types_only();
     caf::actor_system_config config;
     caf::actor_system system{config};
     auto site = muster::in_system(system);
   }},
  {"caf_types_registered_late",
   [] {
     register_cafs_types_only();
     caf::actor_system_config config;
     caf::actor_system system{config};
     muster::init_caf_types();
   }},
  {"own_system_beside_one_that_is_up",
   [] {
     register_cafs_types_only();
     caf::actor_system_config config;
     caf::actor_system system{config};
     muster::manager site;
   }},
  {"actor_system_before_its_manager",
   [] {
     muster::init_caf_types();
     caf::actor_system_config config;
     auto system = std::make_unique<caf::actor_system>(config);
     auto site = muster::in_system(*system);
     auto crew = site.create_scope("crew");
     system.reset();
   }},
};

const misuse_kinds simulation_kinds{
  {"time_goes_back",
   [] {
     simulation sim{1};
     sim.run_for(1s);
     sim.run_until(sim.now() - 1ms);
   }},
  {"negative_span", [] { simulation{1}.run_for(-1s); }},
  {"real_sleep_in_a_body",
   [] { in_a_body([](auto&, auto&) { std::this_thread::sleep_for(10s); }); }}, // sleep-ok: it must be found out
  {"real_sleep_in_run",
   [] { static_cast<void>(simulation{1}.run([] { std::this_thread::sleep_for(10s); })); }}, // sleep-ok: likewise
  {"lock_held_over_a_call",
   [] {
     // Whichever of the two comes second finds the lock taken by one that has been made to pause.
     std::mutex mutex;
     static_cast<void>(muster::testing::explore(100, [&](simulation& sim) {
       auto crew = sim.create_scope("crew");
       for (int i = 0; i < 2; ++i)
         crew.execute("body", [&](muster::context& ctx) {
           const std::scoped_lock lock{mutex};
           static_cast<void>(ctx.sleep_for(1s));
         });
       return crew.wait();
     }));
   }},
  {"condition_variable",
   [] {
     in_a_body([](auto&, auto&) {
       std::mutex mutex;
       std::condition_variable never_notified;
       std::unique_lock lock{mutex};
       never_notified.wait(lock, [] { return false; });
     });
   }},
  {"foreign_thread_spawns",
   [] {
     in_a_body([](simulation& sim, auto&) {
       std::thread other{[&] { sim.create_scope("other").execute("task", [] {}); }};
       other.join();
     });
   }},
  {"foreign_thread_cancels", [] {
     in_a_body([](simulation& sim, auto&) {
       std::thread other{[&] { sim.cancel(); }};
       other.join();
     });
   }},
  {"time_passed_by_a_body", [] { in_a_body([](simulation& sim, auto&) { sim.run_for(1s); }); }},
  {"two_at_once",
   [] {
     simulation one{1};
     simulation two{2};
   }},
  {"a_manager_in_real_time",
   [] {
     simulation sim{1};
     muster::manager real{{.name = "real"}};
     auto crew = real.create_scope("crew");
     crew.execute("task", [](muster::context& ctx) { ctx.wait_until_cancelled(); });
     static_cast<void>(crew.wait_for(1h));
   }},
  {"an_actor_system_in_real_time",
   [] {
     simulation sim{1};
     caf::actor_system_config config;
     caf::actor_system system{config};
     auto site = muster::in_system(system, {.clock = sim.clock()});
   }},
  {"detached_actor",
   [] {
     in_a_body([](simulation& sim, muster::context& ctx) {
       muster::system_of(sim).spawn<caf::detached>([](caf::event_based_actor*) {});
       static_cast<void>(ctx.sleep_for(1s));
     });
   }},
  {"detached_actor_that_has_ended",
   [] {
     in_a_body([](simulation& sim, muster::context& ctx) {
       auto& system = muster::system_of(sim);
       system.spawn<caf::detached>([](caf::event_based_actor*) {});
       while (system.detached_actors() > 0)
         std::this_thread::yield();
       static_cast<void>(ctx.sleep_for(1s));
     });
   }},
  {"scoped_actor_that_waits",
   [] {
     in_a_body([](simulation& sim, auto&) {
       caf::scoped_actor self{muster::system_of(sim)};
       self->receive([](int) {});
     });
   }},
  {"actor_left_at_the_end",
   [] {
     simulation sim{1};
     static auto* kept = new caf::actor{muster::system_of(sim).spawn(
       [](caf::event_based_actor*) -> caf::behavior { return {[](int) {}}; })};
     static_cast<void>(kept);
   }},
  {"no_seeds", [] { static_cast<void>(muster::testing::explore(0, [] {})); }},
  {"seed_that_is_no_number",
   [] {
     ::setenv("MUSTER_SEED", "twelve", 1);
     simulation sim;
   }},
};

} // namespace

int main(int argc, char** argv) {
  auto kinds = simulation_kinds;
  kinds.merge(misuse_kinds{actor_system_kinds});
  kinds.merge(coroutine_kinds());
  kinds.merge(asio_kinds());
  if (argc != 2 || !kinds.contains(argv[1])) {
    for (const auto& [name, what] : kinds)
      std::puts(name.c_str());
    return 2;
  }
  kinds.at(argv[1])();
  std::puts("nothing was asserted");
  return 0;
}
