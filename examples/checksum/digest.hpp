/// The SHA-256 of one open file.
///
/// Threads: called by task bodies; each thread keeps one hash context and one buffer for as long as it lives, so that
/// a file costs no allocation. Invariant: between two blocks the task's cancellation is looked at, so that a body
/// answers within the time that reading and hashing one block takes.
#pragma once

#include "descriptor.hpp"

#include <muster/context.hpp>

#include <array>
#include <atomic>
#include <cstdint>

namespace checksum {

using digest = std::array<unsigned char, 32>;

/// How much is read and hashed at once.
inline constexpr std::size_t block_size = std::size_t{128} << 10U;

/// A regular file, open for reading.
struct open_file {
  descriptor at;
  std::uint64_t size = 0; ///< as the file system says; files in /proc say 0
};

/// Opens `path`, which must be a regular file.
[[nodiscard]] std::expected<open_file, std::error_code> open_regular(const std::string& path);

/// Reads `file` to its end and adds what was read to `bytes` block by block. Fails with the system's error code, or
/// with the reason why the task was asked to stop.
[[nodiscard]] muster::result<digest> digest_of(muster::context& ctx, open_file file, std::atomic<std::uint64_t>& bytes);

} // namespace checksum
