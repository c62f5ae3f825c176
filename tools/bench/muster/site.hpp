/// The manager that Muster's cases run under: two workers, everything else as a user gets it, the recorder included.
///
/// Owner: each case makes one. Threads: the main thread.
#pragma once

#include "harness.hpp"

#include <muster/muster.hpp>

namespace bench {

inline muster::manager_options two_workers(muster::trace_mode trace = muster::trace_mode::ring) {
  return {.name = "bench", .workers = threads, .trace = {.mode = trace}};
}

} // namespace bench
