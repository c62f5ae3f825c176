/// Channels: values that pass from tasks to tasks, in order, through a bounded buffer.
///
///     muster::channel<order> orders{16, "orders"};
///     crew.execute("reader", [orders](muster::async_context& ctx) -> muster::coro<muster::result<void>> {
///       for (;;) {
///         auto next = co_await orders.receive(ctx);
///         if (!next && next.error().code() == muster::errc::channel_closed)
///           co_return muster::result<void>{};           // and empty
///         if (!next)
///           co_return std::unexpected{next.error()};    // asked to stop
///         …
///       }
///     });
///
/// Owner: a channel is a shared handle; copies are the same channel, which goes with the last of them, with what is
/// still buffered (on the thread that drops it). Nothing is closed by itself. Threads: any, any number of senders and
/// receivers; coroutines and plain bodies alike. Invariants:
///  - first in, first out: values arrive in the order in which they were sent, and on both sides whoever waits longest
///    is served first; nobody overtakes those who wait, not even try_send and try_receive;
///  - a value that was sent is received at most once, and by exactly one if all is received;
///  - whether a send or a receive that was to be called off counts is decided in one step: if it fails, nothing was
///    delivered and nothing taken; if the other side was there first, it succeeds, cancelled or not;
///  - user code (moves, destructors) never runs under the channel's lock.
///
/// Compared: capacity and rendezvous as in Go; failing instead of panicking on a closed one, and draining it, as in
/// Trio's memory channels; unlike Kotlin's `close`, this one also refuses the senders that already wait, since none of
/// them has been told that its value was sent.
#pragma once

#include <muster/api.hpp>
#include <muster/async_context.hpp>
#include <muster/context.hpp>
#include <muster/detail/channel_support.hpp>

#include <concepts>
#include <cstddef>
#include <type_traits>

MUSTER_API_BEGIN

namespace muster {

/// A coroutine's receive: `co_await` gives a value, or why there is none.
template <class T>
class receive_wait final : public detail::channel_wait {
public:
  /// For the library: channel::receive makes it.
  receive_wait(async_context& ctx, std::shared_ptr<channel_core> from, std::optional<duration> limit)
      : channel_wait(ctx, std::move(from), {}, false, limit) {}
  /// What `co_await` gives; see channel::receive.
  [[nodiscard]] result<T> await_resume() {
    if (auto why = failure())
      return std::unexpected{std::move(*why)};
    const auto got = take();
    return std::move(static_cast<detail::envelope_of<T>&>(*got).value);
  }
};

/// A handle of a channel; copies are the same channel. See the top of this file.
template <class T>
class channel {
public:
  static_assert(std::is_object_v<T> && std::move_constructible<T>, "a channel<T> passes objects that can be moved");
  using value_type = T; ///< what passes through it

  /// Holds up to `capacity` values that were sent and not yet received. Zero: none; a send succeeds when somebody
  /// receives that very value. `name` is for `tree()`.
  explicit channel(std::size_t capacity, std::string name = {}) : base_(capacity, std::move(name)) {}

  /// Sends `value`: blocks while there is no room, behind those who came before, for at most `limit` (zero or negative:
  /// only if it can be at once). Meanwhile the task shows in `tree()` what it waits for, and its `max_parallel` permit
  /// is lent. If it fails the value was not delivered and is destroyed:
  ///  - errc::channel_closed, if it is closed before there was room;
  ///  - errc::cancelled or errc::timed_out, if the task is (or has been) asked to stop: the reason, as from
  ///    checkpoint();
  ///  - errc::timed_out, if `limit` passed first; errc::no_threads, if no thread could be had while it waits.
  [[nodiscard]] result<void> send(context& ctx, T value) const { return base_.send(ctx, pack(std::move(value)), {}); }
  /// The same with a limit.
  [[nodiscard]] result<void> send(context& ctx, T value, duration limit) const {
    return base_.send(ctx, pack(std::move(value)), limit);
  }
  /// The same for a coroutine, which awaits it and holds no thread meanwhile. Before that nothing is sent.
  [[nodiscard]] detail::send_wait send(async_context& ctx, T value) const {
    return {ctx, base_.core(), pack(std::move(value)), std::nullopt};
  }
  /// The same with a limit, which counts from the await on.
  [[nodiscard]] detail::send_wait send(async_context& ctx, T value, duration limit) const {
    return {ctx, base_.core(), pack(std::move(value)), limit};
  }

  /// Receives the oldest value: blocks while there is none, behind those who came before; `limit` and failures as
  /// above, but errc::channel_closed only when it is closed and everything that was sent has been received.
  [[nodiscard]] result<T> receive(context& ctx) const { return unpacked(base_.receive(ctx, {})); }
  /// The same with a limit.
  [[nodiscard]] result<T> receive(context& ctx, duration limit) const { return unpacked(base_.receive(ctx, limit)); }
  /// For a coroutine, which awaits it and holds no thread meanwhile. Before that nothing is taken.
  [[nodiscard]] receive_wait<T> receive(async_context& ctx) const { return {ctx, base_.core(), std::nullopt}; }
  /// The same with a limit, which counts from the await on.
  [[nodiscard]] receive_wait<T> receive(async_context& ctx, duration limit) const { return {ctx, base_.core(), limit}; }

  /// Sends it if that can be at once; never blocks, needs no task. Else errc::not_ready or errc::channel_closed, and
  /// `value` is as it was (moved there and back).
  [[nodiscard]] result<void> try_send(T&& value) const
    requires std::movable<T>
  {
    auto packed = pack(std::move(value));
    auto sent = base_.try_send(packed);
    if (!sent)
      value = std::move(static_cast<detail::envelope_of<T>&>(*packed).value);
    return sent;
  }
  /// The same with a copy.
  [[nodiscard]] result<void> try_send(const T& value) const
    requires std::copy_constructible<T>
  {
    auto packed = pack(T(value));
    return base_.try_send(packed);
  }
  /// The oldest value if there is one; else errc::not_ready, or errc::channel_closed. Never blocks, needs no task.
  [[nodiscard]] result<T> try_receive() const { return unpacked(base_.try_receive()); }

  /// Nothing is sent any more: sends fail from now on, also those that wait. What is buffered can still be received,
  /// then receives fail, and all who wait for a value fail at once. Idempotent; never blocks.
  void close() const { base_.close(); }
  /// True once `close` was called; there may still be values to receive.
  [[nodiscard]] bool closed() const { return base_.closed(); }
  /// How many values are buffered at this moment.
  [[nodiscard]] std::size_t size() const { return base_.size(); }
  /// As it was made with.
  [[nodiscard]] std::size_t capacity() const noexcept { return base_.capacity(); }
  /// As it was made with; may be empty.
  [[nodiscard]] const std::string& name() const noexcept { return base_.name(); }

private:
  static detail::owned<detail::envelope> pack(T&& value) {
    return detail::make_owned<detail::envelope_of<T>>(std::move(value));
  }
  static result<T> unpacked(result<detail::owned<detail::envelope>> got) {
    if (!got)
      return std::unexpected{std::move(got).error()};
    return std::move(static_cast<detail::envelope_of<T>&>(**got).value);
  }

  detail::channel_base base_;
};

} // namespace muster

MUSTER_API_END
