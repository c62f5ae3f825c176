/// For whom this thread is working: the task whose body it runs, or the scope whose release or callback it runs.
///
/// Owner: a chain of marks on the thread's own stack. Threads: each its own. What it is for: a wait for oneself or for
/// something above oneself is refused instead of hanging, and a wait shows up in `tree()` under the task that waits.
#pragma once

#include <muster/detail/ref.hpp>

#include <cstdint>

namespace muster {

class supervisor;

struct duty {
  task_actor* task = nullptr;      ///< whose body (or callback) this is; null: none
  supervisor* scope = nullptr;     ///< under which this runs: the task's scope, or that of the release
  const void* callback = nullptr;  ///< the callback entry that runs here, if it is one
  const void* child = nullptr;     ///< the actor_child whose factory runs here, if one does
  bool body = false;               ///< the task's body itself, not a callback of it
  const duty* below = nullptr;     ///< what this thread was doing before, deeper on its stack
};

/// This thread's present duty, or null.
[[nodiscard]] const duty* current_duty() noexcept;

/// The last event in the life of the task whose body this thread runs, as the cause of what is done here; 0: it runs
/// none.
[[nodiscard]] std::uint64_t event_of_this_body() noexcept;

/// True if this thread works under `who`: a wait for it could never end.
[[nodiscard]] bool works_under(const supervisor& who) noexcept;
[[nodiscard]] bool works_under(const task_actor& who) noexcept;
/// True if this thread runs the factory of that actor_child.
[[nodiscard]] bool works_for_child(const void* who) noexcept;

/// Takes up a duty for as long as it lives.
class duty_mark {
public:
  explicit duty_mark(duty d) noexcept;
  ~duty_mark();
  duty_mark(const duty_mark&) = delete;
  duty_mark& operator=(const duty_mark&) = delete;

private:
  duty mine_;
};

} // namespace muster
