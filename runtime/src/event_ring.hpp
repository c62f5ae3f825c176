/// Where events lie: a ring of small segments, each written by one thread at a time, read by anybody.
///
/// Owner: the recorder. Threads: a segment's holder writes to it; every other function from any thread; nothing locks.
/// Invariants: a segment has at most one holder; whoever takes one sees all that its last holder wrote; a reader gets
/// a whole record or none. A full segment goes back and the one that was handed out longest ago and is not held comes
/// next, so the newest events survive whichever threads they came from, and a quiet thread does not lose its own.
///
/// A segment is one page of plain words and no pointers, so that the pages may come from a mapped file.
#pragma once

#include <muster/trace.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace muster::runtime {

/// A word of shared memory. Words and not std::atomic, because zero pages hold no constructed objects.
using word = std::uint64_t;
static_assert(std::atomic_ref<word>::is_always_lock_free);

/// Protocol of a record. Writer: sequence := 0, then the body with release stores, then the sequence with a release
/// store. Reader: sequence, body, sequence again; both must be the same.
///
/// Usually a release fence stands behind the 0 and an acquire fence before the second look. Release stores and acquire
/// loads of every body word do the same without fences (which ThreadSanitizer does not understand): a reader that sees
/// one word of a newer body synchronises with its writer, so its second look, which is sequenced later, sees that
/// writer's 0 or something later still; and sequence numbers never repeat. On x86 all of them are plain moves.
class event_slot {
public:
  /// By the segment's holder only.
  void begin() noexcept { at(0).store(0, std::memory_order_relaxed); }
  /// Field by field and the small ones by shifts: copying the event as bytes goes over the stack in other widths than
  /// it was written in, and such loads stall (measured: 23 ns an event instead of 6).
  void finish(const event& e) noexcept {
    constexpr auto release = std::memory_order_release;
    at(1).store(static_cast<word>(e.time_ns), release);
    at(2).store(e.subject, release);
    at(3).store(e.cause, release);
    at(4).store(static_cast<word>(e.value), release);
    at(5).store(e.text | static_cast<word>(e.kind) << 32U | word{e.thread} << 48U, release);
    at(0).store(e.sequence, release);
  }

  /// The record, if it is whole and its sequence is at most `limit`.
  [[nodiscard]] std::optional<event> read(std::uint64_t limit) const noexcept {
    constexpr auto acquire = std::memory_order_acquire;
    event e;
    e.sequence = at(0).load(acquire);
    if (e.sequence == 0 || e.sequence > limit)
      return std::nullopt;
    e.time_ns = static_cast<std::int64_t>(at(1).load(acquire));
    e.subject = at(2).load(acquire);
    e.cause = at(3).load(acquire);
    e.value = static_cast<std::int64_t>(at(4).load(acquire));
    const auto small = at(5).load(acquire);
    e.text = static_cast<std::uint32_t>(small);
    e.kind = static_cast<event_kind>(small >> 32U & 0xFFFFU);
    e.thread = static_cast<std::uint16_t>(small >> 48U);
    if (at(0).load(std::memory_order_relaxed) != e.sequence)
      return std::nullopt;
    return e;
  }

private:
  // atomic_ref to const is C++26.
  [[nodiscard]] std::atomic_ref<word> at(std::size_t i) const noexcept {
    return std::atomic_ref<word>{const_cast<word&>(words_[i])};
  }
  std::array<word, sizeof(event) / sizeof(word)> words_;
};

/// One page: how much of it is used, then records.
class event_segment {
public:
  static constexpr std::size_t bytes = 4096;
  static constexpr std::size_t capacity = (bytes - 64) / sizeof(event);

  [[nodiscard]] bool full() const noexcept { return used_at().load(std::memory_order_relaxed) == capacity; }
  /// The next slot, overwritten from now on. By the holder, when not full().
  [[nodiscard]] event_slot& take_slot() noexcept {
    const auto i = used_at().load(std::memory_order_relaxed);
    auto& slot = slots_[i];
    slot.begin();
    used_at().store(i + 1, std::memory_order_release);
    return slot;
  }
  /// Starts at the front again. By the holder. `wrapped` first, so that held() never sees a full segment as empty.
  void rewind() noexcept {
    wrapped_at().store(1, std::memory_order_relaxed);
    used_at().store(0, std::memory_order_release);
  }

  /// Slots that have a record in them.
  [[nodiscard]] std::uint64_t held() const noexcept {
    const auto used = used_at().load(std::memory_order_acquire);
    return wrapped_at().load(std::memory_order_relaxed) != 0 ? capacity : used;
  }
  [[nodiscard]] const std::array<event_slot, capacity>& slots() const noexcept { return slots_; }

private:
  [[nodiscard]] std::atomic_ref<word> used_at() const noexcept {
    return std::atomic_ref<word>{const_cast<word&>(used_)};
  }
  [[nodiscard]] std::atomic_ref<word> wrapped_at() const noexcept {
    return std::atomic_ref<word>{const_cast<word&>(wrapped_)};
  }
  word used_;
  word wrapped_;
  alignas(64) std::array<event_slot, capacity> slots_;
};
static_assert(sizeof(event_segment) == event_segment::bytes);

class event_ring {
public:
  /// Zeroed pages for `size` bytes, rounded up to at least one segment. Check ok(). May throw std::bad_alloc.
  explicit event_ring(std::size_t size);
  ~event_ring();
  event_ring(const event_ring&) = delete;
  event_ring& operator=(const event_ring&) = delete;

  /// False if the system has no memory; then nothing else may be called.
  [[nodiscard]] bool ok() const noexcept { return segments_ != nullptr; }

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
    const auto end = handed_out < count_ ? static_cast<std::size_t>(handed_out) : count_;
    for (std::size_t i = 0; i < end; ++i)
      visit(static_cast<const event_segment&>(segments_[i]));
  }
  [[nodiscard]] std::size_t segments() const noexcept { return count_; }

private:
  enum class state : std::uint8_t { free, parked, held };

  [[nodiscard]] std::atomic<state>& state_of(const event_segment& segment) noexcept {
    return states_[static_cast<std::size_t>(&segment - segments_)];
  }

  [[nodiscard]] bool hold(event_segment& segment, state from) noexcept;
  void let_go(event_segment& segment, state to) noexcept;

  const std::size_t count_;
  std::unique_ptr<std::atomic<state>[]> states_;
  event_segment* segments_ = nullptr;
  /// Each is for one try at the segment of its number modulo count_.
  alignas(64) std::atomic<std::uint64_t> tickets_{0};
  std::atomic<std::uint64_t> held_{0}; ///< how many are held, or fewer for a moment
};

} // namespace muster::runtime
