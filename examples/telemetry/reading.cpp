/// See reading.hpp.
#include "reading.hpp"

#include <algorithm>

namespace telemetry {

std::vector<summary> summarise(std::span<const reading> readings) {
  std::vector<summary> all;
  for (const auto& one : readings) {
    auto of = std::ranges::find(all, one.source, &summary::source);
    if (of == all.end())
      of = all.insert(all.end(), {one.source, one.at, one.at, 0, one.value, 0, one.value});
    ++of->count;
    of->first = std::min(of->first, one.at);
    of->last = std::max(of->last, one.at);
    of->least = std::min(of->least, one.value);
    of->most = std::max(of->most, one.value);
    of->mean += (one.value - of->mean) / of->count; // without a sum that could grow beyond a double's digits
  }
  return all;
}

} // namespace telemetry
