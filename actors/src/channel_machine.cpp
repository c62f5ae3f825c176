/// The channel's decisions; see channel_machine.hpp.
#include "channel_machine.hpp"

#include <utility>

namespace muster {

channel_machine::~channel_machine() {
  while (size_ > 0)
    static_cast<void>(oldest());
}

channel_machine::step channel_machine::send(party& who, bool may_wait) noexcept {
  if (closed_)
    return {passage::closed};
  if (auto* receiver = receivers_.leave_first()) {
    receiver->holds = std::move(who.holds);
    return {passage::done, receiver};
  }
  if (size_ < capacity_) {
    buffer(std::move(who.holds));
    return {};
  }
  if (may_wait)
    senders_.join(who);
  return {passage::waits};
}

channel_machine::step channel_machine::receive(party& who, bool may_wait) noexcept {
  if (size_ > 0) {
    who.holds = oldest();
    auto* sender = senders_.leave_first();
    if (sender)
      buffer(std::move(sender->holds)); // behind those that were sent before
    return {passage::done, sender};
  }
  if (auto* sender = senders_.leave_first()) {
    who.holds = std::move(sender->holds);
    return {passage::done, sender};
  }
  if (closed_)
    return {passage::closed};
  if (may_wait)
    receivers_.join(who);
  return {passage::waits};
}

bool channel_machine::gave_up(party& who) noexcept {
  if (!who.in_line)
    return false;
  waiting().leave(who);
  return true;
}

channel_machine::party* channel_machine::close() noexcept {
  if (std::exchange(closed_, true))
    return nullptr;
  auto* const all = std::exchange(waiting(), {}).first;
  for (auto* each = all; each; each = each->next)
    each->in_line = false;
  return all;
}

void channel_machine::buffer(detail::owned<envelope> what) noexcept {
  auto* const end = what.release();
  end->behind = nullptr;
  (size_++ == 0 ? first_ : last_->behind) = end;
  last_ = end;
}

detail::owned<detail::envelope> channel_machine::oldest() noexcept {
  --size_;
  return detail::owned<envelope>{std::exchange(first_, first_->behind)};
}

void channel_machine::line::join(party& who) noexcept {
  who.next = nullptr;
  who.prev = std::exchange(last, &who);
  (who.prev ? who.prev->next : first) = &who;
  who.in_line = true;
}

void channel_machine::line::leave(party& who) noexcept {
  (who.prev ? who.prev->next : first) = who.next;
  (who.next ? who.next->prev : last) = who.prev;
  who.next = who.prev = nullptr;
  who.in_line = false;
}

channel_machine::party* channel_machine::line::leave_first() noexcept {
  auto* const who = first;
  if (who)
    leave(*who);
  return who;
}

} // namespace muster
