/// How long the n-th attempt in a row waits. Pure.
#pragma once

#include <muster/restart.hpp>

namespace muster {

/// The delay before attempt `n` (1, 2, 3 …), rounded to nanoseconds: between 0 and `how.cap`, whatever overflows on the
/// way. `share` (0 ≤ share < 1) says how much of the random part is taken; without jitter it has no effect.
[[nodiscard]] duration backoff_delay(const backoff& how, std::uint64_t n, double share) noexcept;

} // namespace muster
