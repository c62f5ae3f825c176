// What muster/fmt.hpp promises, and that the log record is a plain value.
#include "catch.hpp"

#include <muster/fmt.hpp>
#include <muster/log.hpp>

#include <chrono>
#include <string>
#include <utility>

using muster::cancel_kind;
using muster::errc;
using muster::error;

TEST_CASE("fmt prints an error in one line, and as a tree if asked") {
  const error e = error{error{errc::pool_closed}, "borrowing"}.with_path("site/charge");
  CHECK(fmt::format("{}", e) == "site/charge: borrowing: pool closed [muster:13]");
  CHECK(fmt::format("<{:t}>", e) ==
        "<site/charge: borrowing [muster:13, pool closed]\n"
        "  caused by: pool closed [muster:13]>");
  CHECK(fmt::format("{:t}", e) == to_string(e));
  CHECK(fmt::format("{}", e) == to_line(e));
}

TEST_CASE("fmt takes the options for strings") {
  CHECK(fmt::format("{:>22}", error{errc::cancelled}) == "  cancelled [muster:1]");
  CHECK(fmt::format("{:t>22}", error{errc::cancelled}) == "ttcancelled [muster:1]");
  CHECK(fmt::format("{:.4}", errc::timed_out) == "time");
  CHECK(fmt::format("{:^8}", muster::priority::low) == "  low   ");
}

TEST_CASE("fmt prints codes, kinds, reasons and priorities") {
  CHECK(fmt::format("{}", errc::timed_out) == "timed out");
  CHECK(fmt::format("{}", std::error_code{errc::timed_out}) == "muster:2");
  CHECK(fmt::format("{}", cancel_kind::sibling_failed) == "sibling failed");
  const muster::cancel_reason reason{cancel_kind::user, "site", "enough", muster::time_point{}};
  CHECK(fmt::format("{}", reason) == "user: site: enough");
  CHECK(fmt::format("{}", muster::cancel_reason{}) == "not cancelled");
  CHECK(fmt::format("{} {} {}", muster::priority::low, muster::priority::normal, muster::priority::high) ==
        "low normal high");
}

TEST_CASE("a log hook receives records that it can keep") {
  muster::log_record kept;
  const muster::log_hook hook = [&](const muster::log_record& record) { kept = record; };
  hook({.severity = muster::log_record::level::warning,
        .at = muster::time_point{std::chrono::seconds{1}},
        .path = "site/charge",
        .text = "still waiting"});
  CHECK(kept.severity == muster::log_record::level::warning);
  CHECK(kept.at == muster::time_point{std::chrono::seconds{1}});
  CHECK(kept.path == "site/charge");
  CHECK(kept.text == "still waiting");
  CHECK(muster::log_record::level::debug < muster::log_record::level::error);
}
