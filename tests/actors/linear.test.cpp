// Linear cost: a million children, ten thousand levels, long chains; counted and walked, never timed. What is quadratic
// or recursive does not come to its end here.
#include "support.hpp"

#include <algorithm>

using namespace support;

TEST_CASE("a scope takes a million tasks and every one of them is counted") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  constexpr std::uint64_t many = 1'000'000;
  std::atomic<std::uint64_t> ran = 0;
  for (std::uint64_t i = 0; i < many; ++i)
    crew.execute("worker", [&ran] { ran.fetch_add(1, std::memory_order_relaxed); });
  CHECK(crew.wait());
  CHECK(ran == many);
  const auto books = crew.stats();
  CHECK(books.tasks_started == many);
  CHECK(books.tasks_completed == many);
  CHECK(books.tasks_live == 0);
  CHECK(crew.children().empty());
}

TEST_CASE("scopes nest ten thousand deep: a task at the bottom runs and a cancel at the top reaches it") {
  muster::manager site{standing_still()};
  constexpr std::size_t depth = 10'000;
  std::vector<std::unique_ptr<muster::scope>> levels;
  levels.reserve(depth);
  levels.emplace_back(new muster::scope(site.create_scope("top")));
  while (levels.size() < depth)
    levels.emplace_back(new muster::scope(levels.back()->create_scope("l")));
  auto quick = levels.back()->execute("quick", [] { return 1; });
  CHECK(quick.get().value() == 1);
  gate started;
  auto worker = levels.back()->execute("worker", [&](context& ctx) {
    started.open();
    return ctx.wait_until_cancelled();
  });
  started.wait();
  CHECK(site.tree().nodes.size() == depth + 2);
  CHECK(levels.back()->path().size() == std::string{"site/top"}.size() + 2 * (depth - 1));
  levels.front()->cancel("rain");
  CHECK(levels.back()->cancelled());
  REQUIRE(worker.get().ok());
  CHECK(worker.get().value().kind() == cancel_kind::parent_cancelled);
  CHECK(worker.get().value().origin() == "site/top");
  CHECK(error_of(levels.front()->wait()).code() == errc::cancelled);
  CHECK(std::all_of(levels.begin(), levels.end(), [](const auto& each) { return each->ended(); }));
  CHECK(site.stats().scopes_created == depth);
}

