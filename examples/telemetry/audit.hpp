/// Holds everybody's account of a run against everybody else's: the actors', the supervisors', the library's and the
/// store's. Pure; after the run.
#pragma once

#include "system.hpp"

#include <map>

namespace telemetry {

/// The readings that one death took with it.
struct death_toll {
  std::uint64_t not_taken =
      0; ///< sent before anybody knew of it, or while the successor was awaited and no more were held
  std::uint64_t in_mailbox = 0;
  std::uint64_t in_hand = 0;
  std::uint64_t cut_off = 0;
  [[nodiscard]] std::uint64_t all() const noexcept { return not_taken + in_mailbox + in_hand + cut_off; }
};

struct audit {
  ledger::totals readings;
  std::map<std::string, ledger::totals> by_source;
  death_toll lost;                                                      ///< of all deaths
  std::map<std::pair<std::string, std::uint32_t>, death_toll> by_death; ///< (actor, incarnation), those with losses
  std::map<std::pair<std::string, std::uint32_t>, std::string> why;     ///< of all violent deaths
  std::uint64_t kills = 0;                                              ///< violent deaths, as the actors report them
  std::uint64_t unseen = 0; ///< of those: while being stopped already, which their supervisor takes for a stop
  restart_counts restarts;
  std::vector<std::string> shutdown;   ///< who ended last, in order
  std::vector<std::string> complaints; ///< a sentence each; empty: everything is accounted for
};

/// `exact`: in simulated time. `stored`: how many readings the store has of this run.
[[nodiscard]] audit examine(const outcome& said, const ledger& books, const std::vector<std::string>& sources,
                            std::uint64_t stored, bool exact);

} // namespace telemetry
