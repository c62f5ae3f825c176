/// Where trace files lie, whose they are, and which of them are removed.
///
/// Owner: nobody but `trace_folder`, which its user owns and which keeps the folder open. Threads: any. Invariants:
/// nothing is written into a folder that is somebody else's, that others may write to, or that a symbolic link leads
/// to; a file of a process that lives is never removed: its owner holds a lock on it, which the kernel takes away with
/// the process, so that a process number that is used again deceives nobody.
///
/// Names: `<program>-<pid>-<start>.<n>.muster` is the ring of the n-th recorder of a process; in place of it a long run
/// has a folder `<program>-<pid>-<start>.<n>.d` with its `ring.muster` and `000001.muster` …; what was written out of a
/// ring is
/// `<program>-<pid>-<start>.<n>+<why>-<k>.muster`. What is before the first dot names the process.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace muster::runtime {

/// A descriptor that is closed in the end.
class file_descriptor {
public:
  file_descriptor() = default;
  explicit file_descriptor(int fd) noexcept : fd_{fd} {}
  file_descriptor(file_descriptor&& other) noexcept;
  file_descriptor& operator=(file_descriptor&& other) noexcept;
  ~file_descriptor();
  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] bool ok() const noexcept { return fd_ >= 0; }
  /// Closes it now; true unless the system says that something was lost.
  bool close() noexcept;

private:
  int fd_ = -1;
};

/// Where traces lie unless somebody says otherwise, the best place first: $MUSTER_TRACE_DIR alone if it is set; else
/// $XDG_RUNTIME_DIR/muster, and muster-$UID in the temporary directory.
[[nodiscard]] std::vector<std::filesystem::path> usual_trace_folders();

class trace_folder {
public:
  /// Opens the folder, making it (0700) if it is not there; the one above it must be. The error is a sentence.
  [[nodiscard]] static std::expected<trace_folder, std::string> open(const std::filesystem::path& path);
  /// The first of these that can be opened; the error is that of the first.
  [[nodiscard]] static std::expected<trace_folder, std::string> open_any(
      const std::vector<std::filesystem::path>& paths);

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  /// A new empty file (0600) of this name, locked by the caller for as long as the descriptor or a copy of it is open:
  /// it has its name only once it is locked.
  [[nodiscard]] std::expected<file_descriptor, std::string> create_locked(const std::string& name) const;

  /// Removes what processes that have ended left, but for the newest `keep` of them.
  void remove_dead(std::size_t keep) const noexcept;

private:
  trace_folder(std::filesystem::path path, file_descriptor fd) noexcept : path_{std::move(path)}, fd_{std::move(fd)} {}
  std::filesystem::path path_;
  file_descriptor fd_;
};

/// True if the process that writes this file lives. A file that cannot be opened has no owner. It leaves no trace.
[[nodiscard]] bool has_owner(const std::filesystem::path& file) noexcept;

/// What names this process among others: program, number and start. The same until it forks.
[[nodiscard]] std::string name_of_this_process();
/// The name of the program that runs, without its folder; "?" if the system does not tell.
[[nodiscard]] std::string program_name();
/// The part of a file's name that names its process; empty: no trace is called so.
[[nodiscard]] std::string_view process_in(std::string_view file_name) noexcept;

} // namespace muster::runtime
