/// What the commands and exports make of a program that was killed at some moment or other.
#include "trace_support.hpp"

#include <command.hpp>

#include <muster/muster.hpp>

#include <protozero/pbf_reader.hpp>

#include <random>
#include <sstream>

using namespace trace_tests;
using muster::trace_viewer::output;
using muster::trace_viewer::state;
using muster::trace_viewer::trace_model;

namespace {

using namespace std::chrono_literals;

/// Scopes with tasks that end, fail, wait and suspend, without an end; it says something with every scope.
void busy_program(const fs::path& folder, int out) {
  muster::manager site{{.name = "site", .workers = 2, .trace = {.bytes = std::size_t{256} << 10U, .folder = folder}}};
  for (int n = 0;; ++n) {
    auto crew = site.create_scope("request-" + std::to_string(n), {.on_failure = muster::isolate});
    const auto first = crew.execute("first", [n]() -> muster::result<void> {
      if (n % 3 == 0)
        return std::unexpected{muster::error{std::errc::io_error, "broken"}};
      return {};
    });
    crew.execute({.name = "second", .after = {first}}, [](muster::context& ctx) { return ctx.sleep_for(10us); });
    crew.execute("third", [](muster::async_context& ctx) -> muster::coro<void> {
      static_cast<void>(co_await ctx.yield());
    });
    say(out);
    static_cast<void>(crew.wait());
  }
}

std::string exported(const trace_model& model, std::string_view to) {
  output out;
  REQUIRE(run_export(model, {}, to, out) == 0);
  return out.text();
}

/// Every message down to the last field.
void read_perfetto(const std::string& bytes) {
  std::size_t packets = 0;
  protozero::pbf_reader trace{bytes};
  while (trace.next()) {
    REQUIRE(trace.tag() == 1);
    auto packet = trace.get_message();
    while (packet.next())
      packet.skip();
    ++packets;
  }
  CHECK(packets > 0);
}

} // namespace

TEST_CASE("killed: whatever the moment, check passes, what was open is open and every export loads") {
  std::mt19937_64 random{11};
  std::size_t open_tasks = 0;
  for (int round = 0; round < 20; ++round) {
    const scratch_folder dir;
    child program{[&](int out) { busy_program(dir.path, out); }};
    REQUIRE(program.await(static_cast<int>(1 + random() % 200)));
    program.kill();
    const trace_model model{read(ring_in(dir.path))};
    INFO("round " << round);

    output check;
    CHECK(run_check(model, {}, check) == 0);
    CHECK(check.text().find("did not end cleanly") != std::string::npos);

    REQUIRE(model.roots().size() == 1);
    CHECK(model.name(model.roots()[0]) == "site");
    for (muster::trace_viewer::node_index n = 0; n < model.nodes().size(); ++n) {
      const auto& it = model.at(n);
      // Ended is what has an event that says so, and nothing else.
      const bool told = std::ranges::any_of(model.events_of(n), [&](auto e) {
        const auto kind = model.event_at(e).kind;
        return kind == event_kind::task_ended || kind == event_kind::task_skipped || kind == event_kind::scope_ended ||
               kind == event_kind::manager_ended;
      });
      CHECK(has_ended(it.last) == told);
      open_tasks += it.kind == node_kind::task && !has_ended(it.last);
    }

    CHECK_FALSE(nlohmann::json::parse(exported(model, "chrome")).empty());
    std::istringstream lines{exported(model, "otlp")};
    for (std::string one; std::getline(lines, one);)
      REQUIRE_NOTHROW(nlohmann::json::parse(one));
    read_perfetto(exported(model, "perfetto"));
    CHECK(exported(model, "dot").starts_with("digraph"));
  }
  CHECK(open_tasks > 0);
}
