/// Writes a trace file that is complete when it is done: a copy of what a recorder holds, or a piece of a long run.
///
/// Owner: the recorder's call, or its keeper. Threads: one. Invariants: every segment in it is sealed; the header says
/// `open` until `finish` has written the rest; the first failure is kept and nothing is written after it.
#pragma once

#include "trace_folder.hpp"

#include <muster/trace_records.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <system_error>
#include <vector>

namespace muster::runtime {

/// What `finish` writes behind the events.
struct trace_rest {
  std::span<const std::byte> strings;
  std::span<const trace_format::living_entry> living;
  trace_format::file_state state; ///< the numbers; the seal is made here
};

class trace_writer {
public:
  /// Over an empty file. `facts` says of which kind it is; the places in it are filled in here.
  trace_writer(file_descriptor fd, const trace_format::file_facts& facts);

  /// Adds one event. It may stay here until there is a segment full of them, or `flush`.
  void add(const event& e) noexcept;
  /// Writes what is there as a segment, though it is not full.
  void flush() noexcept;
  /// Writes the rest and the final header, and closes the file; the first failure of all so far. Nothing follows.
  [[nodiscard]] std::error_code finish(const trace_rest& rest) noexcept;

  [[nodiscard]] std::error_code error() const noexcept { return error_; }
  /// Bytes written so far.
  [[nodiscard]] std::uint64_t bytes() const noexcept { return at_; }

private:
  void put(std::span<const std::byte> bytes) noexcept;
  void put_at(std::uint64_t at, std::span<const std::byte> bytes) noexcept;

  file_descriptor fd_;
  trace_format::file_header header_;
  trace_format::event_segment segment_{};
  std::uint64_t at_ = trace_format::page;
  std::error_code error_;
};

/// A file without its final name yet; unless `publish` succeeds it goes away again. Its mode is 0600.
class new_file {
public:
  explicit new_file(const std::filesystem::path& final_name);
  new_file(const new_file&) = delete;
  new_file& operator=(const new_file&) = delete;
  ~new_file();

  [[nodiscard]] std::error_code error() const noexcept { return error_; }
  /// To write it with; once.
  [[nodiscard]] file_descriptor take() noexcept { return std::move(fd_); }
  /// Gives the file its name, in place of an earlier one.
  [[nodiscard]] std::error_code publish() noexcept;

private:
  std::filesystem::path final_;
  std::string temporary_;
  file_descriptor fd_;
  std::error_code error_;
};

} // namespace muster::runtime
