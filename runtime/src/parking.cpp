/// The table of parked threads.
///
/// Threads: any. Always: a waiter's node is on its own stack and linked exactly while its thread is inside `park`;
/// nodes and their condition variables are touched under the bucket's lock only, so a node cannot end under a waker's
/// hand.
#include "parking.hpp"

#include "conductor.hpp"
#include "strand.hpp"

#include <array>
#include <condition_variable>
#include <cstdint>

namespace muster::runtime {

namespace {

struct waiter {
  explicit waiter(const void* on) noexcept : address{on} {}

  const void* address;
  std::condition_variable wake;
  waiter* next = nullptr;
  waiter* prev = nullptr;
};

struct alignas(64) bucket {
  std::mutex mutex;
  waiter* first = nullptr;

  void link(waiter& w) noexcept {
    w.next = first;
    if (first != nullptr)
      first->prev = &w;
    first = &w;
  }

  void unlink(waiter& w) noexcept {
    (w.prev != nullptr ? w.prev->next : first) = w.next;
    if (w.next != nullptr)
      w.next->prev = w.prev;
  }
};

bucket& bucket_of(const void* address) noexcept {
  constexpr unsigned bits = 9;
  // Never destroyed: threads may still be parked while the program's static objects go.
  static auto& table = *new std::array<bucket, 1U << bits>;
  // Fibonacci hashing (Knuth, TAOCP 3, 6.4): the high bits of a product with 2^64 / phi.
  const auto key = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(address));
  return table[(key * 0x9E3779B97F4A7C15ULL) >> (64U - bits)];
}

/// The time limit of one `park_until`. It lives on that call's stack, which is why it notes, under the bucket's lock,
/// the moment when the queue has let go of it.
class limit final : public timer {
public:
  limit(bucket& home, waiter& who) noexcept : home_{home}, who_{who} {}

  bool passed = false; ///< under the bucket's lock
  bool held = false;   ///< under the bucket's lock: the queue has a reference

private:
  void on_due(time_point) noexcept override {
    const std::scoped_lock lock{home_.mutex};
    passed = true;
    who_.wake.notify_one();
  }
  void retain() noexcept override {} // `held` was set before it was armed
  void release() noexcept override {
    const std::scoped_lock lock{home_.mutex};
    held = false;
    who_.wake.notify_one();
  }

  bucket& home_;
  waiter& who_;
};

/// Links `w` for as long as it lives. The lock must be held at both ends.
class linked {
public:
  linked(bucket& home, waiter& w) noexcept : home_{home}, w_{w} { home_.link(w_); }
  ~linked() { home_.unlink(w_); }
  linked(const linked&) = delete;
  linked& operator=(const linked&) = delete;

private:
  bucket& home_;
  waiter& w_;
};

/// The same in a simulation, where one thread runs at a time.
class simulated_limit final : public timer {
public:
  simulated_limit(conductor& by, const void* address) noexcept : by_{by}, address_{address} {}

  bool passed = false;

private:
  void on_due(time_point) noexcept override {
    passed = true;
    by_.wake(address_);
  }
  void retain() noexcept override {}
  void release() noexcept override {}

  conductor& by_;
  const void* address_;
};

bool park_until_in(conductor& by, const void* address, timers& due, time_point until, function_ref<bool()> ready,
                   const wait_label& label) {
  simulated_limit time{by, address};
  due.arm(time, until);
  static_cast<void>(by.block(address, [&] { return ready() || time.passed; }, label.what, label.gives_up));
  due.disarm(time);
  return ready();
}

} // namespace

bool park(const void* address, function_ref<bool()> ready, const wait_label& label) {
  if (const strand* self = conductor::this_strand())
    return self->home->block(address, ready, label.what, label.gives_up);
  bucket& home = bucket_of(address);
  std::unique_lock lock{home.mutex};
  if (ready())
    return true;
  waiter self{address};
  const linked here{home, self};
  do
    self.wake.wait(lock);
  while (!ready());
  return true;
}

bool park_until(const void* address, timers& due, time_point until, function_ref<bool()> ready,
                const wait_label& label) {
  if (until == never)
    return park(address, ready, label);
  if (const strand* self = conductor::this_strand())
    return ready() || park_until_in(*self->home, address, due, until, ready, label);
  bucket& home = bucket_of(address);
  std::unique_lock lock{home.mutex};
  if (ready())
    return true;
  waiter self{address};
  const linked here{home, self};
  limit time{home, self};
  time.held = true;
  lock.unlock(); // arming wakes others, and a disarmed timer is released at once: both without our lock
  due.arm(time, until);
  lock.lock();
  bool answer = false;
  while (!(answer = ready()) && !time.passed)
    self.wake.wait(lock);
  lock.unlock();
  due.disarm(time);
  lock.lock();
  self.wake.wait(lock, [&] { return !time.held; });
  return answer || ready();
}

void unpark_all(const void* address) noexcept {
  if (const strand* self = conductor::this_strand())
    return self->home->wake(address);
  bucket& home = bucket_of(address);
  const std::scoped_lock lock{home.mutex};
  for (waiter* w = home.first; w != nullptr; w = w->next)
    if (w->address == address)
      w->wake.notify_one();
}

} // namespace muster::runtime
