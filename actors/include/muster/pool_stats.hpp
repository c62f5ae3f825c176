/// The numbers of a resource pool.
///
/// Owner: nobody, values only. Invariants of one snapshot: size = idle + in_use + creating + checking + retiring;
/// acquired = returned + discarded + reclaimed + in_use; created = destroyed + idle + in_use + checking + retiring.
#pragma once

#include <muster/api.hpp>
#include <muster/clock.hpp>

#include <cstddef>
#include <cstdint>

MUSTER_API_BEGIN

namespace muster {

/// Of one pool, all of one moment.
struct pool_stats {
  // Now.
  std::size_t max = 0;      ///< how many there may be
  std::size_t size = 0;     ///< how many there are, those included that are being made or destroyed
  std::size_t idle = 0;     ///< free to be had
  std::size_t in_use = 0;   ///< held by leases
  std::size_t creating = 0; ///< inside the factory
  std::size_t checking = 0; ///< inside the health check
  std::size_t retiring = 0; ///< being destroyed
  std::size_t waiting = 0;  ///< callers of acquire that have none yet
  // Since the pool was made: leases.
  std::uint64_t acquired = 0;  ///< leases given
  std::uint64_t returned = 0;  ///< given back by their lease
  std::uint64_t discarded = 0; ///< given back to be destroyed
  std::uint64_t reclaimed = 0; ///< taken back because the task had ended without giving them back
  std::uint64_t timeouts = 0;  ///< waits that came to their own limit
  std::uint64_t cancelled = 0; ///< waits given up because the task was asked to stop
  std::uint64_t refused = 0;   ///< calls that ended because the pool was closed
  duration wait_time{};        ///< of all leases given: from the call of acquire to the grant
  duration longest_wait{};     ///< the longest of them
  // Since the pool was made: resources.
  std::uint64_t created = 0; ///< made by the factory
  std::uint64_t create_failures = 0; ///< the factory threw, or returned an error or null
  std::uint64_t check_failures = 0;  ///< the health check said no, or threw
  std::uint64_t outlived = 0;        ///< retired because of max_lifetime
  std::uint64_t evicted = 0;         ///< retired because of idle_timeout
  std::uint64_t destroyed = 0;       ///< for whatever reason
  std::uint64_t release_failures = 0; ///< the release function threw or returned an error

  /// All numbers are the same.
  friend bool operator==(const pool_stats&, const pool_stats&) = default;
};

} // namespace muster

MUSTER_API_END
