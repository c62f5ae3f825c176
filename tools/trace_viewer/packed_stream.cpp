/// Deflating through zlib in blocks, and base64 in groups of three bytes.
#include "packed_stream.hpp"

#include <array>
#include <new>
#include <string>

#include <zlib.h>

namespace muster::trace_viewer {

namespace {

constexpr std::size_t block = std::size_t{64} << 10U;
constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

} // namespace

struct packed_stream::impl {
  z_stream zlib{};
  std::array<unsigned char, block> plain;
  std::size_t held = 0; ///< bytes in `plain`
  std::array<unsigned char, block + 2> packed;
  std::size_t waiting = 0; ///< bytes in `packed` that base64 has not taken
  std::string text;
};

packed_stream::packed_stream(std::ostream& out) : out_{out}, impl_{std::make_unique<impl>()} {
  if (deflateInit(&impl_->zlib, Z_DEFAULT_COMPRESSION) != Z_OK)
    throw std::bad_alloc{};
}

packed_stream::~packed_stream() { deflateEnd(&impl_->zlib); }

void packed_stream::put(std::string_view bytes) {
  for (const char each : bytes) {
    impl_->plain[impl_->held++] = static_cast<unsigned char>(each);
    if (impl_->held == block)
      compress(false);
  }
  size_ += bytes.size();
}

void packed_stream::put_number(std::uint64_t number) {
  do {
    const auto low = static_cast<unsigned char>(number & 0x7FU);
    number >>= 7U;
    impl_->plain[impl_->held++] = number != 0 ? static_cast<unsigned char>(low | 0x80U) : low;
    ++size_;
    if (impl_->held == block)
      compress(false);
  } while (number != 0);
}

void packed_stream::finish() { compress(true); }

void packed_stream::compress(bool last) {
  auto& zlib = impl_->zlib;
  zlib.next_in = impl_->plain.data();
  zlib.avail_in = static_cast<uInt>(impl_->held);
  impl_->held = 0;
  int state = Z_OK;
  do {
    zlib.next_out = impl_->packed.data() + impl_->waiting;
    zlib.avail_out = static_cast<uInt>(impl_->packed.size() - impl_->waiting);
    state = deflate(&zlib, last ? Z_FINISH : Z_NO_FLUSH);
    impl_->waiting = impl_->packed.size() - zlib.avail_out;
    encode(last && state == Z_STREAM_END);
  } while (zlib.avail_out == 0 || (last && state != Z_STREAM_END));
}

void packed_stream::encode(bool last) {
  const auto& from = impl_->packed;
  auto& text = impl_->text;
  text.clear();
  std::size_t at = 0;
  for (; impl_->waiting - at >= 3; at += 3) {
    const auto group = static_cast<std::uint32_t>(from[at] << 16U | from[at + 1] << 8U | from[at + 2]);
    for (const unsigned shift : {18U, 12U, 6U, 0U})
      text += digits[group >> shift & 0x3FU];
  }
  auto left = impl_->waiting - at;
  if (last && left > 0) {
    const auto group = static_cast<std::uint32_t>(from[at] << 16U | (left == 2 ? from[at + 1] << 8U : 0));
    text += digits[group >> 18U & 0x3FU];
    text += digits[group >> 12U & 0x3FU];
    text += left == 2 ? digits[group >> 6U & 0x3FU] : '=';
    text += '=';
    left = 0;
  }
  for (std::size_t i = 0; i < left; ++i)
    impl_->packed[i] = from[at + i];
  impl_->waiting = left;
  out_ << text;
}

} // namespace muster::trace_viewer
