/// Traces made by hand, and of real programs, for the tests of the viewer.
///
/// Owner: the test. Threads: one. Invariant: sequences rise from 1 by one; a text has one id.
#pragma once

#include "../catch.hpp"

#include "command.hpp"
#include "reader.hpp"

#include <muster/cancel.hpp>
#include <muster/outcome.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace muster {
class manager;
}

namespace trace_tests {

using muster::event_kind;
using muster::trace_viewer::node_kind;
using muster::trace_viewer::output;
using muster::trace_viewer::request;
using muster::trace_viewer::state;
using muster::trace_viewer::trace_data;
using muster::trace_viewer::trace_model;

inline constexpr std::int64_t ms = 1'000'000;
inline constexpr std::int64_t second = 1'000'000'000;

class trace_builder {
public:
  trace_builder() {
    data_.major = 1;
    data_.pid = 42;
    data_.program = "site";
    data_.wall_anchor_ns = 1'700'000'000 * second;
    data_.ended_cleanly = true;
    data_.texts.emplace_back();
  }

  std::uint32_t text(std::string_view s) {
    if (s.empty())
      return 0;
    const auto [found, made] = ids_.emplace(std::string{s}, static_cast<std::uint32_t>(data_.texts.size()));
    if (made)
      data_.texts.emplace_back(s);
    return found->second;
  }
  /// Records an event `at` nanoseconds after the beginning; its sequence.
  std::uint64_t add(std::int64_t at, event_kind kind, std::uint64_t subject, std::uint64_t cause = 0,
                    std::int64_t value = 0, std::string_view said = {}) {
    data_.events.push_back({.sequence = ++last_,
                            .time_ns = at,
                            .subject = subject,
                            .cause = cause,
                            .value = value,
                            .text = text(said),
                            .kind = kind,
                            .thread = 1});
    return last_;
  }
  std::uint64_t manager(std::int64_t at, std::uint64_t id, std::string_view name) {
    return add(at, event_kind::manager_created, id, 0, 0, name);
  }
  std::uint64_t scope(std::int64_t at, std::uint64_t id, std::int64_t parent, std::string_view name) {
    return add(at, event_kind::scope_created, id, 0, parent, name);
  }
  /// Created, ready and started at one moment; the sequence of the start.
  std::uint64_t running(std::int64_t at, std::uint64_t id, std::int64_t scope, std::string_view name,
                        std::int64_t thread = 7) {
    const auto created = add(at, event_kind::task_created, id, 0, scope, name);
    const auto ready = add(at, event_kind::task_ready, id, created, 1);
    return add(at, event_kind::task_started, id, ready, thread);
  }
  std::uint64_t end(std::int64_t at, std::uint64_t id, muster::outcome_kind how = muster::outcome_kind::ok,
                    std::uint64_t cause = 0, std::string_view said = {}) {
    return add(at, event_kind::task_ended, id, cause, static_cast<std::int64_t>(how), said);
  }
  /// One event that was recorded between others is missing.
  void skip() { ++last_; }

  [[nodiscard]] trace_data& data() noexcept { return data_; }
  [[nodiscard]] trace_model model() const { return trace_model{data_}; }

private:
  trace_data data_;
  std::unordered_map<std::string, std::uint32_t> ids_;
  std::uint64_t last_ = 0;
};

/// What the recorder of this manager holds at this moment.
[[nodiscard]] trace_data recorded(const muster::manager& site);

using command = muster::trace_viewer::answer (*)(const trace_model&, const request&, output&);

/// What a command writes; it must not refuse.
[[nodiscard]] inline std::string said_by(command run, const trace_model& model, const request& what = {}) {
  output out;
  const auto code = run(model, what, out);
  INFO((code ? std::string{} : code.error()));
  REQUIRE(code.has_value());
  return out.text();
}
/// The sentence with which it refuses.
[[nodiscard]] inline std::string refused_by(command run, const trace_model& model, const request& what) {
  output out;
  const auto code = run(model, what, out);
  REQUIRE_FALSE(code.has_value());
  return code.error();
}
[[nodiscard]] inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// A checkout in which the charge fails after a second and takes the stock's booking with it; a worker waits for both.
///
///   0 s site/checkout opened; charge, stock start; worker comes after charge
///   1 s charge fails, so checkout cancels; stock is asked and ends 100 ms later; worker is skipped
[[nodiscard]] trace_builder failed_checkout();

} // namespace trace_tests
