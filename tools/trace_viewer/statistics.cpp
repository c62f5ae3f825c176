/// Adding up tasks, and the figures that follow.
#include "statistics.hpp"

#include <algorithm>
#include <cmath>

namespace muster::trace_viewer {

void task_statistics::add(const node& task) {
  ++created;
  started += task.started != unset;
  switch (task.last) {
    case state::ok:
      ++completed;
      break;
    case state::failed:
      ++failed;
      break;
    case state::timed_out:
      ++timed_out;
      break;
    case state::cancelled:
      ++cancelled;
      break;
    case state::skipped:
      ++skipped;
      break;
    default:
      ++live;
  }
  if (task.started != unset && task.ended != unset)
    durations.push_back(task.ended - task.started);
}

void task_statistics::settle() { std::ranges::sort(durations); }

std::int64_t task_statistics::average() const noexcept {
  if (durations.empty())
    return 0;
  double sum = 0;
  for (const auto d : durations)
    sum += static_cast<double>(d);
  return static_cast<std::int64_t>(sum / static_cast<double>(durations.size()));
}

std::int64_t task_statistics::percentile(double percent) const noexcept {
  if (durations.empty())
    return 0;
  const auto rank = static_cast<std::size_t>(std::ceil(percent / 100 * static_cast<double>(durations.size())));
  return durations[std::min(durations.size(), std::max<std::size_t>(rank, 1)) - 1];
}

} // namespace muster::trace_viewer
