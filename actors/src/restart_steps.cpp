/// The decisions of restart_machine.hpp: what follows, one step after the other.
#include "restart_machine.hpp"

#include <algorithm>
#include <utility>

namespace muster {

std::optional<restart_machine::command> restart_machine::next(time_point now) {
  if (auto told = told_to())
    return told;
  if (over_)
    return std::nullopt;
  if (goal_ != goal::none && phase_ == phase::stopping) {
    if (up_.lower_bound(from_) != up_.end())
      return stop_next();
    if (goal_ != goal::restart) {
      over_ = true;
      const bool failed = std::exchange(goal_, goal::none) == goal::give_up;
      return command{failed ? command::kind::give_up : command::kind::end};
    }
    phase_ = phase::waiting;
    to_ = next_position_;
  }
  if (goal_ == goal::restart && phase_ == phase::waiting && start_at_ <= now) {
    phase_ = phase::starting;
    turn_ = from_;
  }
  if (goal_ == goal::restart && phase_ == phase::starting) {
    if (auto one = start_next(now))
      return one;
  }
  return start_waiting(now);
}

/// What was to be said at once, unless it no longer applies.
std::optional<restart_machine::command> restart_machine::told_to() {
  while (!told_.empty()) {
    const command c = told_.front();
    told_.pop_front();
    if (c.what == command::kind::forget || up(c.who, c.which))
      return c;
  }
  return std::nullopt;
}

/// The last of the set that is up, once the one before it (which may be followed by a newcomer) is gone.
std::optional<restart_machine::command> restart_machine::stop_next() {
  if (up_.contains(awaited_) && at(awaited_).state == child_state::stopping)
    return std::nullopt;
  awaited_ = *up_.rbegin();
  child& last = at(awaited_);
  if (std::exchange(last.state, child_state::stopping) == child_state::stopping)
    return std::nullopt;
  return command{command::kind::stop, last.who, last.which};
}

/// The next of the set that is down, once the one before it is up.
std::optional<restart_machine::command> restart_machine::start_next(time_point now) {
  for (auto it = children_.lower_bound(turn_); it != children_.end() && it->first < to_; ++it) {
    turn_ = it->first;
    const child_state state = at(turn_).state;
    if (state == child_state::starting)
      return std::nullopt;
    if (state == child_state::stopped)
      return start(turn_);
  }
  goal_ = goal::none;
  whole_since_ = now;
  return std::nullopt;
}

/// A child whose own backoff is over, or that is started by hand.
std::optional<restart_machine::command> restart_machine::start_waiting(time_point now) {
  if (waiting_.empty() || waiting_.begin()->first > now)
    return std::nullopt;
  const position where = waiting_.begin()->second;
  waiting_.erase(waiting_.begin());
  return start(where);
}

restart_machine::command restart_machine::start(position where) {
  child& c = at(where);
  c.state = child_state::starting;
  c.restarts += c.by_hand ? 0 : 1;
  up_.insert(where);
  return {command::kind::start, c.who, ++c.which};
}

/// The child at `where` has failed: it and its group are to be stopped and started again.
void restart_machine::begin_group(position where) {
  from_ = policy_.strategy == restart_strategy::one_for_all ? 0 : std::min(where, front());
  goal_ = goal::restart;
  phase_ = phase::stopping;
  // Those that are down come back with the group and the temporary ones go with it, as if it had all happened by now.
  for (auto it = children_.lower_bound(from_); it != children_.end(); ++it) {
    child& c = at(it->first);
    if (c.state == child_state::waiting)
      stop_waiting(it->first);
    set_counts(c, c.kind != child_kind::temporary);
  }
}

/// Nobody who waits for a restart is started again.
void restart_machine::abandon_all() {
  if (waiting_.empty() && goal_ != goal::restart)
    return;
  for (const auto& [where, c] : children_)
    if (state(c.who) == child_state::waiting && !c.by_hand)
      abandoned_.push_back(c.who);
}

/// All children are to be stopped; then the supervisor gives up or ends.
void restart_machine::begin_ending(goal what) {
  abandon_all();
  gave_up_ = what == goal::give_up;
  goal_ = what;
  phase_ = phase::stopping;
  from_ = 0;
  while (!waiting_.empty())
    stop_waiting(waiting_.begin()->second);
}

// -- children --------------------------------------------------------------------------------------------------------

std::optional<restart_machine::position> restart_machine::find(child_id who) const {
  ++looked_at_;
  const auto it = index_.find(who);
  return it == index_.end() ? std::nullopt : std::optional{it->second};
}

restart_machine::child& restart_machine::at(position where) {
  ++looked_at_;
  return children_.at(where);
}

/// Where the child is if this very incarnation of it is up.
std::optional<restart_machine::position> restart_machine::up(child_id who, incarnation which) {
  const auto where = find(who);
  return where && at(*where).which == which && up_.contains(*where) ? where : std::nullopt;
}

/// Its end is no news: it was told to stop, or would be when its turn comes.
bool restart_machine::being_stopped(position where) const noexcept {
  const bool in_set = goal_ != goal::none && phase_ == phase::stopping && where >= from_;
  return over_ || in_set || children_.at(where).state == child_state::stopping;
}

/// In a group restart, the first child that is yet to be started. Without one: behind all.
restart_machine::position restart_machine::front() const noexcept {
  if (goal_ != goal::restart)
    return next_position_;
  return phase_ == phase::starting ? turn_ : from_;
}

/// It is gone and not missed (yet).
void restart_machine::down(position where) {
  child& c = at(where);
  up_.erase(where);
  c.state = child_state::stopped;
  c.by_hand = false;
  if (c.kind == child_kind::temporary)
    return forget(where);
  // With a group it will be back.
  if (goal_ != goal::restart || !(phase_ == phase::stopping && where >= from_))
    set_counts(c, false);
}

void restart_machine::forget(position where) {
  child& c = at(where);
  set_counts(c, false);
  told_.push_back({command::kind::forget, c.who});
  index_.erase(c.who);
  children_.erase(where);
}

void restart_machine::await(position where, time_point until) {
  child& c = at(where);
  c.state = child_state::waiting;
  c.at = until;
  waiting_.emplace(until, where);
}

void restart_machine::stop_waiting(position where) {
  child& c = at(where);
  waiting_.erase({c.at, where});
  c.state = child_state::stopped;
  c.by_hand = false;
}

void restart_machine::set_counts(child& c, bool counts) {
  counts = counts && c.significant;
  if (c.counts != counts)
    counting_ += counts ? 1 : static_cast<std::size_t>(-1);
  c.counts = counts;
}

} // namespace muster
