/// Interoperation with CAF: the one public header of Muster that includes CAF's.
///
/// Link `muster::caf` instead of `muster::muster` to use it. Threads: every function from any thread unless it says
/// otherwise. Rules: types of messages are registered before the first actor system (CAF 1.x; see init_caf_types); a
/// manager that lives in an application's actor system is destroyed before that system, which is asserted; a handle
/// (`caf::actor`) of a task, scope or manager may be kept for ever and is never dangling, but it must not be asked
/// anything about its actor system once that is gone.
#pragma once

#include <muster/api.hpp>
#include <muster/caf_types.hpp>
#include <muster/muster.hpp>

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_cast.hpp>
#include <caf/behavior.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/init_global_meta_objects.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/message.hpp>

#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

MUSTER_API_BEGIN

namespace caf {
/// Never defined: it lets the name be asked for in a CAF that has no such function.
template <class Block>
void init_global_meta_objects(muster::scope&);
} // namespace caf

namespace muster {

/// Registers the types of an application's messages with CAF 1.x, after CAF's own and Muster's: each `Block` is what
/// CAF_BEGIN_TYPE_ID_BLOCK has named, `caf::id_block::…`. Otherwise as init_caf_types() in muster/caf_types.hpp.
template <class Block, class... Blocks>
void init_caf_types() {
  init_caf_types();
  if constexpr (requires { caf::init_global_meta_objects<Block>(); })
    if (detail::caf_types_missing(Block::begin))
      caf::init_global_meta_objects<Block>();
  if constexpr (sizeof...(Blocks) > 0)
    init_caf_types<Blocks...>();
}

// -- what Muster's own actors are to CAF -----------------------------------------------------------------------------

/// The actor behind a task: to be linked to, monitored, or sent an exit message (any abnormal one asks it to stop). An
/// ended task announces its end at once to whoever links or monitors late. Its exit reason is normal if it ended ok;
/// otherwise it carries the error's text. Asking an empty handle is misuse (it asserts).
[[nodiscard]] caf::actor actor_of(const task_handle& task);
/// The actor behind a scope: an abnormal exit message cancels the scope (`kill` too: it cancels and joins).
[[nodiscard]] caf::actor actor_of(const scope& s);
/// The actor behind a manager; the same.
[[nodiscard]] caf::actor actor_of(const manager& m);

// -- living in an application's actor system -------------------------------------------------------------------------

/// A manager in an actor system that exists already. Supervision and bodies run on threads of the manager's own; the
/// system's scheduler runs only the application's actors. `system` must outlive the manager, which its destructor
/// asserts once it has waited for the actors that are up, as it always does.
[[nodiscard]] manager in_system(caf::actor_system& system, manager_options options = {});
/// The actor system that `m` lives in, its own or the application's.
[[nodiscard]] caf::actor_system& system_of(const manager& m);
/// A log hook that writes to the logger of `system`, as component "muster"; the text is `to_line`'s. That logger writes
/// what its configuration says. `system` must outlive the manager.
[[nodiscard]] log_hook to_caf_log(caf::actor_system& system);

// -- actors as children of a scope -----------------------------------------------------------------------------------

/// What a scope's child actor is started from; called on the callback lane for each incarnation.
using actor_factory = std::function<caf::actor(caf::actor_system&)>;

struct MUSTER_INSIDE start_state;

/// With it an incarnation says that it is up; until then it is starting, and its start_timeout runs. A copyable handle;
/// only the first word counts, and one about an incarnation that is gone is ignored. Any thread.
class start_report {
public:
  /// It is up: its start has succeeded.
  void ready() const;
  /// It will not be: it is stopped, and its start has failed with this text.
  void failed(std::string why) const;

