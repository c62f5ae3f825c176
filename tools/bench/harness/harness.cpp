/// See harness.hpp. The main function of each of the benchmark's C++ programs.
#include "harness.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>

#include <unistd.h>

namespace bench {
namespace {

std::map<std::string_view, work>& cases() {
  static std::map<std::string_view, work> all;
  return all;
}

} // namespace

entry::entry(std::string_view name, work fn) { cases().emplace(name, fn); }

void report(std::string_view name, double value, std::string_view unit) {
  std::printf("{\"case\": \"%.*s\", \"value\": %.6g, \"unit\": \"%.*s\"}\n", static_cast<int>(name.size()), name.data(),
              value, static_cast<int>(unit.size()), unit.data());
  std::fflush(stdout);
}

void expect(bool held, std::string_view sentence) {
  if (held)
    return;
  std::fprintf(stderr, "%.*s\n", static_cast<int>(sentence.size()), sentence.data());
  std::_Exit(1); // other threads may still be at work
}

std::uint64_t resident_bytes() {
  std::ifstream statm{"/proc/self/statm"};
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  statm >> size >> resident;
  expect(resident != 0, "/proc/self/statm does not say how much memory there is");
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

double quantile(std::span<double> values, double part) {
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1))];
}

} // namespace bench

int main(int argc, char** argv) {
  std::uint64_t n = 0;
  if (argc != 3 || std::from_chars(argv[2], argv[2] + std::strlen(argv[2]), n).ptr != argv[2] + std::strlen(argv[2]) ||
      n == 0) {
    std::fprintf(stderr, "usage: %s <case> <n>, n at least 1; the cases are:", argv[0]);
    for (const auto& [name, fn] : bench::cases())
      std::fprintf(stderr, " %s", name.data());
    std::fprintf(stderr, "\n");
    return 2;
  }
  const auto found = bench::cases().find(argv[1]);
  if (found == bench::cases().end()) {
    std::fprintf(stderr, "no case %s here\n", argv[1]);
    return 2;
  }
  found->second(n);
}
