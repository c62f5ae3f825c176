/// The texts of a trace: each once, found by number, in memory that another process may read.
///
/// Owner: the recorder. Threads: any; one lock. Invariants: an id is given once, is never 0 and stays valid; entries
/// are only added, and count for readers once they are whole (`used` says so); what did not fit is counted.
#pragma once

#include <muster/trace_records.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace muster::runtime {

/// At most `limit` bytes of `text`: whole if it fits, else cut between two UTF-8 characters with "…" behind.
/// `limit` is at least 8. Throws std::bad_alloc.
[[nodiscard]] inline std::string shortened(std::string_view text, std::size_t limit) {
  if (text.size() <= limit)
    return std::string{text};
  constexpr std::string_view ellipsis = "\xE2\x80\xA6";
  auto end = limit - ellipsis.size();
  // Bytes 10xxxxxx go on with a character, of which there are at most three; other bytes are not UTF-8 and may be cut.
  for (int back = 0; back < 3 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U; ++back)
    --end;
  std::string out{text.substr(0, end)};
  out += ellipsis;
  return out;
}

class string_table {
public:
  /// Over `memory`, zeroed and aligned to 8, with its two words in the header; both outlive the table.
  string_table(std::span<std::byte> memory, trace_format::word& used, trace_format::word& dropped, std::size_t max_text)
      : memory_{memory}, used_{used}, dropped_{dropped}, max_text_{max_text} {}

  /// The text's id; 0 if it is empty, or new and there is no room (counted).
  [[nodiscard]] std::uint32_t intern(std::string_view text) noexcept {
    using trace_format::shared;
    if (text.empty())
      return 0;
    const std::lock_guard guard{mutex_};
    try {
      std::string cut;
      if (text.size() > max_text_)
        text = cut = shortened(text, max_text_);
      if (const auto found = ids_.find(text); found != ids_.end())
        return found->second;
      const auto cost = trace_format::string_bytes(text.size());
      if (cost <= memory_.size() - bytes_) {
        const auto id = static_cast<std::uint32_t>(texts_.size() + 1);
        auto* const at = memory_.data() + bytes_;
        auto* const kept = reinterpret_cast<char*>(at + sizeof(trace_format::string_entry));
        std::memcpy(kept, text.data(), text.size());
        texts_.emplace_back(kept, text.size());
        try {
          ids_.emplace(texts_.back(), id);
        } catch (...) {
          texts_.pop_back();
          throw;
        }
        const trace_format::string_entry entry{id, static_cast<std::uint32_t>(text.size()),
                                               trace_format::string_check(id, text)};
        std::memcpy(at, &entry, sizeof entry);
        bytes_ += cost;
        shared(used_).store(bytes_, std::memory_order_release);
        return id;
      }
    } catch (...) { // no memory: as when the table is full
    }
    shared(dropped_).fetch_add(1, std::memory_order_relaxed);
    return 0;
  }

  /// A copy of the text; empty if there is no such id.
  [[nodiscard]] std::string text(std::uint32_t id) const {
    const std::lock_guard guard{mutex_};
    return id == 0 || id > texts_.size() ? std::string{} : std::string{texts_[id - 1]};
  }
  [[nodiscard]] std::uint64_t dropped() const noexcept {
    return trace_format::shared(dropped_).load(std::memory_order_relaxed);
  }
  /// What is used of the memory, whole entries. It stays as it is.
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
    return memory_.first(trace_format::shared(used_).load(std::memory_order_acquire));
  }

private:
  const std::span<std::byte> memory_;
  trace_format::word& used_;
  trace_format::word& dropped_;
  const std::size_t max_text_;
  mutable std::mutex mutex_;
  std::vector<std::string_view> texts_; ///< in memory_
  std::unordered_map<std::string_view, std::uint32_t> ids_;
  std::size_t bytes_ = 0;
};

} // namespace muster::runtime
