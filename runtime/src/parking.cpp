/// The table of parked threads, and of those who sleep without one.
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
#include <memory>
#include <new>
#include <utility>

namespace muster::runtime {

/// Those who sleep in one bucket. A million may, at as many addresses, so that they have a hash table of their own that
/// grows with their number; all of it under the bucket's lock.
class sleepers {
public:
  void add(const void* address, std::uint64_t key, sleeper& who) noexcept {
    if (++count_ > 4 * (mask_ + 1))
      grow();
    who.address_ = address;
    link(chain_of(key), who);
  }

  void remove(std::uint64_t key, sleeper& who) noexcept {
    --count_;
    (who.prev_ != nullptr ? who.prev_->next_ : chain_of(key)) = who.next_;
    if (who.next_ != nullptr)
      who.next_->prev_ = who.prev_;
    who.next_ = who.prev_ = nullptr;
    who.address_ = nullptr;
  }

  /// Wakes those at `address`; they are to be told to `go` without the lock. Who came first is first.
  [[nodiscard]] sleeper* rouse(const void* address, std::uint64_t key) noexcept {
    sleeper* woken = nullptr;
    if (count_ == 0)
      return woken;
    for (sleeper* s = chain_of(key); s != nullptr; s = s->next_)
      if (s->address_ == address && s->rouse())
        s->woken_after_ = std::exchange(woken, s); // the newest is first in its chain, so this turns them round
    return woken;
  }

  static void go(sleeper* woken) noexcept {
    while (woken != nullptr) {
      sleeper& s = *std::exchange(woken, woken->woken_after_);
      s.go();
    }
  }

  [[nodiscard]] static const void* address_of(const sleeper& who) noexcept { return who.address_; }
  /// For `growing`: which chain an address belongs to.
  [[nodiscard]] static std::uint64_t hash(const void* address) noexcept {
    // Fibonacci hashing (Knuth, TAOCP 3, 6.4): the high bits of a product with 2^64 / phi.
    return static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(address)) * 0x9E3779B97F4A7C15ULL;
  }

private:
  /// The bits below those that choose the bucket.
  [[nodiscard]] sleeper*& chain_of(std::uint64_t key) noexcept {
    return mask_ == 0 ? only_ : chains_[(key >> 24U) & mask_];
  }

  static void link(sleeper*& first, sleeper& who) noexcept {
    who.prev_ = nullptr;
    who.next_ = first;
    if (first != nullptr)
      first->prev_ = &who;
    first = &who;
  }

  void grow() noexcept {
    const std::size_t size = (mask_ + 1) * 8;
    std::unique_ptr<sleeper*[]> larger{new (std::nothrow) sleeper*[size]{}};
    if (!larger)
      return; // longer chains, then
    const auto old = std::exchange(chains_, std::move(larger));
    const std::size_t old_size = std::exchange(mask_, size - 1) + 1;
    for (std::size_t i = 0; i != old_size; ++i) {
      // From the oldest on, so that those of one address keep their order.
      sleeper* s = old ? old[i] : std::exchange(only_, nullptr);
      while (s != nullptr && s->next_ != nullptr)
        s = s->next_;
      while (s != nullptr) {
        sleeper& each = *std::exchange(s, s->prev_);
        link(chain_of(hash(each.address_)), each);
      }
    }
  }

  sleeper* only_ = nullptr; ///< the chain, as long as one is enough
  std::unique_ptr<sleeper*[]> chains_;
  std::size_t mask_ = 0;
  std::size_t count_ = 0;
};

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
  sleepers asleep;

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
  return table[sleepers::hash(address) >> (64U - bits)];
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

void lie_down(const void* address, sleeper& who) noexcept {
  bucket& home = bucket_of(address);
  const std::scoped_lock lock{home.mutex};
  home.asleep.add(address, sleepers::hash(address), who);
}

void get_up(sleeper& who) noexcept {
  const void* address = sleepers::address_of(who);
  bucket& home = bucket_of(address);
  const std::scoped_lock lock{home.mutex};
  home.asleep.remove(sleepers::hash(address), who);
}

void unpark_all(const void* address) noexcept {
  const strand* simulated = conductor::this_strand();
  if (simulated != nullptr)
    simulated->home->wake(address);
  bucket& home = bucket_of(address);
  sleeper* woken = nullptr;
  {
    const std::scoped_lock lock{home.mutex};
    if (simulated == nullptr)
      for (waiter* w = home.first; w != nullptr; w = w->next)
        if (w->address == address)
          w->wake.notify_one();
    woken = home.asleep.rouse(address, sleepers::hash(address));
  }
  sleepers::go(woken);
}

} // namespace muster::runtime
