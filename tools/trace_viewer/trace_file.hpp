/// One trace file, as it lies there: checked, nothing of it believed that does not hold, nothing made of it yet.
///
/// Owner: the reader's call. Threads: one. Invariants: no place outside the file is read, whatever its header says; a
/// file that a living process writes is only looked at; every event in it is whole.
#pragma once

#include "reader.hpp"

#include <muster/trace_records.hpp>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace muster::trace_viewer {

/// The problems of a trace: named one by one up to a number, then only counted.
class problem_list {
public:
  explicit problem_list(std::vector<problem>& to) noexcept : to_{to} {}
  /// Of this file, where the trace has several.
  void in(std::string file) { file_ = std::move(file); }
  void add(std::uint64_t offset, std::string what);
  /// Says how many there were beyond those named.
  void finish();

private:
  static constexpr std::size_t most_named = 200;
  std::vector<problem>& to_;
  std::string file_;
  std::uint64_t more_ = 0;
};

/// The bytes of a file: mapped if its process lives, since then they change; read otherwise, so that nothing that
/// happens to the file later can harm.
class file_image {
public:
  [[nodiscard]] static std::expected<file_image, std::string> of(const std::filesystem::path& file);
  [[nodiscard]] static file_image copy_of(std::span<const std::byte> bytes);
  file_image(file_image&& other) noexcept;
  file_image& operator=(file_image&&) = delete;
  ~file_image();
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }
  [[nodiscard]] bool live() const noexcept { return live_; }

private:
  file_image() = default;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  bool live_ = false;
};

/// What several files of one trace are gathered in.
struct gathered {
  trace_data& into;
  problem_list problems{into.problems};
  std::vector<trace_format::living_facts> living{}; ///< of the file that was read last
  std::uint64_t last_sequence = 0;                  ///< the highest number given
};

/// The header of an image: that it is a trace that can be read. The error is a sentence without the file's name.
[[nodiscard]] std::expected<trace_format::file_header, std::string> header_of(std::span<const std::byte> bytes);

/// Adds what the bytes of one file hold, which lie as those of a file_image do. `live`: its process lives.
[[nodiscard]] std::expected<void, std::string> gather(std::span<const std::byte> bytes, bool live, gathered& all);

/// What is made of it when all files have been gathered: events in order, the snapshot that they follow.
void assemble(gathered& all);

/// The whole way for bytes in memory: for tests and fuzzing.
[[nodiscard]] std::expected<trace_data, std::string> read_trace_bytes(std::span<const std::byte> bytes);

} // namespace muster::trace_viewer
