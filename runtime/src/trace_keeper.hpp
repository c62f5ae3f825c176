/// Puts what goes through the ring into files one after the other, so that a long run keeps everything up to a cap.
///
/// Owner: the recorder, in mode `file`. Threads: its own, which sleeps until a part of the ring is full; `wake` any;
/// the constructor and `finish` one. Invariants: it writes every event once, in the order of its segment; what it was
/// too slow for is missing and nothing else; recording never waits for it.
#pragma once

#include "event_ring.hpp"
#include "living_table.hpp"
#include "string_table.hpp"
#include "trace_writer.hpp"

#include <atomic>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <sys/types.h>

namespace muster::runtime {

/// What the recorder has, and its keeper reads.
struct trace_parts {
  const trace_memory& memory;
  const event_ring& ring;
  const string_table& strings;
  const living_table& living;

  /// Whole entries that are used, copied one by one.
  [[nodiscard]] std::vector<trace_format::living_entry> living_now() const;
  /// The numbers of the header, as they are now.
  [[nodiscard]] trace_format::file_state state_now() const noexcept;
};

class trace_keeper {
public:
  /// Begins to keep. `folder` is the ring's own.
  trace_keeper(const trace_parts& of, std::filesystem::path folder, std::uint64_t file_bytes, std::size_t files);
  ~trace_keeper(); ///< finish()
  trace_keeper(const trace_keeper&) = delete;
  trace_keeper& operator=(const trace_keeper&) = delete;

  /// A segment has been begun.
  void segment_begun() noexcept {
    if (parts_.ring.tickets() % often_ == 0)
      wake();
  }
  /// Writes what there is and ends. Nobody records meanwhile, else that is left out. Idempotent.
  void finish() noexcept;
  /// Why it keeps nothing any more; empty: it does.
  [[nodiscard]] std::string complaint() const;

private:
  /// How far a segment has been read.
  struct mark {
    std::uint32_t laps = 0;
    std::uint32_t next = 0;
  };
  struct unread {
    std::uint64_t first;
    const trace_format::event_segment* segment;
    mark* at;
  };
  void wake() noexcept {
    turns_.fetch_add(1, std::memory_order_release);
    turns_.notify_one();
  }
  void run() noexcept;
  void sweep();
  void read(const trace_format::event_segment& segment, mark& at);
  void open_piece();
  void close_piece(trace_format::file_end how);
  void give_up(const std::error_code& why);

  const trace_parts parts_;
  const std::filesystem::path folder_;
  const std::uint64_t file_bytes_;
  const std::size_t files_;
  const std::uint64_t often_;
  const pid_t owner_;
  std::vector<mark> marks_;
  std::vector<unread> waiting_;
  std::unique_ptr<trace_writer> piece_;
  std::uint32_t number_ = 0;
  bool keeps_ = true;
  mutable std::mutex complaint_mutex_;
  std::string complaint_;
  std::atomic<std::uint32_t> turns_{0};
  std::atomic<bool> over_{false};
  std::thread thread_;
};

} // namespace muster::runtime
