/// The records of a trace that are read while they are written: events in segments, and the entries of the living.
///
/// Owner: the recorder, or whoever maps its file to read it. Threads: a record has one writer at a time, and any number
/// of readers, also in other processes; nothing locks. Invariant: a reader gets a whole record or none. All of it is
/// plain words in zeroed pages, no pointers and no constructed objects, so that the pages may be those of a mapped
/// file.
#pragma once

#include <muster/api.hpp>
#include <muster/trace.hpp>
#include <muster/trace_format.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

MUSTER_API_BEGIN

namespace muster::trace_format {

/// A word of shared memory. Words and not std::atomic, because zero pages hold no constructed objects.
using word = std::uint64_t;
static_assert(std::atomic_ref<word>::is_always_lock_free);

/// The word for atomic access. atomic_ref to const is C++26; readers of read-only pages only load.
[[nodiscard]] inline std::atomic_ref<word> shared(const word& w) noexcept {
  return std::atomic_ref<word>{const_cast<word&>(w)};
}

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
  void begin() noexcept { shared(words_[0]).store(0, std::memory_order_relaxed); }
  /// Field by field and the small ones by shifts: copying the event as bytes goes over the stack in other widths than
  /// it was written in, and such loads stall (measured: 23 ns an event instead of 6).
  void finish(const event& e) noexcept {
    constexpr auto release = std::memory_order_release;
    shared(words_[1]).store(static_cast<word>(e.time_ns), release);
    shared(words_[2]).store(e.subject, release);
    shared(words_[3]).store(e.cause, release);
    shared(words_[4]).store(static_cast<word>(e.value), release);
    shared(words_[5]).store(e.text | static_cast<word>(e.kind) << 32U | word{e.thread} << 48U, release);
    shared(words_[0]).store(e.sequence, release);
  }

  /// The record, if it is whole and its sequence is at most `limit`.
  [[nodiscard]] std::optional<event> read(std::uint64_t limit) const noexcept {
    constexpr auto acquire = std::memory_order_acquire;
    event e;
    e.sequence = sequence();
    if (e.sequence == 0 || e.sequence > limit)
      return std::nullopt;
    e.time_ns = static_cast<std::int64_t>(shared(words_[1]).load(acquire));
    e.subject = shared(words_[2]).load(acquire);
    e.cause = shared(words_[3]).load(acquire);
    e.value = static_cast<std::int64_t>(shared(words_[4]).load(acquire));
    const auto small = shared(words_[5]).load(acquire);
    e.text = static_cast<std::uint32_t>(small);
    e.kind = static_cast<event_kind>(small >> 32U & 0xFFFFU);
    e.thread = static_cast<std::uint16_t>(small >> 48U);
    if (shared(words_[0]).load(std::memory_order_relaxed) != e.sequence)
      return std::nullopt;
    return e;
  }
  /// 0: never written, or being written.
  [[nodiscard]] std::uint64_t sequence() const noexcept { return shared(words_[0]).load(std::memory_order_acquire); }

private:
  std::array<word, sizeof(event) / sizeof(word)> words_;
};

/// One page: how much of it is used, then records.
class event_segment {
public:
  static constexpr std::size_t bytes = page; ///< of a segment
  static constexpr std::size_t capacity = (bytes - 64) / sizeof(event); ///< events in it

  /// How far it is filled, and how often it was before.
  struct filling {
    std::uint32_t used; ///< slots taken since it last began at the front
    std::uint32_t laps; ///< how often it began there again
  };
  /// As it is now. Any thread.
  [[nodiscard]] filling filled() const noexcept {
    const auto w = shared(filling_).load(std::memory_order_acquire);
    return {static_cast<std::uint32_t>(w), static_cast<std::uint32_t>(w >> 32U)};
  }
  /// True if there is no slot left. By the holder.
  [[nodiscard]] bool full() const noexcept { return static_cast<std::uint32_t>(relaxed()) >= capacity; }
  /// The next slot, overwritten from now on. By the holder, when not full().
  [[nodiscard]] event_slot& take_slot() noexcept {
    const auto w = relaxed();
    auto& slot = slots_[static_cast<std::uint32_t>(w)];
    slot.begin();
    shared(filling_).store(w + 1, std::memory_order_release);
    return slot;
  }
  /// Starts at the front again. By the holder.
  void rewind() noexcept { shared(filling_).store(((relaxed() >> 32U) + 1) << 32U, std::memory_order_release); }
  /// For files that are written once: nothing changes in it any more. By the holder.
  void seal() noexcept { seal_ = checksum_of(slots_) ^ filling_; }
  /// That it holds what was sealed.
  [[nodiscard]] bool intact() const noexcept {
    return filled().used <= capacity && seal_ == (checksum_of(slots_) ^ filling_);
  }

  /// Slots that have a record in them.
  [[nodiscard]] std::uint64_t held() const noexcept {
    const auto [used, laps] = filled();
    return laps != 0 ? capacity : used;
  }
  /// All of them, those that were never written included.
  [[nodiscard]] const std::array<event_slot, capacity>& slots() const noexcept { return slots_; }

private:
  [[nodiscard]] word relaxed() const noexcept { return shared(filling_).load(std::memory_order_relaxed); }
  word filling_; ///< used | laps << 32
  word seal_;
  alignas(64) std::array<event_slot, capacity> slots_;
};
static_assert(sizeof(event_segment) == event_segment::bytes);

