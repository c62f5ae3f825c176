/// All downloads together: a task for each, so many at a time, each with its own time limit.
///
/// Owner: main. Threads: main calls it and waits in it; the downloads are coroutines on the manager's two workers.
#pragma once

#include "options.hpp"
#include "screen.hpp"

#include <muster/muster.hpp>

#include <vector>

namespace fetch {

/// How one ended: how many bytes, or why not.
using fetched = muster::result<std::size_t>;

struct harvest {
  std::vector<fetched> each;    ///< in the order of the list; those that were not begun are errors, too
  muster::result<void> whole{}; ///< an error if it was interrupted or out of time as a whole
};

/// Fetches `pages` as `wanted` says; a failure of one is no matter of the others. Returns when every task has ended.
[[nodiscard]] harvest fetch_all(muster::manager& site, const std::vector<wanted_page>& pages, const options& wanted,
                                screen& shown);

} // namespace fetch
