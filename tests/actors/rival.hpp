/// Two threads that meet, round after round, to end the same thing in two ways.
#pragma once

#include "support.hpp"

#include <barrier>
#include <functional>

namespace support {

inline constexpr int rounds = 2'000;

/// A second thread that does its part at the same moment as the test's own.
class rival {
public:
  rival() : thread_{[this] { run(); }} {}
  ~rival() {
    part_ = nullptr;
    start_.arrive_and_wait();
    thread_.join();
  }
  rival(const rival&) = delete;
  rival& operator=(const rival&) = delete;

  /// Runs `mine` here and `theirs` there; each round one of them is a little late, by a different amount.
  template <class Mine, class Theirs>
  void meet(int round, Mine mine, Theirs theirs) {
    const int lag = (round * 37) % 400 - 200;
    part_ = [&] {
      dawdle(-lag);
      theirs();
    };
    start_.arrive_and_wait();
    dawdle(lag);
    mine();
    start_.arrive_and_wait();
  }

private:
  static void dawdle(int steps) {
    for (std::atomic<int> step = 0; step < steps;)
      step.fetch_add(1);
  }
  void run() {
    for (;;) {
      start_.arrive_and_wait();
      if (!part_)
        return;
      part_();
      start_.arrive_and_wait();
    }
  }
  std::function<void()> part_;
  std::barrier<> start_{2};
  std::thread thread_;
};



} // namespace support
