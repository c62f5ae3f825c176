/// When a failed attempt is made again, and when not any more. Pure: no clock, no thread; the moment is given.
///
/// Owner: one call of `retry`. Delays grow by the policy's factor up to its cap, then the jitter is drawn, so that the
/// jitter never changes how the delays grow. Invariants: equal seeds give equal delays; a token is taken from the
/// budget if and only if a retry follows.
#pragma once

#include <muster/retry.hpp>

#include <cstdint>
#include <optional>

namespace muster::detail {

/// Why there is no further attempt.
enum class retry_end : std::uint8_t { attempts, elapsed, deadline, budget };

class retry_schedule {
public:
  /// Asserts that the policy makes sense. `seed` is used if the policy has none. Puts the call into the budget.
  retry_schedule(const retry_policy& policy, std::uint64_t seed, time_point start);

  struct decision {
    std::optional<duration> delay; ///< none: give up
    retry_end why{};               ///< then
  };
  /// The attempt has failed. `deadline`: there is no sense in an attempt at or after it. `at_least`: what the error
  /// asks for.
  [[nodiscard]] decision next(time_point now, time_point deadline, duration at_least = {});
  /// The number of the attempt under way, from 1 on.
  [[nodiscard]] std::size_t attempt() const noexcept { return attempt_; }

private:
  [[nodiscard]] duration spread(duration d) noexcept;

  const retry_policy& policy_;
  const time_point start_;
  std::uint64_t random_;
  std::size_t attempt_ = 1;
  duration delay_;
};

} // namespace muster::detail
