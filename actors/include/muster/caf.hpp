/// Interoperation with CAF: the one public header of Muster that includes CAF's.
///
/// Link `muster::caf` instead of `muster::muster` to use it. Threads: every function from any thread unless it says
/// otherwise. Rules: a manager that lives in an application's actor system is destroyed before that system; a handle
/// (`caf::actor`) of a task, scope or manager may be kept for ever and is never dangling, but it must not be asked
/// anything about its actor system once that is gone.
#pragma once

#include <muster/muster.hpp>

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_cast.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/make_message.hpp>
#include <caf/message.hpp>

#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace muster {

// -- what Muster's own actors are to CAF --------------------------------------------------------------------------------

/// The actor behind a task: to be linked to, monitored, or sent an exit message (any abnormal one asks it to stop). An
/// ended task announces its end at once to whoever links or monitors late. Its exit reason is normal if it ended ok;
/// otherwise it carries the error's text. Asking an empty handle is misuse (it asserts).
[[nodiscard]] caf::actor actor_of(const task_handle& task);
/// The actor behind a scope: an abnormal exit message cancels the scope (`kill` too: it cancels and joins).
[[nodiscard]] caf::actor actor_of(const scope& s);
/// The actor behind a manager; the same.
[[nodiscard]] caf::actor actor_of(const manager& m);

// -- living in an application's actor system ----------------------------------------------------------------------------

/// A manager in an actor system that exists already. Supervision and bodies run on threads of the manager's own; the
/// system's scheduler runs only the application's actors. `system` must outlive the manager.
[[nodiscard]] manager in_system(caf::actor_system& system, manager_options options = {});
/// The actor system that `m` lives in, its own or the application's.
[[nodiscard]] caf::actor_system& system_of(const manager& m);

// -- actors as children of a scope --------------------------------------------------------------------------------------

struct child_options {
  std::string name;                        ///< empty: "actor"
  bool daemon = false;                     ///< stopped when the last other child has ended; else it keeps `wait()` waiting
  std::optional<duration> stop_timeout{};  ///< how long it may take to stop before it is reported; default: the scope's
                                           ///< release_timeout
};

/// What a scope's child actor is started from; called once, on the callback lane.
using actor_factory = std::function<caf::actor(caf::actor_system&)>;

/// Starts an actor below `s`: calls `factory` on the callback lane, waits for it, and supervises the actor. It is stopped
/// (exit reason user_shutdown) when the scope ends, in one common reverse order with the resources, and awaited. If it
/// ends abnormally by itself it has failed as a task would have, and the scope's policy decides. Fails with
/// errc::start_failed (the factory threw or gave no actor) or errc::scope_closed (a closed or cancelled scope; the actor,
/// if there is one, is stopped). Blocks for as long as the factory takes.
result<caf::actor> spawn_actor(scope& s, child_options options, actor_factory factory);

// -- asking actors from plain bodies ------------------------------------------------------------------------------------

namespace detail {
/// Sends `question` to `whom` and blocks for the answer; see muster::request.
[[nodiscard]] result<caf::message> ask_actor(context& ctx, const caf::actor& whom, duration timeout,
                                             caf::message question);
[[nodiscard]] error unexpected_answer(const caf::message& answer);
} // namespace detail

/// Sends `question…` to `whom` and blocks this body until the answer comes, the task is asked to stop, or `timeout` has
/// passed. `T` is the type of the answer (`void`: any answer with no values). An error that the actor answers with, or
/// its death, comes back as errc::actor_exited with its text; an answer of another type as errc::bad_argument.
template <class T, class... Question>
[[nodiscard]] result<T> request(context& ctx, const caf::actor& whom, duration timeout, Question&&... question) {
  auto answer = detail::ask_actor(ctx, whom, timeout, caf::make_message(std::forward<Question>(question)...));
  if (!answer)
    return std::unexpected{std::move(answer).error()};
  if constexpr (std::is_void_v<T>) {
    if (answer->empty())
      return {};
  } else {
    if (answer->size() == 1 && answer->template match_element<T>(0))
      return answer->template get_as<T>(0);
  }
  return std::unexpected{detail::unexpected_answer(*answer)};
}

} // namespace muster
