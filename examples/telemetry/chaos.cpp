/// See chaos.hpp.
#include "chaos.hpp"

#include "messages.hpp"

#include <caf/send.hpp>

namespace telemetry {

chaos::chaos(wiring& around, const chaos_plan& how) : around_(around), how_(how), random_(how.seed) {}

/// The root gives up if it has to restart too often, and then it should: chaos goes as far as it can stand.
bool chaos::may_hit_core(muster::time_point now) {
  while (!core_hits_.empty() && core_hits_.front() < now - around_.wanted.core.within)
    core_hits_.pop_front();
  if (core_hits_.size() + 4 > around_.wanted.core.max_restarts)
    return false;
  core_hits_.push_back(now);
  return true;
}

const std::string& chaos::some_sensor() { return around_.sources[draw(around_.sources.size())].name; }

void chaos::hit(const std::string& name) {
  ++blows_;
  const auto how = draw(4);
  const auto whom = around_.reachable.find(name);
  if (!whom)
    return;
  if (how == 3)
    caf::anon_send_exit(whom, caf::exit_reason::kill);
  else
    caf::anon_send(whom, order{static_cast<mischief>(how)});
}

muster::result<void> chaos::run(muster::context& ctx, muster::duration lasts) {
  const auto end = ctx.now() + lasts;
  const auto spread = static_cast<std::uint64_t>((how_.most - how_.least).count()) + 1;
  for (;;) {
    const auto next = ctx.now() + how_.least + muster::duration{draw(spread)};
    if (auto slept = ctx.sleep_until(std::min(next, end)); !slept || next >= end)
      return slept;
    const auto what = draw(8);
    if (what < 3 && may_hit_core(ctx.now()))
      hit(draw(2) == 0 ? "writer" : "aggregator");
    if (what >= 2 && what < 7)
      hit(some_sensor());
    if (what == 7 && may_hit_core(ctx.now())) // a storm that their supervisor does not stand
      for (unsigned i = 0; i <= around_.wanted.sensors.max_restarts + 2; ++i) {
        hit(some_sensor());
        if (auto slept = ctx.sleep_for(std::chrono::milliseconds{60}); !slept)
          return slept;
      }
  }
}

} // namespace telemetry
