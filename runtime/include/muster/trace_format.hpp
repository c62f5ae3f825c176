/// What trace files are made of: the one description that the recorder writes by and every reader reads by. The page
/// for people is tools/trace_viewer/FORMAT.md; how records are read while they are written is in
/// muster/trace_records.hpp.
///
/// Owner: nobody; layouts only. Threads: any. Invariants: numbers are little-endian; a place or meaning given here
/// never changes within a major version: what is new takes reserved places or kinds and raises the minor one.
#pragma once

#include <muster/api.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

MUSTER_API_BEGIN

namespace muster::trace_format {

inline constexpr std::array<char, 8> magic{'M', 'U', 'S', 'T', 'R', 'A', 'C', 'E'}; ///< the first bytes of every file
inline constexpr std::uint16_t major_version = 1; ///< a reader refuses a greater one
inline constexpr std::uint16_t minor_version = 0; ///< a reader takes any: what it does not know it leaves out
inline constexpr std::uint32_t byte_order = 0x01020304; ///< reads as this where the file's numbers can be read
inline constexpr std::size_t page = 4096; ///< bytes of the header, and of a segment
inline constexpr std::string_view extension = ".muster"; ///< of the files

/// The checksum of everything: eight bytes at a time, the last ones filled up with zeros. It finds damage, not malice.
[[nodiscard]] inline std::uint64_t checksum(std::span<const std::byte> bytes) noexcept {
  constexpr std::uint64_t factor = 0x9FB2'1C65'1E98'DF25;
  std::uint64_t sum = 0x4D55'5354'5241'4345 ^ bytes.size();
  for (std::size_t at = 0; at < bytes.size(); at += 8) {
    std::uint64_t next = 0;
    const auto here = bytes.subspan(at, bytes.size() - at < 8 ? bytes.size() - at : 8);
    std::memcpy(&next, here.data(), here.size());
    sum = (sum ^ next) * factor;
    sum ^= sum >> 29U;
  }
  return sum;
}
/// The checksum of the first `size` bytes of a record.
template <class Record>
[[nodiscard]] std::uint64_t checksum_of(const Record& record, std::size_t size = sizeof(Record)) noexcept {
  return checksum(std::as_bytes(std::span{&record, 1}).first(size));
}

/// A part of a file.
struct region {
  std::uint64_t offset = 0; ///< from the beginning of the file; a multiple of 64
  std::uint64_t bytes = 0;   ///< its length
};

/// What a file is for, and so how its segments lie in it.
enum class file_kind : std::uint32_t {
  ring = 1,  ///< mapped by the process that writes it; segments are used again and again
  piece = 2, ///< one of a row of files that a long run is kept in; segments come one behind the other, sealed
  copy = 3,  ///< what a recorder held at one moment; segments sealed
};

/// How the writing of a file stands.
enum class file_end : std::uint64_t {
  open = 0,     ///< it goes on, or stopped without an end
  clean = 1,    ///< the recorder has ended
  complete = 2, ///< a copy, or a piece that another follows
};

/// What stays as it was written first.
struct file_facts {
  std::array<char, 8> magic = trace_format::magic; ///< that it is a trace
  std::uint16_t major = major_version; ///< of the format
  std::uint16_t minor = minor_version; ///< of the format
  std::uint32_t byte_order = trace_format::byte_order; ///< of the machine that wrote it
  std::uint32_t header_bytes = page; ///< where the rest of the file begins
  file_kind kind = file_kind::ring; ///< see there
  std::int64_t pid = 0;             ///< of the process that recorded
  std::int64_t clock_anchor_ns = 0; ///< the engine's clock when the recorder began …
  std::int64_t wall_anchor_ns = 0;  ///< … and nanoseconds since 1970 at that moment
  std::uint64_t recorder = 0;       ///< which recorder of the process
  std::uint32_t piece = 0;          ///< number of a piece, from 1
  std::uint32_t workers = 0;        ///< hardware threads the lane began with; 0: not known
  std::uint32_t segment_bytes = 0;  ///< of one segment of events
  std::uint32_t record_bytes = 0;   ///< of one event
  std::uint32_t living_bytes = 0;   ///< of one entry of the living
  std::uint32_t reserved = 0;       ///< zero
  region strings{}; ///< the texts
  region living{};  ///< who is alive
  region segments{}; ///< of an open piece: `bytes` is 0, they go to the end of the file ///< the events.
  std::array<char, 64> program{}; ///< its name, zeros behind
};

/// What changes while a file is written. Single words, each written by itself.
struct file_state {
  std::uint64_t sequence = 0; ///< the last number given to an event; more than the records there are: the rest is lost
  std::array<std::uint64_t, 7> own_cache_line{}; ///< zeros: what is above changes often, what is below does not
  std::uint64_t end = 0;             ///< a file_end
  std::uint64_t signal = 0;          ///< the fatal signal that came
  std::uint64_t strings_used = 0;    ///< bytes of the string table
  std::uint64_t strings_dropped = 0; ///< texts that found no room
  std::uint64_t living_dropped = 0;  ///< things that found no room among the living
  std::uint64_t backed = 0;          ///< of a ring: bytes of its segments that have been in use
  std::uint64_t seal = 0;            ///< checksum of all before it, in files that are written once; else 0
};

/// The first page.
struct file_header {
  file_facts facts{}; ///< what does not change
  std::uint64_t facts_checksum = 0; ///< of the facts
  std::array<std::byte, 512 - sizeof(file_facts) - 8> reserved{}; ///< zeros
  file_state state{}; ///< at byte 512
  std::array<std::byte, page - 512 - sizeof(file_state)> reserved_too{}; ///< zeros
};
static_assert(std::has_unique_object_representations_v<file_facts>, "the checksum goes over every byte");
static_assert(sizeof(file_header) == page && offsetof(file_header, state) == 512);

/// Before each text of the string table. The text follows, filled up with zeros to a multiple of 8.
struct string_entry {
  std::uint32_t id = 0; ///< 1, 2, 3 … in the order of the table
  std::uint32_t bytes = 0; ///< of the text, without the zeros
  std::uint64_t check = 0; ///< string_check of the text
};
/// What `string_entry::check` has to be: it depends on the text, its length and its id.
[[nodiscard]] inline std::uint64_t string_check(std::uint32_t id, std::string_view text) noexcept {
  return checksum(std::as_bytes(std::span{text.data(), text.size()})) ^ (std::uint64_t{id} << 32U | text.size());
}
/// Bytes that a text of `text` bytes takes in the table, with its entry.
[[nodiscard]] constexpr std::size_t string_bytes(std::size_t text) noexcept {
  return sizeof(string_entry) + (text + 7) / 8 * 8;
}

/// What kind of thing an entry among the living is.
enum class node : std::uint8_t { unknown, manager, scope, task, actor, resource, pool, breaker };

/// The state of a task among the living is a muster::task_state, or this: it runs, but has left its thread. Its scope
/// counts it among the running.
inline constexpr std::uint8_t suspended_task = 6;

/// The `value` of task_started and task_ended has the scope in its high half, so that a task is known by its last
/// events too. The value proper is the low half.
[[nodiscard]] constexpr std::int64_t task_value(std::uint64_t scope, std::int64_t value) noexcept {
  return static_cast<std::int64_t>((scope & 0x7FFF'FFFFU) << 32U | (static_cast<std::uint64_t>(value) & 0xFFFF'FFFFU));
}
/// The value proper of what `task_value` gave.
[[nodiscard]] constexpr std::int64_t value_in(std::int64_t task_value) noexcept { return task_value & 0xFFFF'FFFF; }
/// The low 31 bits of the scope in it.
[[nodiscard]] constexpr std::uint64_t scope_in(std::int64_t task_value) noexcept {
  return static_cast<std::uint64_t>(task_value) >> 32U;
}

} // namespace muster::trace_format

MUSTER_API_END
