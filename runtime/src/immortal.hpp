/// A static object without a destruction, for what may still be used while other statics are being destroyed.
///
/// Owner: the function that has it as a static. Threads: as the value. Invariant: needs no memory but its own.
#pragma once

#include <utility>

namespace muster::runtime {

/// Use it as `static const immortal<T> only;` and read `only.value`.
template <class T>
union immortal {
  T value;

  template <class... Args>
  constexpr explicit immortal(Args&&... args) : value(std::forward<Args>(args)...) {}
  ~immortal() {}
};

} // namespace muster::runtime
