/// The last results of a circuit breaker's calls, with their sums: the last n of them, or those of the last d.
///
/// Owner: a breaker_machine. Pure: no clock, no lock; `now` never goes backwards. Invariant: the sums are those of
/// exactly the results inside the window at the moment last given.
#pragma once

#include <muster/clock.hpp>

#include <cstddef>
#include <deque>
#include <vector>

namespace muster {

class call_window {
public:
  struct sums {
    std::size_t calls = 0;
    std::size_t failed = 0;
    std::size_t slow = 0;
    friend bool operator==(const sums&, const sums&) = default;
  };

  /// None, which keeps nothing.
  call_window() = default;
  /// The last `n` results.
  explicit call_window(std::size_t n) : ring_(n) {}
  /// Those younger than `span`.
  explicit call_window(duration span) noexcept : span_(span) {}

  void add(bool failed, bool slow, time_point now) {
    if (!ring_.empty()) {
      auto& place = ring_[next_];
      next_ = (next_ + 1) % ring_.size();
      subtract(place);
      place = {1, failed ? 1U : 0U, slow ? 1U : 0U};
      sum_.calls += place.calls;
      sum_.failed += place.failed;
      sum_.slow += place.slow;
    } else if (span_ > duration{}) {
      drop_old(now);
      // Results of one moment share a place.
      if (moments_.empty() || moments_.back().at != now)
        moments_.push_back({now, {}});
      for (auto* s : {&moments_.back().what, &sum_}) {
        s->calls += 1;
        s->failed += failed ? 1 : 0;
        s->slow += slow ? 1 : 0;
      }
    }
  }

  /// Of what is in the window now.
  [[nodiscard]] const sums& at(time_point now) noexcept {
    drop_old(now);
    return sum_;
  }

  void clear() noexcept {
    for (auto& place : ring_)
      place = {};
    next_ = 0;
    moments_.clear();
    sum_ = {};
  }

private:
  struct moment {
    time_point at;
    sums what;
  };

  void subtract(const sums& s) noexcept {
    sum_.calls -= s.calls;
    sum_.failed -= s.failed;
    sum_.slow -= s.slow;
  }
  void drop_old(time_point now) noexcept {
    while (!moments_.empty() && now - moments_.front().at >= span_) {
      subtract(moments_.front().what);
      moments_.pop_front();
    }
  }

  std::vector<sums> ring_;
  std::size_t next_ = 0;
  duration span_{};
  std::deque<moment> moments_;
  sums sum_;
};

} // namespace muster
