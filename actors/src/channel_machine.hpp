/// What a channel decides: who gets which value, who waits, who is told that it is over.
///
/// Owner: the channel, under its lock. Threads: none of its own; a plain state machine. Invariants: if somebody waits
/// to receive, nothing is buffered and nobody waits to send; if somebody waits to send, the buffer is full; once it is
/// closed nobody waits at all. Every party that leaves a line does so exactly once: it is served, it is told, or it
/// gives up.
#pragma once

#include <muster/detail/channel_support.hpp>

#include <cstddef>
#include <memory>

namespace muster {

class channel_machine {
public:
  using party = detail::channel_party;
  using envelope = detail::envelope;
  using passage = detail::passage;

  explicit channel_machine(std::size_t capacity) noexcept : capacity_(capacity) {}
  channel_machine(const channel_machine&) = delete;
  channel_machine& operator=(const channel_machine&) = delete;
  /// Destroys what is buffered. Nobody waits.
  ~channel_machine();

  /// What has come of a step. `served`: somebody else whose wait has ended well with it, or null.
  struct step {
    passage how = passage::done;
    party* served = nullptr;
  };

  /// Sends what `who` holds. `waits`: it stands in line now (and only if `may_wait`), and holds it still.
  [[nodiscard]] step send(party& who, bool may_wait) noexcept;
  /// `done`: `who` holds the oldest value. `waits`: as above.
  [[nodiscard]] step receive(party& who, bool may_wait) noexcept;
  /// True: it stood in line and is out of it. False: its wait had ended before.
  [[nodiscard]] bool gave_up(party& who) noexcept;
  /// All who waited, chained by `next` in the order of their coming; null from the second call on.
  [[nodiscard]] party* close() noexcept;

  [[nodiscard]] bool closed() const noexcept { return closed_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] bool somebody_waits() const noexcept { return senders_.first || receivers_.first; }

private:
  struct line {
    party* first = nullptr;
    party* last = nullptr;
    void join(party& who) noexcept;
    void leave(party& who) noexcept;
    [[nodiscard]] party* leave_first() noexcept;
  };
  /// The one of the two lines that is not empty, if there is one.
  [[nodiscard]] line& waiting() noexcept { return senders_.first ? senders_ : receivers_; }
  void buffer(detail::owned<envelope> what) noexcept;
  [[nodiscard]] detail::owned<envelope> oldest() noexcept;

  const std::size_t capacity_;
  std::size_t size_ = 0;
  envelope* first_ = nullptr;
  envelope* last_ = nullptr;
  line senders_;
  line receivers_;
  bool closed_ = false;
};

} // namespace muster
