// The manager: shutting down, looking at the tree, figures, and managers below managers.
#include "support.hpp"

#include <unistd.h>
#include <algorithm>
#include <optional>

using namespace support;

namespace {

/// The node of this name, or an empty one.
[[nodiscard]] muster::tree_node node_of(const muster::supervision_tree& tree, const std::string& name) {
  const auto found = std::find_if(tree.nodes.begin(), tree.nodes.end(), [&](const auto& n) { return n.name == name; });
  return found == tree.nodes.end() ? muster::tree_node{} : *found;
}

/// Returns once `site` takes no new scopes any more.
void await_shutdown(muster::manager& site) {
  await([&] { return site.create_scope("probe").cancelled(); });
}

} // namespace

TEST_CASE("shutting down a manager with nothing running returns at once and later scopes are born cancelled") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("idle");
  CHECK(site.shutdown(1h));
  CHECK(crew.ended());
  auto late = site.create_scope("late");
  CHECK(late.cancelled());
  CHECK(late.reason().root_kind() == cancel_kind::shutdown);
  CHECK(late.execute("worker", succeeds).get().cancelled());
  CHECK_FALSE(late.wait());
  CHECK(site.shutdown(0s));
}

TEST_CASE("a shutdown lets what runs finish within its time") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  gate go;
  const let_go at_end{go};
  auto worker = crew.execute("worker", [&](context& ctx) {
    go.wait();
    return ctx.cancelled();
  });
  await_start(worker);
  std::thread hand{[&] {
    await_shutdown(site);
    go.open();
  }};
  CHECK(site.shutdown(1h));
  hand.join();
  CHECK(worker.get().as_result() == false);
  CHECK(crew.wait());
}

TEST_CASE("a shutdown cancels what has not finished when its time is up") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  auto worker = crew.execute("worker", [](context& ctx) { return ctx.wait_until_cancelled(); });
  await_start(worker);
  std::thread hand{[&] {
    await_shutdown(site);
    clock->await_timer_within(5s);
    clock->advance(5s);
  }};
  CHECK(site.shutdown(5s));
  hand.join();
  REQUIRE(worker.get().ok());
  CHECK(worker.get().value().root_kind() == cancel_kind::shutdown);
  CHECK(worker.get().value().origin() == "site");
  CHECK(error_of(crew.wait()).is(errc::cancelled));
}

TEST_CASE("a shutdown that comes to its limit names the survivors and may be asked again") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  gate started;
  gate held;
  const let_go at_end{held};
  crew.execute("stubborn", [&] {
    started.open();
    held.wait();
  });
  const auto obedient = crew.execute("obedient", stays);
  started.wait();
  std::thread hand{[&] {
    await_shutdown(site);
    clock->await_timer_within(5s);
    clock->advance(5s);
    static_cast<void>(obedient.get()); // leaves when it is asked
    clock->await_timer_within(1s);
    clock->advance(1s);
  }};
  const auto why = error_of(site.shutdown(5s));
  hand.join();
  CHECK(why.code() == errc::survivors);
  CHECK(contains(to_string(why), "site/crew/stubborn"));
  CHECK_FALSE(contains(to_string(why), "obedient"));
  held.open();
  CHECK_FALSE(crew.wait());
  CHECK(site.shutdown(0s));
}

TEST_CASE("a shutdown without time cancels at once") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  auto worker = crew.execute("worker", stays);
  CHECK(site.shutdown(0s));
  CHECK(worker.get().cancelled());
  CHECK(worker.get().reason().root_kind() == cancel_kind::shutdown);
}

TEST_CASE("a manager that is shut down from inside a task is asked to and the task goes on until it is told") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  std::optional<muster::error> refused;
  auto worker = crew.execute("worker", [&](context& ctx) {
    refused = error_of(site.shutdown(0s));
    return ctx.wait_until_cancelled();
  });
  REQUIRE(worker.get().ok());
  CHECK(worker.get().value().root_kind() == cancel_kind::shutdown);
  REQUIRE(refused);
  CHECK(refused->code() == errc::would_deadlock);
  CHECK(site.create_scope("late").cancelled());
  CHECK_FALSE(crew.wait());
  CHECK(site.shutdown(0s));
}

