// What this process has at the moment, as the kernel counts it: for tests that everything has gone again.
#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>

namespace process_counts {

inline std::size_t entries(const char* folder) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator{folder})
    ++count;
  return count;
}

inline std::size_t threads() { return entries("/proc/self/task"); }
inline std::size_t descriptors() { return entries("/proc/self/fd"); }

inline std::size_t mappings() {
  std::ifstream maps{"/proc/self/maps"};
  std::size_t count = 0;
  for (std::string line; std::getline(maps, line);)
    ++count;
  return count;
}

inline std::size_t resident_pages() {
  std::ifstream statm{"/proc/self/statm"};
  std::size_t size = 0;
  std::size_t resident = 0;
  statm >> size >> resident;
  return resident;
}

} // namespace process_counts