TEST_CASE("scopes nested ten thousand deep end when the outermost is waited for") {
  muster::manager site{standing_still()};
  std::vector<std::unique_ptr<muster::scope>> levels;
  levels.emplace_back(new muster::scope(site.create_scope("top")));
  std::atomic<int> ran = 0;
  while (levels.size() < 10'000) {
    levels.emplace_back(new muster::scope(levels.back()->create_scope("l")));
    levels.back()->execute("worker", [&] { ran.fetch_add(1); });
  }
  CHECK(levels.front()->wait());
  CHECK(ran == 9'999);
  CHECK(levels.back()->ended());
}

TEST_CASE("scopes nested ten thousand deep may be destroyed from the outermost in") {
  muster::manager site{standing_still()};
  std::vector<std::unique_ptr<muster::scope>> levels;
  levels.emplace_back(new muster::scope(site.create_scope("top", {.timeout = 1h})));
  while (levels.size() < 10'000)
    levels.emplace_back(new muster::scope(levels.back()->create_scope("l")));
  auto worker = levels.back()->execute("worker", stays);
  for (auto& each : levels)
    each.reset();
  CHECK(worker.get().cancelled());
}

TEST_CASE("a deadline at the top of ten thousand levels reaches the bottom") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  std::vector<std::unique_ptr<muster::scope>> levels;
  levels.emplace_back(new muster::scope(site.create_scope("top", {.timeout = 8s})));
  while (levels.size() < 10'000)
    levels.emplace_back(new muster::scope(levels.back()->create_scope("l")));
  CHECK(levels.back()->time_left() == 8s);
  auto worker = levels.back()->execute("worker", stays);
  clock->advance(8s);
  CHECK(worker.get().cancelled());
  CHECK(worker.get().reason().root_kind() == cancel_kind::timeout);
  CHECK(error_of(levels.front()->wait()).code() == errc::timed_out);
}

TEST_CASE("a chain of a hundred thousand dependent tasks runs through") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  int counted = 0; // each runs after the one before
  auto last = crew.execute("link", [&] { ++counted; });
  for (int i = 1; i < 100'000; ++i)
    last = crew.execute({.name = "link", .after = {last}}, [&] { ++counted; });
  CHECK(crew.wait());
  CHECK(counted == 100'000);
  CHECK(last.get().ok());
}

TEST_CASE("a failure at the head of a chain of a hundred thousand dependent tasks skips them all") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
  gate go;
  const let_go at_end{go};
  auto last = crew.execute("link", [&]() -> muster::result<void> {
    go.wait();
    return std::unexpected{muster::error{std::errc::io_error, "broken"}};
  });
  for (int i = 1; i < 100'000; ++i)
    last = crew.execute({.name = "link", .after = {last}}, succeeds);
  go.open();
  CHECK(messages(error_of(crew.wait())) == lines{"broken"});
  REQUIRE(last.get().skipped());
  CHECK(last.get().error().code() == errc::skipped);
  CHECK(site.stats().tasks_skipped == 99'999);
  CHECK(site.errors().errors.size() == 1);
}

TEST_CASE("one task may have a hundred thousand dependants and one a hundred thousand dependencies") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  gate go;
  const let_go at_end{go};
  auto head = crew.execute("head", [&] { go.wait(); });
  muster::dependencies all;
  std::atomic<int> ran = 0;
  for (int i = 0; i < 100'000; ++i)
    all.add(crew.execute({.name = "middle", .after = {head}}, [&] { ran.fetch_add(1); }));
  auto tail = crew.execute({.name = "tail", .after = all}, [&] { return ran.load(); });
  go.open();
  CHECK(crew.wait());
  CHECK(tail.get().value() == 100'000);
}

TEST_CASE("a hundred thousand held tasks are cancelled at once") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew", {.max_parallel = 1});
  gate started;
  crew.execute("first", [&](context& ctx) {
    started.open();
    ctx.wait_until_cancelled();
  });
  started.wait();
  std::atomic<int> ran = 0;
  for (int i = 0; i < 100'000; ++i)
    crew.execute("held", [&] { ran.fetch_add(1); });
  crew.cancel();
  CHECK_FALSE(crew.wait());
  CHECK(ran == 0);
  CHECK(site.stats().tasks_cancelled == 100'000);
}

TEST_CASE("a hundred thousand running tasks may each be cancelled alone and in any order") {
  muster::manager site{on(still_clock(), {.workers = 1, .max_workers = 1})};
  auto crew = site.create_scope("crew");
  gate started;
  gate held;
  const let_go at_end{held};
  crew.execute("first", [&] {
    started.open();
    held.wait();
  });
  started.wait();
  std::vector<muster::task<void>> tasks;
  for (int i = 0; i < 100'000; ++i)
    tasks.push_back(crew.execute("ready", succeeds));
  for (std::size_t i = 0; i < tasks.size(); ++i)
    tasks[(i * 7919) % tasks.size()].cancel();
  held.open();
  CHECK(crew.wait());
  CHECK(crew.stats().tasks_cancelled == 100'000);
}

TEST_CASE("a scope may have ten thousand nested scopes beside each other") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  std::vector<std::unique_ptr<muster::scope>> beside;
  std::atomic<int> ran = 0;
  for (int i = 0; i < 10'000; ++i) {
    beside.emplace_back(new muster::scope(crew.create_scope("n")));
    beside.back()->execute("worker", [&] { ran.fetch_add(1); });
  }
  CHECK(crew.children().size() == 10'000);
  for (auto& each : beside)
    CHECK(each->wait());
  CHECK(crew.wait());
  CHECK(ran == 10'000);
}

TEST_CASE("isolate collects ten thousand failures in their order") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate, .max_parallel = 1});
  for (int i = 0; i < 10'000; ++i)
    crew.execute("culprit", fails(std::to_string(i)));
  const auto said = messages(error_of(crew.wait()));
  REQUIRE(said.size() == 10'000);
  bool in_order = true;
  for (std::size_t i = 0; i < said.size(); ++i)
    in_order = in_order && said[i] == std::to_string(i);
  CHECK(in_order);
}

TEST_CASE("ten thousand resources are released in reverse order") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  std::vector<int> released;
  for (int i = 0; i < 10'000; ++i)
    REQUIRE(crew.register_resource("tool", i, [&](int& held) { released.push_back(held); }));
  CHECK(crew.wait());
  REQUIRE(released.size() == 10'000);
  CHECK(std::is_sorted(released.rbegin(), released.rend()));
}

TEST_CASE("a scope that lives long does not grow: nothing of its ended children is left in the tree") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  for (int round = 0; round < 1'000; ++round) {
    auto nested = crew.create_scope("nested");
    auto task = nested.execute("worker", succeeds);
    REQUIRE(nested.wait());
    REQUIRE(crew.execute("worker", succeeds).get().ok());
  }
  CHECK(crew.children().empty());
  CHECK(crew.stats().tasks_live == 0);
  CHECK(crew.stats().tasks_completed == 2'000);
  CHECK(crew.stats().scopes_created >= 1'000);
  CHECK(crew.wait());
}
