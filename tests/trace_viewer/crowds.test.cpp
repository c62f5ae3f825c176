// A million tasks, and what is folded.
#include "trace_builder.hpp"

#include "tree_rows.hpp"

#include <algorithm>

using namespace trace_tests;
using namespace muster::trace_viewer;

namespace {

/// `n` tasks called `name` in one scope; those in `bad` fail.
trace_model crowd(std::uint64_t n, const std::vector<std::uint64_t>& bad) {
  trace_builder t;
  t.data().events.reserve(n * 4 + 4);
  t.manager(0, 1, "site");
  t.scope(0, 2, 1, "crew");
  const auto worker = t.text("worker");
  auto& events = t.data().events;
  std::uint64_t sequence = 2;
  const auto add = [&](std::int64_t at, event_kind kind, std::uint64_t subject, std::int64_t value,
                       std::uint32_t text) {
    ++sequence;
    events.push_back(
        {sequence, at, subject, kind == event_kind::task_created ? 2 : sequence - 1, value, text, kind, 1});
  };
  for (std::uint64_t i = 0; i < n; ++i) {
    const auto at = static_cast<std::int64_t>(i) * 1'000;
    add(at, event_kind::task_created, 10 + i, 2, worker);
    add(at, event_kind::task_ready, 10 + i, 1, 0);
    add(at + 100, event_kind::task_started, 10 + i, 7, 0);
    add(at + 500, event_kind::task_ended, 10 + i, std::ranges::find(bad, i) != bad.end() ? 1 : 0, 0);
  }
  return trace_model{std::move(t.data())};
}

} // namespace

TEST_CASE("a million tasks are one row and the two that failed stand beside it") {
  const auto model = crowd(1'000'000, {17, 700'000});
  CHECK(said_by(run_tree, model) == "manager site  open  1.00 s\n"
                                    "└─ scope crew  open  1.00 s\n"
                                    "   ├─ task worker#18  failed  400 ns\n"
                                    "   ├─ task worker#700001  failed  400 ns\n"
                                    "   └─ task worker ×999,998  999,998 ok\n");
  const auto rows = tree_rows(model, {.at = model.end_ns()});
  REQUIRE(rows.size() == 5);
  CHECK(rows[4].stem == "worker");
  CHECK(rows[4].states[state::ok] == 999'998);
  // What is asked of everything stays small.
  CHECK(said_by(run_summary, model).size() < 4'000);
  CHECK(said_by(run_timeline, model).size() < 4'000);
  CHECK(contains(said_by(run_blame, model), "task site/crew/worker#18: failed"));
  CHECK(said_by(run_tree, model, {.path = "worker#700001"}) == "task worker#700001  failed  400 ns\n");
}

TEST_CASE("the model of a million events takes less than four times their place in the file") {
  const auto model = crowd(250'000, {});
  // The trace itself, then what the model adds: nodes, their table, lists of events and children, numbers of siblings.
  const std::size_t file = model.data().events.size() * sizeof(muster::event);
  const auto nodes = model.nodes().size();
  const std::size_t table = [&] {
    std::size_t slots = 64;
    while (slots < nodes * 2 + 64)
      slots *= 2;
    return slots * 2 * sizeof(node_index); // at most, when it has just grown
  }();
  const std::size_t added = nodes * (sizeof(node) + 4 * sizeof(std::uint32_t)) + table +
                            model.data().events.size() * sizeof(event_index) + model.waits().size() * sizeof(wait);
  CHECK(file + added < 3 * file);
}

TEST_CASE("crowds are folded by kind and by names without their numbers") {
  trace_builder t;
  t.manager(0, 1, "site");
  std::uint64_t id = 10;
  for (int i = 0; i < 50; ++i) {
    const auto request = id++;
    t.scope(i, request, 1, "request-" + std::to_string(i));
    const auto task = id++;
    t.running(i, task, static_cast<std::int64_t>(request), "handle");
    t.end(i + ms, task, i % 2 == 0 ? muster::outcome_kind::failed : muster::outcome_kind::ok);
    t.add(i + ms, event_kind::scope_ended, request, 0, i % 2 == 0 ? 1 : 0);
  }
  CHECK(said_by(run_tree, t.model(), {.width = 200}) ==
        "manager site  open  1.00 ms\n"
        "└─ scope request-* ×50  25 ok, 25 failed  with 50 below  the first that went wrong: request-0\n");
  CHECK(std::ranges::count(said_by(run_tree, t.model(), {.all = true}), '\n') == 101);
  // Failing alike, they are folded there too.
  CHECK(std::ranges::count(said_by(run_tree, t.model(), {.failed = true}), '\n') == 2);
  const auto all = nlohmann::json::parse(said_by(run_tree, t.model(), {.json = true}));
  CHECK(all["nodes"][1]["count"] == 50);
  CHECK(all["nodes"][1]["states"]["failed"] == 25);
}

TEST_CASE("every node is in one row, whatever is folded") {
  for (const std::uint64_t many : {1U, 8U, 9U, 12U, 100U}) {
    const auto model = crowd(many, {0, many / 2, many - 1});
    for (std::int64_t at = 0; at <= model.end_ns(); at += 300) {
      std::uint64_t there = 0;
      for (node_index n = 0; n < model.nodes().size(); ++n)
        there += model.state_at(n, at) != state::unborn;
      std::uint64_t shown = 0;
      for (const auto& row : tree_rows(model, {.at = at}))
        shown += row.node != none_found ? 1 : row.states.sum() + row.below;
      REQUIRE(shown == there);
    }
  }
}
