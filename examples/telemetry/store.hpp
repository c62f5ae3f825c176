/// Where readings end: an interface, so that the tests can keep them in memory.
///
/// Owner: the scope `telemetry`, as its first resource, so that it is released last. Threads: one writer at a time.
#pragma once

#include "reading.hpp"

namespace telemetry {

class store {
public:
  store() = default;
  store(const store&) = delete;
  store& operator=(const store&) = delete;
  virtual ~store() = default;
  /// Keeps all of them or none.
  [[nodiscard]] virtual muster::result<void> write(std::span<const reading> readings,
                                                   std::span<const summary> summaries) = 0;
  /// Nothing is written after it.
  [[nodiscard]] virtual muster::result<void> close() = 0;
};

} // namespace telemetry
