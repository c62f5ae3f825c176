/// That a trace shows the whole tree, however often its ring has been overwritten.
#include "trace_support.hpp"

#include "../actors/support.hpp"

#include <muster/circuit_breaker.hpp>
#include <muster/resource_pool.hpp>

#include <map>

using namespace trace_tests;
using namespace support;

namespace {

/// A manager whose ring holds 1344 events.
muster::manager_options small_ring() {
  auto options = standing_still();
  options.trace.bytes = 16 * 4096;
  return options;
}

trace_data trace_of(const muster::manager& site) {
  const scratch_folder dir;
  REQUIRE_FALSE(site.write_trace((dir.path / "trace").string()));
  return read(dir.path / "trace");
}

/// Fills the ring `times` times over. This thread's own segment too: a quiet thread's events would stay.
void overwrite(muster::scope& crew, int times) {
  for (int n = 0; n < 200; ++n)
    crew.execute("filler", succeeds);
  auto noisy = crew.execute("noisy", [&](context& ctx) {
    for (int n = 0; n < times * 1344; ++n)
      ctx.progress(static_cast<std::uint64_t>(n), 0);
  });
  REQUIRE(noisy.get().ok());
}

/// What is known of a thing, from the snapshot and from the events behind it.
struct known {
  std::uint64_t id = 0;
  std::string parent;
  node_kind kind = node_kind::unknown;
  bool started = false; ///< by an event that is kept
};
std::map<std::string, known> everyone(const trace_data& data) {
  struct entry {
    std::string name;
    std::uint64_t parent;
    node_kind kind;
    bool started = false;
  };
  std::map<std::uint64_t, entry> all;
  for (const auto& one : data.alive)
    all.emplace(one.id, entry{data.texts[one.text], one.parent, one.kind});
  for (const auto& e : data.events) {
    const auto made = [&](node_kind kind) {
      all.emplace(e.subject, entry{data.texts[e.text], static_cast<std::uint64_t>(e.value), kind});
    };
    switch (e.kind) {
      case event_kind::manager_created: made(node_kind::manager); break;
      case event_kind::scope_created: made(node_kind::scope); break;
      case event_kind::task_created: made(node_kind::task); break;
      case event_kind::pool_created: made(node_kind::pool); break;
      case event_kind::resource_registered: made(node_kind::resource); break;
      case event_kind::breaker_created: made(node_kind::breaker); break;
      case event_kind::task_started: all[e.subject].started = true; break;
      default: break;
    }
  }
  std::map<std::string, known> out;
  for (const auto& [id, one] : all)
    out[one.name] = {id, one.parent == 0 ? "" : all[one.parent].name, one.kind, one.started};
  return out;
}

std::uint64_t folded(const trace_data& data, std::uint8_t state) {
  std::uint64_t sum = 0;
  for (const auto& f : data.folded)
    sum += f.state == state ? f.count : 0;
  return sum;
}

} // namespace

TEST_CASE("living: a ring that was overwritten ten times still shows the whole tree") {
  muster::manager site{small_ring()};
  muster::manager request{site, "request"};
  auto crew = request.create_scope("crew");
  auto noise = site.create_scope("noise");
  REQUIRE(crew.register_resource("pump", 1, [](int&) {}));
  muster::resource_pool<int> pool{crew, {.name = "wells", .max = 2}, [] { return 1; }};
  muster::circuit_breaker breaker{site, {.name = "fuse"}};
  gate opened;
  crew.execute("old", [&](context& ctx) {
    auto below = ctx.create_scope("below");
    below.execute("inner", stays);
    opened.open();
    static_cast<void>(ctx.wait_until_cancelled());
  });
  opened.wait();
  auto waits = crew.execute({.name = "waits", .after = {crew.execute("never", stays)}}, succeeds);
  REQUIRE(crew.execute("short", succeeds).get().ok());
  overwrite(noise, 10);
  const auto data = trace_of(site);
  CHECK(data.problems.empty());
  CHECK(data.events_dropped > 9 * 1344);
  auto all = everyone(data);
  std::map<std::string, std::pair<std::string, node_kind>> tree;
  for (const auto& [name, one] : all)
    tree[name] = {one.parent, one.kind};
  using entry = std::pair<std::string, node_kind>;
  CHECK(tree["site"] == entry{"", node_kind::manager});
  CHECK(tree["request"] == entry{"site", node_kind::manager});
  CHECK(tree["crew"] == entry{"request", node_kind::scope});
  CHECK(tree["pump"] == entry{"crew", node_kind::resource});
  CHECK(tree["wells"] == entry{"crew", node_kind::pool});
  CHECK(tree["fuse"] == entry{"site", node_kind::breaker});
  CHECK(tree["old"] == entry{"crew", node_kind::task});
  CHECK(tree["below"] == entry{"old", node_kind::scope});
  CHECK(tree["inner"] == entry{"below", node_kind::task});
  CHECK(tree["waits"] == entry{"crew", node_kind::task});
  for (const char* name : {"site", "request", "crew", "pump", "wells", "fuse", "waits"})
    CHECK(alive(data, name) != nullptr);
  // As it was before its start, if that is among the events: the worker that it blocks keeps its own last ones.
  REQUIRE(alive(data, "old") != nullptr);
  CHECK(alive(data, "old")->state ==
        static_cast<std::uint8_t>(all["old"].started ? muster::task_state::ready : muster::task_state::running));
  CHECK(alive(data, "waits")->state == static_cast<std::uint8_t>(muster::task_state::waiting));
  CHECK(data.folded.empty());
}

