/// A walk through one folder and everything below it, in the bytewise order of the files' paths.
///
/// Owner: whoever makes it; one thread at a time. It holds the names of the folders that it is in, and no descriptor
/// between two calls, so that neither depth nor number of files is limited by more than memory. Invariants: `enter` and
/// `leave` come in pairs and nest; the paths of `file` steps rise; what cannot be read is a `fault`, once.
///
/// Why the order of a walk can be that of whole paths: give each folder's name a slash at its end and sort the names in
/// one folder bytewise. Then everything below "a/" comes after "a.txt" ('.' < '/') and before "a0", as the paths do.
#pragma once

#include "descriptor.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace checksum {

/// What a walk comes across. The texts are valid until the walk's next step.
struct step {
  enum class kind : std::uint8_t {
    enter, ///< a folder: all that follows until its `leave` is below it
    file,  ///< a regular file
    leave, ///< the folder that was entered last and not left yet is done
    fault, ///< something could not be read
  };
  kind what = kind::file;
  std::string_view folder{}; ///< its path with a slash at the end; the whole path is `folder` + `name`
  std::string_view name{};
  std::error_code error{}; ///< of a fault
};

class walk {
public:
  /// Begins at `start`, a folder or a file; nothing is read yet. Paths begin with `start` as it is written.
  explicit walk(std::string start) : start_{std::move(start)} {}

  /// One step further; nothing once the end is reached.
  [[nodiscard]] std::optional<step> next();
  [[nodiscard]] const std::string& start() const noexcept { return start_; }

private:
  /// A folder that was entered.
  struct level {
    std::size_t above = 0;                 ///< length of the path of the folder that it is in
    std::vector<char> text{};              ///< all its names, those of folders with a slash at their end
    std::vector<std::string_view> names{}; ///< into `text`, sorted
    std::size_t at = 0;                    ///< the next of them
  };

  [[nodiscard]] std::optional<step> begin();
  [[nodiscard]] step enter(std::string_view name);
  [[nodiscard]] step leave();
  [[nodiscard]] static std::error_code read_names(descriptor folder, level& into);

  std::string start_;
  bool begun_ = false;
  std::string path_;          ///< of the folder that the walk is in, with its slash
  std::vector<level> levels_; ///< the innermost is the last
  std::error_code unread_;    ///< why the folder just entered could be read only in part
};

} // namespace checksum
