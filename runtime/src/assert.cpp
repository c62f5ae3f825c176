/// The end of the road for a broken assertion. Threads: any. Nothing here allocates: the heap may be what is broken.
#include <muster/assert.hpp>

#include <cstdio>
#include <cstdlib>

namespace muster::detail {

void assertion_failed(const char* condition, const char* sentence, const char* file, int line) noexcept {
  std::fprintf(stderr, "%s:%d: muster: %s (%s)\n", file, line, sentence, condition);
  std::fflush(stderr);
  std::abort();
}

} // namespace muster::detail
