// Supervision trees: long-running actors that are started again, with what each strategy, kind and limit promises.
#include <muster/caf.hpp>
#include <muster/testing.hpp>

#include "support.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

using namespace support;
using muster::child_kind;
using muster::child_options;
using muster::restart;
using muster::restart_strategy;
using muster::testing::explore;
using muster::testing::simulation;

namespace {

/// A number is added to its sum, which it answers; a word makes it end: "crash" by an exception, any other normally.
caf::behavior counting(caf::event_based_actor* self) {
  auto sum = std::make_shared<int>(0);
  return {[sum](int n) { return *sum += n; },
          [self](const std::string& word) {
            if (word == "crash")
              throw std::runtime_error{"crashed as it was told to"};
            self->quit();
          }};
}

/// One that writes its beginning and its end into the journal.
muster::actor_factory journaling(journal& to, const std::string& name) {
  return [&to, name](caf::actor_system& system) {
    to.write("+" + name);
    return system.spawn([&to, name](caf::event_based_actor* self) {
      muster::keep_exception_text(self);
      self->attach_functor([&to, name](const caf::error&) { to.write("-" + name); });
      return counting(self);
    });
  };
}

const restart patient{.max_restarts = 1'000, .within = 1h};

restart with(restart_strategy strategy, unsigned max_restarts = 1'000) {
  return {.strategy = strategy, .max_restarts = max_restarts, .within = 1h};
}

/// Sends the word and lets everything that follows from it happen.
void tell(simulation& sim, const muster::result<caf::actor>& whom, const char* word) {
  caf::anon_send(*whom, std::string{word});
  sim.run_for(0s);
}

/// What an actor answers to a number; -1: an error.
int ask(muster::scope& crew, const caf::actor& whom, int n) {
  auto asker = crew.execute("asker", [&](context& ctx) { return muster::request<int>(ctx, whom, 1h, n); });
  const auto& answer = asker.get();
  return answer.ok() ? answer.value() : -1;
}

const muster::tree_node* find(const std::vector<muster::tree_node>& nodes, const std::string& name) {
  for (const auto& node : nodes)
    if (node.name == name)
      return &node;
  return nullptr;
}

} // namespace

TEST_CASE("one_for_one starts the one that failed again and the handle stays good") {
  simulation sim{1};
  journal seen;
  auto crew = sim.create_scope("crew", {.on_failure = patient});
  auto a = muster::spawn_actor(crew, {.name = "a"}, journaling(seen, "a"));
  auto b = muster::spawn_actor(crew, {.name = "b"}, journaling(seen, "b"));
  REQUIRE((a && b));
  CHECK(ask(crew, *a, 5) == 5);
  CHECK(ask(crew, *a, 5) == 10);
  tell(sim, a, "crash");
  CHECK(ask(crew, *a, 3) == 3);
  CHECK(ask(crew, *b, 1) == 1);
  CHECK(seen.lines() == lines{"+a", "+b", "-a", "+a"});
  const auto children = crew.children();
  REQUIRE(find(children, "a"));
  CHECK(find(children, "a")->restarts == 1);
  CHECK(contains(find(children, "a")->last_error, "crashed as it was told to"));
  CHECK(find(children, "a")->state == "running");
  CHECK(find(children, "b")->restarts == 0);
  CHECK(sim.stats().actors_started == 3);
  CHECK(sim.stats().actors_restarted == 1);
  crew.cancel();
  CHECK(is(crew.wait(), errc::cancelled));
  CHECK(seen.lines() == lines{"+a", "+b", "-a", "+a", "-b", "-a"});
}

TEST_CASE("rest_for_one stops later siblings in reverse order and starts them forward") {
  simulation sim{1};
  journal seen;
  auto crew = sim.create_scope("crew", {.on_failure = with(restart_strategy::rest_for_one)});
  std::vector<muster::result<caf::actor>> all;
  for (const char* name : {"a", "b", "c", "d"})
    all.push_back(muster::spawn_actor(crew, {.name = name}, journaling(seen, name)));
  tell(sim, all[1], "crash");
  CHECK(seen.lines() == lines{"+a", "+b", "+c", "+d", "-b", "-d", "-c", "+b", "+c", "+d"});
  crew.cancel();
  static_cast<void>(crew.wait());
  CHECK(seen.lines().back() == "-a");
}

TEST_CASE("one_for_all stops the others in reverse order and starts all of them forward") {
  simulation sim{1};
  journal seen;
  auto crew = sim.create_scope("crew", {.on_failure = with(restart_strategy::one_for_all)});
  std::vector<muster::result<caf::actor>> all;
  for (const char* name : {"a", "b", "c"})
    all.push_back(muster::spawn_actor(crew, {.name = name}, journaling(seen, name)));
  tell(sim, all[1], "crash");
  CHECK(seen.lines() == lines{"+a", "+b", "+c", "-b", "-c", "-a", "+a", "+b", "+c"});
  for (const auto& each : all)
    CHECK(ask(crew, *each, 1) == 1);
  CHECK(sim.stats().actors_restarted == 3);
}

TEST_CASE("a transient child is restarted after a failure only and a temporary one never") {
  simulation sim{1};
  auto crew = sim.create_scope("crew", {.on_failure = patient});
  auto transient = muster::spawn_actor(crew, {.name = "transient", .kind = child_kind::transient}, counting);
  auto temporary = muster::spawn_actor(crew, {.name = "temporary", .kind = child_kind::temporary}, counting);
  tell(sim, transient, "crash");
  CHECK(ask(crew, *transient, 4) == 4);
  tell(sim, transient, "end");
  REQUIRE(find(crew.children(), "transient"));
  CHECK(find(crew.children(), "transient")->restarts == 1);
  tell(sim, temporary, "crash");
  CHECK(find(crew.children(), "temporary") == nullptr);
  // Nobody is left who holds the scope open.
  CHECK(crew.wait());
  CHECK(sim.errors().errors.size() == 2);
}

TEST_CASE("too many restarts in the window stop the children in reverse order and fail the scope with their list") {
  simulation sim{1};
  journal seen;
  auto crew = sim.create_scope("crew", {.on_failure = restart{.max_restarts = 2, .within = 5s}});
  std::vector<muster::result<caf::actor>> all;
  for (const char* name : {"a", "b", "c"})
    all.push_back(muster::spawn_actor(crew, {.name = name}, journaling(seen, name)));
  tell(sim, all[0], "crash");
  sim.run_for(5s + 1ns); // the first has left the window
  tell(sim, all[0], "crash");
  tell(sim, all[1], "crash");
  CHECK_FALSE(crew.ended());
  tell(sim, all[2], "crash");
  const auto done = crew.wait();
  REQUIRE_FALSE(done);
  CHECK(done.error().code() == errc::gave_up);
  CHECK(contains(done.error().message(), "gave up after 2 restarts in 5000 ms"));
  CHECK(contains(done.error().message(), "site/crew/a: "));
  CHECK(contains(done.error().message(), "site/crew/c: "));
  CHECK(contains(done.error().message(), "crashed as it was told to"));
  const auto order = seen.lines();
  CHECK(lines(order.end() - 3, order.end()) == lines{"-c", "-b", "-a"});
}

TEST_CASE("a backoff delays the restart, holds what is sent meanwhile, and the supervisor answers all the while") {
  simulation sim{1};
  auto crew = sim.create_scope(
    "crew", {.on_failure = restart{.max_restarts = 10, .within = 1h, .delay = {.first = 1s, .factor = 2, .cap = 3s}}});
  auto a = muster::spawn_actor(crew, {.name = "a", .held_messages = 2}, counting);
  for (const auto delay : {1s, 2s, 3s, 3s}) {
    tell(sim, a, "crash");
    sim.run_for(delay - 1ns);
    CHECK(find(crew.children(), "a")->state != "running");
    sim.run_for(1ns);
    CHECK(find(crew.children(), "a")->state == "running");
  }
  tell(sim, a, "crash");
  caf::anon_send(*a, 10);
  caf::anon_send(*a, 20);
  caf::anon_send(*a, 40); // one too many
  CHECK(ask(crew, *a, 1) == -1);
  sim.run_for(3s);
  CHECK(ask(crew, *a, 1) == 31);
  CHECK(sim.stats().messages_refused == 2);
}

TEST_CASE("a restart that is due never races past a cancel") {
  const auto found = explore(1'000, [](simulation& sim) {
    int started = 0;
    int ended = 0;
    auto crew =
        sim.create_scope("crew", {.on_failure = restart{.max_restarts = 10, .within = 1h, .delay = {.first = 1s}}});
    auto a = muster::spawn_actor(crew, {.name = "a"}, [&](caf::actor_system& system) {
      ++started;
      return system.spawn([&](caf::event_based_actor* self) {
        self->attach_functor([&](const caf::error&) { ++ended; });
        return counting(self);
      });
    });
    caf::anon_send(*a, std::string{"crash"});
    auto other = sim.create_scope("other");
    other.execute("canceller", [&](context& ctx) {
      static_cast<void>(ctx.sleep_for(1s));
      crew.cancel();
    });
    const bool failed = is(crew.wait(), errc::cancelled);
    const int at_end = started;
    sim.run_for(1h);
    return failed && other.wait().has_value() && started == at_end && ended == started;
  });
  CHECK(found);
}

