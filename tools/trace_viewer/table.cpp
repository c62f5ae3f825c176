/// Finding out what has room, and printing it.
#include "table.hpp"

#include "text.hpp"

#include <algorithm>

namespace muster::trace_viewer {

void table::print(output& out, const request& what) const {
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    widths.push_back(columns_of(columns_[c].title));
    for (const auto& r : rows_)
      widths.back() = std::max(widths.back(), columns_of(r.cells[c].text));
  }
  std::size_t name = columns_of(names_);
  for (const auto& r : rows_)
    name = std::max(name, columns_of(r.name));
  // In a wide terminal names are worth more than the last of the figures.
  const auto least = std::min(name, std::max(least_, what.width / 4));
  std::vector<bool> shown(columns_.size(), true);
  const auto taken = [&] {
    std::size_t all = 0;
    for (std::size_t c = 0; c < columns_.size(); ++c)
      all += shown[c] ? 2 + widths[c] : 0;
    return all;
  };
  while (taken() != 0 && taken() + least > what.width) {
    std::size_t goes = columns_.size();
    for (std::size_t c = columns_.size(); c-- > 0;)
      if (shown[c] && (goes == columns_.size() || columns_[c].importance < columns_[goes].importance))
        goes = c;
    shown[goes] = false;
  }
  name = std::min(name, what.width - taken());

  std::string titles = padded(names_, name);
  for (std::size_t c = 0; c < columns_.size(); ++c)
    if (shown[c])
      titles += std::string(2 + widths[c] - columns_of(columns_[c].title), ' ') + columns_[c].title;
  out.write(paint(what, tone::dim, titles) + "\n");
  for (const auto& r : rows_) {
    std::string one = padded(fitted_to_end(r.name, name), name);
    for (std::size_t c = 0; c < columns_.size(); ++c)
      if (shown[c])
        one += std::string(2 + widths[c] - columns_of(r.cells[c].text), ' ') +
               paint(what, r.cells[c].how, r.cells[c].text);
    out.write(one + "\n");
  }
}

} // namespace muster::trace_viewer
