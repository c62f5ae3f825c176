/// Finding places among the living. See living_table.hpp.
#include "living_table.hpp"

#include <algorithm>
#include <utility>

namespace muster::runtime {

using namespace trace_format;

living_table::living_table(std::span<living_entry> entries, word& dropped) noexcept
    : entries_{entries},
      dropped_{dropped} {}

std::uint32_t living_table::enter(const living_facts& what) noexcept {
  if (what.kind == node::task)
    return enter_in(tasks_, what); // counted by its scope
  const auto number = enter_in(steady_, what);
  if (number == 0)
    shared(dropped_).fetch_add(1, std::memory_order_relaxed);
  return number;
}

std::uint32_t living_table::enter_running(const living_facts& task, kept_place& kept) noexcept {
  if (const auto number = std::exchange(kept, 0); number != 0 && entries_[number - 1].claim()) {
    entries_[number - 1].fill(task);
    return number;
  }
  return enter_in(running_, task);
}

std::uint32_t living_table::enter_in(part& where, const living_facts& what) noexcept {
  if (counts(where) && where.alive.load(std::memory_order_relaxed) >= where.size)
    return 0;
  // Two at once may count one skip for both: it is only a matter of trouble.
  if (const auto skips = where.skips.load(std::memory_order_relaxed); skips != 0) {
    where.skips.store(skips - 1, std::memory_order_relaxed);
    return 0;
  }
  // In turn, so that those that ended first lose their places first.
  for (std::size_t tries = where.longest_search; tries > 0; --tries) {
    const auto i = where.first + where.next.fetch_add(1, std::memory_order_relaxed) % where.size;
    if (!entries_[i].claim())
      continue;
    entries_[i].fill(what);
    if (counts(where))
      where.alive.fetch_add(1, std::memory_order_relaxed);
    if (where.in_a_row.load(std::memory_order_relaxed) != 0)
      where.in_a_row.store(0, std::memory_order_relaxed);
    return static_cast<std::uint32_t>(i + 1);
  }
  const auto skips = std::min(2 * where.in_a_row.load(std::memory_order_relaxed) + 1, where.most_skipped);
  where.in_a_row.store(skips, std::memory_order_relaxed);
  where.skips.store(skips, std::memory_order_relaxed);
  return 0;
}

void living_table::leave(std::uint32_t number, std::uint64_t ended) noexcept {
  if (number == 0)
    return;
  if (number <= steady_places)
    steady_.alive.fetch_sub(1, std::memory_order_relaxed);
  entries_[number - 1].end(ended);
}

void living_table::leave(std::uint32_t number, std::uint64_t ended, kept_place& kept) noexcept {
  leave(number, ended);
  if (number > steady_places + task_places)
    kept = number;
}

} // namespace muster::runtime
