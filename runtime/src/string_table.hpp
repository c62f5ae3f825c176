/// The texts of a trace: each once, found by number.
///
/// Owner: the recorder. Threads: any; one lock. Invariants: an id is given once, is never 0 and stays valid; the bytes
/// taken stay within a limit; what did not fit is counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

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
  /// Room for `max_bytes`, of which each text takes its size and `overhead`; a text is cut to `max_text` bytes.
  string_table(std::size_t max_bytes, std::size_t max_text, std::size_t overhead)
      : max_bytes_{max_bytes},
        max_text_{max_text},
        overhead_{overhead} {}

  /// The text's id; 0 if it is empty, or new and there is no room (counted).
  [[nodiscard]] std::uint32_t intern(std::string_view text) noexcept {
    if (text.empty())
      return 0;
    const std::lock_guard guard{mutex_};
    try {
      std::string cut;
      if (text.size() > max_text_)
        text = cut = shortened(text, max_text_);
      if (const auto found = ids_.find(text); found != ids_.end())
        return found->second;
      const auto cost = text.size() + overhead_;
      if (cost <= max_bytes_ - bytes_) {
        texts_.emplace_back(text);
        try {
          const auto id = static_cast<std::uint32_t>(texts_.size());
          ids_.emplace(texts_.back(), id); // a view: elements of a deque stay where they are
          bytes_ += cost;
          return id;
        } catch (...) {
          texts_.pop_back();
        }
      }
    } catch (...) { // no memory: as when the table is full
    }
    ++dropped_;
    return 0;
  }

  /// A copy of the text; empty if there is no such id.
  [[nodiscard]] std::string text(std::uint32_t id) const {
    const std::lock_guard guard{mutex_};
    return id == 0 || id > texts_.size() ? std::string{} : texts_[id - 1];
  }
  [[nodiscard]] std::uint64_t dropped() const noexcept {
    const std::lock_guard guard{mutex_};
    return dropped_;
  }

private:
  const std::size_t max_bytes_;
  const std::size_t max_text_;
  const std::size_t overhead_;
  mutable std::mutex mutex_;
  std::deque<std::string> texts_;
  std::unordered_map<std::string_view, std::uint32_t> ids_;
  std::size_t bytes_ = 0;
  std::uint64_t dropped_ = 0;
};

} // namespace muster::runtime
