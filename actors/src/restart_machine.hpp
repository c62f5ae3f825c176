/// What a supervisor of long-running actors decides, without doing any of it: who is restarted when a child ends, in
/// which order, after which delay, and when it is enough. Pure: no lock, no clock, no actor; tested without threads.
///
///     calm ──(one of a group must be restarted)──▶ stopping ──(its set is down)──▶ waiting ──(backoff over)─▶ starting
///      ▲                                              ▲                              │                          │ │
///      │                                              └────────(another failure)─────┴──────────────────────────┘ │
///      └──────────────────────────────────(all have started)──────────────────────────────────────────────────────┘
///     any of these ──(too many restarts, or significant children have ended)──▶ stopping all ──▶ give_up or end
///     any of these ──(shut_down)──▶ nothing any more
///
/// With `one_for_one` there are no groups: each child waits for its own backoff and starts by itself.
///
/// The semantics are those of Erlang/OTP's supervisor (see muster/restart.hpp). What OTP does in one go, because it
/// blocks meanwhile, happens here step by step; where something comes in between, the outcome is the one that OTP would
/// have had if it had taken that event first, or last.
///
/// Owner: a supervisor, which guards it with its lock, tells it what happened, and carries out what `next` answers.
/// Invariants: a start is answered only for a child that is down, with an incarnation it never had; a group is stopped
/// in reverse order and started in order, one child at a time; after `give_up`, `end` or `shut_down` nothing starts.
/// Cost: O(log n) for an event of a child; a group restart is linear in its group.
#pragma once

#include "schedule.hpp"

#include <muster/restart.hpp>

#include <deque>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace muster {

class restart_machine {
public:
  using child_id = std::uint64_t;    ///< given by the caller, never reused
  using incarnation = std::uint64_t; ///< 1, 2, 3 … of each child

  struct command {
    enum class kind : std::uint8_t {
      start,   ///< child `who`, as incarnation `which`; `started`, `start_failed` or `ended` answers it
      stop,    ///< incarnation `which` of `who`, which may still be starting; `ended` or `start_failed` answers it
      forget,  ///< `who` is gone for good, and unknown here from now on
      give_up, ///< too many restarts, and all children are down: the supervisor fails. The last command but for forgets
      end,     ///< significant children have ended, and all are down: the supervisor ends normally. Likewise the last
    };
    kind what;
    child_id who = 0;
    incarnation which = 0;
    friend bool operator==(const command&, const command&) = default;
  };

  /// One restart that was counted.
  struct restart_record {
    time_point at; ///< of the failure
    child_id who;  ///< whose
    std::string why;
    std::uint64_t attempt; ///< the how manieth in a row it leads to; 0: to none, the supervisor gives up
    duration delay;        ///< after which
  };

  enum class answer : std::uint8_t {
    ok,
    unknown, ///< no such child (any more)
    running, ///< it runs or is starting
    busy,    ///< it is stopping or waits for its restart, or a group restart is under way
    ending,  ///< the supervisor gives up, ends or was shut down
  };

  explicit restart_machine(const restart& policy);

  // -- what happens ------------------------------------------------------------------------------------------------

  /// A new last child, whose incarnation 1 runs. At any time; a group that is being stopped takes it along. An id that
  /// was used before is misuse. How many there may be (`max_children`) is for the owner to see to.
  void added(child_id who, child_kind kind, bool significant);
  /// An incarnation is gone, asked to or not. Earlier incarnations and unknown children are ignored here and below. One
  /// that had not `started` yet is one whose start failed.
  void ended(child_id who, incarnation which, bool abnormal, std::string why, time_point now);
  void started(child_id who, incarnation which, time_point now);
  /// Also answers a stop. No `ended` of that incarnation need follow.
  void start_failed(child_id who, incarnation which, std::string why, time_point now);

  // -- what is asked of it -----------------------------------------------------------------------------------------

  /// Starts a child that is `stopped`, without counting that; if the start fails it is `stopped` again (as in OTP).
  [[nodiscard]] answer restart_child(child_id who, time_point now);
  /// Stops a child and keeps it, or forgets it if it is temporary; one that waits for its restart is not restarted.
  /// `ok` at once, also if it is on its way out or stopped already.
  [[nodiscard]] answer stop_child(child_id who);
  /// Forgets a child that is `stopped`.
  [[nodiscard]] answer remove_child(child_id who);
  /// The supervisor is ended from outside, its owner stops everything: no commands from now on but forgets.
  void shut_down();

  // -- what follows ------------------------------------------------------------------------------------------------

