/// Two CAF actors, one of which asks the other n times, each question after the answer to the one before: the same code
/// for raw CAF and below a scope of Muster.
///
/// Owner: whoever spawns them. Threads: those of the actor system; `ping_result::done` is set when the last answer
/// came.
#pragma once

#include <atomic>
#include <cstdint>

#include <caf/actor.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/behavior.hpp>
#include <caf/config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/init_global_meta_objects.hpp>

namespace bench {

struct ping_result {
  std::atomic<std::uint64_t> answered{0};
  std::atomic<bool> done{false};
};

inline caf::behavior pong(caf::event_based_actor*) {
  return {[](std::uint64_t question) { return question + 1; }};
}

/// Asks `whom` from `next` up to `n`.
inline void ask(caf::event_based_actor* self, const caf::actor& whom, std::uint64_t next, std::uint64_t n,
                ping_result* result) {
  if (next == n) {
    result->answered = next;
    result->done = true;
    result->done.notify_all();
    return;
  }
  self->request(whom, caf::infinite, next).then([=](std::uint64_t answer) { ask(self, whom, answer, n, result); });
}

inline caf::behavior ping(caf::event_based_actor* self, const caf::actor& whom, std::uint64_t n, ping_result* result) {
  ask(self, whom, 0, n, result);
  return {[](bool) {}}; // stays until it is told to go
}

/// Settings have other names, and words other types, in CAF 1.x, which has no atoms, and is told of its own types.
/// (Here stands raw CAF, without Muster to bridge that.)
#ifdef CAF_VERSION_MAJOR
inline void register_types() { caf::core::init_global_meta_objects(); }
inline constexpr char threads_setting[] = "caf.scheduler.max-threads";
inline constexpr char policy_setting[] = "caf.scheduler.policy";
inline constexpr const char* sharing_policy = "sharing";
#else
inline void register_types() {}
inline constexpr char threads_setting[] = "scheduler.max-threads";
inline constexpr char policy_setting[] = "scheduler.policy";
inline constexpr auto sharing_policy = caf::atom("sharing");
#endif

/// `n` threads for the actors of a system that is about to be made.
inline caf::actor_system_config& with_threads(caf::actor_system_config& config, std::size_t n) {
  register_types();
  config.set(threads_setting, n);
  return config;
}
/// The same, which take their work from one queue.
inline caf::actor_system_config& with_sharing_threads(caf::actor_system_config& config, std::size_t n) {
  config.set(policy_setting, sharing_policy);
  return with_threads(config, n);
}

} // namespace bench