  /// For the library.
  explicit start_report(std::shared_ptr<start_state> state) noexcept : state_(std::move(state)) {}

private:
  std::shared_ptr<start_state> state_;
};
/// A factory of actors whose start is not over when they have been made.
using reporting_factory = std::function<caf::actor(caf::actor_system&, start_report)>;

/// Starts an actor below `s`: calls `factory` on the callback lane, blocks until the actor is up, and supervises it. It
/// is stopped (exit reason user_shutdown; `kill` if that takes longer than its stop_timeout) when the scope ends, in
/// one common reverse order with the resources, and awaited. What follows if it ends by itself: in a scope with
/// `on_failure = restart{…}` that policy decides, with the child's kind; elsewhere an abnormal end is a failure as a
/// task's would be, and nothing is started again.
///
/// Returns a handle of the actor; in a scope that restarts it stands for the child, whichever incarnation is up: what
/// is sent to it goes on to that one, and waits (child_options::held_messages) or is refused while there is none; what
/// one that fails has in its mailbox, or is sent in the moment in which it closes that, is lost with it (a request is
/// answered with an error).
/// Linking to it or monitoring it is about the child's end for good.
///
/// Fails, with the tree unharmed, with errc::start_failed (the factory threw, gave no actor or one that had ended; it
/// ended before it was up, or said that it had failed), errc::timed_out (not up in its start_timeout),
/// errc::bad_argument (a restart policy that makes no sense, a name that another child of the scope has, a permanent
/// child that is significant), errc::too_many_children, or errc::scope_closed (a closed or cancelled scope). A factory
/// that does not return cannot be ended: errc::timed_out comes at once, what it makes after all is stopped, the child
/// keeps its name until then, and the scope's end waits for it and names it.
result<caf::actor> spawn_actor(scope& s, child_options options, actor_factory factory);
/// The same for an actor that says itself, through the report it is given, when it is up.
result<caf::actor> spawn_actor(scope& s, child_options options, reporting_factory factory);

/// Makes an exception that escapes `self` its exit reason with `what()` as the text. CAF's own handler keeps the type
/// alone and writes a line to the terminal. Set for actors that are given as functions, classes or behaviours below;
/// factories call it where the actor begins.
void keep_exception_text(caf::scheduled_actor* self);

/// The same for a CAF actor written as a function: `fn(caf::event_based_actor* self, args…)`, which returns a behaviour
/// or nothing. Each incarnation gets copies of `fn` and `args`.
template <class F, class... Args>
  requires std::invocable<F&, caf::event_based_actor*, Args&...>
result<caf::actor> spawn_actor(scope& s, child_options options, F fn, Args... args) {
  auto body = [fn = std::move(fn), ... args = std::move(args)](caf::event_based_actor* self) mutable {
    keep_exception_text(self);
    return fn(self, args...);
  };
  return spawn_actor(s, std::move(options),
                     actor_factory{[body = std::move(body)](caf::actor_system& system) { return system.spawn(body); }});
}

namespace detail {
/// `Actor`, with the text of its exceptions.
template <class Actor>
struct with_exception_text : Actor {
  template <class... Args>
  explicit with_exception_text(caf::actor_config& config, Args&&... args) : Actor(config, std::forward<Args>(args)...) {
    keep_exception_text(this);
  }
};
} // namespace detail

/// And as a class.
template <class Actor, class... Args>
  requires std::derived_from<Actor, caf::scheduled_actor>
result<caf::actor> spawn_actor(scope& s, child_options options, Args... args) {
  return spawn_actor(s, std::move(options), actor_factory{[... args = std::move(args)](caf::actor_system& system) {
                       return caf::actor_cast<caf::actor>(system.spawn<detail::with_exception_text<Actor>>(args...));
                     }});
}

/// And for a behaviour that never changes; all incarnations share it. (A template, for a behaviour is made from
/// anything.)
template <std::same_as<caf::behavior> Behaviour>
result<caf::actor> spawn_actor(scope& s, child_options options, Behaviour behaviour) {
  return spawn_actor(s, std::move(options),
                     [behaviour = std::move(behaviour)](caf::event_based_actor*) { return behaviour; });
}

// -- asking actors from bodies ----------------------------------------------------------------------------------------

namespace detail {
/// Sends `question` to `whom` and blocks for the answer; see muster::request.
[[nodiscard]] result<caf::message> ask_actor(context& ctx, const caf::actor& whom, duration timeout,
                                             caf::message question);
[[nodiscard]] error unexpected_answer(const caf::message& answer);

template <class T>
[[nodiscard]] result<T> answer_as(result<caf::message> answer) {
  if (!answer)
    return std::unexpected{std::move(answer).error()};
  if constexpr (std::is_void_v<T>) {
    if (answer->empty())
      return {};
  } else {
    if (answer->size() == 1 && answer->template match_element<T>(0))
      return answer->template get_as<T>(0);
  }
  return std::unexpected{unexpected_answer(*answer)};
}

/// A coroutine's wait for an answer.
class answer_wait : public wait_point {
public:
  answer_wait(answer_wait&&) = default;

protected:
  answer_wait(async_context& ctx, caf::actor whom, duration timeout, caf::message question);
  ~answer_wait();
  [[nodiscard]] result<caf::message> finish();

private:
  void begin() override;
  [[nodiscard]] bool ready() noexcept override;
  [[nodiscard]] std::string what() const override;

  caf::actor whom_;
  caf::message question_;
  duration timeout_;
  caf::actor asker_; ///< who gets the answer; empty until it has been asked for
};

template <class T>
class answer_wait_for final : public answer_wait {
public:
  answer_wait_for(async_context& ctx, caf::actor whom, duration timeout, caf::message question)
      : answer_wait(ctx, std::move(whom), timeout, std::move(question)) {}
  [[nodiscard]] result<T> await_resume() { return answer_as<T>(finish()); }
};
} // namespace detail

/// Sends `question…` to `whom` and blocks this body until the answer comes, the task is asked to stop, or `timeout` has
/// passed. `T` is the type of the answer (`void`: any answer with no values). An error that the actor answers with, or
/// its death, comes back as errc::actor_exited with its text; an answer of another type as errc::bad_argument.
template <class T, class... Question>
[[nodiscard]] result<T> request(context& ctx, const caf::actor& whom, duration timeout, Question&&... question) {
  return detail::answer_as<T>(
    detail::ask_actor(ctx, whom, timeout, caf::make_message(std::forward<Question>(question)...)));
}
/// The same for a coroutine, which awaits it and holds no thread meanwhile: nothing is sent before that, and the time
/// counts from there on. An answer that comes after the wait has ended is dropped.
template <class T, class... Question>
[[nodiscard]] detail::answer_wait_for<T> request(async_context& ctx, const caf::actor& whom, duration timeout,
                                                 Question&&... question) {
  return {ctx, whom, timeout, caf::make_message(std::forward<Question>(question)...)};
}

} // namespace muster

MUSTER_API_END
