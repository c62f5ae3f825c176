/// The words for a child's state, and what can be wrong with restart options.
#include <muster/restart.hpp>

namespace muster {

std::string_view to_string(child_state state) noexcept {
  switch (state) {
  case child_state::starting: return "starting";
  case child_state::running: return "running";
  case child_state::stopping: return "stopping";
  case child_state::waiting: return "waiting";
  case child_state::stopped: return "stopped";
  }
  return "unknown";
}

std::optional<std::string> complaint_about(const restart& options) {
  const backoff& delay = options.delay;
  if (options.within < duration::zero())
    return "restart::within must not be negative";
  if (delay.first < duration::zero())
    return "backoff::first must not be negative";
  if (delay.cap < duration::zero())
    return "backoff::cap must not be negative";
  if (delay.quiet < duration::zero())
    return "backoff::quiet must not be negative";
  // Written so that "not a number" is refused.
  if (!(delay.factor >= 1))
    return "backoff::factor must be at least 1";
  if (!(delay.jitter >= 0 && delay.jitter <= 1))
    return "backoff::jitter must be between 0 and 1";
  if (delay.cap < delay.first)
    return "backoff::cap must not be shorter than backoff::first";
  return std::nullopt;
}

} // namespace muster
