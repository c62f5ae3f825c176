/// What the C++ programs of the benchmark share: `<program> <case> <n>` does the case's work of size `n` and prints
/// each figure as one line of JSON, `{"case": "fan_out", "value": 312.5, "unit": "ns"}`.
///
/// Owner: each program; a case registers itself when the program starts. Threads: the main thread, unless a function
/// says otherwise. Invariants: a case checks its own work and no figure is printed of work that was not done; a program
/// that is asked for nonsense, or finds its work undone, says so and ends with 1 (2: it has no such case).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace bench {

/// How many threads work for every system.
inline constexpr unsigned threads = 2;

/// Does the work of size `n`, at least 1, and reports.
using work = void (*)(std::uint64_t n);

/// Registers a case: `static const bench::entry here{"fan_out", fan_out};`
struct entry {
  entry(std::string_view name, work fn);
};

/// Prints a figure. Any thread, one at a time.
void report(std::string_view name, double value, std::string_view unit);

/// Ends the program with 1 and `sentence` on stderr unless `held`. Any thread.
void expect(bool held, std::string_view sentence);

/// Nanoseconds since it was made, on the steady clock. A value.
class stopwatch {
public:
  [[nodiscard]] double ns() const {
    return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start_).count();
  }

private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Bytes of this process that are in memory now (its resident set), from /proc.
[[nodiscard]] std::uint64_t resident_bytes();

/// The `part` quantile (0 … 1) of `values`, of which there is at least one; they get sorted.
[[nodiscard]] double quantile(std::span<double> values, double part);

} // namespace bench
