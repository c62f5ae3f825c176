/// The list of what a task holds.
#include "holding.hpp"

namespace muster {

void holdings::hold(holding& what) noexcept {
  std::lock_guard guard{mutex_};
  list_.push_back(what);
}

bool holdings::let_go(holding& what) noexcept {
  std::lock_guard guard{mutex_};
  if (!what.linked())
    return false;
  what.unlink();
  return true;
}

void holdings::end() noexcept {
  std::lock_guard guard{mutex_};
  while (!list_.empty()) {
    holding& first = list_.front();
    first.unlink();
    first.holder_gone();
  }
}

} // namespace muster