TEST_CASE("children are stopped, restarted and removed by name and the tree stays whole after every mistake") {
  simulation sim{1};
  auto crew = sim.create_scope("crew", {.on_failure = patient});
  auto a = muster::spawn_actor(crew, {.name = "a"}, counting);
  CHECK(is(crew.restart_child("a"), errc::child_is_running));
  CHECK(is(crew.remove_child("a"), errc::child_is_running));
  CHECK(is(crew.restart_child("nobody"), errc::no_such_name));
  CHECK(is(crew.stop_child("nobody"), errc::no_such_name));
  CHECK(is(crew.remove_child("nobody"), errc::no_such_name));
  CHECK(crew.stop_child("a"));
  CHECK(crew.stop_child("a"));
  CHECK(ask(crew, *a, 1) == -1);
  CHECK(crew.restart_child("a"));
  CHECK(ask(crew, *a, 1) == 1);
  CHECK(sim.errors().errors.size() == 1); // the asker's
  CHECK(crew.stop_child("a"));
  CHECK(crew.remove_child("a"));
  CHECK(crew.children().empty());
  auto again = muster::spawn_actor(crew, {.name = "a"}, counting);
  REQUIRE(again);
  CHECK(ask(crew, *again, 7) == 7);
}

TEST_CASE("whoever starts a child by hand is told when it is stopped before it is up") {
  const auto found = explore(1'000, [](simulation& sim) {
    auto crew = sim.create_scope("crew", {.on_failure = patient});
    auto a = muster::spawn_actor(crew, {.name = "a", .daemon = true}, counting);
    if (!a || !crew.stop_child("a"))
      return false;
    auto starter = crew.execute("starter", [&](context&) { return crew.restart_child("a"); });
    auto stopper = crew.execute("stopper", [&](context&) { return crew.stop_child("a"); });
    static_cast<void>(crew.wait()); // that it ends is the point
    const auto told = starter.get().as_result();
    return stopper.get().ok() && (told || is(told, errc::start_failed));
  });
  CHECK(found);
}

