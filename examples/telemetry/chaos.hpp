/// Kills children at random, with what is drawn from a seed.
///
/// Threads: a task's body. It hits incarnations, not children: one that is down is not hit.
#pragma once

#include "wiring.hpp"

#include <deque>
#include <random>

namespace telemetry {

class chaos {
public:
  chaos(wiring& around, const chaos_plan& how);
  /// Until that much time has passed; fails if the task is asked to stop.
  [[nodiscard]] muster::result<void> run(muster::context& ctx, muster::duration lasts);
  /// Orders and kills that were sent; not all of them found their victim alive.
  [[nodiscard]] std::uint64_t blows() const noexcept { return blows_; }

private:
  [[nodiscard]] std::uint64_t draw(std::uint64_t below) { return random_() % below; }
  [[nodiscard]] bool may_hit_core(muster::time_point now);
  [[nodiscard]] const std::string& some_sensor();
  void hit(const std::string& name);

  wiring& around_;
  const chaos_plan how_;
  std::mt19937_64 random_;
  std::uint64_t blows_ = 0;
  std::deque<muster::time_point> core_hits_; ///< those that the root may count now
};

} // namespace telemetry
