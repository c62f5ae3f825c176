/// The directory of the living: who is there, in memory that another process may read, so that a ring that has been
/// overwritten ten times still shows the whole tree.
///
/// Owner: the recorder. Threads: any; nothing locks. Invariants: a thing has one entry or none; an entry is written by
/// one thread at a time, the one that answers for the thing; those that have ended keep their entries until the places
/// are needed, since the events that are kept speak of them: the oldest go first, but that a task which runs may get
/// the place of the one before it on its thread; what found no place is counted.
///
/// Three parts, so that a million tasks push nobody out: what every tree must show (managers, scopes, actors,
/// resources, pools, breakers); tasks from their birth on, while places are found soon (in a crowd not all look for
/// one); and tasks that found no place there but run, which are few and matter most. The other tasks are numbers in the
/// entries of their scopes.
#pragma once

#include <muster/trace_records.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace muster::runtime {

class living_table {
public:
  /// The place of the last task that a thread ran, if it was among those that run: it looks there first for the next,
  /// so that it need not go where all threads do. 0: none. Whoever looks for a place may get it before.
  using kept_place = std::uint32_t;

  static constexpr std::size_t steady_places = 8192;
  static constexpr std::size_t task_places = 4096;
  static constexpr std::size_t running_places = 4096;
  static constexpr std::size_t places = steady_places + task_places + running_places;

  /// Over `places` entries, zeroed, and a word of the header; both outlive the table.
  living_table(std::span<trace_format::living_entry> entries, trace_format::word& dropped) noexcept;

  /// The number of the new entry, from 1; 0: there is no place.
  [[nodiscard]] std::uint32_t enter(const trace_format::living_facts& what) noexcept;
  /// The same for a task that runs, after `enter` had no place for it. `kept` is the calling thread's.
  [[nodiscard]] std::uint32_t enter_running(const trace_format::living_facts& task, kept_place& kept) noexcept;
  /// Null for 0.
  [[nodiscard]] trace_format::living_entry* at(std::uint32_t number) const noexcept {
    return number == 0 ? nullptr : &entries_[number - 1];
  }
  /// The thing of this entry has ended by this event (not 0): the last that is said of it.
  void leave(std::uint32_t number, std::uint64_t ended) noexcept;
  /// The same by the thread that has `kept`.
  void leave(std::uint32_t number, std::uint64_t ended, kept_place& kept) noexcept;

  [[nodiscard]] std::span<const trace_format::living_entry> entries() const noexcept { return entries_; }

private:
  /// Of tasks only those that enter write to it, so that a crowd that leaves is in nobody's way.
  struct part {
    std::size_t first;
    std::size_t size;
    std::size_t longest_search;
    std::size_t most_skipped; ///< of those who come after one who has found no place: they do not even look
    std::atomic<std::size_t> next{0};
    std::atomic<std::size_t> skips{0};    ///< how many more are not to look
    std::atomic<std::size_t> in_a_row{0}; ///< how many that was after the last search
    std::atomic<std::size_t> alive{0};    ///< counted where every place is searched
  };
  [[nodiscard]] static bool counts(const part& where) noexcept { return where.longest_search == where.size; }
  [[nodiscard]] std::uint32_t enter_in(part& where, const trace_format::living_facts& what) noexcept;

  const std::span<trace_format::living_entry> entries_;
  trace_format::word& dropped_;
  part steady_{0, steady_places, steady_places, 0};
  part tasks_{steady_places, task_places, 16, 64};
  part running_{steady_places + task_places, running_places, 64, 16};
};

} // namespace muster::runtime
