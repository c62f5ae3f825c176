/// When a failed attempt is made again: delays, jitter, limits and the budget, without threads or a clock.
#include "retry_schedule.hpp"

#include "../catch.hpp"
#include "misuse.hpp"

#include <limits>
#include <random>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using muster::duration;
using muster::jitter;
using muster::never;
using muster::retry_budget;
using muster::retry_policy;
using muster::time_point;
using muster::detail::retry_end;
using muster::detail::retry_schedule;
using support::assertion_of;

namespace {

constexpr time_point start{1h};

/// All delays until it gives up, each attempt failing at once.
std::vector<duration> delays(const retry_policy& policy, std::uint64_t seed = 1, std::size_t most = 50) {
  retry_schedule schedule{policy, seed, start};
  std::vector<duration> all;
  auto now = start;
  while (all.size() < most) {
    const auto next = schedule.next(now, never);
    if (!next.delay)
      break;
    all.push_back(*next.delay);
    now += *next.delay;
  }
  return all;
}

} // namespace

TEST_CASE("delays grow by the factor up to the cap and end with the attempts", "[retry_schedule]") {
  const retry_policy policy{.attempts = 6, .first_delay = 100ms, .factor = 3, .most_delay = 1s, .spread = jitter::none};
  CHECK(delays(policy) == std::vector<duration>{100ms, 300ms, 900ms, 1s, 1s});
}

TEST_CASE("one attempt is none more", "[retry_schedule]") {
  const retry_policy policy{.attempts = 1};
  retry_schedule schedule{policy, 1, start};
  CHECK(schedule.attempt() == 1);
  const auto next = schedule.next(start, never);
  CHECK_FALSE(next.delay);
  CHECK(next.why == retry_end::attempts);
  CHECK(schedule.attempt() == 1);
}

TEST_CASE("attempts are numbered from one", "[retry_schedule]") {
  const retry_policy policy{.attempts = 3};
  retry_schedule schedule{policy, 1, start};
  CHECK(schedule.next(start, never).delay);
  CHECK(schedule.attempt() == 2);
  CHECK(schedule.next(start, never).delay);
  CHECK(schedule.attempt() == 3);
  CHECK(schedule.next(start, never).why == retry_end::attempts);
}

TEST_CASE("full jitter is between zero and the delay and equal jitter in its upper half", "[retry_schedule]") {
  bool low = false;
  bool high = false;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    const retry_policy full{.attempts = 2, .first_delay = 100ms, .spread = jitter::full};
    const auto d = delays(full, seed).front();
    CHECK(d >= 0s);
    CHECK(d <= 100ms);
    low = low || d < 5ms;
    high = high || d > 95ms;
    const retry_policy equal{.attempts = 2, .first_delay = 100ms, .spread = jitter::equal};
    const auto e = delays(equal, seed).front();
    CHECK(e >= 50ms);
    CHECK(e <= 100ms);
  }
  CHECK(low);
  CHECK(high);
}

TEST_CASE("jitter does not change how the delays grow", "[retry_schedule]") {
  const retry_policy policy{.attempts = 20, .first_delay = 1ms, .factor = 2, .most_delay = 1s, .spread = jitter::equal};
  duration whole = 1ms;
  for (const auto d : delays(policy)) {
    CHECK(d >= whole / 2);
    CHECK(d <= whole);
    whole = std::min<duration>(1s, whole * 2);
  }
}

TEST_CASE("equal seeds give equal delays and other seeds others", "[retry_schedule]") {
  retry_policy policy{.attempts = 20};
  CHECK(delays(policy, 7) == delays(policy, 7));
  CHECK(delays(policy, 7) != delays(policy, 8));
  policy.seed = 42;
  CHECK(delays(policy, 7) == delays(policy, 8));
}

TEST_CASE("a delay of zero is kept with every jitter", "[retry_schedule]") {
  for (const auto spread : {jitter::full, jitter::equal, jitter::none}) {
    const retry_policy policy{.attempts = 3, .first_delay = 0s, .spread = spread};
    CHECK(delays(policy) == std::vector<duration>{0s, 0s});
  }
}

TEST_CASE("delays without a cap never overflow", "[retry_schedule]") {
  const retry_policy policy{
      .attempts = 100, .first_delay = 1h, .factor = 1000, .most_delay = duration::max(), .spread = jitter::none};
  retry_schedule schedule{policy, 1, start};
  duration last{};
  while (true) {
    const auto next = schedule.next(start, never);
    if (!next.delay)
      break;
    CHECK(*next.delay >= last);
    last = *next.delay;
  }
  CHECK(last == duration::max());
}

TEST_CASE("an infinite factor goes to the longest delay, from zero too", "[retry_schedule]") {
  for (const auto first : {0ms, 1ms}) {
    const retry_policy policy{.attempts = 3, .first_delay = first, .factor = std::numeric_limits<double>::infinity(),
                              .most_delay = 1s, .spread = jitter::none};
    CHECK(delays(policy) == std::vector<duration>{first, 1s});
  }
}

TEST_CASE("the next attempt may begin exactly when the time allowed is over and not later", "[retry_schedule]") {
  const retry_policy policy{.attempts = 9, .first_delay = 1s, .factor = 1, .spread = jitter::none, .most_elapsed = 5s};
  retry_schedule exactly{policy, 1, start};
  CHECK(exactly.next(start + 4s, never).delay);
  retry_schedule later{policy, 1, start};
  const auto next = later.next(start + 4s + 1ns, never);
  CHECK_FALSE(next.delay);
  CHECK(next.why == retry_end::elapsed);
}

