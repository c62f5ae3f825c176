/// The pages that a recorder writes into: those of a file, so that another process reads them also when this one has
/// been killed, or else anonymous ones.
///
/// Owner: the recorder. Threads: the constructor, `end` and the destructor one; the rest any. Invariants: a page that
/// is handed out has its place on the disk (or is anonymous), so that a full disk never ends the program with SIGBUS;
/// the file stays locked while its owner lives; after a fork the child has empty pages of its own in place of the
/// parent's.
#pragma once

#include "trace_folder.hpp"

#include <muster/trace.hpp>
#include <muster/trace_records.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <span>
#include <string>

namespace muster::runtime {

class trace_memory {
public:
  /// Room for `segments` segments, `strings` bytes of texts and `living` entries; all of it zero but for the header,
  /// which gets `facts` and what is known here. In `name` in `folder`; anonymous if there is no folder or no room in
  /// it. Check ok().
  trace_memory(std::size_t segments, std::size_t strings, std::size_t living, trace_format::file_facts facts,
               const std::optional<trace_folder>& folder, const std::string& name);
  ~trace_memory(); ///< end(), if it is the same process still
  trace_memory(const trace_memory&) = delete;
  trace_memory& operator=(const trace_memory&) = delete;

  /// False if the system has no memory; then nothing else may be called.
  [[nodiscard]] bool ok() const noexcept { return base_ != nullptr; }
  [[nodiscard]] trace_format::file_header& header() const noexcept {
    return *reinterpret_cast<trace_format::file_header*>(base_);
  }
  [[nodiscard]] std::span<std::byte> strings() const noexcept {
    return {base_ + facts_.strings.offset, facts_.strings.bytes};
  }
  [[nodiscard]] std::span<trace_format::living_entry> living() const noexcept {
    return {reinterpret_cast<trace_format::living_entry*>(base_ + facts_.living.offset),
            facts_.living.bytes / sizeof(trace_format::living_entry)};
  }
  [[nodiscard]] std::span<trace_format::event_segment> segments() const noexcept {
    return {reinterpret_cast<trace_format::event_segment*>(base_ + facts_.segments.offset),
            facts_.segments.bytes / sizeof(trace_format::event_segment)};
  }
  [[nodiscard]] const trace_format::file_facts& facts() const noexcept { return facts_; }

  /// To be called before a segment is first written to: gets it its place. Cheap but for every 256th segment.
  void back(std::size_t segment) noexcept {
    if (segment >= backed_.load(std::memory_order_acquire)) [[unlikely]]
      back_more(segment);
  }

  /// How many segments may be read.
  [[nodiscard]] std::size_t backed() const noexcept { return backed_.load(std::memory_order_acquire); }

  /// True if all of it lies in the file.
  [[nodiscard]] bool mapped() const noexcept { return mapped_.load(std::memory_order_relaxed); }
  /// The file; empty: there is none.
  [[nodiscard]] const std::filesystem::path& file() const noexcept { return file_; }
  /// Why it is not in a file, or not all; empty: it is, or was not meant to be.
  [[nodiscard]] std::string complaint() const;

  /// The recorder has ended as it should: says so in the file, and removes it if `remove`. What is written later goes
  /// nowhere. Idempotent.
  void end(bool remove) noexcept;

private:
  void map_file(const trace_folder& folder, const std::string& name);
  void back_more(std::size_t segment) noexcept;
  void complain(std::string what);
  static void prepare_fork() noexcept;
  static void parent_forked() noexcept;
  static void child_forked() noexcept;
  void forget_parent() noexcept;

  trace_format::file_facts facts_;
  std::byte* base_ = nullptr;
  std::size_t bytes_ = 0;
  file_descriptor fd_;
  std::filesystem::path file_;
  std::atomic<bool> mapped_ = false;
  std::atomic<bool> ended_ = false;
  std::atomic<std::size_t> backed_ = 0; ///< segments
  mutable std::mutex mutex_;            ///< of growing and of the complaint
  std::string complaint_;
  trace_memory* next_ = nullptr; ///< in the list of those that fork must know
};

} // namespace muster::runtime
