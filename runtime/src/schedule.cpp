/// The two ways to draw what runs next.
#include "schedule.hpp"

#include <algorithm>
#include <functional>

namespace muster::runtime {

namespace {

/// Priorities given at random are above this, those given by dropping below it.
constexpr std::uint64_t middle = std::uint64_t{1} << 32U;
/// One pause in so many of those inside Muster's own steps lets others run: there are many, and a walk that stops at
/// each of them comes nowhere.
constexpr std::uint64_t one_inside_in = 4;

} // namespace

schedule::schedule(const schedule_options& options)
    : random_{options.seed}, by_priority_{options.by_priority}, lowest_{middle} {
  if (!by_priority_)
    return;
  for (unsigned i = 0; i != options.priority_changes; ++i)
    changes_.push_back(1 + random_.below(std::max<std::uint64_t>(options.expected_steps, 1)));
  std::ranges::sort(changes_, std::greater{});
}

std::uint64_t schedule::new_priority() noexcept { return by_priority_ ? middle + (random_.next() >> 32U) : 0; }

void schedule::add(entry e) {
  if (by_priority_)
    order_.insert({e, added_++});
  else
    walk_.push_back(e);
}

schedule::entry schedule::take() {
  if (by_priority_)
    return order_.extract(order_.begin()).value().who;
  std::swap(walk_[random_.below(walk_.size())], walk_.back());
  const entry e = walk_.back();
  walk_.pop_back();
  return e;
}

schedule::entry schedule::next() {
  entry e = take();
  if (step(e.priority)) {
    add(e);
    e = take();
  }
  return e;
}

bool schedule::interrupts(pause why, std::uint64_t& priority) noexcept {
  static_cast<void>(step(priority));
  if (!by_priority_)
    return ready() != 0 && (why != pause::inside || random_.below(one_inside_in) == 0);
  if (why == pause::look)
    priority = --lowest_;
  return ready() != 0 && order_.begin()->who.priority > priority;
}

bool schedule::step(std::uint64_t& priority) noexcept {
  bool drops = false;
  for (++steps_; !changes_.empty() && changes_.back() <= steps_; drops = true) {
    changes_.pop_back();
    priority = --lowest_;
  }
  return drops;
}

} // namespace muster::runtime
