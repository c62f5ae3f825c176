/// Handing out segments. See event_ring.hpp.
#include "event_ring.hpp"

namespace muster::runtime {

event_ring::event_ring(trace_memory& memory)
    : memory_{memory},
      segments_{memory.segments().data()},
      count_{memory.segments().size()},
      states_{std::make_unique<std::atomic<state>[]>(count_)} {}

event_segment* event_ring::take() noexcept {
  for (std::size_t tries = count_; tries != 0; --tries) {
    if (held_.load(std::memory_order_relaxed) >= count_)
      return nullptr;
    // A ticket of one's own, not a look at the cursor: between a look and the exchange others may have filled and
    // given back the segment looked at, and the newest events would be overwritten first.
    const auto ticket = tickets_.fetch_add(1, std::memory_order_relaxed);
    auto& segment = segments_[static_cast<std::size_t>(ticket % count_)];
    auto seen = state_of(segment).load(std::memory_order_relaxed);
    if (seen == state::held || !hold(segment, seen))
      continue;
    memory_.back(static_cast<std::size_t>(ticket % count_));
    if (segment.full())
      segment.rewind();
    return &segment;
  }
  return nullptr;
}

bool event_ring::take_parked(event_segment& segment) noexcept { return hold(segment, state::parked); }

bool event_ring::hold(event_segment& segment, state from) noexcept {
  const bool got = state_of(segment).compare_exchange_strong(from, state::held, std::memory_order_acquire,
                                                             std::memory_order_relaxed);
  if (got)
    held_.fetch_add(1, std::memory_order_relaxed);
  return got;
}

void event_ring::let_go(event_segment& segment, state to) noexcept {
  // Counted first, so that the count never says "all held" when one is free for good.
  held_.fetch_sub(1, std::memory_order_relaxed);
  state_of(segment).store(to, std::memory_order_release);
}

} // namespace muster::runtime
