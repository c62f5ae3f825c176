/// The trace recorder: what every other part of Muster reports to, and what "why did this fail?" is answered from.
///
/// Owner: the engine has one recorder. Threads: any thread records, into memory that only it writes to at that time;
/// any thread reads. Invariants: a sequence number is given once and never 0; an event that was caused has a greater
/// one than its cause; a reader sees a whole record or none; what is lost is counted. The recorder reads no clock.
#pragma once

#include <muster/api.hpp>
#include <muster/event_kind.hpp>
#include <muster/trace_format.hpp>
#include <muster/trace_options.hpp>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <vector>

MUSTER_API_BEGIN

namespace muster {

/// One record. Its size is part of the format of trace files.
struct event {
  std::uint64_t sequence = 0; ///< given by the recorder; order of recording over all threads
  std::int64_t time_ns = 0;   ///< the engine's clock
  std::uint64_t subject = 0;  ///< id of what it happened to
  std::uint64_t cause = 0;    ///< sequence of the event that caused it; 0: none known
  std::int64_t value = 0;     ///< by kind, see event_kind
  std::uint32_t text = 0;     ///< id in the string table; 0: none (or it had no room)
  event_kind kind = event_kind::none; ///< what happened
  std::uint16_t thread = 0; ///< slot of the recording thread; one live thread at a time, reused; 0: none left
};
static_assert(sizeof(event) == 48 && std::is_trivially_copyable_v<event>);

/// What a recorder cannot know by itself.
struct trace_origin {
  std::int64_t clock_ns = 0; ///< the engine's clock when it begins
  std::int64_t wall_ns = 0;  ///< nanoseconds since 1970 at that moment
  std::uint32_t workers = 0; ///< hardware threads that the lane begins with
  bool in_memory = false;    ///< no files, whatever the options say: for simulations
};

/// `value` of a `progress` event: `done` in the low and `total` in the high 32 bits; both are halved until they fit.
[[nodiscard]] constexpr std::int64_t progress_value(std::uint64_t done, std::uint64_t total) noexcept {
  while (done > 0xFFFF'FFFFU || total > 0x7FFF'FFFFU) {
    done >>= 1U;
    total >>= 1U;
  }
  return static_cast<std::int64_t>(total << 32U | done);
}

/// Records events into a ring, and gives them out. See the top of this file.
class recorder {
public:
  /// Longer texts are cut to this many bytes, "…" included, never inside a character.
  static constexpr std::size_t max_text = 4096;
  /// Bytes that all texts may take together, 16 to 23 more for each included.
  static constexpr std::size_t max_strings = std::size_t{1} << 20U;

  /// Ready to record on return. If there is no memory for the events it is off (`mode()` says so); if there is no file
  /// for them they are kept in anonymous memory (`complaint()` says why). Throws only std::bad_alloc, for its own small
  /// parts. After a fork a child process records into memory of its own, which no file shows.
  explicit recorder(trace_options options = {}, const trace_origin& origin = {});
  /// close(). No thread may be inside any other function. Threads that have recorded here may live on.
  ~recorder();
  recorder(const recorder&) = delete;
  recorder& operator=(const recorder&) = delete;

  /// Records one event and returns its sequence number (0 when off), to be passed as `cause` of what follows from it.
  /// Whatever happens after the return has a greater number. `time_ns` is the engine's clock; `text` comes from
  /// `intern`. Never fails: an event that found no place still has its number and is counted as dropped.
  /// Any thread. Lock-free and without allocation, except on a thread's first event on this recorder.
  std::uint64_t record(event_kind kind, std::uint64_t subject, std::int64_t time_ns, std::uint64_t cause = 0,
                       std::int64_t value = 0, std::uint32_t text = 0) noexcept {
    if (!enabled())
      return 0;
    return record_enabled(kind, subject, time_ns, cause, value, text);
  }

  /// The id of `text` in the string table: the same for equal texts, for as long as the recorder lives. 0 for an
  /// empty text, when off, or when the table is full (counted by `strings_dropped`). Any thread; takes a lock and may
  /// allocate, so intern a name once and keep the id.
  [[nodiscard]] std::uint32_t intern(std::string_view text) noexcept;

  /// True if events are being kept. Never changes in a recorder's life. Any thread, one load.
  [[nodiscard]] bool enabled() const noexcept { return enabled_; }
  /// What the recorder really does: off if it was asked to be, or could not have its memory.
  [[nodiscard]] trace_mode mode() const noexcept;
  /// True if another process can read the events while they are recorded, and after this one was killed. Any thread.
  [[nodiscard]] bool mapped() const noexcept;
  /// Why events are not in a file though they should be, as a sentence; empty: all is well. Any thread.
  [[nodiscard]] std::string complaint() const;
  /// What `muster-trace` is given to read it: the ring's file, or the folder of mode `file`. Empty: there is none.
  [[nodiscard]] std::filesystem::path file() const;

