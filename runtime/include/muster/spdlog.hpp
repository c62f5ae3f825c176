/// Muster's messages in spdlog's logger: for programs that use spdlog themselves.
///
///     muster::manager site{{.name = "site", .log = muster::to_spdlog(spdlog::default_logger())}};
///
/// Owner: the hook holds the logger. Threads: the logger is called from threads of Muster's, several at once: use one
/// with sinks that are safe for that (`…_mt`). Not included by muster.hpp, header-only; the program links spdlog.
#pragma once

#include <muster/api.hpp>
#include <muster/log.hpp>

#include <spdlog/logger.h>

#include <memory>
#include <string>
#include <utility>

MUSTER_API_BEGIN

namespace muster {

namespace detail {
/// The same rank in spdlog.
[[nodiscard]] inline spdlog::level::level_enum spdlog_level(log_record::level severity) noexcept {
  switch (severity) {
  case log_record::level::debug: return spdlog::level::debug;
  case log_record::level::info: return spdlog::level::info;
  case log_record::level::warning: return spdlog::level::warn;
  case log_record::level::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}
} // namespace detail

/// A log hook that hands every record to `logger`, which must not be null. Below the logger's level nothing is written,
/// and no text is made. `as` makes the text: `to_line`, or `muster::to_json` for a log that machines read.
[[nodiscard]] inline log_hook to_spdlog(std::shared_ptr<spdlog::logger> logger,
                                        std::string (*as)(const log_record&) = to_line) {
  return [logger = std::move(logger), as](const log_record& record) {
    const auto rank = detail::spdlog_level(record.severity);
    if (logger->should_log(rank))
      logger->log(rank, spdlog::string_view_t{as(record)}); // as it is: no braces in it mean anything
  };
}

} // namespace muster

MUSTER_API_END
