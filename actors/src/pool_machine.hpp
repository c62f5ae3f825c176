/// What a resource pool decides, without doing any of it: who gets which resource, when one is made, checked,
/// destroyed. Pure: no lock, no clock, no actor, no resource; tested without threads.
///
///     creating ──▶ idle ◀──▶ checking       a resource; `destroying` follows from any of them, and then it is gone.
///         └─────▶ held ◀───────┘            Those that are being made or destroyed count, so that there are never more
///                                           than `max` objects alive.
///
/// Owner: a pool actor, which guards it with its lock, tells it what happened and carries out what it answers, in
/// order. Invariants, after every event: waiters are served in the order of their tickets; nobody waits while something
/// is idle (unless it is being checked for them), or while there is room and nothing is being made for them; the number
/// of resources never grows beyond `max`; each is granted, idle or destroyed, and never two of these.
#pragma once

#include <muster/pool_stats.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

namespace muster {

/// Why a resource goes.
enum class retired_for : std::uint8_t { closed, reset, resized, outlived, idle, unhealthy, discarded, reclaimed };

/// What is to be done now.
struct pool_command {
  enum class kind : std::uint8_t {
    create,  ///< make `item`; `created` or `create_failed` follows
    check,   ///< is `item` still healthy? `checked` follows
    grant,   ///< `item` is for `whom`; given_back, discarded or reclaimed follows
    refuse,  ///< `whom` gets none: the pool is closed, or (`failed`) a create has just failed
    destroy, ///< destroy `item`, for `why`; `destroyed` follows
    arm,     ///< call `tick` at `at`, instead of what was said before
    end,     ///< closed, and nothing is left
  };
  kind what;
  std::uint64_t item = 0;
  std::uint64_t whom = 0;
  bool failed = false;
  retired_for why = retired_for::closed;
  time_point at = never;
};
using pool_commands = std::vector<pool_command>;

class pool_machine {
public:
  using item_id = std::uint64_t;
  using ticket = std::uint64_t; ///< of a waiter; each higher than those before
  enum class gave_up_for : std::uint8_t { timeout, cancel };

  struct rules {
    std::size_t max = 1;                     ///< at least 1
    std::size_t min_idle = 0;                ///< kept ready beyond what is in use, as far as `max` allows
    bool checks = false;                     ///< on borrowing one that was used before
    duration max_lifetime = duration::max(); ///< since it was made
    duration idle_timeout = duration::max(); ///< unused; those of `min_idle` stay
  };
  explicit pool_machine(const rules& r) noexcept : rules_(r) {}

  /// Once, at the beginning.
  [[nodiscard]] pool_commands start(time_point now);

  // -- what is asked of it ----------------------------------------------------------------------------------------

  /// A resource that is the caller's at once, if there is one that `acquire` would grant now and nothing else would
  /// follow from that; else nothing has happened.
  [[nodiscard]] std::optional<item_id> take_free(time_point now);
  [[nodiscard]] pool_commands acquire(ticket who, time_point now);
  /// False: it waits no longer, what was for it has been granted or refused.
  bool gave_up(ticket who, gave_up_for why);
  [[nodiscard]] pool_commands given_back(item_id item, time_point now);
  [[nodiscard]] pool_commands discarded(item_id item, time_point now);
  [[nodiscard]] pool_commands reclaimed(item_id item, time_point now);
  /// Surplus ones go when they are free.
  [[nodiscard]] pool_commands resize(std::size_t max, time_point now);
  /// Those that exist are replaced: free ones now, held ones when they come back.
  [[nodiscard]] pool_commands reset(time_point now);
  [[nodiscard]] pool_commands close(time_point now);

  // -- what has come of its commands --------------------------------------------------------------------------------

  [[nodiscard]] pool_commands created(item_id item, time_point now);
  [[nodiscard]] pool_commands create_failed(item_id item, time_point now);
  [[nodiscard]] pool_commands checked(item_id item, bool healthy, time_point now);
  [[nodiscard]] pool_commands destroyed(item_id item, time_point now);
  [[nodiscard]] pool_commands tick(time_point now);

  // -- looking --------------------------------------------------------------------------------------------------------

  [[nodiscard]] bool closed() const noexcept { return closed_; }
  [[nodiscard]] std::size_t size() const noexcept { return items_.size(); }
  [[nodiscard]] pool_stats stats() const noexcept;

  /// After a failed create the pool waits this long before it makes one for `min_idle`: doubled with each further
  /// failure, up to the second, and forgotten after a success. Creates for waiters are never delayed.
  static constexpr duration first_refill_pause = std::chrono::seconds{1};
  static constexpr duration longest_refill_pause = std::chrono::minutes{1};

private:
  enum class state : std::uint8_t { creating, checking, idle, held, destroying };
  static constexpr std::size_t states = 5;
  struct record {
    state at;
    std::uint64_t generation;
    time_point created{};
    time_point idle_since{};
  };

  [[nodiscard]] std::size_t count(state s) const noexcept { return counts_[static_cast<std::size_t>(s)]; }
  /// Those that nobody has decided about yet.
  [[nodiscard]] std::size_t pending() const noexcept { return count(state::creating) + count(state::checking); }
  [[nodiscard]] std::size_t spare_wanted() const noexcept {
    return rules_.min_idle < rules_.max ? rules_.min_idle : rules_.max;
  }
  record& known(item_id id, state expected) noexcept;
  void move(record& i, state to) noexcept;
  [[nodiscard]] bool outlived(const record& i, time_point now) const noexcept;
  void make(pool_commands& out);
  void retire(item_id id, record& i, retired_for why, pool_commands& out);
  /// A usable one that is nobody's: for the first who waits (a fresh one needs no check), or idle.
  void offer(item_id id, record& i, bool fresh, time_point now, pool_commands& out);
  /// Offers `i`, or retires it if it shall not be used any more.
  void settle(item_id id, record& i, bool fresh, time_point now, pool_commands& out);
  void grant(item_id id, record& i, time_point now, pool_commands& out);
  void want_tick(time_point at, pool_commands& out);
  /// Makes the invariants true again.
  void pump(time_point now, pool_commands& out);
  void pump_closed(pool_commands& out);
  void refill(time_point now, pool_commands& out);

  rules rules_;
  bool closed_ = false;
  bool ended_ = false;
  std::uint64_t generation_ = 0;
  item_id last_item_ = 0;
  std::unordered_map<item_id, record> items_;
  std::size_t counts_[states] = {};
  std::deque<item_id> idle_; ///< longest unused first
  std::map<ticket, time_point> waiters_;
  time_point alarm_ = never; ///< what was last said with `arm`
  time_point refill_at_ = time_point::min();
  duration refill_pause_{};
  pool_stats totals_; ///< the counters that only grow
};

} // namespace muster
