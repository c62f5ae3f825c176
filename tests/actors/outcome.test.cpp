// One outcome: every task ends in exactly one of five ways, and what its body made or said is in it.
#include "support.hpp"

#include <expected>
#include <functional>
#include <stdexcept>
#include <system_error>

using namespace support;

namespace {

enum class till { empty = 1, jammed = 2 };
struct till_category_type final : std::error_category {
  [[nodiscard]] const char* name() const noexcept override { return "till"; }
  [[nodiscard]] std::string message(int) const override { return "till trouble"; }
};
const till_category_type till_category;
[[maybe_unused]] std::error_code make_error_code(till code) { return {static_cast<int>(code), till_category}; }

/// Runs one body alone in a scope and hands its task back, ended.
template <class F>
auto run_alone(muster::manager& site, F body) {
  auto crew = site.create_scope("crew");
  auto task = crew.execute("worker", std::move(body));
  static_cast<void>(crew.wait());
  return task;
}

} // namespace

template <>
struct std::is_error_code_enum<till> : std::true_type {};

TEST_CASE("a body that returns a value ends ok with it") {
  muster::manager site{standing_still()};
  const auto task = run_alone(site, [] { return 42; });
  REQUIRE(task.get().ok());
  CHECK(task.get().kind() == outcome_kind::ok);
  CHECK(task.get().value() == 42);
  CHECK_FALSE(task.get().late());
  CHECK_FALSE(task.get().reason());
  CHECK(task.get().as_result() == 42);
}

TEST_CASE("a body that returns nothing ends ok") {
  muster::manager site{standing_still()};
  const muster::task<void> task = run_alone(site, [] {});
  CHECK(task.get().ok());
  CHECK(task.get().as_result());
}

TEST_CASE("a body may take the context or nothing and may be an lvalue that is copied") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  const auto body = [](context& ctx) { return ctx.name(); };
  auto a = crew.execute("a", body);
  auto b = crew.execute("b", body);
  std::function<int()> erased = [] { return 3; };
  auto c = crew.execute("c", erased);
  CHECK(crew.wait());
  CHECK(a.get().value() == "a");
  CHECK(b.get().value() == "b");
  CHECK(c.get().value() == 3);
  CHECK(erased() == 3);
}

TEST_CASE("a value that can only be moved is moved out by the last word") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  auto captured = std::make_unique<int>(5);
  auto task = crew.execute("worker", [captured = std::move(captured)]() mutable { return std::move(captured); });
  CHECK(crew.wait());
  auto outcome = std::move(task).get();
  REQUIRE(outcome.ok());
  CHECK(*std::move(outcome).value() == 5);
}

TEST_CASE("a body that returns an error ends failed with that error and the task's path") {
  muster::manager site{standing_still()};
  const auto task = run_alone(site, []() -> muster::result<int> {
    return std::unexpected{muster::error{till::jammed, "the drawer does not open"}};
  });
  REQUIRE(task.get().failed());
  const auto& why = task.get().error();
  CHECK(why.code() == till::jammed);
  CHECK(why.message() == "the drawer does not open");
  CHECK(why.path() == "site/crew/worker");
  CHECK(why.cause() == nullptr);
  CHECK_FALSE(task.get().as_result());
}

TEST_CASE("an error that has a path already keeps it") {
  muster::manager site{standing_still()};
  const auto task = run_alone(site, []() -> muster::result<void> {
    return std::unexpected{muster::error{till::empty}.with_path("elsewhere")};
  });
  CHECK(task.get().error().path() == "elsewhere");
}

TEST_CASE("a body may return an expected with any error that converts") {
  muster::manager site{standing_still()};
  const muster::task<int> coded = run_alone(
      site, []() -> std::expected<int, std::error_code> { return std::unexpected{make_error_code(till::empty)}; });
  const muster::task<int> listed =
      run_alone(site, []() -> std::expected<int, till> { return std::unexpected{till::jammed}; });
  const muster::task<int> good = run_alone(site, []() -> std::expected<int, till> { return 9; });
  CHECK(coded.get().error().code() == till::empty);
  CHECK(coded.get().error().path() == "site/crew/worker");
  CHECK(listed.get().error().code() == till::jammed);
  CHECK(good.get().value() == 9);
}

