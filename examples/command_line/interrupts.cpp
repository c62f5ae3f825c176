/// Signals: see interrupts.hpp.
#include "interrupts.hpp"

#include <pthread.h>

namespace command_line {

interrupts::interrupts() {
  sigemptyset(&watched_);
  for (const int number : {SIGINT, SIGTERM}) {
    struct sigaction action {};
    if (sigaction(number, nullptr, &action) == 0 && action.sa_handler != SIG_IGN)
      sigaddset(&watched_, number);
  }
  pthread_sigmask(SIG_BLOCK, &watched_, &before_);
  if (sigismember(&watched_, SIGINT) == 0 && sigismember(&watched_, SIGTERM) == 0)
    return;
  waiter_ = std::thread{[this] {
    for (int number = 0; !over_.load();)
      if (sigwait(&watched_, &number) == 0 && !over_.load()) {
        int nobody = 0;
        number_.compare_exchange_strong(nobody, number); // the first one counts
        stop_.request_stop();
      }
  }};
}

interrupts::~interrupts() {
  over_.store(true);
  if (waiter_.joinable()) {
    pthread_kill(waiter_.native_handle(), sigismember(&watched_, SIGINT) == 1 ? SIGINT : SIGTERM);
    waiter_.join();
  }
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

} // namespace command_line
