/// The decisions of restart_machine.hpp: what happens, and what is asked. What follows is in restart_steps.cpp.
#include "restart_machine.hpp"

#include "backoff_delay.hpp"

#include <muster/assert.hpp>

#include <algorithm>

namespace muster {

restart_machine::restart_machine(const restart& policy) : policy_{policy}, random_{policy.delay.seed} {}

// -- what happens ----------------------------------------------------------------------------------------------------

void restart_machine::added(child_id who, child_kind kind, bool significant) {
  const position where = next_position_++;
  const bool fresh = index_.emplace(who, where).second;
  MUSTER_ASSERT(fresh, "a child's id must never be used twice");
  child& c = children_.emplace(where, child{.who = who, .kind = kind, .significant = significant}).first->second;
  up_.insert(where);
  set_counts(c, true);
}

void restart_machine::ended(child_id who, incarnation which, bool abnormal, std::string why, time_point now) {
  const auto where = up(who, which);
  if (!where)
    return;
  child& c = at(*where);
  if (c.state == child_state::starting)
    return start_gone(*where, std::move(why), now);
  if (being_stopped(*where))
    return down(*where);
  if (c.kind == child_kind::permanent || (c.kind == child_kind::transient && abnormal))
    return failed(*where, std::move(why), now);
  ended_for_good(*where);
}

void restart_machine::started(child_id who, incarnation which, time_point now) {
  const auto where = up(who, which);
  if (!where)
    return;
  child& c = at(*where);
  if (c.state != child_state::starting)
    return;
  c.state = child_state::running;
  c.by_hand = false;
  c.at = now;
  if (goal_ == goal::restart && phase_ == phase::starting && *where == turn_)
    ++turn_;
}

void restart_machine::start_failed(child_id who, incarnation which, std::string why, time_point now) {
  if (const auto where = up(who, which))
    start_gone(*where, std::move(why), now);
}

/// An incarnation that was not ready yet is gone.
void restart_machine::start_gone(position where, std::string why, time_point now) {
  child& c = at(where);
  // Whoever started it by hand is told so; nothing was broken that would have to be mended.
  if (being_stopped(where) || c.by_hand)
    return down(where);
  failed(where, std::move(why), now);
}

/// A child has ended by itself and is not restarted.
void restart_machine::ended_for_good(position where) {
  const bool significant = at(where).significant;
  down(where);
  if (!significant || policy_.ends == auto_shutdown::none)
    return;
  if (policy_.ends == auto_shutdown::any_significant || counting_ == 0)
    begin_ending(goal::end);
}

/// A child is down that has to be up.
void restart_machine::failed(position where, std::string why, time_point now) {
  const bool was_up = at(where).state == child_state::running;
  const bool alone = policy_.strategy == restart_strategy::one_for_one;
  const duration quiet = policy_.delay.quiet > duration::zero() ? policy_.delay.quiet : policy_.within;
  child& c = at(where);
  // Only a time without restarts is quiet: neither a start that failed, however late, nor what happens in a group
  // restart.
  std::uint64_t& attempt = alone ? c.attempt : attempt_;
  if (alone ? was_up && now >= saturating_add(c.at, quiet)
            : goal_ == goal::none && now >= saturating_add(whole_since_, quiet))
    attempt = 0;

  const child_id who_failed = c.who;
  up_.erase(where);
  c.state = child_state::stopped;
  if (!count_restart({.at = now, .who = c.who, .why = std::move(why), .attempt = 0, .delay = {}})) {
    begin_ending(goal::give_up);
    if (std::ranges::find(abandoned_, who_failed) == abandoned_.end())
      abandoned_.push_back(who_failed);
    return;
  }

  const double share =
      policy_.delay.jitter > 0 ? static_cast<double>(random_.next() >> 11U) * 0x1.0p-53 : 0; // 53 bits make a double
  window_.back().attempt = ++attempt;
  window_.back().delay = backoff_delay(policy_.delay, attempt, share);
  const time_point until = saturating_add(now, window_.back().delay);
  if (alone)
    return await(where, until);
  start_at_ = std::max(start_at_, until); // whatever the jitter, a failure brings nothing forward
  begin_group(where);
}

/// False: it is one too many.
bool restart_machine::count_restart(restart_record record) {
  const time_point oldest = saturating_add(record.at, -policy_.within);
  while (!window_.empty() && window_.front().at < oldest)
    window_.pop_front();
  window_.push_back(std::move(record));
  ++counted_;
  return window_.size() <= policy_.max_restarts;
}

// -- what is asked of it ---------------------------------------------------------------------------------------------

restart_machine::answer restart_machine::restart_child(child_id who, time_point now) {
  const auto where = find(who);
  if (!where)
    return answer::unknown;
  if (ending())
    return answer::ending;
  child& c = at(*where);
  if (goal_ == goal::restart)
    return answer::busy;
  if (c.state == child_state::running || c.state == child_state::starting)
    return answer::running;
  if (c.state != child_state::stopped)
    return answer::busy;
  c.by_hand = true;
  c.attempt = 0;
  set_counts(c, true);
  await(*where, now);
  return answer::ok;
}

restart_machine::answer restart_machine::stop_child(child_id who) {
  const auto where = find(who);
  if (!where)
    return answer::unknown;
  if (ending())
    return answer::ending;
  if (goal_ == goal::restart)
    return answer::busy;
  child& c = at(*where);
  set_counts(c, false);
  if (c.state == child_state::waiting) {
    if (!c.by_hand)
      abandoned_.push_back(who);
    stop_waiting(*where);
  } else if (c.state == child_state::running || c.state == child_state::starting) {
    c.state = child_state::stopping;
    told_.push_back({command::kind::stop, c.who, c.which});
  }
  return answer::ok;
}

restart_machine::answer restart_machine::remove_child(child_id who) {
  const auto where = find(who);
  if (!where)
    return answer::unknown;
  if (ending())
    return answer::ending;
  if (goal_ == goal::restart)
    return answer::busy;
  const child_state state = at(*where).state;
  if (state == child_state::running || state == child_state::starting)
    return answer::running;
  if (state != child_state::stopped)
    return answer::busy;
  forget(*where);
  return answer::ok;
}

void restart_machine::shut_down() {
  abandon_all();
  over_ = true;
  goal_ = goal::none;
  while (!waiting_.empty())
    stop_waiting(waiting_.begin()->second);
  // A stop that nobody was told of is none.
  for (const command& c : told_) {
    if (const auto where = c.what == command::kind::stop ? up(c.who, c.which) : std::nullopt)
      at(*where).state = child_state::running;
  }
  std::erase_if(told_, [](const command& c) { return c.what == command::kind::stop; });
}

// -- what can be seen ------------------------------------------------------------------------------------------------

std::optional<time_point> restart_machine::due() const {
  std::optional<time_point> first;
  if (!waiting_.empty())
    first = waiting_.begin()->first;
  if (goal_ == goal::restart && phase_ == phase::waiting)
    first = first ? std::min(*first, start_at_) : start_at_;
  return first;
}

child_state restart_machine::state(child_id who) const {
  const auto where = find(who);
  if (!where)
    return child_state::stopped;
  const child& c = children_.at(*where);
  const bool has_its_turn = goal_ == goal::restart && *where >= front() && (phase_ == phase::stopping || *where < to_);
  return c.state == child_state::stopped && has_its_turn ? child_state::waiting : c.state;
}

std::uint64_t restart_machine::restarts(child_id who) const {
  const auto where = find(who);
  return where ? children_.at(*where).restarts : 0;
}

} // namespace muster
