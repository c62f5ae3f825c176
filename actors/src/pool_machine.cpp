/// The decisions of pool_machine.hpp.
#include "pool_machine.hpp"

#include <muster/assert.hpp>

#include <algorithm>
#include <utility>

namespace muster {

using kind = pool_command::kind;

// -- small steps ------------------------------------------------------------------------------------------------------

pool_machine::record& pool_machine::known(item_id id, state expected) noexcept {
  const auto found = items_.find(id);
  MUSTER_ASSERT(found != items_.end() && found->second.at == expected,
                "the pool machine was told of a resource that is not in the state in which this can happen");
  return found->second;
}

void pool_machine::move(record& i, state to) noexcept {
  --counts_[static_cast<std::size_t>(i.at)];
  ++counts_[static_cast<std::size_t>(to)];
  i.at = to;
}

bool pool_machine::outlived(const record& i, time_point now) const noexcept {
  return rules_.max_lifetime != duration::max() && saturating_add(i.created, rules_.max_lifetime) <= now;
}

void pool_machine::make(pool_commands& out) {
  items_.emplace(++last_item_, record{state::creating, generation_});
  ++counts_[static_cast<std::size_t>(state::creating)];
  out.push_back({.what = kind::create, .item = last_item_});
}

void pool_machine::retire(item_id id, record& i, retired_for why, pool_commands& out) {
  totals_.outlived += why == retired_for::outlived ? 1U : 0U;
  totals_.evicted += why == retired_for::idle ? 1U : 0U;
  move(i, state::destroying);
  out.push_back({.what = kind::destroy, .item = id, .why = why});
}

void pool_machine::grant(item_id id, record& i, time_point now, pool_commands& out) {
  const auto first = waiters_.begin();
  const duration waited = now - first->second;
  totals_.wait_time += waited;
  totals_.longest_wait = std::max(totals_.longest_wait, waited);
  ++totals_.acquired;
  move(i, state::held);
  out.push_back({.what = kind::grant, .item = id, .whom = first->first});
  waiters_.erase(first);
}

void pool_machine::offer(item_id id, record& i, bool fresh, time_point now, pool_commands& out) {
  if (!waiters_.empty() && (fresh || !rules_.checks)) {
    grant(id, i, now, out);
    return;
  }
  move(i, state::idle);
  i.idle_since = now;
  idle_.push_back(id);
  if (rules_.max_lifetime != duration::max())
    want_tick(saturating_add(i.created, rules_.max_lifetime), out);
  if (rules_.idle_timeout != duration::max())
    want_tick(saturating_add(now, rules_.idle_timeout), out);
}

void pool_machine::settle(item_id id, record& i, bool fresh, time_point now, pool_commands& out) {
  if (closed_)
    retire(id, i, retired_for::closed, out);
  else if (i.generation != generation_)
    retire(id, i, retired_for::reset, out);
  else if (items_.size() - count(state::destroying) > rules_.max)
    retire(id, i, retired_for::resized, out);
  else if (outlived(i, now))
    retire(id, i, retired_for::outlived, out);
  else
    offer(id, i, fresh, now, out);
  pump(now, out);
}

void pool_machine::want_tick(time_point at, pool_commands& out) {
  if (at >= alarm_)
    return;
  alarm_ = at;
  out.push_back({.what = kind::arm, .at = at});
}

// -- making the invariants true ---------------------------------------------------------------------------------------

void pool_machine::pump(time_point now, pool_commands& out) {
  if (closed_) {
    pump_closed(out);
    return;
  }
  while (!idle_.empty() && items_.size() - count(state::destroying) > rules_.max) {
    retire(idle_.front(), items_.at(idle_.front()), retired_for::resized, out);
    idle_.pop_front();
  }
  // The one used last is used next, so that those that are not needed come to their idle timeout.
  while (!idle_.empty() && waiters_.size() > count(state::checking)) {
    const auto id = idle_.back();
    idle_.pop_back();
    auto& i = items_.at(id);
    if (outlived(i, now)) {
      retire(id, i, retired_for::outlived, out);
    } else if (rules_.checks) {
      move(i, state::checking);
      out.push_back({.what = kind::check, .item = id});
    } else {
      grant(id, i, now, out);
    }
  }
  while (waiters_.size() > pending() && items_.size() < rules_.max)
    make(out);
  refill(now, out);
}

void pool_machine::refill(time_point now, pool_commands& out) {
  while (idle_.size() + pending() < waiters_.size() + spare_wanted() && items_.size() < rules_.max) {
    if (now < refill_at_) {
      want_tick(refill_at_, out);
      return;
    }
    make(out);
  }
}

void pool_machine::pump_closed(pool_commands& out) {
  for (const auto& [who, since] : waiters_) {
    ++totals_.refused;
    out.push_back({.what = kind::refuse, .whom = who});
  }
  waiters_.clear();
  for (const auto id : idle_)
    retire(id, items_.at(id), retired_for::closed, out);
  idle_.clear();
  if (items_.empty() && !std::exchange(ended_, true))
    out.push_back({.what = kind::end});
}

// -- events -----------------------------------------------------------------------------------------------------------

pool_commands pool_machine::start(time_point now) {
  pool_commands out;
  pump(now, out);
  return out;
}

std::optional<pool_machine::item_id> pool_machine::take_free(time_point now) {
  if (closed_ || rules_.checks || !waiters_.empty() || idle_.empty() || idle_.size() <= spare_wanted() ||
      items_.size() - count(state::destroying) > rules_.max)
    return std::nullopt;
  const auto id = idle_.back();
  auto& i = items_.find(id)->second;
  if (outlived(i, now))
    return std::nullopt;
  idle_.pop_back();
  move(i, state::held);
  ++totals_.acquired;
  return id;
}

pool_commands pool_machine::acquire(ticket who, time_point now) {
  pool_commands out;
  if (closed_) {
    ++totals_.refused;
    out.push_back({.what = kind::refuse, .whom = who});
    return out;
  }
  MUSTER_ASSERT(waiters_.empty() || waiters_.rbegin()->first < who, "tickets of a pool rise");
  waiters_.emplace_hint(waiters_.end(), who, now);
  pump(now, out);
  return out;
}

bool pool_machine::gave_up(ticket who, gave_up_for why) {
  if (waiters_.erase(who) == 0)
    return false;
  ++(why == gave_up_for::timeout ? totals_.timeouts : totals_.cancelled);
  return true;
}

pool_commands pool_machine::given_back(item_id item, time_point now) {
  pool_commands out;
  auto& i = known(item, state::held);
  ++totals_.returned;
  settle(item, i, false, now, out);
  return out;
}

pool_commands pool_machine::discarded(item_id item, time_point now) {
  pool_commands out;
  auto& i = known(item, state::held);
  ++totals_.discarded;
  retire(item, i, retired_for::discarded, out);
  pump(now, out);
  return out;
}

pool_commands pool_machine::reclaimed(item_id item, time_point now) {
  pool_commands out;
  auto& i = known(item, state::held);
  ++totals_.reclaimed;
  retire(item, i, retired_for::reclaimed, out);
  pump(now, out);
  return out;
}

pool_commands pool_machine::resize(std::size_t max, time_point now) {
  pool_commands out;
  rules_.max = max;
  pump(now, out);
  return out;
}

pool_commands pool_machine::reset(time_point now) {
  pool_commands out;
  ++generation_;
  for (const auto id : idle_)
    retire(id, items_.at(id), retired_for::reset, out);
  idle_.clear();
  pump(now, out);
  return out;
}

pool_commands pool_machine::close(time_point now) {
  pool_commands out;
  closed_ = true;
  pump(now, out);
  return out;
}

pool_commands pool_machine::created(item_id item, time_point now) {
  pool_commands out;
  auto& i = known(item, state::creating);
  i.created = now;
  ++totals_.created;
  refill_at_ = time_point::min();
  refill_pause_ = {};
  settle(item, i, true, now, out);
  return out;
}

pool_commands pool_machine::create_failed(item_id item, time_point now) {
  pool_commands out;
  move(known(item, state::creating), state::destroying);
  --counts_[static_cast<std::size_t>(state::destroying)];
  items_.erase(item);
  ++totals_.create_failures;
  refill_pause_ = std::clamp(2 * refill_pause_, first_refill_pause, longest_refill_pause);
  refill_at_ = saturating_add(now, refill_pause_);
  // Each attempt that fails is the answer to one caller, the first; the next has an attempt of its own.
  if (waiters_.size() > pending()) {
    out.push_back({.what = kind::refuse, .whom = waiters_.begin()->first, .failed = true});
    waiters_.erase(waiters_.begin());
  }
  pump(now, out);
  return out;
}

pool_commands pool_machine::checked(item_id item, bool healthy, time_point now) {
  pool_commands out;
  auto& i = known(item, state::checking);
  if (healthy) {
    settle(item, i, true, now, out);
    return out;
  }
  ++totals_.check_failures;
  retire(item, i, retired_for::unhealthy, out);
  pump(now, out);
  return out;
}

pool_commands pool_machine::destroyed(item_id item, time_point now) {
  pool_commands out;
  static_cast<void>(known(item, state::destroying));
  --counts_[static_cast<std::size_t>(state::destroying)];
  items_.erase(item);
  ++totals_.destroyed;
  pump(now, out);
  return out;
}

pool_commands pool_machine::tick(time_point now) {
  pool_commands out;
  alarm_ = never;
  std::deque<item_id> staying;
  std::size_t left = idle_.size();
  for (const auto id : idle_) {
    auto& i = items_.at(id);
    const auto idle_until =
        rules_.idle_timeout == duration::max() ? never : saturating_add(i.idle_since, rules_.idle_timeout);
    if (outlived(i, now))
      retire(id, i, retired_for::outlived, out);
    else if (idle_until <= now && left > spare_wanted())
      retire(id, i, retired_for::idle, out);
    else {
      staying.push_back(id);
      continue;
    }
    --left;
  }
  idle_ = std::move(staying);
  // Those that stay say when to look again; those of `min_idle` only because of their lifetime.
  for (const auto id : idle_) {
    const auto& i = items_.at(id);
    if (rules_.max_lifetime != duration::max())
      want_tick(saturating_add(i.created, rules_.max_lifetime), out);
    if (rules_.idle_timeout != duration::max() && idle_.size() > spare_wanted())
      want_tick(saturating_add(i.idle_since, rules_.idle_timeout), out);
  }
  pump(now, out);
  return out;
}

// -- looking ----------------------------------------------------------------------------------------------------------

pool_stats pool_machine::stats() const noexcept {
  pool_stats s = totals_;
  s.max = rules_.max;
  s.size = items_.size();
  s.idle = count(state::idle);
  s.in_use = count(state::held);
  s.creating = count(state::creating);
  s.checking = count(state::checking);
  s.retiring = count(state::destroying);
  s.waiting = waiters_.size();
  return s;
}

} // namespace muster
