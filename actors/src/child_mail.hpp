/// The mail of a child through all of its incarnations: passed on to the one that is up, kept for the next in a bounded
/// queue, or refused.
///
/// Owner: the child. Threads: `take` from any thread, also while CAF holds a lock of an actor; the rest as it says.
/// Invariants: what was kept goes to the next incarnation before what comes after it; `close` is final; what is not
/// passed on is counted, and is bounced and destroyed only by `letters` that the caller takes away, under no lock.
#pragma once

#include "caf_port.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>

namespace muster {

class child_mail {
public:
  using letters = std::deque<caf::mailbox_element_ptr>;

  /// Keeps at most `most`; counts in `refused`, which must outlive it, what it does not.
  child_mail(std::size_t most, std::atomic<std::uint64_t>& refused) noexcept : most_(most), refused_(refused) {}

  /// Passes the message on or keeps it. False: it is refused, and still the caller's.
  [[nodiscard]] bool take(caf::mailbox_element_ptr& what, runtime::mail_host* host) noexcept;
  /// From now on mail goes to `actor`, what was kept first; null: to nobody. On the child's own turn.
  void route_to(caf::actor actor) noexcept;
  [[nodiscard]] caf::actor present() const;

  /// Whether it will be started again, so that what comes while nobody is there is kept. Under the scope's lock, in the
  /// step that decides it.
  void keep(bool keeps) noexcept;
  /// It never will be. Any thread.
  void close() noexcept;
  /// What was kept and is not any more: to be bounced and destroyed under no lock, on a thread that may run user code.
  [[nodiscard]] letters take_unwanted() noexcept;

private:
  void drop_kept() noexcept;

  const std::size_t most_;
  std::atomic<std::uint64_t>& refused_;
  mutable std::mutex mutex_; ///< a leaf: nothing is called under it
  caf::actor target_;
  letters kept_;
  letters unwanted_;
  bool keeps_ = true;
  bool closed_ = false;
};

} // namespace muster
