/// How far everything is, for the progress bar and for the last words.
///
/// Threads: any; every number is an atomic of its own and means nothing for the others. Invariant: none of them falls.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace checksum {

struct tally {
  std::atomic<std::uint64_t> found{0};   ///< files that the walk came across
  std::atomic<std::uint64_t> hashed{0};  ///< files read to their ends
  std::atomic<std::uint64_t> bytes{0};   ///< read so far, those of unfinished files included
  std::atomic<std::uint64_t> printed{0}; ///< lines handed to the standard output
  std::atomic<bool> all_found{false};    ///< the walk is at its end
};

/// "1,234,567".
[[nodiscard]] std::string grouped(std::uint64_t number);
/// "3.4 GiB".
[[nodiscard]] std::string as_bytes(std::uint64_t bytes);
/// "1,234 files (5.6 GiB) hashed, 1,200 of them printed": in one piece, for a sentence.
[[nodiscard]] std::string how_far(const tally& counts);

} // namespace checksum
