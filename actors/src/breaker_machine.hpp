/// What a circuit breaker decides, without doing any of it: who may call, what a result means, when it opens and
/// closes. Pure: no lock, no clock, no thread; every function is given the moment, which never goes backwards.
///
///     closed ──(the rule in `opens_on`)──▶ open ──(its time is over)──▶ half_open ──(enough successes)──▶ closed
///                                           ▲──────────(a probe failed, was slow or overdue)──┘
///     force_open: any ──▶ open until reset;  reset: any ──▶ closed
///
/// The pattern is Michael Nygard's ("Release It!"). Windows, minimum, slow calls: as resilience4j documents them,
/// except that half-open is decided by single results and not by rates. A generation that changes with every state, so
/// that results of an earlier one mean nothing, and half-open that closes after enough successes: as sony/gobreaker
/// documents them. Added here: calls that are failures before they return, and permits that are taken back.
///
/// Owner: a breaker_core, which guards it with its lock and carries out its changes. Invariants: a result counts only
/// in the generation in which its call was admitted, and once; in half_open never more than `probes` calls are on their
/// way; whatever is due at `now` has happened before anything else is decided at `now`.
#pragma once

#include "call_window.hpp"

#include <muster/breaker_options.hpp>

#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <vector>

namespace muster {

class breaker_machine {
public:
  using ticket = detail::breaker_ticket;
  /// What a call came to. `ignored`: neither; its place as a probe is free again.
  enum class verdict : std::uint8_t { success, failure, ignored };
  struct refusal {
    breaker_state state;
    time_point until; ///< when it may be worth while to try again; `never`: not known
  };

  /// Asserts that the options make sense. Keeps none of their functions.
  explicit breaker_machine(const breaker_options& options);

  /// May a call begin? In `closed`, and if calls are not `watched`, it changes nothing: the owner may then do without.
  [[nodiscard]] std::expected<ticket, refusal> acquire(time_point now);
  /// A call is over. False: its result means nothing, because its generation is over or it was overdue before.
  bool report(const ticket& call, verdict what, time_point now);
  /// Does what is due.
  void tick(time_point now);
  void force_open(time_point now);
  void reset(time_point now);
  /// A call that succeeded without a report: the failures in a row begin anew.
  void passed() noexcept { streak_ = 0; }

  /// When `tick` has something to do next; `never`: nothing is due.
  [[nodiscard]] time_point next_due() const noexcept;
  /// Every call is noted while it is on its way.
  [[nodiscard]] bool watched() const noexcept { return overdue_after_ != no_timeout; }
  [[nodiscard]] breaker_state state() const noexcept { return state_; }
  [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }
  /// Open: the moment at which it will be half-open. Else meaningless.
  [[nodiscard]] time_point open_until() const noexcept { return open_until_; }
  [[nodiscard]] std::size_t probes() const noexcept { return probes_; }
  [[nodiscard]] std::size_t probes_out() const noexcept { return probes_out_; }
  /// Took so long that it is slow.
  [[nodiscard]] bool is_slow(const ticket& call, time_point now) const noexcept {
    return slow_after_ != no_timeout && now - call.started >= slow_after_;
  }
  /// How many calls were judged before they returned.
  [[nodiscard]] std::uint64_t overdue() const noexcept { return overdue_; }
  /// What has changed since this was last asked, in order.
  [[nodiscard]] std::vector<breaker_change> take_changes() noexcept { return std::exchange(changes_, {}); }

private:
  void count(bool failed, bool slow, time_point now);
  [[nodiscard]] std::string reason_to_open(time_point now);
  void open(time_point now, duration how_long, std::string why);
  void half_open(time_point now);
  void close(time_point now, std::string why);
  void enter(breaker_state next, time_point now, std::string why);
  [[nodiscard]] duration next_open_time() noexcept;

  // The rules.
  std::size_t most_in_a_row_ = 0; ///< 0: a window decides
  std::size_t minimum_ = 0;
  double failure_rate_ = 1;
  double slow_rate_ = 1;
  const duration open_for_;
  const double open_growth_;
  const duration open_most_;
  const std::size_t probes_;
  const std::size_t successes_;
  const duration slow_after_;
  const duration overdue_after_;
  duration span_{};

  breaker_state state_ = breaker_state::closed;
  std::uint64_t generation_ = 1;
  std::size_t streak_ = 0;      ///< closed: failures in a row
  call_window window_;
  std::size_t probes_out_ = 0;  ///< half-open
  std::size_t successes_so_far_ = 0;
  time_point open_until_{};
  duration last_open_time_{};   ///< since it was last closed; zero: it has not opened
  std::uint64_t last_number_ = 0;
  std::map<std::uint64_t, time_point> on_their_way_; ///< only if watched; in the order of their beginnings
  std::uint64_t overdue_ = 0;
  std::vector<breaker_change> changes_;
};

} // namespace muster