TEST_CASE("living: what ended lately is in the snapshot, as it was before the events that are kept") {
  muster::manager site{small_ring()};
  auto noise = site.create_scope("noise");
  gate begun;
  gate held;
  auto crew = site.create_scope("crew");
  const let_go at_end{held};
  auto old = crew.execute("old", [&] {
    begun.open();
    held.wait();
  });
  begun.wait();
  overwrite(noise, 3);
  held.open();
  REQUIRE(crew.wait());
  const auto data = trace_of(site);
  REQUIRE(alive(data, "crew") != nullptr);
  REQUIRE(alive(data, "old") != nullptr);
  CHECK(alive(data, "old")->state == static_cast<std::uint8_t>(everyone(data)["old"].started
                                                                ? muster::task_state::ready
                                                                : muster::task_state::running));
  bool ended = false;
  for (const auto& e : data.events)
    ended = ended || (e.kind == event_kind::task_ended && e.subject == alive(data, "old")->id && e.value == 0);
  CHECK(ended);
}

TEST_CASE("living: more tasks than there are places are counted by scope and state") {
  muster::manager site{small_ring()};
  auto crew = site.create_scope("crew", {.max_parallel = 1});
  gate begun;
  gate held;
  const let_go at_end{held};
  crew.execute("first", [&] {
    begun.open();
    held.wait();
  });
  begun.wait();
  constexpr std::uint64_t many = 20'000;
  for (std::uint64_t n = 0; n < many; ++n)
    crew.execute("worker", succeeds);
  const auto data = trace_of(site);
  REQUIRE(alive(data, "first") != nullptr);
  std::uint64_t listed = 0;
  for (const auto& one : data.alive)
    listed += one.kind == node_kind::task && data.texts[one.text] == "worker" ? 1 : 0;
  std::uint64_t told = 0;
  for (const auto& e : data.events)
    told += e.kind == event_kind::task_created ? 1 : 0;
  CHECK(listed > 1000);
  CHECK(folded(data, 1) > 1000);
  CHECK(listed + told + folded(data, 1) == many);
  CHECK(folded(data, 0) + folded(data, 2) + folded(data, 3) == 0);
  held.open();
  CHECK(crew.wait());
  const auto later = trace_of(site);
  CHECK(later.folded.empty());
  for (const auto& e : later.events)
    if (e.kind == event_kind::task_started)
      CHECK(e.value > 0); // the thread alone
}

TEST_CASE("living: tasks whose making was overwritten are known by their last events") {
  muster::manager site{small_ring()};
  auto crew = site.create_scope("crew", {.max_parallel = 1});
  gate begun;
  gate held;
  const let_go at_end{held};
  crew.execute("first", [&] {
    begun.open();
    held.wait();
  });
  begun.wait();
  for (int n = 0; n < 20'000; ++n)
    crew.execute("worker", succeeds);
  held.open();
  CHECK(crew.wait());
  const auto data = trace_of(site);
  std::map<std::uint64_t, std::string> names;
  for (const auto& one : data.alive)
    names[one.id] = data.texts[one.text];
  for (const auto& e : data.events)
    if (e.kind == event_kind::task_created)
      names[e.subject] = data.texts[e.text];
  std::size_t started = 0;
  std::size_t known = 0;
  for (const auto& e : data.events)
    if (e.kind == event_kind::task_started) {
      ++started;
      known += names[e.subject] == "worker" ? 1 : 0;
    }
  CHECK(started > 100);
  CHECK(known == started);
}