TEST_CASE("whoever stops a child by hand is told though it is started again at once") {
  const auto found = explore(1'000, [](simulation& sim) {
    auto crew = sim.create_scope("crew", {.on_failure = patient});
    auto a = muster::spawn_actor(crew, {.name = "a", .daemon = true}, counting);
    auto stopper = crew.execute("stopper", [&](context&) { return crew.stop_child("a"); });
    auto starter = crew.execute("starter", [&](context& ctx) -> muster::result<void> {
      for (;;) { // running until it is stopped, busy while it is stopping
        auto started = crew.restart_child("a");
        if (started || !(is(started, errc::child_is_running) || is(started, errc::child_is_busy)))
          return started;
        if (auto slept = ctx.sleep_for(1ns); !slept)
          return slept;
      }
    });
    static_cast<void>(crew.wait());
    return stopper.get().ok() && starter.get().ok();
  });
  CHECK(found);
}

TEST_CASE("what cannot be started is refused with a clear error and harms nobody") {
  simulation sim{1};
  auto crew = sim.create_scope("crew", {.on_failure = restart{.max_restarts = 3, .max_children = 2}});
  auto good = muster::spawn_actor(crew, {.name = "good"}, counting);
  REQUIRE(good);
  const auto code = [](const muster::result<caf::actor>& r) { return r ? std::error_code{} : r.error().code(); };
  CHECK(code(muster::spawn_actor(crew, {.name = "throws"}, [](caf::actor_system&) -> caf::actor { throw 1; })) ==
        errc::start_failed);
  CHECK(code(muster::spawn_actor(crew, {.name = "empty"}, [](caf::actor_system&) { return caf::actor{}; })) ==
        errc::start_failed);
  CHECK(code(muster::spawn_actor(crew, {.name = "dead"}, [](caf::actor_system& system) {
          auto actor = system.spawn([](caf::event_based_actor*) {});
          caf::anon_send_exit(actor, caf::exit_reason::kill);
          return actor;
        })) != errc::bad_argument);
  CHECK(code(muster::spawn_actor(crew, {.name = "good"}, counting)) == errc::bad_argument);
  CHECK(code(muster::spawn_actor(crew, {.name = "forever", .significant = true}, counting)) == errc::bad_argument);
  CHECK(ask(crew, *good, 2) == 2);
  crew.close();
  CHECK(code(muster::spawn_actor(crew, {.name = "late"}, counting)) == errc::scope_closed);
  auto wrong = sim.create_scope("wrong", {.on_failure = restart{.within = -1s}});
  CHECK(code(muster::spawn_actor(wrong, {.name = "a"}, counting)) == errc::bad_argument);
  CHECK(wrong.wait());
}

