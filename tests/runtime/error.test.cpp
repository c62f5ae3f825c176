// What muster::error promises: codes, wrapping, identity, exceptions, and chains of any length.
#include "catch.hpp"

#include <muster/error.hpp>

#include <array>
#include <atomic>
#include <latch>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace payment {

enum class trouble { declined = 7, no_such_card = 8 };

class trouble_category final : public std::error_category {
  const char* name() const noexcept override { return "payment"; }
  std::string message(int value) const override { return value == 7 ? "declined" : "no such card"; }
  std::error_condition default_error_condition(int value) const noexcept override {
    if (value == 7)
      return std::errc::permission_denied;
    return {value, *this};
  }
};

std::error_code make_error_code(trouble t) {
  static const trouble_category category;
  return {static_cast<int>(t), category};
}

struct declined : std::runtime_error {
  declined(const std::string& text, int a) : std::runtime_error{text}, amount{a} {}
  int amount;
};
struct declined_twice : declined {
  using declined::declined;
};

} // namespace payment

template <>
struct std::is_error_code_enum<payment::trouble> : std::true_type {};

namespace {

using muster::errc;
using muster::error;
using muster::detail::claim_report;

constexpr int a_million = 1'000'000;

template <class E>
std::exception_ptr thrown(E e) {
  return std::make_exception_ptr(std::move(e));
}

/// What is in flight when `body` throws.
template <class Body>
std::exception_ptr caught(Body body) {
  try {
    body();
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}

error chain_of(error first, int wraps) {
  for (int i = 0; i < wraps; ++i)
    first = error{std::move(first), "wrap"};
  return first;
}

static_assert(std::is_nothrow_copy_constructible_v<error> && std::is_nothrow_move_constructible_v<error>);
static_assert(std::is_nothrow_copy_assignable_v<error> && std::is_nothrow_move_assignable_v<error>);
static_assert(sizeof(error) == sizeof(void*));
static_assert(!std::is_default_constructible_v<error>);
static_assert(!std::is_convertible_v<int, error>);
static_assert(std::is_convertible_v<std::unexpected<errc>, muster::result<int>>);
static_assert(std::is_convertible_v<std::unexpected<std::error_code>, muster::result<void>>);

} // namespace

TEST_CASE("codes of muster compare equal to the standard conditions where that is meant") {
  CHECK(make_error_code(errc::cancelled) == std::errc::operation_canceled);
  CHECK(make_error_code(errc::timed_out) == std::errc::timed_out);
  CHECK(make_error_code(errc::no_threads) == std::errc::resource_unavailable_try_again);
  CHECK(make_error_code(errc::breaker_open) == std::errc::resource_unavailable_try_again);
  CHECK(make_error_code(errc::would_deadlock) == std::errc::resource_deadlock_would_occur);
  CHECK(make_error_code(errc::invalid_plan) == std::errc::invalid_argument);
  CHECK(make_error_code(errc::bad_argument) == std::errc::invalid_argument);
  CHECK(make_error_code(errc::cancelled) != std::errc::timed_out);
  CHECK(make_error_code(errc::unresponsive) != std::errc::timed_out);
  CHECK(make_error_code(errc::not_ready) != std::errc::resource_unavailable_try_again);
  CHECK(make_error_code(errc::skipped) != std::errc::operation_canceled);
}

TEST_CASE("every code is of the category muster and has words of its own") {
  std::vector<std::string> words;
  for (int i = 1; i <= 20; ++i) {
    const std::error_code code = static_cast<errc>(i);
    CHECK(std::string{code.category().name()} == "muster");
    CHECK(code.value() == i);
    for (const auto& other : words)
      CHECK(code.message() != other);
    words.push_back(code.message());
  }
  CHECK(std::error_code{static_cast<errc>(999)}.message() == "unknown code 999");
}

TEST_CASE("users' own codes pass unchanged") {
  const error e{payment::trouble::declined, "card 4711"};
  CHECK(e.code() == payment::trouble::declined);
  CHECK(e.message() == "card 4711");
  CHECK(e.is(payment::trouble::declined));
  CHECK_FALSE(e.is(payment::trouble::no_such_card));
  CHECK(e.is(std::errc::permission_denied));
  CHECK(error{std::errc::broken_pipe}.code() == std::make_error_code(std::errc::broken_pipe));
  CHECK(error{std::make_error_code(std::errc::broken_pipe)}.is(std::errc::broken_pipe));
}

TEST_CASE("a function can fail with a bare code, because a code converts to an error") {
  const auto fails = []() -> muster::result<int> { return std::unexpected{errc::pool_closed}; };
  REQUIRE_FALSE(fails());
  CHECK(fails().error().is(errc::pool_closed));
  CHECK(fails().error().message().empty());
}

TEST_CASE("wrapping says what was being done and keeps code, cause and identity") {
  const error cause = error{payment::trouble::declined, "card declined"}.with_path("site/bank");
  const error e{cause, "charging card"};
  CHECK(e.message() == "charging card");
  CHECK(e.code() == payment::trouble::declined);
  CHECK(e.path().empty());
  REQUIRE(e.cause() != nullptr);
  CHECK(e.cause()->message() == "card declined");
  CHECK(e.cause()->path() == "site/bank");
  CHECK(same_origin(e, cause));
}

TEST_CASE("is and as walk the causes but not the later errors") {
  const error inner = error::from_exception(thrown(payment::declined{"no", 12}));
  const error e = error{errc::cancelled}.with_cause(error{inner, "outer"}).with_later({errc::timed_out});
  CHECK(e.is(errc::cancelled));
  CHECK(e.is(errc::exception));
  CHECK(e.is(std::errc::operation_canceled));
  CHECK_FALSE(e.is(errc::timed_out));
  CHECK_FALSE(e.is(std::errc::timed_out));
  REQUIRE(e.as<payment::declined>() != nullptr);
  CHECK(e.as<payment::declined>()->amount == 12);
  CHECK_FALSE(error{errc::cancelled}.with_later({inner}).as<payment::declined>());
}

TEST_CASE("as finds the original exception object by its type or a base of it") {
  const auto original = thrown(payment::declined_twice{"no", 3});
  const error e = error::from_exception(original, "site/charge");
  const payment::declined* found = e.as<payment::declined>();
  REQUIRE(found != nullptr);
  CHECK(found == e.as<payment::declined_twice>());
  CHECK(static_cast<const std::exception*>(found) == e.as<std::exception>());
  CHECK(e.as<std::logic_error>() == nullptr);
  CHECK(e.exception() == original);
}

TEST_CASE("builders change one thing and share the rest") {
  const error plain{errc::release_failed, "db"};
  const error full = plain.with_path("site/db")
                         .with_cause(errc::timed_out)
                         .with_later({errc::skipped})
                         .with_exception(thrown(payment::declined{"no", 1}));
  CHECK(full.message() == "db");
  CHECK(full.code() == errc::release_failed);
  CHECK(full.path() == "site/db");
  CHECK(full.cause()->code() == errc::timed_out);
  REQUIRE(full.later().size() == 1);
  CHECK(full.later()[0].code() == errc::skipped);
  CHECK(full.as<payment::declined>() != nullptr);
  CHECK(plain.path().empty());
  CHECK(plain.cause() == nullptr);
  CHECK(plain.later().empty());
  CHECK(plain.exception() == nullptr);
  CHECK(same_origin(full, plain));
}

TEST_CASE("with_later adds after the later errors that are there already") {
  const error e = error{errc::exception}.with_later({error{errc::exception, "a"}, error{errc::exception, "b"}});
  const error more = e.with_later({error{errc::exception, "c"}});
  CHECK(e.later().size() == 2);
  REQUIRE(more.later().size() == 3);
  CHECK(more.later()[0].message() == "a");
  CHECK(more.later()[2].message() == "c");
}

TEST_CASE("an error that was moved from is harmless") {
  error e{errc::cancelled, "x"};
  const error taken = std::move(e);
  CHECK(taken.message() == "x");
  CHECK(e.code() == errc::bad_argument); // NOLINT: that is the point
  CHECK(e.path().empty());
  CHECK(e.cause() == nullptr);
  CHECK(e.later().empty());
  CHECK_FALSE(same_origin(e, taken));
  CHECK(to_string(e) == "a moved-from error [muster:16, bad argument]");
  const error copy = e;
  CHECK(copy.with_path("p").path() == "p");
  e = taken;
  CHECK(e.message() == "x");
  const error& itself = e;
  e = itself;
  CHECK(e.message() == "x");
}

TEST_CASE("identity is kept by copies, wraps and builders, and two failures that look the same have two") {
  const error e{errc::exception, "x"};
  const error twin{errc::exception, "x"};
  const error copy = e;
  CHECK(same_origin(e, copy));
  CHECK_FALSE(same_origin(e, twin));
  CHECK(same_origin(e, error{error{copy, "a"}, "b"}));
  CHECK(same_origin(e, e.with_path("p").with_cause(twin).with_later({twin})));
}

TEST_CASE("an error mentions what it wraps, what caused it and what came later, at any depth") {
  const error a{errc::exception, "a"};
  const error b{errc::exception, "b"};
  const error c{errc::exception, "c"};
  const error d{errc::exception, "d"};
  const error whole = a.with_cause(error{b, "b again"}).with_later({c.with_later({d}), c});
  CHECK(mentions(whole, a));
  CHECK(mentions(whole, b));
  CHECK(mentions(whole, c));
  CHECK(mentions(whole, error{d, "wrapped elsewhere"}));
  CHECK_FALSE(mentions(whole, error{errc::exception, "d"}));
  CHECK_FALSE(mentions(d, whole));
}

TEST_CASE("errors that share their causes are walked once each") {
  error e{errc::exception, "root"};
  for (int i = 0; i < 200; ++i) // 2 to the 200 ways down
    e = error{errc::exception, "both"}.with_cause(e).with_later({e});
  CHECK_FALSE(mentions(e, error{errc::exception}));
  CHECK(to_string(e).size() > 1000);
}

TEST_CASE("a failure can be claimed for a report once, by whichever of its copies and wraps") {
  const error e{errc::exception, "x"};
  CHECK(claim_report(error{e, "wrapped"}));
  CHECK_FALSE(claim_report(e));
  CHECK_FALSE(claim_report(e.with_path("p")));
  CHECK(claim_report(error{errc::exception, "x"}));
}

TEST_CASE("of eight threads that claim the same failures exactly one gets each") {
  constexpr std::size_t threads = 8;
  std::vector<error> failures;
  for (int i = 0; i < 1000; ++i)
    failures.emplace_back(errc::exception, std::to_string(i));
  std::atomic<int> claimed{0};
  std::latch together{threads};
  {
    std::vector<std::jthread> crowd;
    for (std::size_t t = 0; t < threads; ++t)
      crowd.emplace_back([&, t] {
        together.arrive_and_wait();
        for (const error& e : failures)
          if (claim_report(t % 2 == 0 ? e : error{e, "wrapped"}.with_path("p")))
            claimed.fetch_add(1);
      });
  }
  CHECK(claimed == 1000);
}

TEST_CASE("an exception gives its text, its path and itself") {
  const error e = error::from_exception(thrown(std::runtime_error{"boom"}), "site/charge");
  CHECK(e.code() == errc::exception);
  CHECK(e.message() == "boom");
  CHECK(e.path() == "site/charge");
  CHECK(e.as<std::runtime_error>() != nullptr);
  CHECK(error::from_exception(thrown(std::bad_alloc{})).as<std::bad_alloc>() != nullptr);
}

TEST_CASE("what is thrown need not be a std::exception") {
  const error e = error::from_exception(thrown(42), "site/charge");
  CHECK(e.code() == errc::exception);
  CHECK(e.message() == "an exception not derived from std::exception");
  REQUIRE(e.as<int>() != nullptr);
  CHECK(*e.as<int>() == 42);
  CHECK(error::from_exception(nullptr).code() == errc::bad_argument);
}

TEST_CASE("a system_error keeps its code") {
  const error e = error::from_exception(thrown(std::system_error{payment::trouble::declined, "charging"}));
  CHECK(e.code() == payment::trouble::declined);
  CHECK(e.message() == "charging: declined");
  CHECK(e.as<std::system_error>() != nullptr);
}

TEST_CASE("a bad_expected_access gives the very error that it carries") {
  const muster::result<int> failed = std::unexpected{error{payment::trouble::declined, "card"}};
  const error e = error::from_exception(caught([&] { (void)failed.value(); }), "site/charge");
  CHECK(same_origin(e, failed.error()));
  CHECK(e.code() == payment::trouble::declined);
  CHECK(e.message() == "card");
  CHECK(e.path() == "site/charge");
  CHECK(e.cause() == nullptr);

  const muster::result<int> elsewhere = std::unexpected{failed.error().with_path("site/bank")};
  CHECK(error::from_exception(caught([&] { (void)elsewhere.value(); }), "site/charge").path() == "site/bank");

  const std::expected<int, std::error_code> coded = std::unexpected{make_error_code(payment::trouble::no_such_card)};
  CHECK(error::from_exception(caught([&] { (void)coded.value(); })).code() == payment::trouble::no_such_card);
}

TEST_CASE("a cancelled_error gives the very error that it carries") {
  const error why{errc::cancelled, "cancelled: user"};
  const muster::cancelled_error exception{why};
  CHECK(std::string{exception.what()} == "cancelled: user");
  CHECK(std::string{muster::cancelled_error{errc::cancelled}.what()} == "cancelled");
  const error e = error::from_exception(thrown(exception), "site/charge");
  CHECK(same_origin(e, why));
  CHECK(e.is(std::errc::operation_canceled));
  CHECK(e.message() == "cancelled: user");
}

TEST_CASE("nested exceptions become causes") {
  const error inner{payment::trouble::declined, "card"};
  const auto body = [&] {
    try {
      try {
        throw std::bad_expected_access<error>{inner};
      } catch (...) {
        std::throw_with_nested(std::runtime_error{"middle"});
      }
    } catch (...) {
      std::throw_with_nested(std::logic_error{"outer"});
    }
  };
  const error e = error::from_exception(caught(body), "site/charge");
  CHECK(e.message() == "outer");
  CHECK(e.path() == "site/charge");
  CHECK(e.code() == errc::exception);
  REQUIRE(e.cause() != nullptr);
  CHECK(e.cause()->message() == "middle");
  REQUIRE(e.cause()->cause() != nullptr);
  CHECK(same_origin(*e.cause()->cause(), inner));
  CHECK(same_origin(e, inner));
  CHECK(e.is(payment::trouble::declined));
  CHECK(e.as<std::logic_error>() != nullptr);
  CHECK(e.as<std::runtime_error>() != nullptr);
}

TEST_CASE("a chain of a million causes is searched and destroyed without recursion") {
  const error deepest = error::from_exception(thrown(payment::declined{"no", 5}));
  const error e = chain_of(deepest, a_million).with_cause(chain_of(error{deepest, "x"}, a_million));
  CHECK(e.is(errc::exception));
  CHECK_FALSE(e.is(errc::timed_out));
  CHECK_FALSE(e.is(std::errc::timed_out));
  CHECK(e.as<payment::declined>()->amount == 5);
  CHECK(mentions(error{errc::cancelled}.with_cause(e), deepest));
  CHECK_FALSE(mentions(e, error{errc::cancelled}));
  const std::string text = to_string(e);
  CHECK(text.ends_with("… 999938 more causes"));
  CHECK(to_line(e).find("… 999986 more causes") != std::string::npos);
}

TEST_CASE("later errors nested a hundred thousand deep and wide are destroyed without recursion") {
  error e{errc::exception, "deepest"};
  for (int i = 0; i < 100'000; ++i)
    e = error{errc::exception, "x"}.with_later({e, error{errc::exception, "y"}}).with_cause(errc::timed_out);
  CHECK(mentions(e, e.later()[1]));
  CHECK_FALSE(mentions(e, error{errc::exception}));
  CHECK_FALSE(to_string(e).empty());
}

TEST_CASE("exceptions that carry errors that were exceptions are destroyed without recursion") {
  struct carrier : std::runtime_error {
    explicit carrier(error e) : std::runtime_error{"carrier"}, inner{std::move(e)} {}
    error inner;
  };
  error e{errc::exception, "deepest"};
  for (int i = 0; i < 100'000; ++i)
    e = error::from_exception(thrown(carrier{std::move(e)}));
  CHECK(e.as<carrier>() != nullptr);
}

TEST_CASE("a chain shared by eight threads is destroyed by whichever lets go last") {
  std::optional<error> shared = chain_of(error{errc::exception, "x"}, 10'000);
  std::vector<error> ends;
  for (int t = 0; t < 8; ++t)
    ends.push_back(error{*shared, "end"});
  shared.reset();
  std::latch together{8};
  std::vector<std::jthread> crowd;
  for (error& end : ends)
    crowd.emplace_back([&together, mine = std::move(end)]() mutable {
      together.arrive_and_wait();
      const error other = mine;
      mine = error{errc::cancelled};
      (void)other.is(errc::timed_out);
    });
}

TEST_CASE("the tree of an error explains itself") {
  const error refused = error{std::errc::connection_refused, "connecting to bank"}.with_path("site/checkout/bank");
  const error late = error{errc::timed_out, "deadline of 3s passed"}.with_path("site/checkout/inventory");
  const error e = error{refused, "charging card"}
                      .with_path("site/checkout/charge")
                      .with_later({late.with_cause(errc::cancelled), error{payment::trouble::declined}});
  CHECK(to_string(e) ==
        "site/checkout/charge: charging card [generic:111, Connection refused]\n"
        "  caused by: site/checkout/bank: connecting to bank [generic:111, Connection refused]\n"
        "  and then: site/checkout/inventory: deadline of 3s passed [muster:2, timed out]\n"
        "    caused by: cancelled [muster:1]\n"
        "  and then: declined [payment:7]");
}

TEST_CASE("messages of several lines stay inside their place in the tree") {
  const error e{error{errc::exception, "one\r\ntwo"}, "outer\nmore"};
  CHECK(to_string(e) ==
        "outer\n"
        "    more [muster:10, exception]\n"
        "  caused by: one\n"
        "      two [muster:10, exception]");
  CHECK(to_line(e) == "outer more: one two [muster:10, exception]");
}

TEST_CASE("an error in one line names path, messages, code and the number of later errors") {
  const error e{error{payment::trouble::declined}, "charging card"};
  CHECK(to_line(e.with_path("site/charge")) == "site/charge: charging card: declined [payment:7]");
  CHECK(to_line(e.with_later({errc::skipped})) == "charging card: declined [payment:7] (and 1 later error)");
  CHECK(to_line(e.with_later({errc::skipped, errc::skipped})) ==
        "charging card: declined [payment:7] (and 2 later errors)");
  CHECK(to_line(error{errc::cancelled}) == "cancelled [muster:1]");
  CHECK(to_line(error{error{errc::cancelled, "x: y"}, "while x: y"}) == "while x: y [muster:1, cancelled]");
}

TEST_CASE("a tree that is too deep or too long counts what it leaves out") {
  const std::string deep = to_string(chain_of(error{errc::skipped}, 66));
  CHECK(deep.ends_with(std::string(130, ' ') + "… 2 more causes"));
  CHECK(to_string(chain_of(error{errc::skipped}, 65)).ends_with("… 1 more cause"));
  CHECK(to_string(chain_of(error{errc::skipped}, 64)).ends_with("caused by: skipped [muster:3]"));

  std::vector<error> many;
  for (int i = 0; i < 1200; ++i)
    many.emplace_back(errc::skipped);
  many.push_back(error{errc::skipped}.with_cause(errc::cancelled));
  const std::string wide = to_string(error{errc::exception}.with_later(many));
  CHECK(wide.ends_with("\n  and then: skipped [muster:3]\n… 1 more cause and 202 more later errors"));
}

TEST_CASE("advice on when to try again is kept by copies and completions and found through wraps") {
  using namespace std::chrono_literals;
  const error plain{errc::skipped};
  CHECK_FALSE(muster::retry_after(plain).has_value());
  const error advised = plain.with_retry_after(3s);
  CHECK(same_origin(plain, advised));
  CHECK_FALSE(muster::retry_after(plain).has_value());
  CHECK(muster::retry_after(advised.with_path("site")) == std::chrono::nanoseconds{3s});
  const error wrapped{advised, "calling"};
  CHECK(muster::retry_after(wrapped) == std::chrono::nanoseconds{3s});
  CHECK(muster::retry_after(wrapped.with_retry_after(5s)) == std::chrono::nanoseconds{5s}); // the nearest
}
