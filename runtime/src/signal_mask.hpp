/// The signal mask of the thread that makes it, for threads that somebody else starts later.
///
/// An application says by its mask which signals its threads take. A worker that is started in the middle of something
/// would else have the mask of whoever happened to need it.
///
/// Owner: what starts threads. Threads: `wear` on the new one.
#pragma once

#include <csignal>

namespace muster::runtime {

class signal_mask {
public:
  signal_mask() noexcept { ::pthread_sigmask(SIG_SETMASK, nullptr, &mask_); }
  /// From now on this is the calling thread's.
  void wear() const noexcept { ::pthread_sigmask(SIG_SETMASK, &mask_, nullptr); }

private:
  sigset_t mask_{};
};

} // namespace muster::runtime
