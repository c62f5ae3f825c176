/// Finding places among the living. See living_table.hpp.
#include "living_table.hpp"

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

std::uint32_t living_table::enter_running(const living_facts& task) noexcept { return enter_in(running_, task); }

std::uint32_t living_table::enter_in(part& where, const living_facts& what) noexcept {
  if (where.alive.load(std::memory_order_relaxed) >= where.size)
    return 0;
  // In turn, so that those that ended first lose their places first.
  for (std::size_t tries = where.longest_search; tries > 0; --tries) {
    const auto i = where.first + where.next.fetch_add(1, std::memory_order_relaxed) % where.size;
    if (!entries_[i].claim())
      continue;
    entries_[i].fill(what);
    where.alive.fetch_add(1, std::memory_order_relaxed);
    return static_cast<std::uint32_t>(i + 1);
  }
  return 0;
}

void living_table::leave(std::uint32_t number, std::uint64_t ended) noexcept {
  if (number == 0)
    return;
  auto& where = number <= steady_places ? steady_ : number <= steady_places + task_places ? tasks_ : running_;
  where.alive.fetch_sub(1, std::memory_order_relaxed);
  entries_[number - 1].end(ended);
}

} // namespace muster::runtime
