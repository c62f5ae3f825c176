/// Reading a trace: what a file, or the mapped rings of a running process, hold, as plain values.
///
/// Owner: the caller owns what it is given. Threads: any; nothing is shared. Invariants: `events` is by rising sequence
/// without repeats; every text id in it is either 0 or below `texts.size()`; whatever was damaged or missing is named
/// in `problems` or counted, and never read. Reading a running process never writes to its files.
#pragma once

#include <muster/trace.hpp>

#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace muster::trace_viewer {

/// What kind of thing a node of the tree is.
enum class node_kind : std::uint8_t { unknown, manager, scope, task, actor, resource, pool, breaker };

/// One thing that was alive when the snapshot was taken that the oldest kept records follow.
struct alive_entry {
  std::uint64_t id = 0;
  std::uint64_t parent = 0;  ///< 0: a root
  std::int64_t since_ns = 0; ///< when it was created, trace clock
  std::uint32_t text = 0;    ///< its name
  node_kind kind = node_kind::unknown;
  std::uint8_t state = 0;     ///< for tasks a muster::task_state, else 0
  std::uint16_t restarts = 0; ///< of an actor, as far as counted
};

/// Tasks that the snapshot does not list one by one.
struct folded_tasks {
  std::uint64_t scope = 0;
  std::uint8_t state = 0; ///< a muster::task_state
  std::uint64_t count = 0;
};

/// A note for the reader about something that is wrong with the file; the rest could be read.
struct problem {
  std::uint64_t offset = 0; ///< byte in the file; 0 where it has no place
  std::string what;
};

struct trace_data {
  std::uint16_t major = 0;
  std::uint16_t minor = 0;
  std::int64_t pid = 0;
  std::string program;                ///< name of the process
  std::int64_t clock_anchor_ns = 0;   ///< trace clock when it began …
  std::int64_t wall_anchor_ns = 0;    ///< … and nanoseconds since 1970 at that moment
  std::uint32_t workers = 0;          ///< hardware threads the lane began with; 0 unknown
  bool ended_cleanly = false;         ///< false: running still, or killed
  bool live = false;                  ///< read from a process that is still running
  std::vector<event> events;
  std::vector<std::string> texts;     ///< by id; [0] is empty
  std::vector<alive_entry> alive;
  std::vector<folded_tasks> folded;
  std::int64_t snapshot_ns = 0;       ///< when `alive` and `folded` were true
  std::uint64_t snapshot_sequence = 0;///< events above this sequence are not in it
  std::uint64_t events_dropped = 0;   ///< recorded, but overwritten or without a place
  std::uint64_t strings_dropped = 0;
  std::uint64_t unknown_kinds = 0;    ///< records of kinds this reader does not know; they are kept out of `events`
  std::uint64_t torn = 0;             ///< records that were being written, left out
  std::vector<problem> problems;
  std::uint64_t living_dropped = 0;   ///< things that are alive but found no place in the snapshot
  bool copied = false; ///< written at one moment of a process that went on; `ended_cleanly` is false then
  int ended_by_signal = 0;            ///< the fatal signal that ended the process, where it asked for that to be noted
};

/// Reads one trace: a file, or a folder of rotated files of one process. The error is a sentence that names the path:
/// not there, not a trace, of a newer major version, or nothing whole in it. Never throws but std::bad_alloc.
[[nodiscard]] std::expected<trace_data, std::string> read_trace(const std::filesystem::path& file);

/// A process that records now, or did until it was killed.
struct process_entry {
  std::int64_t pid = 0;
  std::string program;
  bool running = false;
  std::filesystem::path file;
  std::int64_t started_wall_ns = 0;
};
/// What is in the trace folder ($MUSTER_TRACE_DIR, else $XDG_RUNTIME_DIR/muster, else muster-$UID in the temporary
/// directory), newest first.
[[nodiscard]] std::vector<process_entry> list_processes();

} // namespace muster::trace_viewer
