/// The untyped half of a channel: values in envelopes, those who wait, and the awaits of coroutines.
///
/// Owner: an envelope belongs to whoever holds it: the sender until it is taken, the channel while it is buffered, then
/// the receiver. A party lives on the stack or in the frame of the one who waits. Threads: those of the channel.
/// Invariant: a value is made, moved out and destroyed by senders and receivers, never under the channel's lock; only
/// envelopes pass.
#pragma once

#include <muster/api.hpp>
#include <muster/detail/owned.hpp>
#include <muster/detail/wait_point.hpp>
#include <muster/error.hpp>
#include <muster/options.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

MUSTER_API_BEGIN

namespace muster {
class MUSTER_INSIDE channel_core;
class context;
} // namespace muster

namespace muster::detail {

struct envelope {
  envelope() = default;
  envelope(const envelope&) = delete;
  envelope& operator=(const envelope&) = delete;
  virtual ~envelope() = default;
  envelope* behind = nullptr; ///< the next one in the buffer
};

template <class T>
struct envelope_of final : envelope {
  template <class... Args>
  explicit envelope_of(Args&&... args) : value(std::forward<Args>(args)...) {}
  T value;
};

/// How a send or a receive stands. `done`: the value is delivered (sent), or held (received).
enum class passage : std::uint8_t { waits, done, closed };

/// One that waits, in one of the two lines of a channel.
struct channel_party {
  channel_party() = default;
  channel_party(const channel_party&) = delete;
  channel_party& operator=(const channel_party&) = delete;

  owned<envelope> holds; ///< a sender: its value, until it is taken; a receiver: what it was given
  channel_party* next = nullptr;   ///< of its line; guarded by the channel, as are the next two
  channel_party* prev = nullptr;
  bool in_line = false;
  std::atomic<passage> how = passage::waits; ///< set last by whoever ends its wait; the party may be gone then
  const void* wake_address = nullptr;        ///< of a thread
  waker coroutine{};                         ///< or of a suspended task
};

/// What both kinds of await have in common.
class channel_wait : public wait_point {
public:
  channel_wait(channel_wait&& other) noexcept;

protected:
  channel_wait(async_context& ctx, std::shared_ptr<channel_core> with, owned<envelope> brings, bool sends,
               std::optional<duration> limit);
  ~channel_wait();
  /// Leaves the line if it still stands there. Nothing: it is done.
  [[nodiscard]] std::optional<error> failure();
  [[nodiscard]] owned<envelope> take() noexcept { return std::move(party_.holds); }

private:
  void begin() override;
  [[nodiscard]] bool ready() noexcept override { return party_.how.load(std::memory_order_acquire) != passage::waits; }
  [[nodiscard]] std::string what() const override;

  std::shared_ptr<channel_core> core_;
  channel_party party_;
  std::optional<duration> limit_;
  bool sends_;
  bool begun_ = false;
};

/// A coroutine's send: `co_await` gives nothing, or why the value was not sent.
class send_wait final : public channel_wait {
public:
  send_wait(async_context& ctx, std::shared_ptr<channel_core> into, owned<envelope> brings,
            std::optional<duration> limit)
      : channel_wait(ctx, std::move(into), std::move(brings), true, limit) {}
  [[nodiscard]] result<void> await_resume();
};

/// The channel, whatever the type of its values.
class channel_base {
public:
  channel_base(std::size_t capacity, std::string name);

  [[nodiscard]] result<void> send(context& ctx, owned<envelope> what, std::optional<duration> limit) const;
  [[nodiscard]] result<owned<envelope>> receive(context& ctx, std::optional<duration> limit) const;
  /// Takes `what` only if it is sent.
  [[nodiscard]] result<void> try_send(owned<envelope>& what) const;
  [[nodiscard]] result<owned<envelope>> try_receive() const;
  void close() const;
  [[nodiscard]] bool closed() const;
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] std::size_t capacity() const noexcept;
  [[nodiscard]] const std::string& name() const noexcept;
  [[nodiscard]] const std::shared_ptr<channel_core>& core() const noexcept { return core_; }

private:
  std::shared_ptr<channel_core> core_;
};

} // namespace muster::detail

MUSTER_API_END
