// What goes wrong below a supervisor that is being stopped reaches the one above; deadlines, survivors and the user's
// exceptions in a tree of supervisors.
#include <muster/caf.hpp>

#include "explored.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include "caf_port.hpp"

#include <pthread.h>

using namespace support;
using muster::restart;
using muster::restart_strategy;

namespace {

caf::behavior counting(caf::event_based_actor* self) {
  return {[](int n) { return n; },
          [self](const std::string& word) {
            if (word == "crash")
              throw std::runtime_error{"crashed as it was told to"};
            self->quit();
          }};
}

restart patient(restart_strategy strategy = restart_strategy::one_for_one) {
  return {.strategy = strategy, .max_restarts = 1'000, .within = 1h};
}

using setup = std::function<muster::result<void>(muster::scope&)>;

/// A supervisor "mid" with a supervisor "low" in it, which `fill` fills.
muster::result<void> two_levels(muster::scope& crew, setup fill) {
  return crew.supervise({.name = "mid"}, {.on_failure = patient()}, [fill](muster::scope& mid) {
    return mid.supervise({.name = "low"}, {.on_failure = patient()}, fill);
  });
}

/// A resource whose release fails, beside an actor that keeps the supervisor going.
muster::result<void> with_a_bad_release(muster::scope& low) {
  auto actor = muster::spawn_actor(low, {.name = "actor"}, counting);
  if (!actor)
    return std::unexpected{actor.error()};
  auto ledger = low.register_resource("ledger", 1, [](int&) -> muster::result<void> {
    return std::unexpected{muster::error{std::errc::io_error, "the disk is full"}};
  });
  return ledger ? muster::result<void>{} : std::unexpected{ledger.error()};
}

/// How often this failure is among those of the result.
int times(const muster::result<void>& r, const std::string& text) {
  if (r)
    return 0;
  const auto all = to_string(r.error());
  int n = 0;
  for (auto at = all.find(text); at != std::string::npos; at = all.find(text, at + 1))
    ++n;
  return n;
}

} // namespace

TEST_CASE("a release that fails two levels below is a failure of the scope that ends") {
  const auto found = explore(200, [](simulation& sim) -> verdict {
    auto crew = sim.create_scope("crew", {.on_failure = patient()});
    if (!two_levels(crew, with_a_bad_release))
      return broken("it is set up");
    crew.cancel();
    const auto done = crew.wait();
    return promised{}
      .that(times(done, "the disk is full") == 1, "the failure is in the result, once")
      .that(times(done, "site/crew/mid/low/ledger") == 1, "with its path")
      .that(sim.errors().errors.size() == 1, "and in the manager's list, once");
  });
  CHECK(found);
}

TEST_CASE("a release that fails two levels below while its group is restarted is a failure of the scope") {
  const auto found = explore(200, [](simulation& sim) -> verdict {
    auto crew = sim.create_scope("crew", {.on_failure = patient(restart_strategy::one_for_all)});
    auto first = muster::spawn_actor(crew, {.name = "first"}, counting);
    int set_up = 0;
    const auto bad_at_first = [&](muster::scope& low) -> muster::result<void> {
      if (++set_up == 1)
        return with_a_bad_release(low);
      auto actor = muster::spawn_actor(low, {.name = "actor"}, counting);
      return actor ? muster::result<void>{} : std::unexpected{actor.error()};
    };
    if (!first || !two_levels(crew, bad_at_first))
      return broken("it is set up");
    caf::anon_send(*first, std::string{"crash"});
    sim.run_for(0s);
    const bool goes_on = !crew.cancelled() && set_up == 2;
    crew.cancel();
    return promised{}
      .that(goes_on, "the group is restarted all the same")
      .that(times(crew.wait(), "the disk is full") == 1, "the failure is in the result, once");
  });
  CHECK(found);
}

TEST_CASE("a release that fails two levels below a child that is stopped by hand is a failure of the scope") {
  const auto found = explore(200, [](simulation& sim) -> verdict {
    auto crew = sim.create_scope("crew", {.on_failure = patient()});
    if (!two_levels(crew, with_a_bad_release))
      return broken("it is set up");
    const bool stopped = crew.stop_child("mid").has_value();
    const bool goes_on = !crew.cancelled();
    crew.close();
    const auto done = crew.wait();
    return promised{}
      .that(stopped && goes_on, "the child is stopped and nobody else")
      .that(times(done, "the disk is full") == 1, "the failure is in the result, once")
      .that(done.error().code() == errc::release_failed, "and nothing was cancelled");
  });
  CHECK(found);
}

TEST_CASE("a release that fails when a supervisor cannot be set up is a failure of the scope") {
  simulation sim{1};
  auto crew = sim.create_scope("crew", {.on_failure = patient()});
  const auto made = crew.supervise({.name = "low"}, {}, [](muster::scope& low) -> muster::result<void> {
    static_cast<void>(with_a_bad_release(low));
    return std::unexpected{muster::error{std::errc::io_error, "no"}};
  });
  CHECK(is(made, errc::start_failed));
  crew.close();
  CHECK(times(crew.wait(), "the disk is full") == 1);
}

TEST_CASE("an actor two levels below that does not stop is in the result of the scope that ends") {
  simulation sim{1};
  auto crew = sim.create_scope("crew", {.on_failure = patient(), .release_timeout = 1h});
  REQUIRE(two_levels(crew, [](muster::scope& low) -> muster::result<void> {
    auto deaf = muster::spawn_actor(low, {.name = "deaf", .stop_timeout = 2s}, [](caf::actor_system& system) {
      return system.spawn([](caf::event_based_actor* self) -> caf::behavior {
        self->set_exit_handler([](const caf::exit_msg&) {});
        return {[](int n) { return n; }};
      });
    });
    return deaf ? muster::result<void>{} : std::unexpected{deaf.error()};
  }));
  crew.cancel();
  const auto done = crew.wait();
  CHECK(any_is(error_of(done), errc::unresponsive));
  CHECK(contains(to_string(error_of(done)), "site/crew/mid/low/deaf"));
}

TEST_CASE("an actor two levels below that fails while it is being stopped is listed behind the cancellation") {
  simulation sim{1};
  auto crew = sim.create_scope("crew", {.on_failure = patient()});
  REQUIRE(two_levels(crew, [](muster::scope& low) -> muster::result<void> {
    auto sore = muster::spawn_actor(low, {.name = "sore"}, [](caf::event_based_actor* self) {
      self->set_exit_handler([self](const caf::exit_msg&) { self->quit(muster::runtime::failed_exit("a bad loser")); });
      return counting(self);
    });
    return sore ? muster::result<void>{} : std::unexpected{sore.error()};
  }));
  crew.cancel();
  const auto done = crew.wait();
  CHECK(is(done, errc::cancelled));
  CHECK(times(done, "a bad loser") == 1);
}

// -- deadlines --------------------------------------------------------------------------------------------------------

TEST_CASE("below a supervisor the deadline of the whole tree is told, with no timer of its own") {
  simulation sim{1};
  const auto until = sim.now() + 10s;
  std::vector<muster::time_point> told;
  std::vector<muster::duration> left;
  auto crew = sim.create_scope("crew", {.on_failure = patient(), .timeout = 10s});
  const auto look = [&](muster::scope& low) -> muster::result<void> {
    told.push_back(low.deadline());
    left.push_back(low.time_left());
    auto task = low.execute("task", [&](context& ctx) {
      told.push_back(ctx.deadline());
      auto nested = ctx.create_scope("nested");
      told.push_back(nested.deadline());
      static_cast<void>(nested.wait());
    });
    static_cast<void>(task.get());
    auto longer = low.execute({.name = "longer", .timeout = 1h}, [&](context& ctx) { told.push_back(ctx.deadline()); });
    static_cast<void>(longer.get());
    auto actor = muster::spawn_actor(low, {.name = "actor"}, counting);
    return actor ? muster::result<void>{} : std::unexpected{actor.error()};
  };
  REQUIRE(two_levels(crew, look));
  CHECK(told == std::vector(4, until));
  CHECK(left == std::vector<muster::duration>{10s});
  CHECK(is(crew.wait(), errc::timed_out));
  CHECK(sim.now() == until);
  CHECK(sim.stats().actors_unresponsive == 0);
}

TEST_CASE("a supervisor's own deadline is kept though the one above comes first and its turn has not come yet") {
  simulation sim{1};
  auto crew = sim.create_scope("crew", {.on_failure = patient(), .timeout = 5s});
  muster::time_point ended{};
  REQUIRE(crew.supervise({.name = "low"}, {.on_failure = patient(), .timeout = 6s}, [&](muster::scope& low) {
    CHECK(low.time_left() == 5s);
    low.execute("task", [&](context& ctx) {
      static_cast<void>(ctx.wait_until_cancelled());
      ended = ctx.now();
    });
    return muster::result<void>{};
  }));
  // It was started later, and so is released first: for a long time.
  REQUIRE(crew.register_resource({.name = "slow", .timeout = 1h}, 1, [&](int&) {
    auto other = sim.create_scope("other");
    other.execute("sleeper", [](context& ctx) { return ctx.sleep_for(10s); });
    static_cast<void>(other.wait());
  }));
  const auto from = sim.now();
  static_cast<void>(crew.wait());
  CHECK(ended - from == 6s);
}

// -- survivors --------------------------------------------------------------------------------------------------------

TEST_CASE("a shutdown names actors that do not stop and resources that are being released") {
  const auto clock = still_clock();
  gate held;
  gate inside;
  muster::manager site{{.name = "site", .grace = 0s, .clock = clock}};
  auto crew = site.create_scope("crew", {.on_failure = patient(), .release_timeout = 1h});
  auto busy = site.create_scope("busy", {.release_timeout = 1h});
  const let_go at_last{held};
  REQUIRE(busy.register_resource("ledger", 1, [&](int&) { held.wait(); }));
  auto stuck = muster::spawn_actor(crew, {.name = "stuck"}, [&](caf::event_based_actor*) {
    return caf::behavior{[&](int) {
      inside.open();
      held.wait();
    }};
  });
  REQUIRE(stuck);
  caf::anon_send(*stuck, 1);
  inside.wait();
  busy.close();
  crew.close();
  busy.cancel();
  crew.cancel();
  await([&] {
    for (const auto& node : site.tree().nodes)
      if (node.state == "releasing" && node.name == "ledger")
        return true;
    return false;
  });
  await([&] { return crew.children().at(0).state == "stopping"; });
  const auto left = site.shutdown(0s);
  REQUIRE_FALSE(left);
  CHECK(contains(left.error().message(), "site/crew/stuck (actor, stopping)"));
  CHECK(contains(left.error().message(), "site/busy/ledger (resource, releasing)"));
}

// -- exceptions -------------------------------------------------------------------------------------------------------

namespace {

/// Says on which threads its last copy was destroyed.
struct witness : std::runtime_error {
  witness() : std::runtime_error{"a witness"}, life(std::make_shared<watcher>()) {}
  struct watcher {
    ~watcher() {
      char name[16] = {};
      pthread_getname_np(pthread_self(), name, sizeof name);
      if (std::string{name}.starts_with("muster/ctl"))
        ++on_control_threads;
      ++gone;
    }
  };
  std::shared_ptr<watcher> life;
  static inline std::atomic<int> on_control_threads = 0;
  static inline std::atomic<int> gone = 0;
};

} // namespace

TEST_CASE("an exception of the user's is never destroyed on a control thread, wherever its last error goes") {
  witness::gone = witness::on_control_threads = 0;
  constexpr int many = 40;
  {
    // Almost nothing is kept elsewhere, so that the last reference is often the supervisor's own.
    muster::manager site{{.name = "site", .clock = still_clock(), .max_errors = 1}};
    {
      auto crew = site.create_scope("crew", {.on_failure = patient()});
      std::atomic<int> starts = 0;
      auto a = muster::spawn_actor(crew, {.name = "a"}, [&](caf::actor_system& system) -> caf::actor {
        if (++starts % 2 == 0)
          throw witness{};
        return system.spawn(counting);
      });
      REQUIRE(a);
      while (starts < 2 * many) {
        const int last = starts;
        caf::anon_send(*a, std::string{"crash"});
        await([&] { return starts > last; });
      }
      // And as the cause of a supervisor's failure.
      auto inner = crew.supervise({.name = "inner", .kind = muster::child_kind::transient}, {},
                                  [&, failed = std::make_shared<bool>(false)](muster::scope& below) {
                                    if (!std::exchange(*failed, true))
                                      below.execute("task", [] { throw witness{}; });
                                    else
                                      below.execute("task", [] {});
                                    return muster::result<void>{};
                                  });
      CHECK(inner);
      crew.cancel();
      static_cast<void>(crew.wait());
    }
    muster::scope last = site.create_scope("last");
    last.execute("task", [] { throw witness{}; });
    static_cast<void>(last.wait());
  }
  CHECK(witness::gone >= many);
  CHECK(witness::on_control_threads == 0);
}
