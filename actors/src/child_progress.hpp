/// What others can wait for of a child: that it is up, or will not be; that it is down; that it has left.
///
/// Owner: the child, which writes it on its own turn. Threads: the waits on any that may block, all else on any.
/// Invariants: an incarnation is settled once, with the first word about it; that the child has left for good is the
/// last word; whoever waits is told when the scope is cancelled.
#pragma once

#include <muster/error.hpp>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>

namespace muster {

class owned_actor;

class child_progress {
public:
  explicit child_progress(const owned_actor& of) noexcept : child_(of) {}

  /// The last incarnation of which it is known whether it came up.
  [[nodiscard]] std::uint64_t settled() const noexcept { return settled_.load(std::memory_order_acquire); }
  /// How often a start that was due was called off.
  [[nodiscard]] std::uint64_t called_off() const noexcept { return called_off_.load(std::memory_order_acquire); }
  /// How many incarnations have come to an end, as the scope knows by now.
  [[nodiscard]] std::uint64_t ends() const noexcept { return ends_.load(std::memory_order_acquire); }
  /// The scope was cancelled.
  [[nodiscard]] bool cancelled() const noexcept { return cancelled_.load(std::memory_order_acquire); }

  /// Blocks until a later incarnation than `before` is up or has not started, none will be, or its start was called off
  /// (`called_off()` is no longer `off_before`). Nothing, or why not.
  [[nodiscard]] std::optional<error> await_start(std::uint64_t before, std::uint64_t off_before = 0);
  /// Blocks until no incarnation is there, or one has ended since (`ends()` is no longer `ends_before`). False: the
  /// scope was cancelled before that.
  [[nodiscard]] bool await_down(std::uint64_t ends_before);
  /// Blocks until it has left its scope for good; false likewise.
  [[nodiscard]] bool await_gone();

  /// Incarnation `which` is up, or its start has failed.
  void settle(std::uint64_t which, std::optional<error> failure) noexcept;
  /// No incarnation will be begun any more: whoever waits for one is told.
  void no_more(const char* why);
  /// The start that was due will not be: whoever waits for it is told.
  void call_off();
  /// The scope was: false if that was known.
  bool cancel();
  /// A start has been decided: from here on it is not down. Under the scope's lock.
  void to_be_begun() noexcept { down_.store(false, std::memory_order_release); }
  /// The scope knows that it is: whoever has waited for this may start it again.
  void is_down() noexcept;

private:
  static constexpr std::uint64_t for_good = ~std::uint64_t{0};

  const owned_actor& child_;
  std::mutex mutex_; ///< a leaf
  std::optional<error> settled_error_;
  std::uint64_t came_up_ = 0; ///< the last incarnation that was up
  std::atomic<std::uint64_t> settled_ = 0;
  std::atomic<std::uint64_t> called_off_ = 0;
  std::atomic<std::uint64_t> ends_ = 0;
  std::atomic<bool> cancelled_ = false;
  std::atomic<bool> down_ = true;
};

} // namespace muster
