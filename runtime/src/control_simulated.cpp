/// Offering items and due timers to the conductor.
#include "control_simulated.hpp"

#include <algorithm>

namespace muster::runtime {

constinit thread_local const simulated_control* simulated_control::runs_here_ = nullptr;

class simulated_control::mark {
public:
  explicit mark(const simulated_control& home) noexcept
      : before_{std::exchange(runs_here_, &home)}, no_leftovers_{home.leftovers_} {}
  ~mark() { runs_here_ = before_; }
  mark(const mark&) = delete;
  mark& operator=(const mark&) = delete;

private:
  const simulated_control* before_;
  const disposal::mark no_leftovers_;
};

simulated_control::simulated_control(conductor& by, timers& due, unsigned threads, disposal* leftovers)
    : by_{by}, due_{due}, threads_{threads}, leftovers_{leftovers} {
  by_.expect_here();
  by_.add(*this);
  due_.break_ties_by([this] {
    by_.expect_here();
    return by_.draw();
  });
}

simulated_control::~simulated_control() { by_.remove(*this); }

void simulated_control::post(control_item& item) {
  by_.expect_here();
  queue_.push(item);
  ++queued_;
  offer_items();
}

bool simulated_control::may_run_here() noexcept { return by_.here() && by_.draw() % 2 == 0; }

void simulated_control::offer_items() {
  while (offered_ < queued_ && offered_ + running_ < threads_) {
    ++offered_;
    by_.offer(*this);
  }
}

void simulated_control::step() noexcept {
  const mark here{*this};
  --offered_;
  control_item* item = queue_.pop();
  --queued_;
  ++running_;
  item->run_control();
  --running_;
  offer_items();
  if (queued_ == 0 && running_ == 0)
    by_.wake(this);
}

std::optional<time_point> simulated_control::next_due() {
  // While one fires the next is not yet to be thought of.
  return stopping_ || firing_.offered ? std::nullopt : due_.next_due();
}

void simulated_control::time_came(time_point now) {
  if (const auto due = next_due(); due && *due <= now) {
    firing_.offered = true;
    by_.offer(firing_);
  }
}

void simulated_control::due_changed() { time_came(by_.now()); }

void simulated_control::firing::step() noexcept {
  {
    const mark here{home};
    static_cast<void>(home.due_.fire_next(home.by_.now()));
  }
  offered = false;
  if (home.stopping_)
    home.by_.wake(&home);
  home.due_changed();
}

void simulated_control::stop() {
  stopping_ = true;
  static_cast<void>(by_.block(
    this, [this] { return queued_ == 0 && running_ == 0 && !firing_.offered; },
    [] { return std::string{"the engine's end"}; }, false));
}

} // namespace muster::runtime
