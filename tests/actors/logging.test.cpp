// What Muster says to a person: as a record, as text, and through the loggers that an application may have.
#include "support.hpp"

#include "../trace_scratch.hpp"

#include <muster/caf.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <mutex>
#include <stdexcept>
#include <vector>

using namespace support;

namespace {

/// CAF's logger writes to this file, and nowhere else. Each version of CAF reads the settings that it knows; the older
/// one wants atoms, which are written so.
void log_to(caf::actor_system_config& settings, const std::string& file) {
  settings.set("logger.file-name", file);
  settings.set("caf.logger.file.path", file);
  settings.set("caf.logger.file.verbosity", "info");
  settings.set("caf.logger.console.verbosity", "quiet");
  const auto set_word = [&](const std::string& name, const std::string& quoted) {
    if (auto word = caf::config_value::parse(quoted))
      settings.set(name, std::move(*word));
  };
  set_word("logger.verbosity", "'info'");
  set_word("logger.file-verbosity", "'info'");
  set_word("logger.console", "'none'");
}

muster::log_record late_charge() {
  return {.severity = muster::log_record::level::warning,
          .what = muster::log_kind::unresponsive,
          .at = muster::time_point{1234ns},
          .path = "site/checkout/charge",
          .text = "it has \"not\" answered"};
}

/// Makes `site` say one thing: a callback throws "clumsy". On return it has been handed to the hook.
void provoke(muster::manager& site) {
  auto crew = site.create_scope("crew");
  gate started;
  auto worker = crew.execute("worker", [&](context& ctx) {
    const auto registered = ctx.on_cancel([] { throw std::runtime_error{"clumsy {}"}; });
    started.open();
    static_cast<void>(ctx.wait_until_cancelled());
  });
  started.wait();
  worker.cancel();
  static_cast<void>(worker.get());
}

} // namespace

TEST_CASE("a log record says what it is about, where, how much it matters and when", "[log]") {
  std::mutex mutex;
  std::vector<muster::log_record> said;
  const auto clock = still_clock();
  clock->advance(5s);
  auto options = on(clock);
  options.log = [&](const muster::log_record& record) {
    const std::scoped_lock lock{mutex};
    said.push_back(record);
  };
  {
    muster::manager site{std::move(options)};
    provoke(site);
  }
  REQUIRE(said.size() == 1);
  CHECK(said[0].what == muster::log_kind::callback_threw);
  CHECK(said[0].severity == muster::log_record::level::error);
  CHECK(said[0].path == "site/crew/worker");
  CHECK(said[0].text == "an on_cancel callback threw: clumsy {}");
  CHECK(said[0].at == clock->now());
}

TEST_CASE("a log record as a line has its path, text and kind, and as JSON every field", "[log]") {
  CHECK(to_line(late_charge()) == "site/checkout/charge: it has \"not\" answered [unresponsive]");
  CHECK(to_json(late_charge()) == R"({"level":"warning","what":"unresponsive","at_ns":1234,)"
                                  R"("path":"site/checkout/charge","text":"it has \"not\" answered"})");
  auto whole = late_charge();
  whole.path.clear();
  CHECK(to_line(whole) == "it has \"not\" answered [unresponsive]");
}

TEST_CASE("every kind of log record has a name of its own and a severity", "[log]") {
  lines names;
  for (int i = 0; i <= static_cast<int>(muster::log_kind::trace_in_memory); ++i) {
    const auto kind = static_cast<muster::log_kind>(i);
    names.emplace_back(to_string(kind));
    CHECK(muster::severity_of(kind) >= muster::log_record::level::info);
  }
  std::sort(names.begin(), names.end());
  CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());
  CHECK(std::find(names.begin(), names.end(), "unknown") == names.end());
}

TEST_CASE("CAF's logger writes what Muster says, with its level and as component muster", "[log]") {
  const muster::tests::scratch_folder folder;
  const auto file = folder.path / "caf.log";
  {
    muster::init_caf_types();
    caf::actor_system_config settings;
    log_to(settings, file.string());
    caf::actor_system system{settings};
    auto site = muster::in_system(system, {.name = "site", .workers = 1, .log = muster::to_caf_log(system)});
    provoke(site);
  }
  std::ifstream written{file};
  const std::string text{std::istreambuf_iterator<char>{written}, {}};
  CHECK(contains(text, "ERROR"));
  CHECK(contains(text, "muster"));
  CHECK(contains(text, "site/crew/worker: an on_cancel callback threw: clumsy {} [callback_threw]"));
}
