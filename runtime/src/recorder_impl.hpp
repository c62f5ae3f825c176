/// What a recorder that is on consists of.
///
/// Owner: the recorder; threads that have recorded refer to it weakly. Threads: any, each part as it says itself.
/// Invariant: the order of the members is the order of dependence.
#pragma once

#include "event_ring.hpp"
#include "living_table.hpp"
#include "string_table.hpp"
#include "trace_fatal.hpp"
#include "trace_keeper.hpp"
#include "trace_memory.hpp"

#include <muster/trace.hpp>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace muster {

struct recorder::impl {
  /// `folder`: for what is written out; empty: nowhere. `name`: of its files, without an ending.
  impl(std::unique_ptr<runtime::trace_memory> pages, std::filesystem::path where, std::string its_name)
      : memory{std::move(pages)}, folder{std::move(where)}, name{std::move(its_name)} {}

  [[nodiscard]] runtime::trace_parts parts() const { return {*memory, ring, strings, directory}; }
  /// The events that are kept, as they lie in the file: the values of tasks' events with their scopes.
  [[nodiscard]] std::vector<event> events() const;

  const std::uint64_t number = new_number();
  const std::unique_ptr<runtime::trace_memory> memory;
  const std::filesystem::path folder;
  const std::string name;
  std::string no_folder; ///< why there is none
  std::atomic<bool> closed = false;
  runtime::event_ring ring{*memory};
  runtime::string_table strings{memory->strings(), memory->header().state.strings_used,
                                memory->header().state.strings_dropped, max_text};
  runtime::living_table directory{memory->living(), memory->header().state.living_dropped};
  /// The last sequence given. Release, so that whoever reads it also sees what was recorded before it (a thread's
  /// earlier records, and those of the threads that it heard from): see events(). Each is a read-modify-write, so
  /// all of them are in one order, and one that happens later has the greater number.
  trace_format::word& sequence = memory->header().state.sequence;

  /// Slots of threads and unfinished segments of ended threads. The lock is taken once in a thread's life and once at
  /// its end; both lists have their room before they need it, since a thread's end must not fail.
  std::mutex threads_mutex;
  std::uint16_t slots_made = 0;
  std::vector<std::uint16_t> free_slots;
  std::vector<runtime::event_segment*> parked;

  std::unique_ptr<runtime::fatal_signal_mark> mark;
  std::unique_ptr<runtime::trace_keeper> keeper;

private:
  static std::uint64_t new_number() noexcept {
    static constinit std::atomic<std::uint64_t> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
  }
};

} // namespace muster