TEST_CASE("no attempt begins at the deadline or after it", "[retry_schedule]") {
  const retry_policy policy{.attempts = 9, .first_delay = 1s, .factor = 1, .spread = jitter::none};
  retry_schedule schedule{policy, 1, start};
  CHECK(schedule.next(start, start + 1s + 1ns).delay);
  const auto next = schedule.next(start, start + 1s);
  CHECK_FALSE(next.delay);
  CHECK(next.why == retry_end::deadline);
}

TEST_CASE("what the error asks for counts when it is longer than the delay", "[retry_schedule]") {
  const retry_policy policy{.attempts = 9, .first_delay = 1s, .factor = 2, .spread = jitter::none};
  retry_schedule schedule{policy, 1, start};
  CHECK(schedule.next(start, never, 500ms).delay == duration{1s});
  CHECK(schedule.next(start, never, 1min).delay == duration{1min});
  CHECK(schedule.next(start, never).delay == duration{4s}); // it does not change how they grow
  CHECK(schedule.next(start, start + 1min, 1min).why == retry_end::deadline);
}

TEST_CASE("a budget lets its reserve through and then its part of the calls", "[retry_schedule]") {
  retry_budget budget{0.25, 2};
  CHECK(budget.available() == 2);
  CHECK(budget.withdraw());
  CHECK(budget.withdraw());
  CHECK_FALSE(budget.withdraw());
  for (int i = 0; i < 3; ++i)
    budget.deposit();
  CHECK_FALSE(budget.withdraw());
  budget.deposit(); // the fourth quarter
  CHECK(budget.withdraw());
  CHECK_FALSE(budget.withdraw());
  for (int i = 0; i < 1000; ++i)
    budget.deposit();
  CHECK(budget.available() == 2); // never more than the reserve
}

TEST_CASE("a schedule puts its call into the budget and takes a token for a retry only", "[retry_schedule]") {
  retry_budget budget{1, 2};
  CHECK(budget.withdraw());
  CHECK(budget.withdraw());
  const retry_policy policy{.attempts = 9, .first_delay = 1s, .spread = jitter::none, .budget = &budget};
  retry_schedule schedule{policy, 1, start};
  CHECK(budget.available() == 1);
  CHECK(schedule.next(start, start + 1s).why == retry_end::deadline); // nothing taken
  CHECK(budget.available() == 1);
  CHECK(schedule.next(start, never).delay);
  CHECK(budget.available() == 0);
  const auto next = schedule.next(start, never);
  CHECK_FALSE(next.delay);
  CHECK(next.why == retry_end::budget);
}

TEST_CASE("a budget shared by threads gives out no more than it holds", "[retry_schedule]") {
  retry_budget budget{0.5, 1000};
  std::atomic<int> taken = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i)
        if (budget.withdraw())
          taken.fetch_add(1);
    });
  for (auto& t : threads)
    t.join();
  CHECK(taken == 1000);
  CHECK(budget.available() == 0);
}

TEST_CASE("random policies keep every limit", "[retry_schedule]") {
  std::mt19937_64 dice{2024};
  for (int life = 0; life < 5000; ++life) {
    retry_budget budget{0.01 * static_cast<double>(1 + dice() % 100), static_cast<double>(1 + dice() % 5)};
    const auto reserve = budget.available();
    const retry_policy policy{.attempts = 1 + dice() % 8,
                              .first_delay = std::chrono::milliseconds{dice() % 500},
                              .factor = 1 + static_cast<double>(dice() % 30) / 10,
                              .most_delay = std::chrono::milliseconds{500 + dice() % 2000},
                              .spread = static_cast<jitter>(dice() % 3),
                              .most_elapsed = std::chrono::milliseconds{1 + dice() % 8000},
                              .budget = dice() % 2 ? &budget : nullptr};
    const auto deadline = dice() % 2 ? never : start + std::chrono::milliseconds{dice() % 5000};
    retry_schedule schedule{policy, dice(), start};
    auto now = start;
    std::size_t retries = 0;
    for (;;) {
      now += std::chrono::milliseconds{dice() % 300};
      const auto next = schedule.next(now, deadline);
      if (!next.delay)
        break;
      ++retries;
      now += *next.delay;
      REQUIRE(*next.delay >= 0s);
      REQUIRE(*next.delay <= policy.most_delay);
      REQUIRE(now - start <= policy.most_elapsed);
      REQUIRE(now < deadline);
      REQUIRE(schedule.attempt() == retries + 1);
    }
    REQUIRE(retries < policy.attempts);
    if (policy.budget)
      REQUIRE(retries <= reserve);
  }
}

TEST_CASE("policies and budgets that make no sense are refused with a sentence", "[retry_schedule]") {
  const auto said = [](const retry_policy& p) { return assertion_of([&] { retry_schedule{p, 1, start}; }); };
  CHECK(said(retry_policy{}).empty());
  CHECK(said(retry_policy{.attempts = 0}).contains("at least one attempt"));
  CHECK(said(retry_policy{.first_delay = -1s}).contains("first_delay"));
  CHECK(said(retry_policy{.factor = 0.5}).contains("factor"));
  CHECK(said(retry_policy{.most_delay = 1ms}).contains("most_delay"));
  CHECK(said(retry_policy{.most_elapsed = 0s}).contains("most_elapsed"));
  for (const double ratio : {0.0, -1.0, 1.1, std::numeric_limits<double>::quiet_NaN()})
    CHECK(assertion_of([&] { retry_budget{ratio, 1}; }).contains("ratio"));
  CHECK(assertion_of([&] { retry_budget{0.5, 0.5}; }).contains("reserve"));
}
