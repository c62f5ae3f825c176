// What `summary` counts, and that it and `check` fit into the narrowest terminal.
#include "trace_builder.hpp"

#include "statistics.hpp"
#include "table.hpp"
#include "text.hpp"

#include <algorithm>
#include <sstream>

using namespace trace_tests;
using namespace muster::trace_viewer;

namespace {

std::size_t widest(const std::string& text) {
  std::size_t most = 0;
  std::istringstream lines{text};
  for (std::string one; std::getline(lines, one);)
    most = std::max(most, columns_of(one));
  return most;
}

} // namespace

TEST_CASE("summary has the article's statistics") {
  const auto all = nlohmann::json::parse(said_by(run_summary, failed_checkout().model(), {.json = true}));
  const auto& total = all["total"];
  CHECK(total["created"] == 3);
  CHECK(total["started"] == 2);
  CHECK(total["completed"] == 0);
  CHECK(total["failed"] == 1);
  CHECK(total["cancelled"] == 1);
  CHECK(total["skipped"] == 1);
  CHECK(total["average_ns"] == 1'050 * ms);
  CHECK(total["p50_ns"] == 1'000 * ms);
  CHECK(total["max_ns"] == 1'100 * ms);
  CHECK(total["success_rate"] == 0.0);
  CHECK(all["lane"]["most_running"] == 2);
  CHECK(all["most_failing"][0]["path"] == "site/checkout/charge");
  CHECK(said_by(run_summary, failed_checkout().model(), {.width = 132}) ==
        "site (pid 42): 1.20 s, 23 events\n"
        "\n"
        "scope          started  ok  failed  timeout  cancel  skipped  success  average     p50     p95     p99     "
        "max\n"
        "site/checkout        2   0       1        0       1        1    0.0 %   1.05 s  1.00 s  1.10 s  1.10 s  "
        "1.10 s\n"
        "total                2   0       1        0       1        1    0.0 %   1.05 s  1.00 s  1.10 s  1.10 s  "
        "1.10 s\n"
        "\nslowest\n"
        "     1.10 s  site/checkout/stock\n"
        "     1.00 s  site/checkout/charge\n"
        "\nmost failing\n"
        "          1 of 1  site/checkout/charge\n"
        "\nlane\n"
        "  bodies at a time: 1.91 on average, 2 at most; ready and without a worker: 0 at most\n"
        "  time in the queue: 0 ns in the middle, 0 ns at most\n");
}

TEST_CASE("percentiles are of the nearest rank") {
  trace_builder t;
  t.manager(0, 1, "site");
  t.scope(0, 2, 1, "crew");
  for (std::int64_t i = 1; i <= 100; ++i) {
    t.running(0, 100 + static_cast<std::uint64_t>(i), 2, "worker");
    t.end(i * ms, 100 + static_cast<std::uint64_t>(i));
  }
  const auto total = nlohmann::json::parse(said_by(run_summary, t.model(), {.json = true}))["total"];
  CHECK(total["p50_ns"] == 50 * ms);
  CHECK(total["p95_ns"] == 95 * ms);
  CHECK(total["p99_ns"] == 99 * ms);
  CHECK(total["max_ns"] == 100 * ms);
  CHECK(total["success_rate"] == 1.0);
}

TEST_CASE("a table leaves out what matters least when there is no room, and never its names") {
  table t{"who", {{"first", 3}, {"second", 1}, {"third", 2}}, 5};
  t.add("site/crew/mason", {table::cell{"1"}, table::cell{"22"}, table::cell{"333"}});
  t.add("total", {table::cell{"1"}, table::cell{"22"}, table::cell{"1,000,333", tone::bad}});
  const auto printed = [&](std::size_t width, bool colour = false) {
    output out;
    t.print(out, {.colour = colour, .width = width});
    return out.text();
  };
  CHECK(printed(100) == "who              first  second      third\n"
                        "site/crew/mason      1      22        333\n"
                        "total                1      22  1,000,333\n");
  CHECK(printed(30) == "who           first      third\n"
                       "…/crew/mason      1        333\n"
                       "total             1  1,000,333\n");
  CHECK(printed(13) == "who     first\n"
                       "…mason      1\n"
                       "total       1\n");
  CHECK(printed(30, true).ends_with("1  \x1b[31;1m1,000,333\x1b[0m\n"));
}

TEST_CASE("sentences are broken between words") {
  CHECK(wrapped("one two three", 100, 2) == "one two three\n");
  CHECK(wrapped("one two three", 8, 2) == "one two\n  three\n");
  CHECK(wrapped("  one two three", 9, 4) == "  one two\n    three\n");
  CHECK(wrapped("a-very-long-word and", 8, 2) == "a-very-long-word\n  and\n");
  CHECK(wrapped("", 8, 2) == "\n");
  CHECK(fitted_to_end("site/crew/mason", 6) == "…mason");
  CHECK(fitted_to_end("ä/ö/ü", 3) == "…/ü");
  CHECK(fitted_to_end("short", 5) == "short");
}

TEST_CASE("summary and check keep within a terminal of any width, and lose no sentence") {
  auto t = failed_checkout();
  t.add(1'150 * ms, event_kind::lane_grown, 0, 0, 12);
  t.add(1'150 * ms, event_kind::lane_saturated, 0, 0, 3);
  t.add(1'160 * ms, event_kind::lane_shrunk, 0, 0, 2);
  t.data().workers = 2;
  t.data().ended_cleanly = false;
  t.data().events_dropped = 1'234'567;
  t.data().torn = 1;
  t.data().problems.push_back({4096, "the segment's checksum is wrong, and all that is in it has been left out"});
  const auto model = t.model();
  for (std::size_t width = 40; width < 200; ++width) {
    for (const bool colour : {false, true}) {
      const request what{.colour = colour, .width = width};
      INFO(width);
      CHECK(widest(said_by(run_summary, model, what)) <= width);
      CHECK(widest(said_by(run_check, model, what)) <= width);
    }
  }
  const auto narrow = said_by(run_summary, model, {.width = 40});
  INFO(narrow);
  CHECK(contains(narrow, "  workers: 2, grown to 12 in 1 step,\n    shrunk to 2 again, all blocked 1\n    time\n"));
  CHECK(contains(narrow, "site/checkout"));
  CHECK(contains(narrow, "failed"));
  const auto check = said_by(run_check, model, {.width = 40});
  INFO(check);
  CHECK(contains(check, "damaged: version 1.0, 26 events, 9 texts\n"));
  CHECK(contains(check, "all that is in it has been left out\n    (at byte 4096)\n"));
}
