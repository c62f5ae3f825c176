/// Assertions against misuse, in every kind of build.
///
/// Owner: nobody; stateless. Threads: any. Invariant: an assertion that holds costs one branch that is predicted right;
/// one that does not hold never returns. For operational failure use `muster::error` instead: that is a value.
#pragma once

#include <muster/api.hpp>

MUSTER_API_BEGIN

namespace muster::detail {

/// Prints `file:line: sentence (condition)` to stderr and aborts. Allocates nothing, takes no lock of Muster's.
[[noreturn]] void assertion_failed(const char* condition, const char* sentence, const char* file, int line) noexcept;

} // namespace muster::detail

/// Aborts with `sentence` (a string literal that says what the caller should have done) unless `condition` holds.
#define MUSTER_ASSERT(condition, sentence)                                                                             \
  (__builtin_expect(static_cast<bool>(condition), 1)                                                                   \
     ? static_cast<void>(0)                                                                                            \
     : ::muster::detail::assertion_failed(#condition, sentence, __FILE__, __LINE__))

MUSTER_API_END
