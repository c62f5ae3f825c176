/// The system itself: its supervision tree, how it is run, and the books of a run.
///
///     telemetry            a scope, rest_for_one
///     ├─ store             a resource; the first, so released last
///     ├─ writer            an actor
///     ├─ aggregator        an actor
///     ├─ sensors           a supervisor, one_for_one
///     │  └─ load, memory…  an actor for each source
///     └─ watch             a task: when it ends, so does the scope, for all others are daemons
///
/// It does not know which clock or engine it runs on: a manager, the sources and the store are given to it.
#pragma once

#include "ledger.hpp"
#include "plan.hpp"
#include "restart_log.hpp"
#include "store.hpp"

#include <muster/manager.hpp>

#include <memory>

namespace telemetry {

/// What came of a run, but for the readings, which are in the ledger.
struct outcome {
  muster::supervision_tree tree; ///< when the time was up and everything that was due to restart had done so
  bool whole = false;            ///< every child was running then
  bool interrupted = false;      ///< it was asked to stop before
  std::uint64_t blows = 0;
  std::shared_ptr<restart_log> log; ///< complete once `site` is gone: what happens last is told last
  muster::statistics stats;
  std::optional<muster::error> failure; ///< it did not start, or gave up
};

/// Registers what the actors say to each other; before the first manager. Later calls do nothing.
void register_messages();

/// Runs the system below `site` for as long as planned, and ends it in order. Blocks. `books` outlives `site`.
[[nodiscard]] outcome run(muster::manager& site, const plan& wanted, std::vector<source> sources,
                          std::shared_ptr<store> kept_in, ledger& books);

/// Whether every child is there and running.
[[nodiscard]] bool is_whole(const muster::supervision_tree& tree, const std::vector<source>& sources);

} // namespace telemetry
