/// Waiting for a child, and waking those who do.
#include "child_progress.hpp"

#include "owned_actor.hpp"
#include "parking.hpp"
#include "supervisor.hpp"
#include "waiting.hpp"

#include <utility>

namespace muster {

std::optional<error> child_progress::await_start(std::uint64_t before, std::uint64_t off_before) {
  const auto known = [&] { return settled() > before || called_off() != off_before || cancelled(); };
  static_cast<void>(wait_for({.address = &settled_,
                              .ready = known,
                              .engine = &child_.engine(),
                              .what = "the start of actor " + child_.path()}));
  const std::scoped_lock lock{mutex_};
  if (came_up_ > before)
    return std::nullopt; // whatever has become of it since
  if (settled() > before)
    return settled_error_;
  if (cancelled())
    return error{errc::scope_closed, "the scope was cancelled before the actor was up"}.with_path(child_.path());
  return error{errc::start_failed, "it was stopped before it was started"}.with_path(child_.path());
}

bool child_progress::await_down(std::uint64_t ends_before) {
  const auto down = [&] { return down_.load(std::memory_order_acquire) || ends() != ends_before; };
  static_cast<void>(wait_for({.address = &down_,
                              .ready = [&] { return down() || cancelled(); },
                              .engine = &child_.engine(),
                              .what = "the end of actor " + child_.path()}));
  return down();
}

bool child_progress::await_gone() {
  static_cast<void>(wait_for({.address = &settled_,
                              .ready = [&] { return settled() == for_good || cancelled(); },
                              .engine = &child_.engine(),
                              .what = "the end of actor " + child_.path()}));
  return settled() == for_good;
}

void child_progress::settle(std::uint64_t which, std::optional<error> failure) noexcept {
  {
    const std::scoped_lock lock{mutex_};
    if (settled() >= which)
      return;
    if (which != for_good && !failure)
      came_up_ = which;
    // That there will be no other start is less than why the last one has failed.
    if (which != for_good || !settled_error_)
      settled_error_.swap(failure); // the last one goes without the lock
    settled_.store(which, std::memory_order_release);
  }
  runtime::unpark_all(&settled_);
}

void child_progress::no_more(const char* why) {
  if (settled() != for_good)
    settle(for_good, error{errc::scope_closed, why}.with_path(child_.path()));
}

void child_progress::call_off() {
  called_off_.fetch_add(1, std::memory_order_release);
  runtime::unpark_all(&settled_);
}

bool child_progress::cancel() {
  if (cancelled_.exchange(true))
    return false;
  runtime::unpark_all(&settled_);
  runtime::unpark_all(&down_);
  return true;
}

void child_progress::is_down() noexcept {
  ends_.fetch_add(1, std::memory_order_release);
  down_.store(true, std::memory_order_release);
  runtime::unpark_all(&down_);
}

} // namespace muster
