// Muster's messages in a real spdlog logger.
#include "support.hpp"

#include <muster/spdlog.hpp>

#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/ostream_sink.h>

#include <memory>
#include <sstream>
#include <stdexcept>
#include <vector>

using namespace support;

namespace {

/// Keeps what a logger hands to its sinks.
class kept_lines final : public spdlog::sinks::base_sink<std::mutex> {
public:
  struct line {
    spdlog::level::level_enum level;
    std::string logger;
    std::string text;
  };
  [[nodiscard]] std::vector<line> all() {
    const std::scoped_lock lock{mutex_};
    return lines_;
  }

private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    lines_.push_back({message.level, std::string{message.logger_name.data(), message.logger_name.size()},
                      std::string{message.payload.data(), message.payload.size()}});
  }
  void flush_() override {}
  std::vector<line> lines_;
};

muster::log_record record_of(muster::log_record::level severity) {
  return {.severity = severity,
          .what = muster::log_kind::end_held_up,
          .at = muster::time_point{7ns},
          .path = "site/crew",
          .text = "100 % {} held up"};
}

} // namespace

TEST_CASE("spdlog is given text and level of each record, and braces in it mean nothing", "[log]") {
  using level = muster::log_record::level;
  const auto sink = std::make_shared<kept_lines>();
  const auto logger = std::make_shared<spdlog::logger>("site", sink);
  logger->set_level(spdlog::level::trace);
  const auto hook = muster::to_spdlog(logger);
  for (const auto severity : {level::debug, level::info, level::warning, level::error})
    hook(record_of(severity));
  const auto all = sink->all();
  REQUIRE(all.size() == 4);
  CHECK(all[0].level == spdlog::level::debug);
  CHECK(all[1].level == spdlog::level::info);
  CHECK(all[2].level == spdlog::level::warn);
  CHECK(all[3].level == spdlog::level::err);
  for (const auto& each : all) {
    CHECK(each.text == "site/crew: 100 % {} held up [end_held_up]");
    CHECK(each.logger == "site");
  }
}

TEST_CASE("spdlog is given every field as JSON if that is wanted", "[log]") {
  std::ostringstream out;
  const auto logger = std::make_shared<spdlog::logger>("json", std::make_shared<spdlog::sinks::ostream_sink_mt>(out));
  logger->set_pattern("%v");
  muster::to_spdlog(logger, muster::to_json)(record_of(muster::log_record::level::warning));
  logger->flush();
  CHECK(out.str() == R"({"level":"warning","what":"end_held_up","at_ns":7,"path":"site/crew",)"
                     R"("text":"100 % {} held up"})"
                     "\n");
}

TEST_CASE("below its own level a spdlog logger is not asked to write, nor is a text made", "[log]") {
  static int made = 0;
  const auto sink = std::make_shared<kept_lines>();
  const auto logger = std::make_shared<spdlog::logger>("quiet", sink);
  logger->set_level(spdlog::level::err);
  const auto hook = muster::to_spdlog(logger, [](const muster::log_record& record) {
    ++made;
    return record.text;
  });
  hook(record_of(muster::log_record::level::warning));
  CHECK(made == 0);
  hook(record_of(muster::log_record::level::error));
  CHECK(made == 1);
  CHECK(sink->all().size() == 1);
}

TEST_CASE("a manager's messages reach the spdlog logger that it was given", "[log]") {
  const auto sink = std::make_shared<kept_lines>();
  {
    muster::manager site{
        {.name = "site", .workers = 1, .log = muster::to_spdlog(std::make_shared<spdlog::logger>("app", sink))}};
    auto crew = site.create_scope("crew");
    gate started;
    auto worker = crew.execute("worker", [&](context& ctx) {
      const auto registered = ctx.on_cancel([] { throw std::runtime_error{"clumsy"}; });
      started.open();
      static_cast<void>(ctx.wait_until_cancelled());
    });
    started.wait();
    worker.cancel();
    static_cast<void>(worker.get());
  }
  const auto all = sink->all();
  REQUIRE(all.size() == 1);
  CHECK(all[0].level == spdlog::level::err);
  CHECK(all[0].text == "site/crew/worker: an on_cancel callback threw: clumsy [callback_threw]");
}
