/// The decisions of retry_schedule.hpp, and the budget.
#include "retry_schedule.hpp"

#include <muster/assert.hpp>

#include <algorithm>

namespace muster {

namespace {

constexpr double token = 1'000'000;

/// The first of its two steps is Weyl's sequence, the second Stafford's mix (Steele, Lea, Flood: splittable
/// generators).
std::uint64_t next_random(std::uint64_t& state) noexcept {
  std::uint64_t z = (state += 0x9E3779B97F4A7C15U);
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31U);
}

const retry_policy& checked(const retry_policy& p) {
  MUSTER_ASSERT(p.attempts > 0, "a retry policy allows at least one attempt: the first");
  MUSTER_ASSERT(p.first_delay >= duration{}, "a retry policy's first_delay is not negative");
  MUSTER_ASSERT(p.factor >= 1, "a retry policy's factor is 1 or more");
  MUSTER_ASSERT(p.most_delay >= p.first_delay, "a retry policy's most_delay is not less than its first_delay");
  MUSTER_ASSERT(p.most_elapsed > duration{}, "a retry policy's most_elapsed is a time greater than zero");
  return p;
}

} // namespace

// -- the budget -------------------------------------------------------------------------------------------------------

retry_budget::retry_budget(double ratio, double reserve)
    : each_call_(static_cast<std::uint64_t>(ratio * token + 0.5)),
      most_(static_cast<std::uint64_t>(reserve * token + 0.5)),
      tokens_(most_) {
  MUSTER_ASSERT(ratio > 0 && ratio <= 1, "a retry budget's ratio is above 0 and at most 1");
  MUSTER_ASSERT(reserve >= 1 && reserve <= 1e12, "a retry budget's reserve is at least one retry");
}

void retry_budget::deposit() noexcept {
  auto have = tokens_.load(std::memory_order_relaxed);
  while (have < most_ &&
         !tokens_.compare_exchange_weak(have, std::min(most_, have + each_call_), std::memory_order_relaxed))
    continue;
}

bool retry_budget::withdraw() noexcept {
  constexpr auto one = static_cast<std::uint64_t>(token);
  auto have = tokens_.load(std::memory_order_relaxed);
  while (have >= one)
    if (tokens_.compare_exchange_weak(have, have - one, std::memory_order_relaxed))
      return true;
  return false;
}

std::size_t retry_budget::available() const noexcept {
  return tokens_.load(std::memory_order_relaxed) / static_cast<std::uint64_t>(token);
}

// -- the schedule -----------------------------------------------------------------------------------------------------

namespace detail {

retry_schedule::retry_schedule(const retry_policy& policy, std::uint64_t seed, time_point start)
    : policy_(checked(policy)),
      start_(start),
      random_(policy.seed.value_or(seed)),
      delay_(policy.first_delay) {
  if (policy_.budget)
    policy_.budget->deposit();
}

duration retry_schedule::spread(duration d) noexcept {
  if (policy_.spread == jitter::none)
    return d;
  const auto fixed = policy_.spread == jitter::equal ? d / 2 : duration{};
  // The span is at most 2^63 - 1, so there is one more value than that; the bias of the remainder is below 2^-30 for
  // spans up to seconds, and does no harm beyond.
  const auto span = static_cast<std::uint64_t>((d - fixed).count()) + 1;
  return fixed + duration{static_cast<duration::rep>(next_random(random_) % span)};
}

retry_schedule::decision retry_schedule::next(time_point now, time_point deadline, duration at_least) {
  if (attempt_ >= policy_.attempts)
    return {std::nullopt, retry_end::attempts};
  const auto delay = std::max(spread(delay_), at_least);
  const auto begins = saturating_add(now, delay);
  if (begins > saturating_add(start_, policy_.most_elapsed))
    return {std::nullopt, retry_end::elapsed};
  if (begins >= deadline && deadline != never)
    return {std::nullopt, retry_end::deadline};
  if (policy_.budget && !policy_.budget->withdraw())
    return {std::nullopt, retry_end::budget};
  const double longer = static_cast<double>(delay_.count()) * policy_.factor;
  // Asked this way round so that no number at all (a delay of zero by an infinite factor) is the longest delay too.
  delay_ = longer < static_cast<double>(policy_.most_delay.count()) ? duration{static_cast<duration::rep>(longer)}
                                                                    : policy_.most_delay;
  ++attempt_;
  return {delay, {}};
}

} // namespace detail
} // namespace muster