TEST_CASE("two threads may shut a manager down at the same time") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  crew.execute("worker", stays);
  std::optional<muster::result<void>> other;
  std::thread hand{[&] { other = site.shutdown(0s); }};
  CHECK(site.shutdown(0s));
  hand.join();
  REQUIRE(other.has_value());
  CHECK(other->has_value());
}

TEST_CASE("the tree shows who is there and in what state and since when") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew", {.timeout = 60s});
  auto nested = crew.create_scope("nested");
  gate started;
  gate held;
  const let_go at_end{held};
  std::int64_t thread = 0;
  auto worker = crew.execute("worker", [&](context& ctx) {
    thread = ::gettid();
    ctx.note("digging");
    ctx.progress(3, 10);
    started.open();
    held.wait();
  });
  auto later = crew.execute({.name = "later", .after = {worker}}, succeeds);
  auto waiter = nested.execute("waiter", [&] { static_cast<void>(worker.get()); });
  CHECK(crew.register_resource("pump", 1, [](int&) {}));
  started.wait();
  await([&] { return waits(site.tree(), "waiter"); });
  clock->advance(5s);
  const auto tree = site.tree();
  REQUIRE(tree.nodes.size() == 7);
  CHECK(tree.nodes[0].kind == muster::node_kind::manager);
  CHECK(tree.nodes[0].name == "site");
  CHECK(tree.nodes[0].depth == 0);
  CHECK(tree.nodes[0].parent == 0);
  CHECK(node_of(tree, "crew").kind == muster::node_kind::scope);
  CHECK(node_of(tree, "crew").depth == 1);
  CHECK(node_of(tree, "crew").time_left == muster::duration{55s});
  CHECK(node_of(tree, "nested").depth == 2);
  CHECK(node_of(tree, "pump").kind == muster::node_kind::resource);
  const auto body = node_of(tree, "worker");
  CHECK(body.kind == muster::node_kind::task);
  CHECK(body.state == "running");
  CHECK(body.age == 5s);
  CHECK(body.thread == thread);
  CHECK(body.note == "digging");
  CHECK(body.done == 3);
  CHECK(body.total == 10);
  CHECK(body.waits_for.empty());
  CHECK(node_of(tree, "later").state == "waiting");
  CHECK(contains(node_of(tree, "later").waits_for, "site/crew/worker"));
  CHECK(node_of(tree, "later").thread == 0);
  CHECK(contains(node_of(tree, "waiter").waits_for, "site/crew/worker"));
  CHECK(node_of(tree, "waiter").waiting_since == 5s);
  const auto text = to_string(tree);
  CHECK(std::count(text.begin(), text.end(), '\n') >= 6);
  for (std::size_t i = 0; i < tree.nodes.size(); ++i) {
    CHECK(contains(text, tree.nodes[i].name));
    CHECK(tree.nodes[i].parent <= i);
    if (tree.nodes[i].name == "waiter")
      CHECK(tree.path_of(i) == "site/crew/nested/waiter");
  }
  CHECK(crew.children().size() == 4);
  CHECK(crew.tree().nodes.front().name == "crew");
  CHECK(crew.tree().nodes.size() == 6);
  held.open();
  CHECK(crew.wait());
}

TEST_CASE("kinds of nodes have their words") {
  CHECK(to_string(muster::node_kind::manager) == "manager");
  CHECK(to_string(muster::node_kind::scope) == "scope");
  CHECK(to_string(muster::node_kind::task) == "task");
  CHECK(to_string(muster::node_kind::actor) == "actor");
  CHECK(to_string(muster::node_kind::resource) == "resource");
}

TEST_CASE("a manager and a scope count what was ever below them") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto other = site.create_scope("other");
  other.execute("worker", succeeds);
  CHECK(other.wait());
  auto crew = site.create_scope("crew");
  gate started;
  gate held;
  const let_go at_end{held};
  crew.execute("worker", [&] {
    started.open();
    held.wait();
    for (std::atomic<int> work = 0; work < 1'000'000;)
      work.fetch_add(1);
  });
  started.wait();
  CHECK(crew.stats().tasks_live == 1);
  CHECK(crew.stats().tasks_started == 1);
  clock->advance(7s);
  held.open();
  CHECK(crew.wait());
  CHECK(crew.stats().tasks_completed == 1);
  CHECK(crew.stats().wall_time == 7s);
  CHECK(crew.stats().cpu_time > 0s);
  CHECK(site.stats().tasks_completed == 2);
  CHECK(site.stats().scopes_created == 2);
  CHECK(site.stats().wall_time == 7s);
  CHECK(site.name() == "site");
  CHECK(site.now() == clock->now());
}