/// What can be said of one thing that is alive, or was until lately. One entry of the directory of the living.
struct living_facts {
  word id = 0;               ///< of the thing, as in its events
  word parent = 0;           ///< 0: a root
  std::int64_t since_ns = 0; ///< when it was made, on the engine's clock
  std::uint32_t text = 0;    ///< its name
  node kind = node::unknown; ///< what it is
  word created = 0;      ///< sequence of the event that made it; 0: it was not recorded
  word ended = 0;        ///< sequence of the event that ended it; 0: it is alive
  std::uint8_t state = 0; ///< of a task: its muster::task_state
  std::uint16_t restarts = 0; ///< of an actor or supervisor
  std::array<std::uint32_t, 4> tasks{}; ///< of a scope: its tasks that are waiting, held, ready, running
};

/// The stamp is `count << 2 | state` and never repeats in an entry. Writer: stamp := changing, the body with release
/// stores, stamp := used; reader: as with an event. Words behind the check change one by one while the entry is used,
/// without a change of the stamp. An entry that has ended stays until its place is needed.
class living_entry {
public:
  /// Whether a place is taken: the low bits of its stamp.
  enum class use : std::uint8_t { free = 0, used = 1, changing = 2 };

  /// Takes a place that is free, or whose thing has ended. Any thread; false if it is neither, or another was quicker.
  [[nodiscard]] bool claim() noexcept {
    auto stamp = shared(words_[0]).load(std::memory_order_acquire);
    if (use_of(stamp) == use::changing || (use_of(stamp) == use::used && word_at(7) == 0))
      return false;
    return shared(words_[0]).compare_exchange_strong(stamp, ((stamp >> 2U) + 1) << 2U | word{2},
                                                     std::memory_order_acq_rel, std::memory_order_relaxed);
  }
  /// By whoever claimed it.
  void fill(const living_facts& f) noexcept {
    const std::array<word, 5> constant = packed(f);
    for (std::size_t i = 0; i < constant.size(); ++i)
      put(1 + i, constant[i]);
    put(6, checksum_of(constant));
    put(7, f.ended);
    put(8, f.state | word{f.restarts} << 8U);
    put(9, f.tasks[0] | word{f.tasks[1]} << 32U);
    put(10, f.tasks[2] | word{f.tasks[3]} << 32U);
    shared(words_[0]).store((shared(words_[0]).load(std::memory_order_relaxed) >> 2U << 2U) | word{1},
                            std::memory_order_release);
  }
  /// It has ended by the event `sequence`. This and the next two by the one who answers for the thing.
  void end(word sequence) noexcept { put(7, sequence); }
  /// It is in another state: a muster::task_state, or suspended_task.
  void set_state(std::uint8_t state) noexcept { put(8, (word_at(8) & ~word{0xFF}) | state); }
  /// It has been started again `n` times.
  void set_restarts(std::uint16_t n) noexcept { put(8, (word_at(8) & 0xFFU) | word{n} << 8U); }
  /// Tasks of this scope that left `from` and came to `to`, each 0 (waiting) to 3 (running); any other number is
  /// nowhere. Any thread.
  void count(unsigned from, unsigned to) noexcept {
    if (from / 2 == to / 2 && from < 4) {
      add(9 + from / 2, one(to) - one(from));
      return;
    }
    if (to < 4)
      add(9 + to / 2, one(to));
    if (from < 4)
      add(9 + from / 2, word{0} - one(from));
  }

  /// What a look at an entry finds: no one; one; one that is just being written; one whose check does not hold.
  enum class answer : std::uint8_t { nobody, whole, torn, damaged };
  /// What stands here. `whole` alone has filled `f`.
  [[nodiscard]] answer read(living_facts& f) const noexcept {
    const auto stamp = shared(words_[0]).load(std::memory_order_acquire);
    if (use_of(stamp) != use::used)
      return stamp == 0 || use_of(stamp) == use::free ? answer::nobody : answer::torn;
    std::array<word, 11> w{};
    for (std::size_t i = 1; i < w.size(); ++i)
      w[i] = shared(words_[i]).load(std::memory_order_acquire);
    if (shared(words_[0]).load(std::memory_order_relaxed) != stamp)
      return answer::torn;
    f = {.id = w[1],
         .parent = w[2],
         .since_ns = static_cast<std::int64_t>(w[3]),
         .text = static_cast<std::uint32_t>(w[4]),
         .kind = static_cast<node>(w[4] >> 32U & 0xFFU),
         .created = w[5],
         .ended = w[7],
         .state = static_cast<std::uint8_t>(w[8]),
         .restarts = static_cast<std::uint16_t>(w[8] >> 8U),
         .tasks = {static_cast<std::uint32_t>(w[9]), static_cast<std::uint32_t>(w[9] >> 32U),
                   static_cast<std::uint32_t>(w[10]), static_cast<std::uint32_t>(w[10] >> 32U)}};
    return w[6] == checksum_of(packed(f)) ? answer::whole : answer::damaged;
  }

private:
  [[nodiscard]] static use use_of(word stamp) noexcept { return static_cast<use>(stamp & 3U); }
  [[nodiscard]] static constexpr word one(unsigned state) noexcept { return word{1} << (state % 2 * 32U); }
  [[nodiscard]] static std::array<word, 5> packed(const living_facts& f) noexcept {
    return {f.id, f.parent, static_cast<word>(f.since_ns), f.text | static_cast<word>(f.kind) << 32U, f.created};
  }
  void put(std::size_t i, word w) noexcept { shared(words_[i]).store(w, std::memory_order_release); }
  void add(std::size_t i, word w) noexcept { shared(words_[i]).fetch_add(w, std::memory_order_release); }
  [[nodiscard]] word word_at(std::size_t i) const noexcept { return shared(words_[i]).load(std::memory_order_acquire); }

  std::array<word, 12> words_;
};

} // namespace muster::trace_format

MUSTER_API_END
