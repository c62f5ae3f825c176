// What a log record is as text. Pure functions; any thread.
#include <muster/log.hpp>

#include "json_text.hpp"

#include <chrono>

#include <fmt/format.h>

namespace muster {

std::string_view to_string(log_kind what) noexcept {
  switch (what) {
  case log_kind::unresponsive: return "unresponsive";
  case log_kind::start_overdue: return "start_overdue";
  case log_kind::end_held_up: return "end_held_up";
  case log_kind::shutdown_stalled: return "shutdown_stalled";
  case log_kind::callback_threw: return "callback_threw";
  case log_kind::release_failed: return "release_failed";
  case log_kind::lease_reclaimed: return "lease_reclaimed";
  case log_kind::permit_reclaimed: return "permit_reclaimed";
  case log_kind::trace_written: return "trace_written";
  case log_kind::trace_not_written: return "trace_not_written";
  case log_kind::trace_in_memory: return "trace_in_memory";
  }
  return "unknown";
}

std::string_view to_string(log_record::level severity) noexcept {
  switch (severity) {
  case log_record::level::debug: return "debug";
  case log_record::level::info: return "info";
  case log_record::level::warning: return "warning";
  case log_record::level::error: return "error";
  }
  return "unknown";
}

log_record::level severity_of(log_kind what) noexcept {
  switch (what) {
  case log_kind::callback_threw:
  case log_kind::release_failed: return log_record::level::error;
  case log_kind::trace_written: return log_record::level::info;
  default: return log_record::level::warning;
  }
}

std::string to_line(const log_record& record) {
  return fmt::format("{}{}{} [{}]", record.path, record.path.empty() ? "" : ": ", record.text, to_string(record.what));
}

std::string to_json(const log_record& record) {
  fmt::memory_buffer out;
  const auto at = std::chrono::duration_cast<std::chrono::nanoseconds>(record.at.time_since_epoch()).count();
  fmt::format_to(fmt::appender(out), R"({{"level":"{}","what":"{}","at_ns":{},"path":)", to_string(record.severity),
                 to_string(record.what), at);
  runtime::append_json(out, record.path);
  constexpr std::string_view next = R"(,"text":)";
  out.append(next.data(), next.data() + next.size());
  runtime::append_json(out, record.text);
  out.push_back('}');
  return fmt::to_string(out);
}

} // namespace muster
