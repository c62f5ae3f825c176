// Nothing silent: what is dropped is counted, what is refused shows, and what user code throws is told.
#include "support.hpp"

#include <unistd.h>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>

using namespace support;

namespace {

/// A file in the temporary folder that is removed again.
class scratch_file {
public:
  scratch_file()
      : path_{std::filesystem::temp_directory_path() /
              ("muster-actors-test-" + std::to_string(::getpid()) + ".muster")} {}
  ~scratch_file() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  scratch_file(const scratch_file&) = delete;
  scratch_file& operator=(const scratch_file&) = delete;
  [[nodiscard]] std::string name() const { return path_.string(); }
  [[nodiscard]] std::string text() const {
    std::ifstream in{path_};
    std::ostringstream all;
    all << in.rdbuf();
    return all.str();
  }

private:
  std::filesystem::path path_;
};

/// Fails `n` times in a row, one after another, with the messages "0", "1", …
void fail_in_a_row(muster::manager& site, int n) {
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate, .max_parallel = 1});
  for (int i = 0; i < n; ++i)
    crew.execute("culprit", fails(std::to_string(i)));
  static_cast<void>(crew.wait());
}

} // namespace

TEST_CASE("a manager keeps the newest errors and counts those that it drops") {
  auto options = standing_still();
  options.max_errors = 3;
  muster::manager site{std::move(options)};
  fail_in_a_row(site, 10);
  const auto report = site.errors();
  lines kept;
  for (const auto& each : report.errors)
    kept.push_back(each.message());
  CHECK(kept == lines{"7", "8", "9"});
  CHECK(report.dropped == 7);
  CHECK(site.stats().errors_dropped == 7);
}

TEST_CASE("a manager that keeps no errors counts them all") {
  auto options = standing_still();
  options.max_errors = 0;
  muster::manager site{std::move(options)};
  fail_in_a_row(site, 5);
  CHECK(site.errors().errors.empty());
  CHECK(site.errors().dropped == 5);
}

