/// What is seen of processes that record at this moment, and of those that were killed.
#include "trace_support.hpp"

#include <muster/muster.hpp>

#include <atomic>
#include <cstdlib>
#include <map>
#include <random>
#include <thread>

using namespace trace_tests;
using namespace std::chrono_literals;

TEST_CASE("live: a reader in another process never accepts a torn record, however often the ring wraps") {
  const scratch_folder dir;
  child writer{[&](int out) {
    recorder r{{.bytes = 4 * 4096, .folder = dir.path}};
    const auto record = [&](std::uint64_t n) {
      for (std::uint64_t rounds = 0; rounds < 400'000'000; ++rounds)
        record_pattern(r, n += 2);
    };
    record_pattern(r, 1);
    say(out);
    std::jthread other{record, 1};
    record(2);
  }};
  REQUIRE(writer.await(1));
  const auto ring = ring_in(dir.path);
  std::size_t seen = 0;
  std::size_t wrong = 0;
  std::uint64_t last = 0;
  for (int round = 0; round < 300; ++round) {
    const auto data = read(ring);
    REQUIRE(data.live);
    REQUIRE(in_order(data));
    CHECK(data.problems.empty());
    seen += data.events.size();
    wrong +=
        static_cast<std::size_t>(std::ranges::count_if(data.events, [](const event& e) { return !is_pattern(e); }));
    if (!data.events.empty())
      last = std::max(last, data.events.back().sequence);
  }
  CHECK(wrong == 0);
  CHECK(seen > 0);
  CHECK(last > 4 * 84);
  CHECK(writer.kill() != 0);
}

TEST_CASE("live: whatever moment a process is killed at, what it had recorded is there and whole") {
  std::mt19937_64 random{7};
  for (int round = 0; round < 60; ++round) {
    const scratch_folder dir;
    child writer{[&](int out) {
      recorder r{{.bytes = 8 * 4096, .folder = dir.path}};
      const auto scope = r.born(format::node::scope, 1'000'000, 0, 5, r.intern("the crew"), 0);
      for (std::uint64_t n = 1; n < 100'000'000; ++n) {
        record_pattern(r, n);
        if (n % 16 == 0)
          static_cast<void>(r.intern("name " + std::to_string(n)));
        if (n % 8 == 0) {
          recorder::living_task task{.created = n, .text = 0, .self = 0, .state = 0};
          r.task_born(task, n, 1'000'000, 5);
          r.task_came_to(3, task, scope, n, 1'000'000, 5);
          r.task_died(task, scope, n);
        }
        if (n % 10 == 0)
          say(out);
      }
    }};
    const auto times = static_cast<int>(1 + random() % 300);
    REQUIRE(writer.await(times));
    writer.kill();
    const auto data = read(ring_in(dir.path));
    INFO("round " << round);
    CHECK_FALSE(data.live);
    CHECK_FALSE(data.ended_cleanly);
    CHECK(data.problems.empty());
    CHECK(in_order(data));
    CHECK(std::ranges::all_of(data.events, is_pattern));
    CHECK(data.events.back().sequence + 1 >= static_cast<std::uint64_t>(times) * 10);
    CHECK(data.torn <= 1);
    REQUIRE(alive(data, "the crew") != nullptr);
    for (std::size_t id = 1; id < data.texts.size(); ++id)
      CHECK((data.texts[id] == "the crew" || data.texts[id].starts_with("name ")));
  }
}

TEST_CASE("live: of a killed program what was open is shown as open") {
  const scratch_folder dir;
  child program{[&](int out) {
    muster::manager site{{.name = "site", .workers = 2, .trace = {.folder = dir.path}}};
    auto crew = site.create_scope("crew");
    crew.execute("ends", [] {});
    crew.execute("stays", [&](muster::context& ctx) {
      say(out);
      static_cast<void>(ctx.wait_until_cancelled());
    });
    static_cast<void>(crew.wait());
  }};
  REQUIRE(program.await(1));
  const auto ring = ring_in(dir.path);
  {
    const auto data = read(ring);
    CHECK(data.live);
    CHECK(data.pid == program.pid());
    CHECK(data.workers == 2);
  }
  program.kill();
  const auto data = read(ring);
  CHECK_FALSE(data.live);
  CHECK_FALSE(data.ended_cleanly);
  CHECK(data.problems.empty());
  std::map<std::string, int> begun;
  std::map<std::uint64_t, int> ended;
  for (const auto& e : data.events) {
    begun[data.texts[e.text]] += e.kind == event_kind::task_created || e.kind == event_kind::scope_created ||
                                     e.kind == event_kind::manager_created
                                   ? 1
                                   : 0;
    ended[e.subject] += e.kind == event_kind::task_ended || e.kind == event_kind::scope_ended ? 1 : 0;
  }
  CHECK(begun["site"] == 1);
  CHECK(begun["crew"] == 1);
  CHECK(begun["stays"] == 1);
  for (const auto& e : data.events)
    if (e.kind == event_kind::task_created && data.texts[e.text] == "stays")
      CHECK(ended[e.subject] == 0);
}

TEST_CASE("live: processes are listed, those that run and those that were killed") {
  const scratch_folder dir;
  REQUIRE(::setenv("MUSTER_TRACE_DIR", dir.path.c_str(), 1) == 0);
  const auto recording = [](int out) {
    recorder r{{}, {.wall_ns = 1}};
    r.record(event_kind::note, 1, 2);
    static_cast<void>(r.keep("test"));
    say(out);
    for (;;)
      ::pause();
  };
  child runs{recording};
  child dies{recording};
  REQUIRE(runs.await(1));
  REQUIRE(dies.await(1));
  const auto gone = dies.pid();
  dies.kill();
  const auto all = muster::trace_viewer::list_processes();
  REQUIRE(all.size() == 2);
  for (const auto& one : all) {
    CHECK((one.pid == runs.pid() || one.pid == gone));
    CHECK(one.running == (one.pid == runs.pid()));
    CHECK_FALSE(one.program.empty());
    CHECK(one.started_wall_ns == 1);
    CHECK(read(one.file).events.size() == 1);
  }
  REQUIRE(::unsetenv("MUSTER_TRACE_DIR") == 0);
}

TEST_CASE("live: who asked for it finds the fatal signal in the trace, and earlier handlers are still called") {
  for (const int signal : {SIGABRT, SIGSEGV}) {
    const scratch_folder dir;
    child dies{[&](int) {
      struct sigaction own {};
      own.sa_handler = [](int) { ::_exit(77); };
      ::sigaction(signal, &own, nullptr);
      recorder r{{.folder = dir.path, .on_fatal_signal = true}};
      r.record(event_kind::note, 1, 2);
      ::raise(signal);
    }};
    const auto status = dies.join();
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 77);
    const auto data = read(ring_in(dir.path));
    CHECK(data.ended_by_signal == signal);
    CHECK(data.events.size() == 1);
  }
}
