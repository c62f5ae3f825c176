/// Offering items to the conductor, as many as there would be workers for.
#include "lane_simulated.hpp"

#include "strand.hpp"

#include <algorithm>

namespace muster::runtime {

namespace {

/// The same on every machine, so that a replay is one.
constexpr std::size_t usual_workers = 4;

} // namespace

simulated_lane::simulated_lane(lane& of, conductor& by, const lane_options& options)
    : self_{of},
      by_{by},
      workers_{options.grows == growth::when_stuck ? std::max<std::size_t>(options.workers, usual_workers)
                                                   : std::max(options.workers, 1U)},
      max_workers_{std::max<std::size_t>(options.max_workers, workers_)},
      max_threads_{options.max_threads} {}

void simulated_lane::push(lane_item& item) {
  by_.expect_here();
  ready_.push(item, by_.now());
  offer_items();
}

bool simulated_lane::remove(lane_item& item) {
  by_.expect_here();
  return ready_.remove(item);
}

lane_item* simulated_lane::take_if(const std::function<bool(const lane_item&)>& wanted) {
  by_.expect_here();
  lane_item* found = ready_.find(wanted);
  if (found != nullptr)
    static_cast<void>(ready_.remove(*found));
  return found;
}

bool simulated_lane::may_start() const noexcept {
  return active_ + offered_ < workers_ && active_ + blocked_ + offered_ < max_workers_ &&
         (max_threads_ == 0 || threads() + offered_ < max_threads_);
}

void simulated_lane::offer_items() {
  while (offered_ < ready_.size() && may_start()) {
    ++offered_;
    by_.offer(*this);
  }
}

void simulated_lane::step() noexcept {
  --offered_;
  lane_item* item = ready_.pop();
  if (item == nullptr)
    return; // it was taken back
  strand& me = *conductor::this_strand();
  std::size_t& as = item->blocking ? blocked_ : active_;
  ++as;
  most_workers_ = std::max(most_workers_, threads());
  me.lane = this;
  me.blocking_item = item->blocking;
  offer_items();
  item->run_on_lane();
  me.lane = nullptr;
  --as;
  offer_items();
  if (ready_.empty() && threads() == 0)
    by_.wake(this);
}

void simulated_lane::enter_wait() {
  --(conductor::this_strand()->blocking_item ? blocked_ : active_);
  ++waiting_;
  offer_items();
}

void simulated_lane::leave_wait() {
  --waiting_;
  ++(conductor::this_strand()->blocking_item ? blocked_ : active_);
}

bool simulated_lane::somebody_can_run() { return ready_.empty() || active_ + offered_ != 0 || may_start(); }

lane_stats simulated_lane::stats() const {
  const auto now = by_.now();
  const auto oldest = ready_.oldest();
  return {.workers = threads(),
          .running = active_,
          .blocked = blocked_,
          .waiting = waiting_,
          .ready = ready_.size(),
          .oldest_ready = oldest < now ? now - oldest : duration{},
          .saturated = 0,
          .most_workers = most_workers_};
}

void simulated_lane::stop() {
  static_cast<void>(by_.block(
    this, [this] { return ready_.empty() && threads() == 0; }, [] { return std::string{"the engine's end"}; }, false));
}

} // namespace muster::runtime
