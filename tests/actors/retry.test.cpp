// Retrying in a body: values, attempts, delays on the engine's clock, cancellation, deadlines, breakers, budgets.
#include "support.hpp"

#include "misuse.hpp"

#include "manager_actor.hpp"

#include <functional>
#include <stdexcept>
#include <vector>

#include <unistd.h>

using namespace support;
using muster::circuit_breaker;
using muster::jitter;
using muster::retry;
using muster::retry_budget;
using muster::retry_policy;

namespace {

/// Delays of a second, two, four, … without jitter.
const retry_policy plain{.attempts = 5, .first_delay = 1s, .factor = 2, .spread = jitter::none};

muster::result<int> broken() { return std::unexpected{muster::error{std::errc::io_error, "broken"}}; }

/// One task on a clock that stands still.
struct stage {
  std::shared_ptr<muster::manual_clock> clock = still_clock();
  muster::manager site{on(clock)};
  muster::scope crew = site.create_scope("crew", {.on_failure = muster::isolate});

  /// Runs `body` and lets time pass, however it does, until it has ended.
  template <class F>
  auto run(F body) {
    auto t = crew.execute("caller", std::move(body));
    while (!t.ready())
      clock->advance(500ms);
    return std::move(t).get();
  }
  /// Runs `body`, which sleeps exactly `sleeps`, one after another.
  template <class F>
  auto run(std::vector<muster::duration> sleeps, F body, muster::duration timeout = muster::no_timeout) {
    auto t = crew.execute({.name = "caller", .timeout = timeout}, std::move(body));
    for (const auto d : sleeps) {
      await([&] {
        for (const auto& node : crew.tree().nodes)
          if (node.name == "caller" && node.waits_for == "sleep" && node.waiting_since == 0s)
            return true; // a sleep that began now, and not the one before
        return false;
      });
      clock->advance(d);
    }
    return std::move(t).get();
  }
  /// Cause and value of every event of this kind in the trace whose text has this part.
  [[nodiscard]] std::vector<muster::event> events_of(muster::event_kind kind, std::string part = {}) const {
    std::vector<muster::event> found;
    auto& trace = site.actor()->engine().trace();
    for (const auto& e : trace.snapshot())
      if (e.kind == kind && contains(trace.text(e.text), part))
        found.push_back(e);
    return found;
  }
  /// The time since the beginning.
  [[nodiscard]] static std::string at(const context& ctx, muster::time_point start) {
    return std::to_string((ctx.now() - start) / 1ms) + "ms";
  }
};

} // namespace

TEST_CASE("a first success is returned at once") {
  stage s;
  CHECK(s.run([](context& ctx) { return retry(ctx, plain, [] { return 7; }); }).value() == 7);
}

TEST_CASE("a retried function is told its attempt and sleeps its delays on the engine's clock") {
  stage s;
  journal made;
  const auto out = s.run({1s, 2s, 4s}, [&](context& ctx) {
    const auto start = ctx.now();
    return retry(ctx, plain, [&](context& c, std::size_t attempt) -> muster::result<int> {
      made.write(std::to_string(attempt) + " at " + stage::at(c, start));
      return attempt < 4 ? broken() : 7;
    });
  });
  CHECK(out.value() == 7);
  CHECK(made.lines() == lines{"1 at 0ms", "2 at 1000ms", "3 at 3000ms", "4 at 7000ms"});
}

TEST_CASE("functions that take the context or nothing and return a value a result or nothing are retried") {
  stage s;
  CHECK(s.run([](context& ctx) { return retry(ctx, plain, [](context& c) { return c.path(); }); }).value() ==
        "site/crew/caller");
  CHECK(s.run([](context& ctx) { return retry(ctx, plain, [] {}); }).ok());
  CHECK(s.run([](context& ctx) { return retry(ctx, plain, []() -> muster::result<void> { return {}; }); }).ok());
  CHECK(*s.run([](context& ctx) { return retry(ctx, plain, [] { return std::make_unique<int>(3); }); }).value() == 3);
}

