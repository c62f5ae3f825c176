/// The order in which a lane's items run: three levels of urgency, first in first out within each, and no starvation.
///
/// Owner: one lane, which calls it under its lock; it has no lock of its own and never allocates. Invariants: an item
/// is linked exactly while its `queued_` is true; a level that is not empty is overtaken at most `patience` times
/// before its oldest item is the next (once the other level that is as impatient has had its turn).
#pragma once

#include "lane.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace muster::runtime {

class ready_queue {
public:
  /// How often the items of a level may be overtaken by more urgent ones in a row.
  static constexpr std::uint32_t patience = 32;

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// Appends to its level. `since` is the moment from which its age counts.
  void push(lane_item& item, time_point since) noexcept {
    level& to = levels_[static_cast<std::size_t>(item.urgency)];
    item.ready_since_ = since;
    item.queued_ = true;
    item.next_ = nullptr;
    item.prev_ = to.last;
    (to.last != nullptr ? to.last->next_ : to.first) = &item;
    to.last = &item;
    ++size_;
  }

  /// Takes the next item out, or returns null.
  lane_item* pop() noexcept {
    if (size_ == 0)
      return nullptr;
    const std::size_t from = choose({levels_[0].first, levels_[1].first, levels_[2].first}, overtaken_);
    lane_item* item = levels_[from].first;
    unlink(*item, from);
    return item;
  }

  /// Takes `item` out. True if it was queued.
  bool remove(lane_item& item) noexcept {
    if (!item.queued_)
      return false;
    unlink(item, static_cast<std::size_t>(item.urgency));
    return true;
  }

  /// The first item, in the order in which `pop` would give them, for which `wanted` holds; null if there is none. It
  /// stays queued. Linear.
  template <class Predicate>
  [[nodiscard]] lane_item* find(Predicate&& wanted) const {
    heads at{levels_[0].first, levels_[1].first, levels_[2].first};
    counts overtaken = overtaken_;
    for (std::size_t left = size_; left != 0; --left) {
      lane_item*& head = at[choose(at, overtaken)];
      if (wanted(static_cast<const lane_item&>(*head)))
        return head;
      head = head->next_;
    }
    return nullptr;
  }

  /// Since when the oldest item has been ready; `never` if there is none.
  [[nodiscard]] time_point oldest() const noexcept {
    time_point first = never;
    for (const level& each : levels_)
      if (each.first != nullptr && each.first->ready_since_ < first)
        first = each.first->ready_since_;
    return first;
  }

private:
  struct level {
    lane_item* first = nullptr;
    lane_item* last = nullptr;
  };
  using heads = std::array<lane_item*, 3>;
  using counts = std::array<std::uint32_t, 2>; ///< of the levels low and normal; nothing overtakes high

  /// Which level is next (one is not empty), counting whom it overtakes.
  static std::size_t choose(const heads& first, counts& overtaken) noexcept {
    std::size_t from = first[2] != nullptr ? 2 : first[1] != nullptr ? 1 : 0;
    for (std::size_t impatient = 0; impatient < from; ++impatient)
      if (first[impatient] != nullptr && overtaken[impatient] >= patience) {
        from = impatient;
        break;
      }
    // A level counts from the moment when somebody waits there, and starts again when it has had its turn.
    for (std::size_t each = 0; each != overtaken.size(); ++each)
      overtaken[each] = each == from || first[each] == nullptr ? 0 : overtaken[each] + (each < from ? 1U : 0U);
    return from;
  }

  void unlink(lane_item& item, std::size_t from) noexcept {
    level& at = levels_[from];
    (item.prev_ != nullptr ? item.prev_->next_ : at.first) = item.next_;
    (item.next_ != nullptr ? item.next_->prev_ : at.last) = item.prev_;
    item.next_ = item.prev_ = nullptr;
    item.queued_ = false;
    --size_;
  }

  std::array<level, 3> levels_{};
  counts overtaken_{};
  std::size_t size_ = 0;
};

} // namespace muster::runtime