TEST_CASE("a body that throws ends failed and the exception is kept with its text") {
  muster::manager site{standing_still()};
  const auto task = run_alone(site, []() -> int { throw std::runtime_error{"no more nails"}; });
  REQUIRE(task.get().failed());
  const auto& why = task.get().error();
  CHECK(why.is(errc::exception));
  CHECK(why.message() == "no more nails");
  CHECK(why.path() == "site/crew/worker");
  REQUIRE(why.as<std::runtime_error>() != nullptr);
  CHECK(std::string{why.as<std::runtime_error>()->what()} == "no more nails");
}

TEST_CASE("a body that throws something that is no std::exception ends failed") {
  muster::manager site{standing_still()};
  const auto task = run_alone(site, []() -> int { throw 42; });
  REQUIRE(task.get().failed());
  CHECK(task.get().error().is(errc::exception));
  CHECK(task.get().error().path() == "site/crew/worker");
  REQUIRE(task.get().error().as<int>() != nullptr);
  CHECK(*task.get().error().as<int>() == 42);
}

TEST_CASE("a std::system_error that escapes passes its code on unchanged") {
  muster::manager site{standing_still()};
  const auto task = run_alone(site, [] { throw std::system_error{make_error_code(till::jammed), "opening"}; });
  CHECK(task.get().failed());
  CHECK(task.get().error().code() == till::jammed);
}

TEST_CASE("value() of a failed result is fine in a body: the task ends with that very error") {
  muster::manager site{standing_still()};
  const muster::error original{till::empty, "nothing in it"};
  const auto task = run_alone(site, [&] {
    const muster::result<int> got = std::unexpected{original};
    return got.value();
  });
  REQUIRE(task.get().failed());
  CHECK(same_origin(task.get().error(), original));
  CHECK(task.get().error().code() == till::empty);
  CHECK(task.get().error().message() == "nothing in it");
  CHECK(task.get().error().path() == "site/crew/worker");
}

TEST_CASE("an error that a body wraps keeps code and identity and gains the message") {
  muster::manager site{standing_still()};
  const muster::error original{till::empty, "nothing in it"};
  const auto task = run_alone(site, [&]() -> muster::result<void> {
    return std::unexpected{muster::error{original, "paying out"}};
  });
  const auto& why = task.get().error();
  CHECK(why.message() == "paying out");
  CHECK(why.code() == till::empty);
  CHECK(same_origin(why, original));
  REQUIRE(why.cause() != nullptr);
  CHECK(why.cause()->message() == "nothing in it");
}

TEST_CASE("a value whose move throws makes the task fail") {
  struct sticky {
    sticky() = default;
    sticky(const sticky&) = delete;
    sticky(sticky&&) { throw std::runtime_error{"it sticks"}; }
  };
  muster::manager site{standing_still()};
  const muster::task<sticky> task =
      run_alone(site, []() -> muster::result<sticky> { return muster::result<sticky>{std::in_place}; });
  REQUIRE(task.get().failed());
  CHECK(task.get().error().message() == "it sticks");
}

TEST_CASE("what copying a callable throws comes out of execute and the scope goes on") {
  struct reluctant {
    bool* refuse;
    explicit reluctant(bool& flag) : refuse{&flag} {}
    reluctant(const reluctant& other) : refuse{other.refuse} {
      if (*refuse)
        throw std::runtime_error{"not twice"};
    }
    void operator()() const {}
  };
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  bool refuse = true;
  const reluctant body{refuse};
  CHECK_THROWS_AS(crew.execute("worker", body), std::runtime_error);
  refuse = false;
  CHECK(crew.execute("worker", body).get().ok());
  CHECK(crew.wait());
  CHECK(site.stats().tasks_live == 0);
}

TEST_CASE("a value that was made after the task had been asked to stop stands and is late") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  auto task = crew.execute("worker", [](context& ctx) {
    ctx.wait_until_cancelled();
    return 8;
  });
  await_start(task);
  task.cancel("enough");
  REQUIRE(task.get().ok());
  CHECK(task.get().value() == 8);
  CHECK(task.get().late());
  CHECK(task.get().reason().kind() == cancel_kind::user);
  CHECK(task.get().reason().text() == "enough");
  CHECK(crew.wait());
}

