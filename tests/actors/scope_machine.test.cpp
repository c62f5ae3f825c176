/// The decisions of a supervisor, without threads: every promise about ends, failures and cancellation that is decided
/// rather than carried out.
#include "scope_machine.hpp"

#include "../catch.hpp"

#include <string>
#include <vector>

using muster::cancel_kind;
using muster::cancel_reason;
using muster::errc;
using muster::error;
using muster::scope_machine;
using admission = scope_machine::admission;
using command = scope_machine::command;
using member = scope_machine::member;
using phase = scope_machine::phase;

namespace {

cancel_reason because(cancel_kind kind = cancel_kind::user) { return {kind, "site/s", "", {}}; }
error failure(std::string text) { return error{errc::bad_argument, std::move(text)}; }

} // namespace

TEST_CASE("an open scope that nobody waits for does not end when it is idle", "[scope_machine]") {
  scope_machine m{muster::cancel_siblings};
  CHECK(m.next(0, false) == command::none);
  CHECK(m.at() == phase::open);
}

TEST_CASE("a waiter ends the scope when the last child has ended and not before", "[scope_machine]") {
  scope_machine m{muster::cancel_siblings};
  REQUIRE(m.admit(member::task) == admission::accepted);
  m.waiter_came();
  CHECK(m.next(0, false) == command::none);
  CHECK(m.admit(member::task) == admission::accepted); // a running child may start others
  m.left(member::task);
  CHECK(m.next(0, false) == command::none);
  m.left(member::task);
  CHECK(m.next(0, false) == command::end);
  CHECK(m.at() == phase::ended);
  CHECK_FALSE(m.verdict("site/s").has_value());
}

TEST_CASE("a waiter that gives up leaves the scope as it was", "[scope_machine]") {
  scope_machine m{muster::cancel_siblings};
  m.waiter_came();
  m.waiter_gave_up();
  CHECK(m.next(0, false) == command::none);
  CHECK(m.admit(member::task) == admission::accepted);
}

TEST_CASE("a closed scope turns newcomers away and ends by itself", "[scope_machine]") {
  scope_machine m{muster::cancel_siblings};
  REQUIRE(m.admit(member::task) == admission::accepted);
  m.close();
  CHECK(m.admit(member::task) == admission::closed);
  m.left(member::task);
  CHECK(m.next(0, false) == command::end);
}

TEST_CASE("daemons are asked once and awaited before anything is released", "[scope_machine]") {
  scope_machine m{muster::cancel_siblings};
  REQUIRE(m.admit(member::task) == admission::accepted);
  REQUIRE(m.admit(member::daemon) == admission::accepted);
  m.waiter_came();
  CHECK(m.next(1, false) == command::none);
  m.left(member::task);
  CHECK(m.next(1, false) == command::stop_daemons);
  CHECK(m.next(1, false) == command::none);
  CHECK(m.admit(member::task) == admission::over);
  m.left(member::daemon);
  CHECK(m.next(1, false) == command::release_next);
}

TEST_CASE("owned things are stopped one at a time", "[scope_machine]") {
  scope_machine m{muster::cancel_siblings};
  m.close();
  CHECK(m.next(2, false) == command::release_next);
  CHECK(m.next(2, true) == command::none);
  CHECK(m.next(1, false) == command::release_next);
  CHECK(m.next(1, true) == command::none);
  CHECK(m.next(0, false) == command::end);
}

TEST_CASE("an application's actor holds the scope open until the scope is cancelled", "[scope_machine]") {
  scope_machine m{muster::cancel_siblings};
  REQUIRE(m.admit(member::actor) == admission::accepted);
  m.waiter_came();
  CHECK(m.next(1, false) == command::none);
  REQUIRE(m.cancel(because()));
  CHECK(m.next(1, false) == command::release_next);
}

TEST_CASE("idle nested scopes are told to end when the scope has nothing else left", "[scope_machine]") {
  scope_machine m{muster::cancel_siblings};
  REQUIRE(m.admit(member::nested) == admission::accepted);
  REQUIRE(m.admit(member::task) == admission::accepted);
  m.waiter_came();
  CHECK(m.next(0, false) == command::none);
  m.left(member::task);
  CHECK(m.next(0, false) == command::drain_nested);
  m.left(member::nested);
  CHECK(m.next(0, false) == command::end);
}

TEST_CASE("a nested scope joins a cancelled scope so that it is awaited", "[scope_machine]") {
  scope_machine m{muster::cancel_siblings};
  m.cancel(because());
  CHECK(m.admit(member::nested) == admission::cancelled);
  CHECK(m.count(member::nested) == 1);
  CHECK(m.admit(member::task) == admission::cancelled);
  CHECK(m.count(member::task) == 0);
}

TEST_CASE("the first failure asks for a cancellation and the next does not", "[scope_machine]") {
  scope_machine m{muster::cancel_siblings};
  REQUIRE(m.admit(member::task) == admission::accepted);
  REQUIRE(m.admit(member::task) == admission::accepted);
  const error first = failure("first");
  CHECK(m.failed(first));
  REQUIRE(m.cancel({cancel_kind::sibling_failed, "site/s/a", "", {}, first}));
  CHECK_FALSE(m.failed(failure("second")));
  const auto all = m.failures("site/s");
  REQUIRE(all.size() == 2);
  CHECK(all[0].message() == "first");
  CHECK(all[1].message() == "second");
}

