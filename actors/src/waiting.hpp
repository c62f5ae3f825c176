/// How a thread of ours waits: seen in `tree()`, not counted against the lane, and never for ever because no thread is
/// left to do what it waits for.
///
/// Threads: the waiting thread's own. Invariant: while a body is inside one of these waits it is not accused of being
/// unresponsive; if it was asked to stop, its time to answer starts anew when the wait returns.
#pragma once

#include "engine.hpp"
#include "function_ref.hpp"

#include <muster/clock.hpp>

#include <cstdint>
#include <string>

namespace muster {

class task_actor;
class supervisor;

/// What a body waits for, as `tree()` shows it. Lives on the waiting thread's stack, listed with the body's task.
struct wait_note {
  std::string what; ///< "task site/checkout/charge", "scope …", "sleep", …
  time_point since{};
  task_actor* task = nullptr; ///< if it is one; lives as long as the note
  wait_note* outer = nullptr;
};

enum class waited : std::uint8_t { done, timed_out, no_threads, would_deadlock, called_off };

struct wait_request {
  const void* address;                     ///< parked on
  runtime::function_ref<bool()> ready;     ///< short, takes no lock
  runtime::engine* engine;
  time_point until = never;
  std::string what;                        ///< for tree(); empty: the wait is not shown
  supervisor* scope = nullptr;             ///< waited for, with all below: may be helped when no thread can be had
  task_actor* task = nullptr;              ///< likewise
  bool lends_permit = false;               ///< the body gives its `max_parallel` permit back meanwhile
  bool recorded = true;                    ///< false: whoever waits records it
  bool gives_up = true;                    ///< false: destructors, which wait whatever happens
  duration remind_every = duration::max(); ///< how often `remind` is called while the wait lasts
  runtime::function_ref<void()> remind = nothing;

  static constexpr auto nothing = [] {};
};

/// Blocks until ready, or the time has come. `no_threads`: nothing could run while this thread waits. `would_deadlock`:
/// the task waited for waits, itself or through others, for the body that asks. `called_off`: in a simulation nobody
/// was left who could have ended the wait.
[[nodiscard]] waited wait_for(wait_request request);
/// Asserts. For those who take a step towards an end before they wait for it.
void expect_no_forked_child();

/// True if `at` waits, itself or through others, for `me`.
[[nodiscard]] bool waits_for_me(task_actor& at, const task_actor& me);

/// errc::would_deadlock, naming who would wait for whom.
[[nodiscard]] class error would_deadlock(const std::string& path);
/// errc::would_deadlock, for a wait for `path` that was called off.
[[nodiscard]] class error called_off(const std::string& path);

} // namespace muster
