/// What becomes of an exception of the user's whose last error is let go of on a thread that must run no user code: it
/// is handed to one that may.
///
/// Owner: whoever runs such threads (the engine); they carry a mark while they run. Threads: `here` tells each thread
/// its own. Invariant: a destructor of the user's runs on no thread that carries a mark.
#pragma once

#include <exception>
#include <utility>

namespace muster::runtime {

class disposal {
public:
  /// Takes over one reference, to be let go of elsewhere.
  virtual void take(std::exception_ptr what) noexcept = 0;

  /// What this thread hands exceptions to; null: it may destroy them itself.
  [[nodiscard]] static disposal* here() noexcept { return here_; }

  /// Says, while it lives, that this thread hands them to `to` (null: to nobody).
  class mark {
  public:
    explicit mark(disposal* to) noexcept : before_{std::exchange(here_, to)} {}
    ~mark() { here_ = before_; }
    mark(const mark&) = delete;
    mark& operator=(const mark&) = delete;

  private:
    disposal* before_;
  };

protected:
  ~disposal() = default;

private:
  static inline constinit thread_local disposal* here_ = nullptr;
};

} // namespace muster::runtime
