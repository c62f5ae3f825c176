// What muster::cancel_reason promises: one reason, told the same everywhere.
#include "catch.hpp"

#include <muster/cancel.hpp>

#include <chrono>
#include <string>
#include <type_traits>
#include <utility>

namespace {

using muster::cancel_kind;
using muster::cancel_reason;
using muster::errc;
using muster::error;

const muster::time_point noon{std::chrono::hours{12}};
const error declined = error{errc::exception, "card declined"}.with_path("site/checkout/charge");

static_assert(std::is_nothrow_copy_constructible_v<cancel_reason> &&
              std::is_nothrow_default_constructible_v<cancel_reason>);
static_assert(!std::is_convertible_v<cancel_reason, bool>);

} // namespace

TEST_CASE("a default reason is none, and harmless") {
  const cancel_reason none;
  CHECK_FALSE(none);
  CHECK(none.origin().empty());
  CHECK(none.text().empty());
  CHECK(none.cause() == nullptr);
  CHECK(none.since() == muster::time_point{});
  CHECK_FALSE(none.inherited());
  CHECK(to_string(none) == "not cancelled");
  CHECK(none.to_error("site").is(errc::cancelled));
  CHECK(none.to_error("site").path() == "site");
}

TEST_CASE("a reason that was moved from is none") {
  cancel_reason reason{cancel_kind::user, "site", "enough", noon};
  const cancel_reason taken = std::move(reason);
  CHECK(taken);
  CHECK_FALSE(reason); // NOLINT: that is the point
}

TEST_CASE("every kind of reason has its words") {
  CHECK(to_string(cancel_kind::user) == "user");
  CHECK(to_string(cancel_kind::timeout) == "timeout");
  CHECK(to_string(cancel_kind::sibling_failed) == "sibling failed");
  CHECK(to_string(cancel_kind::parent_cancelled) == "parent cancelled");
  CHECK(to_string(cancel_kind::shutdown) == "shutdown");
  CHECK(to_string(static_cast<cancel_kind>(99)) == "unknown");
}

TEST_CASE("a reason keeps kind, origin, text, cause and time") {
  const cancel_reason reason{cancel_kind::sibling_failed, "site/checkout/charge", "text", noon, declined};
  CHECK(reason);
  CHECK(reason.kind() == cancel_kind::sibling_failed);
  CHECK(reason.root_kind() == cancel_kind::sibling_failed);
  CHECK(reason.origin() == "site/checkout/charge");
  CHECK(reason.text() == "text");
  CHECK(reason.since() == noon);
  REQUIRE(reason.cause() != nullptr);
  CHECK(same_origin(*reason.cause(), declined));
}

TEST_CASE("an inherited reason keeps all but its kind, and the kind it began with") {
  const cancel_reason first{cancel_kind::timeout, "site/checkout", "8s passed", noon};
  const cancel_reason below = first.inherited().inherited();
  CHECK(below.kind() == cancel_kind::parent_cancelled);
  CHECK(below.root_kind() == cancel_kind::timeout);
  CHECK(below.origin() == "site/checkout");
  CHECK(below.text() == "8s passed");
  CHECK(below.since() == noon);
  CHECK(first.kind() == cancel_kind::timeout);
  CHECK(to_string(below) == "parent cancelled: timeout: site/checkout: 8s passed");
}

TEST_CASE("the error of a reason says what happened where, and carries the failure that led to it") {
  const cancel_reason reason{cancel_kind::sibling_failed, "site/checkout/charge", "", noon, declined};
  const error e = reason.to_error("site/checkout/inventory");
  CHECK(e.code() == errc::cancelled);
  CHECK(e.is(std::errc::operation_canceled));
  CHECK(e.message() == "cancelled: sibling failed: site/checkout/charge: card declined");
  CHECK(e.path() == "site/checkout/inventory");
  REQUIRE(e.cause() != nullptr);
  CHECK(same_origin(*e.cause(), declined));
  CHECK(to_line(e) ==
        "site/checkout/inventory: cancelled: sibling failed: site/checkout/charge: card declined [muster:1]");
}

TEST_CASE("a failure without words is named by its code in the reason") {
  const cancel_reason reason{cancel_kind::sibling_failed, "site/a", "", noon, error{errc::pool_closed}};
  CHECK(reason.to_error().message() == "cancelled: sibling failed: site/a: pool closed");
  const cancel_reason wrapped{cancel_kind::sibling_failed, "site/a", "", noon,
                              error{error{errc::pool_closed}, "borrowing"}};
  CHECK(wrapped.to_error().message() == "cancelled: sibling failed: site/a: borrowing: pool closed");
}

TEST_CASE("one's own timeout is timed_out, one from above is cancelled") {
  const cancel_reason reason{cancel_kind::timeout, "site/checkout", "8s passed", noon};
  CHECK(reason.to_error("site/checkout").code() == errc::timed_out);
  CHECK(reason.to_error("site/checkout").message() == "timed out: site/checkout: 8s passed");
  const error below = reason.inherited().to_error("site/checkout/charge");
  CHECK(below.code() == errc::cancelled);
  CHECK(below.message() == "cancelled: parent cancelled: timeout: site/checkout: 8s passed");
  CHECK(below.path() == "site/checkout/charge");
}

TEST_CASE("a reason without origin and text is just its kind") {
  const cancel_reason reason{cancel_kind::shutdown, "", "", noon};
  CHECK(to_string(reason) == "shutdown");
  CHECK(reason.to_error().message() == "cancelled: shutdown");
  CHECK((cancel_reason{cancel_kind::timeout, "", "", noon}.to_error().message()) == "timed out");
}

TEST_CASE("all errors of one reason are one failure, and that of the sibling that failed") {
  const cancel_reason by_user{cancel_kind::user, "site", "enough", noon};
  CHECK(same_origin(by_user.to_error("a"), by_user.to_error("b")));
  CHECK(same_origin(by_user.to_error("a"), by_user.inherited().to_error("a/b")));
  CHECK_FALSE(
      same_origin(by_user.to_error("a"), cancel_reason(cancel_kind::user, "site", "enough", noon).to_error("a")));
  const cancel_reason by_failure{cancel_kind::sibling_failed, "site/checkout/charge", "", noon, declined};
  CHECK(same_origin(by_failure.to_error("a"), declined));
  CHECK(by_failure.is_mentioned_by(by_failure.inherited().to_error("a")));
  CHECK_FALSE(by_failure.is_mentioned_by(by_user.to_error("a")));
  const muster::error more{muster::errc::bad_argument, "more"};
  CHECK(by_failure.is_mentioned_by(more.with_cause(by_failure.to_error())));
  CHECK_FALSE(cancel_reason{}.is_mentioned_by(declined));
  CHECK(same_origin(by_failure.inherited().to_error("a"), declined));
}
