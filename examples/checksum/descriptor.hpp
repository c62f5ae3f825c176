/// File descriptors that close themselves, and how a path of any length is opened.
///
/// Threads: one object belongs to one thread at a time; the functions keep no state. Invariant: nothing that is opened
/// here is inherited by another program, makes the process wait for a FIFO's other end, or follows a symbolic link in
/// the last part of its path (unless the path ends with a slash, which means the folder behind the link).
#pragma once

#include <expected>
#include <string>
#include <system_error>
#include <utility>

namespace checksum {

/// Owns one descriptor, or none (negative).
class descriptor {
public:
  descriptor() = default;
  explicit descriptor(int number) noexcept : number_{number} {}
  descriptor(descriptor&& other) noexcept : number_{other.release()} {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~descriptor();

  [[nodiscard]] int number() const noexcept { return number_; }
  /// Gives the descriptor away: the caller closes it.
  [[nodiscard]] int release() noexcept { return std::exchange(number_, -1); }

private:
  int number_ = -1;
};

/// `errno` as an error code.
[[nodiscard]] std::error_code last_error() noexcept;

/// Opens `path` for reading with more `flags` (O_DIRECTORY). A path longer than the system takes in one piece is opened
/// in several.
[[nodiscard]] std::expected<descriptor, std::error_code> open_path(const std::string& path, int flags = 0);

/// Makes sure that descriptors 0, 1 and 2 are taken, so that no file that is opened later is taken for the standard
/// output. Writing to one that was closed fails as before. To be called before anything is opened.
void occupy_standard_descriptors() noexcept;

} // namespace checksum