TEST_CASE("a start is over when the child says so, and fails when its time is up or it says that") {
  simulation sim{1};
  auto crew = sim.create_scope("crew", {.on_failure = patient});
  const auto reporting = [](muster::duration after, std::string failure) {
    return [=](caf::actor_system& system, muster::start_report start) {
      return system.spawn([=](caf::event_based_actor* self) -> caf::behavior {
        self->delayed_send(self, after, 1);
        return {[=](int n) {
          if (n == 1)
            failure.empty() ? start.ready() : start.failed(failure);
        }};
      });
    };
  };
  const auto before = sim.now();
  auto slow = muster::spawn_actor(crew, {.name = "slow", .start_timeout = 10s}, reporting(3s, ""));
  REQUIRE(slow);
  CHECK(sim.now() - before == 3s);
  auto late = muster::spawn_actor(crew, {.name = "late", .start_timeout = 2s}, reporting(3s, ""));
  REQUIRE_FALSE(late);
  CHECK(late.error().code() == errc::timed_out);
  auto sorry = muster::spawn_actor(crew, {.name = "sorry"}, reporting(1s, "no disk"));
  REQUIRE_FALSE(sorry);
  CHECK(sorry.error().code() == errc::start_failed);
  CHECK(contains(sorry.error().message(), "no disk"));
  CHECK(crew.children().size() == 1);
}

TEST_CASE("a child that has not started is out of its scope, and its name free, when its starter hears of it") {
  const auto found = explore(1'000, [](simulation& sim) {
    auto crew = sim.create_scope("crew", {.on_failure = patient});
    const auto refused =
      muster::spawn_actor(crew, {.name = "a"}, [](caf::actor_system& system, muster::start_report start) {
        start.failed("no disk");
        return system.spawn(counting);
      });
    const bool gone = crew.children().empty();
    const auto again = muster::spawn_actor(crew, {.name = "a", .daemon = true}, counting);
    return !refused && gone && again.has_value();
  });
  CHECK(found);
}

TEST_CASE("a supervisor that gives up is a failure of a child in the one above, which starts it anew") {
  simulation sim{1};
  journal seen;
  caf::actor inner;
  auto outer = sim.create_scope("outer", {.on_failure = restart{.max_restarts = 1, .within = 1h}});
  auto started = outer.supervise({.name = "inner"}, {.on_failure = restart{.max_restarts = 1, .within = 1h}},
                                 [&](muster::scope& below) -> muster::result<void> {
                                   seen.write("set up");
                                   auto a = muster::spawn_actor(below, {.name = "a"}, journaling(seen, "a"));
                                   if (!a)
                                     return std::unexpected{a.error()};
                                   inner = *a;
                                   return {};
                                 });
  REQUIRE(started);
  const auto crash = [&] {
    caf::anon_send(inner, std::string{"crash"});
    sim.run_for(0s);
  };
  crash(); // restarted inside
  CHECK(seen.lines() == lines{"set up", "+a", "-a", "+a"});
  crash(); // inner gives up, outer starts it anew
  CHECK(seen.lines() == lines{"set up", "+a", "-a", "+a", "-a", "set up", "+a"});
  CHECK(find(outer.children(), "inner")->restarts == 1);
  crash();
  crash(); // inner gives up again, and so does outer
  const auto done = outer.wait();
  REQUIRE_FALSE(done);
  CHECK(done.error().code() == errc::gave_up);
  CHECK(done.error().path() == "site/outer");
  INFO(to_string(done.error()));
  CHECK(contains(to_string(done.error()), "site/outer/inner/a: "));
  REQUIRE(done.error().cause());
  CHECK(done.error().cause()->code() == errc::gave_up);
}

