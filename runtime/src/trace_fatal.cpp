/// The signal handler. See trace_fatal.hpp.
#include "trace_fatal.hpp"

#include <array>
#include <atomic>
#include <csignal>
#include <mutex>

namespace muster::runtime {

namespace {

constexpr std::array fatal{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

constinit std::array<std::atomic<trace_format::word*>, 64> marks{};
std::array<struct sigaction, fatal.size()> earlier{};
constinit std::mutex installing;
constinit int users = 0;

extern "C" void muster_on_fatal_signal(int number, siginfo_t* info, void*) {
  for (auto& mark : marks)
    if (auto* word = mark.load(std::memory_order_acquire))
      trace_format::shared(*word).store(static_cast<trace_format::word>(number), std::memory_order_release);
  for (std::size_t i = 0; i < fatal.size(); ++i)
    if (fatal[i] == number)
      ::sigaction(number, &earlier[i], nullptr);
  // A fault comes again when its instruction is executed again; what somebody sent has to be sent again. Either finds
  // the earlier handler, or the end.
  if (info == nullptr || info->si_code <= 0)
    ::raise(number);
}

} // namespace

fatal_signal_mark::fatal_signal_mark(trace_format::word& word) : place_{marks.size()} {
  const std::lock_guard guard{installing};
  for (std::size_t i = 0; i < marks.size() && place_ == marks.size(); ++i)
    if (marks[i].load(std::memory_order_relaxed) == nullptr) {
      marks[i].store(&word, std::memory_order_release);
      place_ = i;
    }
  if (users++ > 0)
    return;
  for (std::size_t i = 0; i < fatal.size(); ++i) {
    struct sigaction ours {};
    ours.sa_sigaction = muster_on_fatal_signal;
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
    ::sigemptyset(&ours.sa_mask);
    ::sigaction(fatal[i], &ours, &earlier[i]);
  }
}

fatal_signal_mark::~fatal_signal_mark() {
  const std::lock_guard guard{installing};
  if (place_ < marks.size())
    marks[place_].store(nullptr, std::memory_order_release);
  if (--users > 0)
    return;
  for (std::size_t i = 0; i < fatal.size(); ++i) {
    struct sigaction now {};
    // Somebody who came after us has his own way back to us, and keeps it.
    if (::sigaction(fatal[i], nullptr, &now) == 0 && now.sa_sigaction == muster_on_fatal_signal)
      ::sigaction(fatal[i], &earlier[i], nullptr);
  }
}

} // namespace muster::runtime
