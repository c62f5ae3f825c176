/// The article's statistics, from a trace: of one scope, of all scopes of a kind, or of everything.
#pragma once

#include "model.hpp"

#include <cstdint>
#include <vector>

namespace muster::trace_viewer {

struct task_statistics {
  std::uint64_t created = 0;
  std::uint64_t started = 0; ///< bodies that began
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;
  std::uint64_t timed_out = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t skipped = 0;
  std::uint64_t live = 0;
  std::vector<std::int64_t> durations{}; ///< of bodies that have ended, ns

  void add(const node& task);
  [[nodiscard]] std::uint64_t ended() const noexcept { return completed + failed + timed_out + cancelled + skipped; }
  /// Sorts the durations, so that what follows can be asked.
  void settle();
  [[nodiscard]] std::int64_t average() const noexcept;
  /// The smallest duration that `percent` of all do not exceed (nearest rank); 0 if there is none.
  [[nodiscard]] std::int64_t percentile(double percent) const noexcept;
};

} // namespace muster::trace_viewer