TEST_CASE("significant children end their supervisor when they end by themselves") {
  for (const bool all : {false, true}) {
    simulation sim{1};
    journal seen;
    auto crew = sim.create_scope("crew", {.on_failure = restart{.max_restarts = 3,
                                                                .ends = all ? muster::auto_shutdown::all_significant
                                                                            : muster::auto_shutdown::any_significant}});
    std::vector<muster::result<caf::actor>> some;
    for (const char* name : {"a", "b"})
      some.push_back(muster::spawn_actor(crew, {.name = name, .kind = child_kind::transient, .significant = true},
                                         journaling(seen, name)));
    auto other = muster::spawn_actor(crew, {.name = "other"}, journaling(seen, "other"));
    tell(sim, some[0], "end");
    CHECK(crew.ended() == !all);
    if (all) {
      CHECK(ask(crew, *other, 1) == 1);
      tell(sim, some[1], "end");
    }
    CHECK(crew.wait());
    CHECK(seen.lines().size() == 6);
  }
}

TEST_CASE("a child that does not stop in its time is killed, reported, and the others' stopping goes on") {
  simulation sim{1};
  journal seen;
  auto crew = sim.create_scope("crew", {.on_failure = with(restart_strategy::one_for_all)});
  auto first = muster::spawn_actor(crew, {.name = "first"}, journaling(seen, "first"));
  auto deaf = muster::spawn_actor(crew, {.name = "deaf", .stop_timeout = 2s}, [&](caf::actor_system& system) {
    return system.spawn([&](caf::event_based_actor* self) -> caf::behavior {
      self->set_exit_handler([](const caf::exit_msg&) {});
      self->attach_functor([&](const caf::error&) { seen.write("-deaf"); });
      return {[](int n) { return n; }};
    });
  });
  REQUIRE((first && deaf));
  tell(sim, first, "crash");
  sim.run_for(2s);
  const auto done = crew.wait();
  REQUIRE_FALSE(done);
  CHECK(any_is(done.error(), errc::unresponsive));
  CHECK(contains(to_string(done.error()), "site/crew/deaf"));
  CHECK(sim.stats().actors_unresponsive == 1);
  CHECK(seen.lines().back() == "-deaf");
}

TEST_CASE("tasks in a scope that restarts are not restarted and their failures are collected") {
  simulation sim{1};
  auto crew = sim.create_scope("crew", {.on_failure = patient});
  auto a = muster::spawn_actor(crew, {.name = "a", .daemon = true}, counting);
  crew.execute("culprit", fails("first"));
  crew.execute("another", fails("second"));
  auto fine = crew.execute("fine", [] { return 1; });
  const auto done = crew.wait();
  REQUIRE_FALSE(done);
  CHECK(messages(done.error()).size() == 2);
  CHECK(fine.get().ok());
}

TEST_CASE("every transition is told to the hook") {
  simulation sim{1};
  journal seen;
  auto crew = sim.create_scope(
      "crew", {.on_failure = restart{.max_restarts = 1}, .on_child = [&](const muster::child_event& e) {
                 seen.write(e.path + " " + std::string{to_string(e.what)} + " " + std::to_string(e.incarnation));
               }});
  auto a = muster::spawn_actor(crew, {.name = "a"}, counting);
  sim.run_for(0s);
  tell(sim, a, "crash");
  tell(sim, a, "crash");
  static_cast<void>(crew.wait());
  sim.run_for(0s);
  const auto all = seen.lines();
  for (const char* line : {"site/crew/a started 1", "site/crew/a ended 1", "site/crew/a restarting 2",
                           "site/crew/a started 2", "site/crew/a ended 2", "site/crew gave up 0"})
    CHECK(std::count(all.begin(), all.end(), line) == 1);
}

TEST_CASE("a restart by hand that is called off before the child is up is told to whoever waits for it") {
  const auto found = explore(500, [](simulation& sim) {
    auto crew = sim.create_scope("crew", {.on_failure = patient});
    const auto slowly = [](caf::actor_system& system, muster::start_report start) {
      return system.spawn([=](caf::event_based_actor* self) -> caf::behavior {
        self->delayed_send(self, 1s, true);
        return {[=](bool) { start.ready(); }, [self](const std::string&) { self->quit(); }};
      });
    };
    auto a = muster::spawn_actor(crew, {.name = "a"}, slowly);
    if (!a || !crew.stop_child("a"))
      return false;
    auto other = sim.create_scope("other", {.on_failure = muster::isolate});
    auto starter = other.execute("starter", [&](context&) { return crew.restart_child("a"); });
    auto stopper = other.execute("stopper", [&](context& ctx) -> muster::result<void> {
      static_cast<void>(ctx.sleep_for(500ms));
      return crew.stop_child("a");
    });
    static_cast<void>(other.wait());
    const auto children = crew.children();
    const auto* node = find(children, "a");
    return stopper.get().ok() && starter.get().failed() && node != nullptr && node->state != "running";
  });
  CHECK(found);
}