TEST_CASE("once asked to stop a body that ends with an error is cancelled and that error is the cause") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  gate started;
  auto task = crew.execute("worker", [&](context& ctx) -> muster::result<void> {
    started.open();
    ctx.wait_until_cancelled();
    return std::unexpected{muster::error{till::jammed, "could not close it"}};
  });
  started.wait();
  crew.cancel("enough");
  REQUIRE(task.get().cancelled());
  CHECK(task.get().error().is(errc::cancelled));
  CHECK(task.get().error().code() == errc::cancelled);
  CHECK(task.get().error().is(make_error_code(till::jammed)));
  CHECK(task.get().late());
  const auto ended = error_of(crew.wait());
  CHECK(ended.code() == errc::cancelled);
  REQUIRE(ended.later().size() == 1);
  CHECK(ended.later()[0].is(make_error_code(till::jammed)));
}

TEST_CASE("once asked to stop a body that throws is cancelled and the exception is among the causes") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  gate started;
  auto task = crew.execute("worker", [&](context& ctx) {
    started.open();
    ctx.wait_until_cancelled();
    throw std::logic_error{"clumsy"};
  });
  started.wait();
  crew.cancel();
  REQUIRE(task.get().cancelled());
  REQUIRE(task.get().error().as<std::logic_error>() != nullptr);
  CHECK(mentions(error_of(crew.wait()), task.get().error()));
  CHECK(error_of(crew.wait()).later().size() == 1);
}

TEST_CASE("a cancellation error of a body that was asked to stop is no later error") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  gate started[2];
  auto returned = crew.execute("returned", [&](context& ctx) -> muster::result<void> {
    started[0].open();
    return ctx.sleep_for(1h);
  });
  auto thrown = crew.execute("thrown", [&](context& ctx) {
    started[1].open();
    ctx.wait_until_cancelled();
    ctx.throw_if_cancelled();
  });
  started[0].wait();
  started[1].wait();
  crew.cancel();
  CHECK(returned.get().cancelled());
  CHECK(thrown.get().cancelled());
  CHECK(error_of(crew.wait()).code() == errc::cancelled);
  CHECK(error_of(crew.wait()).later().empty());
}

TEST_CASE("a handle shows where its task is") {
  CHECK_FALSE(muster::task<int>{}.valid());
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew", {.max_parallel = 1});
  gate started;
  gate go;
  const let_go at_end{go};
  auto first = crew.execute("first", [&] {
    started.open();
    go.wait();
  });
  auto held = crew.execute("held", succeeds);
  auto waiting = crew.execute({.name = "waiting", .after = {held}}, succeeds);
  started.wait();
  CHECK(first.valid());
  CHECK(first.state() == muster::task_state::running);
  CHECK_FALSE(first.ready());
  CHECK(first.peek() == nullptr);
  CHECK(held.state() == muster::task_state::held);
  CHECK(waiting.state() == muster::task_state::waiting);
  CHECK(error_of(first.wait_for(0s)).code() == errc::not_ready);
  go.open();
  CHECK(waiting.get().ok());
  for (const muster::task_handle& each : {muster::task_handle{first}, muster::task_handle{held}}) {
    CHECK(each.ready());
    CHECK(each.state() == muster::task_state::ended);
    REQUIRE(each.peek() != nullptr);
    CHECK(each.peek()->ok());
  }
  CHECK(crew.wait());
}

TEST_CASE("outcomes and states have their words") {
  CHECK(to_string(outcome_kind::ok) == "ok");
  CHECK(to_string(outcome_kind::failed) == "failed");
  CHECK(to_string(outcome_kind::timed_out) == "timed_out");
  CHECK(to_string(outcome_kind::cancelled) == "cancelled");
  CHECK(to_string(outcome_kind::skipped) == "skipped");
  CHECK(to_string(muster::task_state::held) == "held");
}

TEST_CASE("many threads may ask one task and all see the same outcome") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  gate go;
  const let_go at_end{go};
  auto task = crew.execute("worker", [&] {
    go.wait();
    return std::string{"one value"};
  });
  std::vector<const void*> seen(8);
  std::vector<std::thread> askers;
  for (auto& place : seen)
    askers.emplace_back([&place, task] { place = &task.get().value(); });
  go.open();
  for (auto& each : askers)
    each.join();
  for (const void* place : seen)
    CHECK(place == &task.get().value());
}
