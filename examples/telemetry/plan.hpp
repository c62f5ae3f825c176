/// What a run of the system is like. Plain values.
#pragma once

#include <muster/options.hpp>

#include <optional>

namespace telemetry {

/// How children are killed. A blow hits one or two children at the same moment, or several sensors in quick succession.
struct chaos_plan {
  std::uint64_t seed = 1;
  muster::duration least = std::chrono::milliseconds{200}; ///< between two blows
  muster::duration most = std::chrono::milliseconds{1'000};
};

struct plan {
  muster::duration lasts = std::chrono::seconds{10};
  muster::duration period = std::chrono::milliseconds{200}; ///< of a sensor
  muster::duration flush = std::chrono::milliseconds{500};  ///< a reading waits no longer for others
  std::size_t batch = 32;                                   ///< so many do not wait for more
  std::size_t held_messages = 1'024; ///< for the writer and for the aggregator, while they are down
  std::optional<chaos_plan> chaos{};
  /// The writer, and what lives on it: if it breaks, those after it start anew with it.
  muster::restart core{.strategy = muster::restart_strategy::rest_for_one,
                       .max_restarts = 5,
                       .within = std::chrono::seconds{10},
                       .delay = {.first = std::chrono::milliseconds{20},
                                 .cap = std::chrono::seconds{2},
                                 .jitter = 0.5,
                                 .quiet = std::chrono::seconds{5}}};
  /// Sensors know nothing of each other.
  muster::restart sensors{.strategy = muster::restart_strategy::one_for_one,
                          .max_restarts = 5,
                          .within = std::chrono::seconds{5},
                          .delay = {.first = std::chrono::milliseconds{10},
                                    .cap = std::chrono::milliseconds{500},
                                    .jitter = 0.5,
                                    .quiet = std::chrono::seconds{2}}};
};

/// What chaos would make it give up for, it must stand: intensity is about faults that nobody causes on purpose.
inline constexpr unsigned core_restarts_under_chaos = 30;

} // namespace telemetry
