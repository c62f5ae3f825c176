/// An actor system that an engine has to itself, in real time or in a simulation.
///
/// Owner: the engine. Threads: one makes it, and one settles and destroys it; in between it is CAF's. Invariant: it
/// writes nothing to the terminal by itself.
#pragma once

#include "conductor.hpp"

#include <memory>

namespace caf {
class actor_system;
}

namespace muster::runtime {

class own_system {
public:
  /// With so many threads for actors; `by`: a simulation to live in, or null. Registers Muster's types of messages.
  own_system(unsigned threads, conductor* by);
  ~own_system();
  own_system(const own_system&) = delete;
  own_system& operator=(const own_system&) = delete;

  [[nodiscard]] caf::actor_system& system() noexcept;
  /// In a simulation: runs what is queued, and asserts that no actor of the application is left.
  void settle();

private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

/// Finds out an actor system of the application that is destroyed while an engine still lives in it.
class system_watch {
public:
  /// `system` null: nothing is watched. Asserts that Muster's types of messages are registered.
  explicit system_watch(caf::actor_system* system);
  ~system_watch();
  system_watch(const system_watch&) = delete;
  system_watch& operator=(const system_watch&) = delete;
  /// The engine has no more to do with it. Idempotent.
  void end() noexcept;

private:
  class mark;
  caf::actor_system* system_;
  mark* mark_ = nullptr; ///< the system keeps it
};

} // namespace muster::runtime