namespace {

/// An actor that never says that it is up.
caf::actor silent(caf::actor_system& system, muster::start_report) { return system.spawn(counting); }

} // namespace

TEST_CASE("a cancel or a deadline ends the wait for a start that never comes, from wherever it is waited for") {
  const auto found = explore(300, [](simulation& sim) {
    // From a body that runs in the scope.
    const auto inside = sim.with_timeout("inside", 1s, [](muster::scope& crew) -> muster::result<void> {
      auto child = muster::spawn_actor(crew, {.name = "a"}, silent);
      if (!child)
        return std::unexpected{child.error()};
      return {};
    });
    // From a task of the scope.
    auto crew = sim.create_scope("crew", {.timeout = 1s});
    auto task = crew.execute("starter", [&](context&) { return muster::spawn_actor(crew, {.name = "a"}, silent); });
    static_cast<void>(crew.wait());
    // From outside, with nobody in wait().
    auto other = sim.create_scope("other", {.on_failure = patient});
    auto canceller = sim.create_scope("canceller");
    canceller.execute("canceller", [&](context& ctx) {
      static_cast<void>(ctx.sleep_for(1s));
      other.cancel();
    });
    const auto outside = muster::spawn_actor(other, {.name = "a"}, silent);
    return !inside && (inside.error().code() == errc::scope_closed || inside.error().is(errc::timed_out)) &&
           !task.get().ok() && !outside && outside.error().code() == errc::scope_closed &&
           canceller.wait().has_value() && is(other.wait(), errc::cancelled);
  });
  CHECK(found);
}

TEST_CASE("a supervisor whose setup does not come to an end is cancelled with its parent or at its start timeout") {
  const auto found = explore(300, [](simulation& sim) {
    const auto stuck = [](muster::scope& below) -> muster::result<void> {
      auto child = muster::spawn_actor(below, {.name = "a"}, silent);
      if (!child)
        return std::unexpected{child.error()};
      return {};
    };
    auto crew = sim.create_scope("crew", {.on_failure = patient});
    const auto late = crew.supervise({.name = "late", .start_timeout = 2s}, {.on_failure = patient}, stuck);
    const bool in_time = sim.elapsed() == 2s;
    auto canceller = sim.create_scope("canceller");
    canceller.execute("canceller", [&](context& ctx) {
      static_cast<void>(ctx.sleep_for(1s));
      crew.cancel();
    });
    const auto cut = crew.supervise({.name = "cut"}, {.on_failure = patient}, stuck);
    return is(late, errc::timed_out) && in_time && is(cut, errc::scope_closed) && canceller.wait().has_value() &&
           is(crew.wait(), errc::cancelled);
  });
  CHECK(found);
}

TEST_CASE("stopping or removing a child of a cancelled scope is refused and does not wait") {
  const auto found = explore(300, [](simulation& sim) {
    auto crew = sim.create_scope("crew", {.on_failure = patient});
    if (!muster::spawn_actor(crew, {.name = "a"}, counting))
      return false;
    crew.cancel();
    const bool refused =
        is(crew.stop_child("a"), errc::scope_closed) && is(crew.restart_child("a"), errc::scope_closed);
    return refused && is(crew.wait(), errc::cancelled);
  });
  CHECK(found);
}

TEST_CASE("a child that comes up while its supervisor is ending for its significant ones is stopped too") {
  const auto found = explore(1'000, [](simulation& sim) {
    auto crew = sim.create_scope(
        "crew", {.on_failure = restart{.max_restarts = 3, .ends = muster::auto_shutdown::any_significant}});
    auto main =
        muster::spawn_actor(crew, {.name = "main", .kind = child_kind::transient, .significant = true}, counting);
    if (!main)
      return false;
    auto other = sim.create_scope("other");
    other.execute("starter",
                  [&](context&) { static_cast<void>(muster::spawn_actor(crew, {.name = "late"}, counting)); });
    other.execute("ender", [&](context&) { caf::anon_send(*main, std::string{"end"}); });
    return other.wait().has_value() && crew.wait().has_value();
  });
  CHECK(found);
}
