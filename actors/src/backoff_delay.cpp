/// The arithmetic of backoff_delay.hpp.
#include "backoff_delay.hpp"

#include <algorithm>
#include <cmath>

namespace muster {

duration backoff_delay(const backoff& how, std::uint64_t n, double share) noexcept {
  if (how.first <= duration::zero() || n == 0)
    return duration::zero();
  // A number of nanoseconds from `bound` on may not fit into a duration, and infinity does not: never converted.
  const auto within_bound = [](double nanoseconds, duration bound) {
    return nanoseconds < static_cast<double>(bound.count()) ? std::min(duration{std::llround(nanoseconds)}, bound)
                                                            : bound;
  };
  const double grown = static_cast<double>(how.first.count()) * std::pow(how.factor, static_cast<double>(n - 1));
  const duration whole = within_bound(grown, how.cap);
  if (how.jitter <= 0)
    return whole;
  const double length = static_cast<double>(whole.count());
  return within_bound(length * (1 - how.jitter) + share * length * how.jitter, whole);
}

} // namespace muster