TEST_CASE("progress is reported to the hook with the task's path and the last report arrives") {
  journal written;
  auto options = standing_still();
  options.on_progress = [&](const muster::progress_report& report) {
    written.write(report.path + " " + std::to_string(report.done) + "/" + std::to_string(report.total));
  };
  muster::manager site{std::move(options)};
  auto crew = site.create_scope("crew");
  crew.execute("worker", [](context& ctx) {
    for (std::uint64_t i = 1; i <= 10; ++i)
      ctx.progress(i, 10);
  });
  CHECK(crew.wait());
  await([&] {
    const auto all = written.lines();
    return std::find(all.begin(), all.end(), "site/crew/worker 10/10") != all.end();
  });
  CHECK(written.size() <= 10);
}

TEST_CASE("a manager below a manager shares its engine and its failures are listed by both") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  {
    muster::manager request{site, "request 42"};
    auto crew = request.create_scope("crew");
    CHECK(crew.path() == "site/request 42/crew");
    CHECK(request.name() == "request 42");
    CHECK(request.now() == clock->now());
    crew.execute("culprit", fails("broken"));
    CHECK(messages(error_of(crew.wait())) == lines{"broken"});
    CHECK(request.errors().errors.size() == 1);
    CHECK(site.errors().errors.size() == 1);
    CHECK(request.stats().tasks_failed == 1);
    CHECK(node_of(site.tree(), "request 42").kind == muster::node_kind::manager);
    auto own = site.create_scope("own");
    own.execute("culprit", fails("elsewhere"));
    CHECK_FALSE(own.wait());
    CHECK(request.errors().errors.size() == 1);
  }
  CHECK(site.errors().errors.size() == 2);
  CHECK(site.stats().tasks_failed == 2);
  CHECK(node_of(site.tree(), "request 42").name.empty());
}

TEST_CASE("cancelling a manager reaches the managers below it but not the other way round") {
  muster::manager site{standing_still()};
  muster::manager request{site, "request"};
  muster::manager other{site, "other"};
  auto crew = request.create_scope("crew");
  auto worker = crew.execute("worker", stays);
  request.cancel();
  CHECK(worker.get().cancelled());
  CHECK_FALSE(site.cancelled());
  CHECK_FALSE(other.cancelled());
  auto beside = other.create_scope("beside");
  auto second = beside.execute("worker", stays);
  site.cancel("rain");
  CHECK(other.cancelled());
  CHECK(second.get().cancelled());
  CHECK(second.get().reason().text() == "rain");
}

TEST_CASE("a manager below a manager is shut down alone and ends with its destructor") {
  muster::manager site{standing_still()};
  std::atomic<int> gone = 0;
  {
    muster::manager request{site, "request"};
    auto first = request.create_scope("first");
    first.execute("worker", stays);
    CHECK(request.shutdown(0s));
    CHECK(request.create_scope("late").cancelled());
    muster::manager another{site, "another"};
    auto crew = another.create_scope("crew");
    auto worker = crew.execute("worker", [&](context& ctx) {
      ctx.wait_until_cancelled();
      gone.fetch_add(1);
    });
    await_start(worker);
  }
  CHECK(gone == 1);
  auto crew = site.create_scope("crew");
  CHECK(crew.execute("worker", succeeds).get().ok());
  CHECK(crew.wait());
}

TEST_CASE("a thousand managers below one come and go") {
  muster::manager site{standing_still()};
  for (int i = 0; i < 1'000; ++i) {
    muster::manager request{site, "request"};
    auto crew = request.create_scope("crew");
    auto worker = crew.execute("worker", [i] { return i; });
    REQUIRE(crew.wait());
    REQUIRE(worker.get().value() == i);
  }
  CHECK(site.tree().nodes.size() == 1);
  CHECK(site.stats().tasks_completed == 1'000);
}
