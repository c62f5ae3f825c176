/// A pairing heap and the lock around it.
///
/// Threads: see timers.hpp. Always: sibling lists are doubly linked, `prev_` of a first child is its parent, and the
/// root has neither sibling nor `prev_`. Nothing recurses, so a heap of a million timers needs no deep stack.
#include "timers.hpp"

#include "spin.hpp"

#include <muster/assert.hpp>

#include <utility>

namespace muster::runtime {

bool timer_heap::before(const timer& a, const timer& b) noexcept {
  return a.due_ != b.due_ ? a.due_ < b.due_ : a.order_ < b.order_;
}

timer* timer_heap::meld(timer* a, timer* b) noexcept {
  if (a == nullptr)
    return b;
  if (b == nullptr)
    return a;
  if (before(*b, *a))
    std::swap(a, b);
  b->prev_ = a;
  b->next_ = a->child_;
  if (a->child_ != nullptr)
    a->child_->prev_ = b;
  a->child_ = b;
  return a;
}

timer* timer_heap::combine(timer* first) noexcept {
  // First pass, left to right: meld pairs, and keep the results in a list that is in reverse order.
  timer* pairs = nullptr;
  while (first != nullptr) {
    timer* a = first;
    timer* b = a->next_;
    first = b != nullptr ? b->next_ : nullptr;
    a->next_ = a->prev_ = nullptr;
    if (b != nullptr)
      b->next_ = b->prev_ = nullptr;
    timer* pair = meld(a, b);
    pair->next_ = pairs;
    pairs = pair;
  }
  // Second pass, right to left: meld them into one.
  timer* root = nullptr;
  while (pairs != nullptr) {
    timer* pair = std::exchange(pairs, pairs->next_);
    pair->next_ = nullptr;
    root = meld(root, pair);
  }
  return root;
}

void timer_heap::insert(timer& t) noexcept {
  t.child_ = t.next_ = t.prev_ = nullptr;
  root_ = meld(root_, &t);
  ++size_;
}

void timer_heap::erase(timer& t) noexcept {
  timer* below = combine(std::exchange(t.child_, nullptr));
  if (&t == root_) {
    root_ = below;
  } else {
    (t.prev_->child_ == &t ? t.prev_->child_ : t.prev_->next_) = t.next_;
    if (t.next_ != nullptr)
      t.next_->prev_ = t.prev_;
    t.next_ = t.prev_ = nullptr;
    root_ = meld(root_, below);
  }
  --size_;
}

timers::timers(std::function<void()> on_earlier) : on_earlier_{std::move(on_earlier)} {}

timers::~timers() { clear(); }

void timers::clear() noexcept {
  while (timer* t = take_due(never))
    t->release();
}

void timers::arm(timer& t, time_point due) noexcept {
  bool earlier = false;
  {
    const auto lock = lock_soon(mutex_);
    const bool was_empty = heap_.empty();
    const auto before = was_empty ? never : heap_.top()->due_;
    if (t.armed_) {
      heap_.erase(t);
    } else {
      t.retain();
      t.armed_ = true;
    }
    t.due_ = due;
    t.order_ = tie_breaker_ ? tie_breaker_() : heap_.armed_ever_++;
    heap_.insert(t);
    earlier = was_empty || heap_.top()->due_ < before;
  }
  if (earlier && on_earlier_)
    on_earlier_();
}

bool timers::disarm(timer& t) noexcept {
  {
    const auto lock = lock_soon(mutex_);
    if (!t.armed_)
      return false;
    t.armed_ = false;
    heap_.erase(t);
  }
  t.release();
  return true;
}

std::optional<time_point> timers::next_due() const {
  const auto lock = lock_soon(mutex_);
  if (heap_.empty())
    return std::nullopt;
  return heap_.top()->due_;
}

std::size_t timers::armed() const {
  const auto lock = lock_soon(mutex_);
  return heap_.size();
}

timer* timers::take_due(time_point now) noexcept {
  const auto lock = lock_soon(mutex_);
  timer* t = heap_.top();
  if (t == nullptr || t->due_ > now)
    return nullptr;
  heap_.erase(*t);
  t->armed_ = false;
  return t;
}

std::size_t timers::fire_due(time_point now) noexcept {
  std::size_t fired = 0;
  while (fire_next(now))
    ++fired;
  return fired;
}

bool timers::fire_next(time_point now) noexcept {
  timer* t = take_due(now);
  if (t == nullptr)
    return false;
  t->on_due(now);
  t->release();
  return true;
}

} // namespace muster::runtime
