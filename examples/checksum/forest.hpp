/// Several walks as one: the files of all of them in the bytewise order of their paths.
///
/// Owner: whoever makes it; one thread at a time. Invariants: the paths of `file` steps rise over all the walks
/// together (a file that two of them find comes twice); each walk's own steps keep their order. A walk begins only when
/// its turn comes, so a thousand of them cost no more than their names before that.
#pragma once

#include "walk.hpp"

#include <vector>

namespace checksum {

class forest {
public:
  explicit forest(const std::vector<std::string>& starts);

  /// A step, and which of the walks made it.
  struct found {
    std::size_t start; ///< index in `starts`
    step what;         ///< its texts are valid until the next call
  };
  /// One step further; nothing once all the walks are at their ends.
  [[nodiscard]] std::optional<found> next();

private:
  /// A walk whose next file is not the next of all.
  struct waiting {
    std::size_t start;
    std::string path; ///< of that file; for a walk that has not begun, what all its paths begin with
    step file{};      ///< that file, unless the walk has not begun
    bool begun = true;
  };
  [[nodiscard]] bool comes_later(const step& file) const;
  void push(waiting one);
  [[nodiscard]] waiting pop();

  std::vector<walk> walks_;
  std::vector<waiting> heap_; ///< the one with the smallest path in front
  std::optional<std::size_t> current_;
};

} // namespace checksum