TEST_CASE("isolate collects every failure and cancels nobody", "[scope_machine]") {
  scope_machine m{muster::isolate};
  for (const auto* text : {"a", "b", "c"})
    CHECK_FALSE(m.failed(failure(text)));
  const auto whole = m.verdict("site/s");
  REQUIRE(whole);
  CHECK(whole->message() == "a");
  REQUIRE(whole->later().size() == 2);
  CHECK(whole->later()[0].message() == "b");
  CHECK(whole->later()[1].message() == "c");
}

TEST_CASE("one failure is never listed twice", "[scope_machine]") {
  scope_machine m{muster::isolate};
  const error e = failure("x");
  CHECK_FALSE(m.failed(e));
  m.also_said(error{e, "while waiting"});
  CHECK(m.failures("site/s").size() == 1);
}

TEST_CASE("what a child says that was asked to stop alone does not fail its scope", "[scope_machine]") {
  scope_machine m{muster::cancel_siblings};
  REQUIRE(m.admit(member::task) == admission::accepted);
  m.also_said(failure("half way"));
  CHECK_FALSE(m.verdict("site/s"));
  m.release_failed(failure("release"));
  REQUIRE(m.verdict("site/s"));
  CHECK(m.failures("site/s").size() == 2);
}

TEST_CASE("a lone failure is not wrapped", "[scope_machine]") {
  scope_machine m{muster::isolate};
  const error e = failure("x");
  CHECK_FALSE(m.failed(e));
  const auto whole = m.verdict("site/s");
  REQUIRE(whole);
  CHECK(same_origin(*whole, e));
  CHECK(whole->later().empty());
}

TEST_CASE("the first reason to cancel stays", "[scope_machine]") {
  scope_machine m{muster::cancel_siblings};
  CHECK(m.cancel(because(cancel_kind::timeout)));
  CHECK_FALSE(m.cancel(because(cancel_kind::user)));
  CHECK(m.reason().kind() == cancel_kind::timeout);
}

TEST_CASE("a deadline that passes keeps its place among the failures", "[scope_machine]") {
  scope_machine m{muster::isolate};
  REQUIRE(m.admit(member::task) == admission::accepted);
  CHECK_FALSE(m.failed(failure("before")));
  REQUIRE(m.cancel(because(cancel_kind::timeout)));
  m.also_said(failure("after"));
  const auto all = m.failures("site/s");
  REQUIRE(all.size() == 3);
  CHECK(all[0].message() == "before");
  CHECK(all[1].code() == errc::timed_out);
  CHECK(all[2].message() == "after");
}

TEST_CASE("a cancellation that somebody asked for is the verdict only where nothing failed", "[scope_machine]") {
  scope_machine asked{muster::cancel_siblings};
  REQUIRE(asked.admit(member::task) == admission::accepted);
  REQUIRE(asked.cancel(because()));
  asked.also_said(failure("half way"));
  REQUIRE(asked.failures("site/s").size() == 2);
  CHECK(asked.failures("site/s")[0].code() == errc::cancelled);
  static_cast<void>(asked.unresponsive(error{errc::unresponsive}));
  CHECK(asked.verdict("site/s")->message() == "half way");
  CHECK(asked.failures("site/s").size() == 2);
}

TEST_CASE("a cancellation after the last child had ended is no failure", "[scope_machine]") {
  scope_machine m{muster::cancel_siblings};
  REQUIRE(m.admit(member::task) == admission::accepted);
  m.left(member::task);
  REQUIRE(m.cancel(because()));
  CHECK_FALSE(m.verdict("site/s"));
}

TEST_CASE("a cancellation before there was any child is a failure", "[scope_machine]") {
  scope_machine m{muster::cancel_siblings};
  REQUIRE(m.cancel(because()));
  REQUIRE(m.verdict("site/s"));
  CHECK(m.verdict("site/s")->code() == errc::cancelled);
}

TEST_CASE("turning a child away because of a cancellation makes the cancellation a failure", "[scope_machine]") {
  scope_machine m{muster::cancel_siblings};
  REQUIRE(m.admit(member::task) == admission::accepted);
  m.left(member::task);
  REQUIRE(m.cancel(because()));
  CHECK(m.admit(member::task) == admission::cancelled);
  CHECK(m.verdict("site/s"));
}

TEST_CASE("what a body on its caller's thread gives stands although the deadline passed meanwhile", "[scope_machine]") {
  scope_machine m{muster::cancel_siblings};
  REQUIRE(m.admit(member::body) == admission::accepted);
  REQUIRE(m.cancel(because(cancel_kind::timeout)));
  m.left(member::body);
  m.waiter_came();
  CHECK(m.next(0, false) == command::end);
  CHECK_FALSE(m.verdict("site/s"));
}

TEST_CASE("an unresponsive child fails even a scope that isolates", "[scope_machine]") {
  scope_machine m{muster::isolate};
  REQUIRE(m.admit(member::task) == admission::accepted);
  CHECK(m.unresponsive(error{errc::unresponsive}));
  REQUIRE(m.verdict("site/s"));
  CHECK(m.verdict("site/s")->code() == errc::unresponsive);
}

TEST_CASE("once releases have begun a cancellation changes nothing", "[scope_machine]") {
  scope_machine m{muster::cancel_siblings};
  m.close();
  CHECK(m.next(1, false) == command::release_next);
  CHECK_FALSE(m.cancel(because()));
  CHECK_FALSE(m.takes_resources());
}