TEST_CASE("the error callback is told each originating failure once even those that are dropped") {
  std::atomic<int> told = 0;
  journal written;
  auto options = standing_still();
  options.max_errors = 3;
  options.on_error = [&](const muster::error& e) {
    written.write(e.message());
    told.fetch_add(1);
  };
  {
    muster::manager site{std::move(options)};
    fail_in_a_row(site, 10);
    await([&] { return told.load() >= 10; });
  }
  auto said = written.lines();
  std::sort(said.begin(), said.end());
  CHECK(said == lines{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"});
}

TEST_CASE("a failure that passes through several scopes is listed and told once") {
  std::atomic<int> told = 0;
  auto options = standing_still();
  options.on_error = [&](const muster::error&) { told.fetch_add(1); };
  {
    muster::manager site{std::move(options)};
    auto crew = site.create_scope("crew");
    crew.execute("a", [](context& a) {
      return a.with_timeout("b", 1h, [](muster::scope& b) {
        return b.with_timeout("c", 1h, [](muster::scope& c) {
          c.execute("culprit", fails("broken"));
          return c.wait();
        });
      });
    });
    CHECK(messages(error_of(crew.wait())) == lines{"broken"});
    CHECK(site.errors().errors.size() == 1);
    await([&] { return told.load() != 0; });
  }
  CHECK(told == 1);
}

TEST_CASE("the failure of a scope that nobody waited for is listed") {
  muster::manager site{standing_still()};
  {
    auto crew = site.create_scope("crew");
    auto culprit = crew.execute("culprit", fails("broken"));
    CHECK(culprit.get().failed());
  }
  REQUIRE(site.errors().errors.size() == 1);
  CHECK(site.errors().errors[0].message() == "broken");
  CHECK(site.errors().errors[0].path() == "site/crew/culprit");
}

TEST_CASE("being cancelled is no failure and is not listed") {
  muster::manager site{standing_still()};
  {
    auto crew = site.create_scope("crew");
    crew.execute("worker", stays);
    crew.cancel();
    CHECK_FALSE(crew.wait());
  }
  CHECK(site.errors().errors.empty());
}

TEST_CASE("the error of a release that nobody waited for is listed") {
  muster::manager site{standing_still()};
  {
    auto crew = site.create_scope("crew");
    CHECK(crew.register_resource("pump", 1, [](int&) { throw std::runtime_error{"jammed"}; }));
  }
  REQUIRE(site.errors().errors.size() == 1);
  CHECK(site.errors().errors[0].is(errc::release_failed));
}

TEST_CASE("trace events that had no room are counted and the count is shown") {
  auto options = standing_still();
  options.trace.bytes = 1;
  muster::manager site{std::move(options)};
  auto crew = site.create_scope("crew");
  for (int i = 0; i < 1'000; ++i)
    crew.execute("worker", succeeds);
  CHECK(crew.wait());
  CHECK(site.stats().events_dropped > 0);
}

TEST_CASE("the trace that a manager writes tells what its tasks did") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("the crew");
  const auto worker = crew.execute("the worker", [](context& ctx) { ctx.note("a word from the body"); });
  crew.execute({.name = "the culprit", .after = {worker}}, fails("broken"));
  CHECK_FALSE(crew.wait());
  const scratch_file file;
  REQUIRE_FALSE(site.write_trace(file.name()));
  const auto text = file.text();
  for (const char* part : {"the crew", "the worker", "a word from the body", "the culprit", "broken"})
    CHECK(contains(text, part));
}

TEST_CASE("a trace that cannot be written says why") {
  muster::manager site{standing_still()};
  CHECK(site.write_trace("/nowhere/at/all/trace.muster"));
}

TEST_CASE("a manager without a recorder works and writes an empty trace") {
  auto options = standing_still();
  options.trace.mode = muster::trace_mode::off;
  muster::manager site{std::move(options)};
  auto crew = site.create_scope("crew");
  crew.execute("worker", [](context& ctx) { ctx.note("nobody keeps this"); });
  CHECK(crew.wait());
  CHECK(site.stats().events_dropped == 0);
  const scratch_file file;
  CHECK_FALSE(site.write_trace(file.name()));
  CHECK_FALSE(contains(file.text(), "worker"));
}

TEST_CASE("what an error callback throws goes to the log hook and the next error is told all the same") {
  std::atomic<int> logged = 0;
  std::atomic<int> told = 0;
  auto options = standing_still();
  options.on_error = [&](const muster::error&) {
    told.fetch_add(1);
    throw std::runtime_error{"clumsy"};
  };
  options.log = [&](const muster::log_record& record) {
    if (contains(record.text, "clumsy"))
      logged.fetch_add(1);
  };
  muster::manager site{std::move(options)};
  fail_in_a_row(site, 2);
  await([&] { return told.load() == 2 && logged.load() == 2; });
  SUCCEED();
}

TEST_CASE("what a progress hook throws goes to the log hook") {
  std::atomic<int> logged = 0;
  auto options = standing_still();
  options.on_progress = [&](const muster::progress_report&) { throw std::runtime_error{"clumsy"}; };
  options.log = [&](const muster::log_record& record) {
    if (contains(record.text, "clumsy"))
      logged.fetch_add(1);
  };
  muster::manager site{std::move(options)};
  auto crew = site.create_scope("crew");
  auto worker = crew.execute("worker", [](context& ctx) { ctx.progress(1, 2); });
  CHECK(worker.get().ok());
  await([&] { return logged.load() >= 1; });
  CHECK(crew.wait());
}

TEST_CASE("a log hook that throws harms nobody") {
  std::atomic<int> called = 0;
  auto options = standing_still();
  options.on_error = [](const muster::error&) { throw 42; };
  options.log = [&](const muster::log_record&) {
    called.fetch_add(1);
    throw std::runtime_error{"clumsy"};
  };
  muster::manager site{std::move(options)};
  fail_in_a_row(site, 3);
  await([&] { return called.load() >= 1; });
  auto crew = site.create_scope("crew");
  CHECK(crew.execute("worker", succeeds).get().ok());
  CHECK(crew.wait());
}

TEST_CASE("the books agree: every task that was made is counted in one of the five ways") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
  crew.execute("ok", succeeds);
  auto bad = crew.execute("failed", fails("broken"));
  crew.execute({.name = "skipped", .after = {bad}}, succeeds);
  crew.execute({.name = "timed out", .timeout = 0s}, succeeds);
  crew.execute("cancelled", stays).cancel();
  CHECK_FALSE(crew.wait());
  CHECK(crew.execute("refused", succeeds).get().cancelled());
  const auto books = site.stats();
  CHECK(books.scopes_created == 1);
  CHECK(books.tasks_completed == 1);
  CHECK(books.tasks_failed == 1);
  CHECK(books.tasks_skipped == 1);
  CHECK(books.tasks_timed_out == 1);
  CHECK(books.tasks_cancelled == 2);
  CHECK(books.tasks_live == 0);
  CHECK(ended(books) == 6);
}