  /// What is to be done now. To be asked after every event, and at `due()`, until there is nothing.
  [[nodiscard]] std::optional<command> next(time_point now);
  /// When `next` will have something to say though nothing else happens.
  [[nodiscard]] std::optional<time_point> due() const;
  /// Those whose restart had been decided and will not come, since the last call: they were stopped, or the supervisor
  /// gives up, ends or was shut down first. Also the one whose failure was one too many, as the last.
  [[nodiscard]] std::vector<child_id> take_abandoned() noexcept { return std::exchange(abandoned_, {}); }

  /// `stopped` for a child that is not known.
  [[nodiscard]] child_state state(child_id who) const;
  /// How often it was told to start again, by itself or with its group, but for by hand.
  [[nodiscard]] std::uint64_t restarts(child_id who) const;
  [[nodiscard]] bool knows(child_id who) const { return index_.contains(who); }
  [[nodiscard]] std::size_t size() const noexcept { return children_.size(); }
  /// The restarts that counted at the last one, oldest first; once it gave up, those that were too many.
  [[nodiscard]] const std::deque<restart_record>& window() const noexcept { return window_; }
  /// All that were ever counted. A change means that `window().back()` is new.
  [[nodiscard]] std::uint64_t counted() const noexcept { return counted_; }
  /// There were too many restarts; true from that decision on.
  [[nodiscard]] bool gave_up() const noexcept { return gave_up_; }
  /// A group restart, or the stopping before `give_up` or `end`, is under way.
  [[nodiscard]] bool operating() const noexcept { return goal_ != goal::none; }
  /// It gives up, ends, has done so, or was shut down: nothing starts any more, and newcomers are best refused.
  [[nodiscard]] bool ending() const noexcept { return over_ || goal_ == goal::give_up || goal_ == goal::end; }
  /// Records of children looked at so far: the cost of it all.
  [[nodiscard]] std::uint64_t looked_at() const noexcept { return looked_at_; }

private:
  using position = std::uint64_t; ///< rises in the order in which children were added
  struct child {
    child_id who;
    child_kind kind;
    bool significant;
    bool counts = false;  ///< significant, and up or about to be started
    bool by_hand = false; ///< its start was asked for by hand
    child_state state = child_state::running;
    incarnation which = 1;
    std::uint64_t restarts = 0;
    std::uint64_t attempt = 0; ///< in a row (one_for_one)
    time_point at{};           ///< waiting: when it starts; running: since when
  };
  enum class goal : std::uint8_t { none, restart, give_up, end };
  enum class phase : std::uint8_t { stopping, waiting, starting };

  [[nodiscard]] std::optional<position> find(child_id who) const;
  [[nodiscard]] child& at(position where);
  [[nodiscard]] std::optional<position> up(child_id who, incarnation which);
  [[nodiscard]] bool being_stopped(position where) const noexcept;
  [[nodiscard]] position front() const noexcept;

  void down(position where);
  void forget(position where);
  void start_gone(position where, std::string why, time_point now);
  void ended_for_good(position where);
  void failed(position where, std::string why, time_point now);
  bool count_restart(restart_record record);
  void await(position where, time_point until);
  void stop_waiting(position where);
  void begin_group(position where);
  void begin_ending(goal what);
  void abandon_all();
  void set_counts(child& c, bool counts);

  std::optional<command> told_to();
  std::optional<command> stop_next();
  std::optional<command> start_next(time_point now);
  std::optional<command> start_waiting(time_point now);
  command start(position where);

  const restart policy_;
  runtime::random_source random_;
  std::map<position, child> children_;
  std::unordered_map<child_id, position> index_;
  std::set<position> up_;                             ///< starting, running or stopping
  std::set<std::pair<time_point, position>> waiting_; ///< with their `at`
  std::deque<command> told_;                          ///< forgets, and stops asked for by hand
  std::deque<restart_record> window_;
  std::vector<child_id> abandoned_;
  position next_position_ = 1;
  std::uint64_t counted_ = 0;
  std::size_t counting_ = 0; ///< children that `counts`
  mutable std::uint64_t looked_at_ = 0;
  bool gave_up_ = false;
  bool over_ = false; ///< nothing follows but forgets

  // The operation under way, and the group's backoff.
  goal goal_ = goal::none;
  phase phase_ = phase::stopping;
  position from_ = 0;    ///< the first of the set that is stopped
  position awaited_ = 0; ///< stopping: who was told last
  position to_ = 0;      ///< waiting, starting: behind the last of the set; those from here on were added since
  position turn_ = 0;    ///< starting: all of the set before it have been started
  time_point start_at_{};
  std::uint64_t attempt_ = 0;
  time_point whole_since_{}; ///< when the last group restart was complete
};

} // namespace muster
