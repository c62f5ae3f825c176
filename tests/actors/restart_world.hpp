/// A small world for the restart machine: children that take their time to start and to stop, die by themselves, fail
/// to start, and report late; people who stop, restart, remove and add children; a supervisor that may be shut down. It
/// obeys the machine and watches it: the first thing that must never happen is kept as `wrong`.
///
/// It knows what is true (who is up) from what it did itself, and mostly what has to follow; only inside a group
/// restart it asks the machine whether an end counts.
#pragma once

#include "restart_support.hpp"
#include "schedule.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <vector>

namespace muster_test {

class restart_world {
public:
  struct tally {
    std::size_t starts = 0, stops = 0, forgotten = 0, failed_starts = 0, gave_up = 0, ended = 0, shut_down = 0,
                settled = 0;
    tally& operator+=(const tally& other);
  };

  explicit restart_world(std::uint64_t seed);
  void live();
  const std::string& wrong() const { return wrong_; }
  std::string story() const;
  const tally& counts() const { return counts_; }

private:
  using id = restart_machine::child_id;
  struct kid {
    child_kind kind;
    bool significant;
    std::uint64_t which = 1;
    bool up = true;
    bool ready = true;
    bool asked = false;         ///< this incarnation was told to stop
    bool asked_by_hand = false; ///< and that by hand
    bool hand_stops = false;    ///< a stop was asked for by hand and not commanded yet
    bool hand_starts = false;   ///< likewise a start
    bool started_by_hand = false;
    bool may_be_down = false; ///< nobody has to bring it back
    bool removed = false;
    muster::time_point not_before{};
  };
  enum class what { ended, failed, started, no_start };
  struct event {
    what kind;
    id who;
    std::uint64_t which;
  };

  bool chance(unsigned percent) { return random_.below(100) < percent; }
  muster::duration some(std::uint64_t most) { return std::chrono::milliseconds{random_.below(most)}; }
  void must(bool holds, const std::string& sentence) {
    if (!holds && wrong_.empty())
      wrong_ = sentence;
  }
  void note(const std::string& line) { story_.push_back(line); }
  void later(what kind, id who, std::uint64_t which, std::uint64_t most) {
    events_.emplace(std::pair{now_ + some(most), random_.next()}, event{kind, who, which});
  }
  bool over() const { return finished_ || shut_; }

  void add();
  void lend_a_hand();
  void shut_down();
  void deliver(const event& e);
  void goes_down(const event& e, kid& k);
  void significant_has_ended(id who, bool exact, bool calm_before);
  void counted(id who);
  void pump();
  void obey(const command& c);
  void obey_start(const command& c, kid& k);
  void obey_stop(const command& c, kid& k);
  bool pass_time();
  void settle();
  bool none(auto&& condition) const {
    return std::none_of(kids_.begin(), kids_.end(), [&](auto& one) { return condition(one.first, one.second); });
  }

  muster::runtime::random_source random_;
  const muster::restart policy_;
  restart_machine m_;
  muster::time_point now_{1h};
  std::map<id, kid> kids_; ///< the known ones; ids rise, so their order is that of the children
  std::multimap<std::pair<muster::time_point, std::uint64_t>, event> events_;
  id next_ = 1;
  bool calm_ = false; ///< nothing fails any more
  bool shut_ = false;
  bool finished_ = false; ///< it has given up or ended
  bool must_end_ = false; ///< significant children have ended
  id lowest_ = ~id{0};    ///< group: the first child that failed in this operation
  id last_started_ = 0;   ///< group: in this round
  muster::time_point group_not_before_{};
  std::vector<muster::time_point> counted_at_;
  std::string wrong_;
  std::deque<std::string> story_;
  tally counts_;
};

} // namespace muster_test
