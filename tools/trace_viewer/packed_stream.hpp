/// Bytes on their way into a page: deflated (zlib format), then base64, then written.
///
/// Owner: whoever writes the page. Threads: one at a time. Invariant: what was put in and what comes out of the
/// browser's decompression are the same bytes, once `finish` has been called.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <ostream>
#include <string_view>

namespace muster::trace_viewer {

class packed_stream {
public:
  /// Throws std::bad_alloc.
  explicit packed_stream(std::ostream& out);
  ~packed_stream();
  packed_stream(const packed_stream&) = delete;
  packed_stream& operator=(const packed_stream&) = delete;

  void put(std::string_view bytes);
  /// LEB128: seven bits a byte, the lowest first, the top bit set on all but the last.
  void put_number(std::uint64_t number);
  /// Zigzag, so that small negative numbers are short too.
  void put_signed(std::int64_t number) {
    put_number((static_cast<std::uint64_t>(number) << 1U) ^ static_cast<std::uint64_t>(number >> 63));
  }
  /// Writes what is left. Nothing is put in after it.
  void finish();
  /// How many bytes were put in.
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

private:
  struct impl;
  void compress(bool last);
  void encode(bool last);

  std::ostream& out_;
  std::uint64_t size_ = 0;
  std::unique_ptr<impl> impl_;
};

} // namespace muster::trace_viewer