TEST_CASE("when the attempts are over the last error is returned with how many there were") {
  stage s;
  int calls = 0;
  const auto out = s.run([&](context& ctx) {
    return retry(ctx, plain, [&]() -> muster::result<int> {
      return std::unexpected{muster::error{std::errc::io_error, "broken " + std::to_string(++calls)}};
    });
  });
  REQUIRE(out.failed());
  CHECK(calls == 5);
  CHECK(out.error().code() == std::errc::io_error);
  CHECK(out.error().message() == "gave up after 5 attempts: no attempts are left");
  REQUIRE(out.error().cause() != nullptr);
  CHECK(out.error().cause()->message() == "broken 5");
}

TEST_CASE("exceptions are retried and the last one is preserved") {
  stage s;
  const auto out = s.run([](context& ctx) {
    return retry(ctx, {.attempts = 2, .first_delay = 1s}, [](context&, std::size_t attempt) -> int {
      throw std::out_of_range{"attempt " + std::to_string(attempt)};
    });
  });
  REQUIRE(out.failed());
  REQUIRE(out.error().as<std::out_of_range>() != nullptr);
  CHECK(out.error().as<std::out_of_range>()->what() == std::string{"attempt 2"});
}

TEST_CASE("an error that retry_if calls final comes back as it is") {
  stage s;
  auto policy = plain;
  policy.retry_if = [](const muster::error& e) { return e.code() == std::errc::io_error; };
  const auto out = s.run([&](context& ctx) {
    return retry(ctx, policy, [](context&, std::size_t attempt) -> muster::result<int> {
      if (attempt == 1)
        return broken();
      return std::unexpected{muster::error{std::errc::permission_denied, "never"}};
    });
  });
  CHECK(out.error().message() == "never");
  CHECK(out.error().cause() == nullptr);
}

TEST_CASE("a cancellation is never retried even if the task was not asked to stop") {
  stage s;
  int calls = 0;
  const auto out = s.run([&](context& ctx) {
    return retry(ctx, plain, [&]() -> muster::result<int> {
      ++calls;
      return std::unexpected{muster::error{errc::cancelled, "elsewhere"}};
    });
  });
  CHECK(calls == 1);
  CHECK(out.error().message() == "elsewhere");
}

TEST_CASE("a task that is asked to stop while it sleeps makes no further attempt") {
  stage s;
  std::atomic<int> calls = 0;
  auto t = s.crew.execute("caller", [&](context& ctx) {
    return retry(ctx, plain, [&] {
      calls.fetch_add(1);
      return broken();
    });
  });
  await([&] { return waits(s.crew.tree(), "caller"); });
  t.cancel("enough");
  CHECK(t.get().cancelled());
  CHECK(calls == 1);
  CHECK(contains(to_line(t.get().error()), "enough"));
  CHECK(contains(to_line(t.get().error()), "broken"));
}

TEST_CASE("a task that is asked to stop during an attempt makes no further one") {
  stage s;
  std::atomic<int> calls = 0;
  auto t = s.crew.execute("caller", [&](context& ctx) {
    return retry(ctx, plain, [&](context& c) -> muster::result<int> {
      calls.fetch_add(1);
      c.wait_until_cancelled();
      return broken();
    });
  });
  await([&] { return waits(s.crew.tree(), "caller"); });
  t.cancel();
  CHECK(t.get().cancelled());
  CHECK(calls == 1);
}

TEST_CASE("no sleep is begun that would end at the deadline or after it") {
  stage s;
  const auto start = s.clock->now();
  const auto out = s.run(
      {1s}, [&](context& ctx) { return retry(ctx, plain, broken); }, 3s); // 2 s more: the deadline
  REQUIRE(out.failed());                                                  // and not timed out
  CHECK(out.error().message() == "gave up after 2 attempts: the deadline comes before the next");
  CHECK(s.clock->now() - start == 1s);
}

