/// Numbers for people: see tally.hpp.
#include "tally.hpp"

#include <array>

#include <fmt/format.h>

namespace checksum {

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (auto at = text.size(); at > 3;)
    text.insert(at -= 3, 1, ',');
  return text;
}

std::string as_bytes(std::uint64_t bytes) {
  constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double number = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; number >= 1000 && unit + 1 < units.size(); ++unit)
    number /= 1024;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", number, units[unit]);
}

std::string how_far(const tally& counts) {
  const auto hashed = counts.hashed.load();
  return fmt::format("{} file{} hashed, {} printed, {} read", grouped(hashed), hashed == 1 ? "" : "s",
                     grouped(counts.printed.load()), as_bytes(counts.bytes.load()));
}

} // namespace checksum
