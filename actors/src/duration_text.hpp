/// A span of time as people write it. Stateless.
#pragma once

#include <muster/clock.hpp>

#include <fmt/format.h>

#include <string>

namespace muster {

/// "30s", "1.5s", "250ms", "0s": in the largest unit that it fills, with at most three decimals.
[[nodiscard]] inline std::string in_words(duration d) {
  struct unit {
    const char* name;
    double size;
  };
  const auto ns = static_cast<double>(d.count());
  for (const auto& [name, size] : {unit{"s", 1e9}, unit{"ms", 1e6}, unit{"us", 1e3}, unit{"ns", 1.0}})
    if (ns >= size || ns <= -size) {
      auto number = fmt::format("{:.3f}", ns / size);
      number.erase(number.find_last_not_of('0') + 1);
      if (number.back() == '.')
        number.pop_back();
      return number + name;
    }
  return "0s";
}

} // namespace muster