  /// Events recorded but no longer (or never) kept: overwritten, or without a place. Exact when nobody is recording,
  /// else it may lag by what is being recorded. Any thread.
  [[nodiscard]] std::uint64_t dropped() const noexcept;
  /// Calls of `intern` that found no room. Any thread.
  [[nodiscard]] std::uint64_t strings_dropped() const noexcept;

  /// Every event kept, by rising sequence. Events recorded after the call began are left out, so that a cause is
  /// never missing while its effect is there, unless it was overwritten. Any thread, also while others record; it
  /// holds nobody up. Throws std::bad_alloc.
  [[nodiscard]] std::vector<event> snapshot() const;

  /// The text with this id, a copy; empty for 0 and for ids never given. Any thread; takes a lock.
  [[nodiscard]] std::string text(std::uint32_t id) const;

  /// Writes what is kept to `file`, in the format of tools/trace_viewer/FORMAT.md. On success the file is complete,
  /// with mode 0600, and has replaced any earlier one of its name in one step (it is not forced to the disk); on
  /// failure the code says why, and an earlier file is untouched and nothing is left behind. Any thread, also while
  /// others record. An off recorder writes a trace without events.
  [[nodiscard]] std::error_code write(const std::filesystem::path& file) const;
  /// The same into a new file beside the ring, which stays when the ring goes. `why` is a word for its name. At most
  /// `most_kept` of them for each process: then the oldest goes. Fails also if there is no folder for it.
  [[nodiscard]] std::expected<std::filesystem::path, std::error_code> keep(std::string_view why) const;
  /// How many files `keep` leaves of one process.
  static constexpr std::size_t most_kept = 8;

  /// The end, as it should be: what mode `file` keeps is complete on return, and the ring's file is gone. Events that
  /// come later are kept in memory. Idempotent; one thread.
  void close() noexcept;

  // -- who is alive ---------------------------------------------------------------------------------------------------

  /// The number of an entry in the directory of the living (see runtime/src/living_table.hpp); 0: none.
  using living = std::uint32_t;
  /// Enters a thing, so that a trace shows it however long ago its events were overwritten. `created` is the event of
  /// its making. Any thread, lock-free.
  [[nodiscard]] living born(trace_format::node kind, std::uint64_t id, std::uint64_t parent, std::int64_t since_ns,
                            std::uint32_t text, std::uint64_t created) noexcept;
  /// It has ended by the event `ended`, and its number may be another's from now on. It becomes 0.
  void died(living& who, std::uint64_t ended) noexcept;
  /// An actor or supervisor has been started again, `times` in all.
  void restarted(living who, std::uint64_t times) noexcept;

  /// A task's part in the directory. Its steps are told one at a time, by whoever makes them.
  struct living_task {
    std::uint64_t created = 0; ///< the event
    std::uint32_t text = 0;    ///< its name
    living self = 0;           ///< 0: it is only counted
    std::uint8_t state = 0;    ///< a task_state: 0 waiting, 1 held, 2 ready, 3 running; 4: it has come to none yet
  };
  /// It is there; `task_came_to` says in which state, and makes it count as one of the scope's tasks.
  void task_born(living_task& who, std::uint64_t id, std::uint64_t parent, std::int64_t now_ns) noexcept;
  /// It is in this state, or in another than before: `state` as in `living_task`.
  void task_came_to(std::uint8_t state, living_task& who, living scope, std::uint64_t id, std::uint64_t parent,
                    std::int64_t now_ns) noexcept;
  /// Its body has left its thread, or is on one again; it counts as running all the while.
  void task_suspended(const living_task& who, bool suspended) noexcept;
  /// It has ended by the event `ended`. `who` is a task of nobody from then on.
  void task_died(living_task& who, living scope, std::uint64_t ended) noexcept;

private:
  std::uint64_t record_enabled(event_kind kind, std::uint64_t subject, std::int64_t time_ns, std::uint64_t cause,
                               std::int64_t value, std::uint32_t text) noexcept;

  struct MUSTER_INSIDE impl;
  std::shared_ptr<impl> impl_; ///< null when off; threads that recorded refer to it weakly
  const bool enabled_;
};

} // namespace muster

MUSTER_API_END
