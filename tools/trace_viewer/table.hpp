/// A table of a terminal: a first column of names, then figures; what has no room is left out by importance.
///
/// Owner: the command that prints it. Threads: one.
#pragma once

#include "command.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace muster::trace_viewer {

class table {
public:
  struct column {
    std::string title;
    int importance = 0; ///< the least important columns go first; equal ones from the right
  };
  struct cell {
    cell(std::string t, tone of = tone::plain) : text{std::move(t)}, how{of} {}
    std::string text;
    tone how;
  };

  /// `names`: the title of the first column, which never goes but is cut: to a quarter of the width, and at worst to
  /// `least` characters.
  table(std::string names, std::vector<column> columns, std::size_t least = 12)
      : names_{std::move(names)},
        columns_{std::move(columns)},
        least_{least} {}

  /// As many cells as there are columns.
  void add(std::string name, std::vector<cell> cells) { rows_.push_back({std::move(name), std::move(cells)}); }
  /// The title and all rows, none wider than the request's width, the figures on the right of their columns.
  void print(output& out, const request& what) const;

private:
  struct row {
    std::string name;
    std::vector<cell> cells;
  };
  std::string names_;
  std::vector<column> columns_;
  std::size_t least_;
  std::vector<row> rows_;
};

} // namespace muster::trace_viewer
