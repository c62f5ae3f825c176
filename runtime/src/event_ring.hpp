/// Where events lie: a ring of small segments, each written by one thread at a time, read by anybody.
///
/// Owner: the recorder. Threads: a segment's holder writes to it; every other function from any thread; nothing locks,
/// but for a file that grows (trace_memory::back). Invariants: a segment has at most one holder; whoever takes one sees
/// all that its last holder wrote. A full segment goes back and the one that was handed out longest ago and is not held
/// comes next, so the newest events survive whichever threads they came from, and a quiet thread does not lose its own.
#pragma once

#include "trace_memory.hpp"

#include <muster/trace_records.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace muster::runtime {

using trace_format::event_segment;

class event_ring {
public:
  /// Over the segments of `memory`, at least one, which outlives it. May throw std::bad_alloc.
  explicit event_ring(trace_memory& memory);
  event_ring(const event_ring&) = delete;
  event_ring& operator=(const event_ring&) = delete;

  /// How many segments hold `size` bytes; at least one.
  [[nodiscard]] static std::size_t segments_for(std::size_t size) noexcept {
    return size / event_segment::bytes + (size % event_segment::bytes != 0 || size == 0 ? 1 : 0);
  }

  /// Takes the segment that was handed out longest ago and is not held; the caller holds it. Null if all are held
  /// (found at once), or if others were always quicker. At worst it looks at every segment once.
  [[nodiscard]] event_segment* take() noexcept;
  /// Takes this very segment if it was parked and nobody has taken it since.
  [[nodiscard]] bool take_parked(event_segment& segment) noexcept;
  /// Ends the holding: `give_back` a full one, `park` one that has room for another thread. take() gets either.
  void give_back(event_segment& segment) noexcept { let_go(segment, state::free); }
  void park(event_segment& segment) noexcept { let_go(segment, state::parked); }

  /// Calls `visit(const event_segment&)` for every segment ever handed out, those included that hold a record which
  /// the caller knows of: its writer drew the ticket first.
  template <class Visitor>
  void for_each(Visitor&& visit) const {
    const auto handed_out = tickets_.load(std::memory_order_relaxed);
    const auto end = handed_out < memory_.backed() ? static_cast<std::size_t>(handed_out) : memory_.backed();
    for (std::size_t i = 0; i < end; ++i)
      visit(static_cast<const event_segment&>(segments_[i]));
  }
  [[nodiscard]] std::size_t segments() const noexcept { return count_; }
  /// Rises by at least one for each segment that is begun.
  [[nodiscard]] std::uint64_t tickets() const noexcept { return tickets_.load(std::memory_order_relaxed); }

private:
  enum class state : std::uint8_t { free, parked, held };

  [[nodiscard]] std::atomic<state>& state_of(const event_segment& segment) noexcept {
    return states_[static_cast<std::size_t>(&segment - segments_)];
  }

  [[nodiscard]] bool hold(event_segment& segment, state from) noexcept;
  void let_go(event_segment& segment, state to) noexcept;

  trace_memory& memory_;
  event_segment* const segments_;
  const std::size_t count_;
  const std::unique_ptr<std::atomic<state>[]> states_;
  /// Each is for one try at the segment of its number modulo count_.
  alignas(64) std::atomic<std::uint64_t> tickets_{0};
  std::atomic<std::uint64_t> held_{0}; ///< how many are held, or fewer for a moment
};

} // namespace muster::runtime