TEST_CASE("no attempt begins after the time allowed for all") {
  stage s;
  auto policy = plain;
  policy.most_elapsed = 5s;
  const auto out = s.run({1s, 2s}, [&](context& ctx) { return retry(ctx, policy, broken); });
  CHECK(out.error().message() == "gave up after 3 attempts: the next would begin after the 5s allowed");
}

TEST_CASE("a retry waits as long as an open breaker asks for") {
  stage s;
  circuit_breaker b{s.site, 1, 30s};
  journal made;
  const auto out = s.run({1s, 29s}, [&](context& ctx) {
    const auto start = ctx.now();
    return retry(ctx, plain, [&](context& c, std::size_t attempt) {
      made.write(std::to_string(attempt) + " at " + stage::at(c, start));
      return b.execute(c, [&] { return attempt == 1 ? broken() : 7; });
    });
  });
  CHECK(out.value() == 7);
  // The second, after its own second, is refused for another 29.
  CHECK(made.lines() == lines{"1 at 0ms", "2 at 1000ms", "3 at 30000ms"});
}

TEST_CASE("an error of one's own may ask for a longer delay") {
  stage s;
  journal made;
  const auto out = s.run({9s}, [&](context& ctx) {
    const auto start = ctx.now();
    return retry(ctx, plain, [&](context& c, std::size_t attempt) -> muster::result<int> {
      made.write(stage::at(c, start));
      if (attempt > 1)
        return 7;
      return std::unexpected{
          muster::error{muster::error{std::errc::io_error, "busy"}.with_retry_after(9s), "asking politely"}};
    });
  });
  CHECK(out.value() == 7);
  CHECK(made.lines() == lines{"0ms", "9000ms"});
}

TEST_CASE("a shared budget ends retries when it is spent") {
  stage s;
  retry_budget budget{0.5, 2};
  auto policy = plain;
  policy.budget = &budget;
  const auto first = s.run([&](context& ctx) { return retry(ctx, policy, broken); });
  CHECK(first.error().message() == "gave up after 3 attempts: the retry budget is spent");
  const auto second = s.run([&](context& ctx) { return retry(ctx, policy, broken); });
  CHECK(second.error().message() == "gave up after 1 attempt: the retry budget is spent");
  const auto third = s.run([&](context& ctx) { return retry(ctx, policy, broken); });
  CHECK(third.error().message() == "gave up after 2 attempts: the retry budget is spent");
}

TEST_CASE("equal seeds sleep equally") {
  const auto delays = [](std::uint64_t seed) {
    stage s;
    CHECK(s.run([&](context& ctx) { return retry(ctx, {.attempts = 4, .seed = seed}, broken); }).failed());
    std::vector<std::int64_t> all;
    for (const auto& e : s.events_of(muster::event_kind::retry_scheduled))
      all.push_back(e.value);
    return all;
  };
  CHECK(delays(3).size() == 3);
  CHECK(delays(3) == delays(3));
  CHECK(delays(3) != delays(4));
}

TEST_CASE("every retry and the giving up are in the trace with their causes") {
  stage s;
  CHECK(s.run([&](context& ctx) { return retry(ctx, {.attempts = 3, .spread = jitter::none}, broken); }).failed());
  const auto retries = s.events_of(muster::event_kind::retry_scheduled, "broken");
  REQUIRE(retries.size() == 2);
  CHECK(retries[0].value == muster::duration{100ms}.count());
  CHECK(retries[1].value == muster::duration{200ms}.count());
  const auto ends = s.events_of(muster::event_kind::retry_gave_up, "gave up after 3 attempts");
  REQUIRE(ends.size() == 1);
  CHECK(ends[0].value == 3);
  CHECK(0 < retries[0].cause);
  CHECK(retries[0].cause < retries[1].cause);
  CHECK(retries[1].cause < ends[0].cause);
}

TEST_CASE("retrying an empty function is misuse") {
  CHECK(contains(assertion_of([] {
                   stage s;
                   static_cast<void>(s.run([](context& ctx) { return retry(ctx, plain, std::function<int()>{}); }));
                 }),
                 "empty function"));
}
