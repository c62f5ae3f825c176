/// A scope: a crew with one goal.
///
/// Owner: whoever made it; it does not move. Threads: any thread may call any function (the destructor: one, last).
/// Invariants: no child outlives its scope; the destructor cancels, joins, releases, and never throws; the first
/// failure comes first and none is lost; resources are released in reverse order, one at a time, whatever happened.
#pragma once

#include <muster/api.hpp>
#include <muster/cancel.hpp>
#include <muster/options.hpp>
#include <muster/plan.hpp>
#include <muster/resource.hpp>
#include <muster/stats.hpp>
#include <muster/task.hpp>
#include <muster/tree.hpp>
#include <muster/verbs.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

MUSTER_API_BEGIN

namespace muster {

namespace detail {
class shielded;
}

/// A crew. See the top of this file.
class scope : public verbs<scope>, public registers_resources<scope> {
public:
  scope(const scope&) = delete;
  scope& operator=(const scope&) = delete;
  /// Cancels what still runs, joins every child, releases every resource. Blocks for as long as that takes (an
  /// unresponsive task is reported every grace period, and awaited). From a body that runs under this scope it asserts.
  ~scope();

  /// Starts `fn` as a child. It becomes ready when the tasks in `options.after` have ended ok and `max_parallel`
  /// permits. On a closed or cancelled scope the task is made nevertheless, never runs, and its outcome is
  /// `cancelled`. Never blocks. Throws only what moving or copying `fn` throws, or std::bad_alloc.
  template <class F>
    requires task_body<std::remove_cvref_t<F>>
  task<detail::body_value<std::remove_cvref_t<F>>> execute(task_options options, F&& fn) {
    if constexpr (std::is_function_v<std::remove_reference_t<F>>)
      return execute(std::move(options), &fn);
    else
      return handle_access::make<detail::body_value<std::remove_cvref_t<F>>>(
      spawn(std::move(options), detail::make_job<F>(fn)));
  }
  /// The same with nothing but a name.
  template <std::convertible_to<std::string_view> Name, class F>
    requires task_body<std::remove_cvref_t<F>>
  task<detail::body_value<std::remove_cvref_t<F>>> execute(const Name& name, F&& fn) {
    if constexpr (std::is_function_v<std::remove_reference_t<F>>)
      return execute(name, &fn);
    else
      return handle_access::make<detail::body_value<std::remove_cvref_t<F>>>(
      spawn(std::string_view{name}, detail::make_job<F>(fn)));
  }
  /// Starts every step of `steps`, each after those that it names. errc::invalid_plan, with nothing started, if the
  /// plan has a cycle (the message shows its path), an unknown or a double name.
  [[nodiscard]] result<plan_run> execute(plan steps);

  /// A scope below this one: it inherits deadline, cancellation, context values and grace, and counts as a child until
  /// it has ended. Its failures are its own: they come back from its `wait()`.
  [[nodiscard]] scope create_scope(std::string name, scope_options options = {});

  /// Blocks until the last child has ended and every resource is released; then the scope is closed. Running children
  /// may start others until then. May be called again, also at the same time, with the same answer: nothing, or the
  /// first failure with every later one behind it. Fails if and only if a child failed or timed out, a release failed,
  /// a task was unresponsive, or the scope (or one above) was cancelled before the last child had ended. From a body,
  /// release or callback that runs under this scope: errc::would_deadlock, and nothing has happened.
  [[nodiscard]] result<void> wait();
  /// The same for at most `d`: errc::not_ready if it is not over by then. Neither cancels nor closes.
  [[nodiscard]] result<void> wait_for(duration d);
  /// No more children from now on; those that are there run to their end. Does not block; idempotent.
  void close();
  /// Asks everything below to stop (kind `user`, with `text`). On return no further child can start. Does not block;
  /// idempotent: the first reason stays.
  void cancel(std::string text = {});
  /// True once this scope or one above it has been asked to stop.
  [[nodiscard]] bool cancelled() const noexcept;
  /// Why; none if it has not been asked to stop.
  [[nodiscard]] cancel_reason reason() const;
  /// True once the last child has ended and everything is released.
  [[nodiscard]] bool ended() const noexcept;

  /// The earliest deadline of this scope and all above it; `never` if none has one. (Of a supervisor below `supervise`
  /// those above are kept by stopping the whole tree, in reverse order: its turn comes at that time or after.)
  [[nodiscard]] time_point deadline() const noexcept;
  /// What is left until then; never negative; duration::max() without a deadline.
  [[nodiscard]] duration time_left() const noexcept;
  /// A token that is asked to stop when the scope is (by the callback lane, just after).
  [[nodiscard]] std::stop_token stop_token();

  /// Starts a supervisor below this scope as one of its children: a scope named `options.name`, which `setup` fills
  /// with actors, supervisors, tasks and resources on the callback lane, anew for each incarnation. It ends when
  /// nothing is left to run in it, and fails as a scope does (a restart policy that gave up, a task that failed, …);
  /// this scope's own policy then decides, as about an actor. It is stopped (cancelled and joined) in its turn, in
  /// reverse order of start. Blocks until it is set up; fails as `spawn_actor` does, with errc::start_failed if `setup`
  /// fails or throws.
  [[nodiscard]] result<void> supervise(child_options options, scope_options below,
                                       std::function<result<void>(scope&)> setup);
  // The next three fail with errc::would_deadlock, and nothing has happened, if this thread runs the child's own
  // factory or works below it. (An actor must not call them about itself from its behaviour: it is stopped between two
  // messages.)

  /// Starts a child (an actor or supervisor of a scope that restarts) again that has ended or was stopped by hand.
  /// Blocks until it is up; not counted as a restart. Fails with errc::no_such_name, errc::child_is_running,
  /// errc::child_is_busy, errc::scope_closed, or as its start does.
  [[nodiscard]] result<void> restart_child(std::string_view name);
  /// Stops a child and keeps it, stopped, until it is restarted or removed; a temporary one is forgotten. A restart of
  /// it that is due is called off. Blocks until it has gone. Idempotent. errc::no_such_name, errc::child_is_busy.
  [[nodiscard]] result<void> stop_child(std::string_view name);
  /// Forgets a stopped child: its name is free again. errc::no_such_name, errc::child_is_running, errc::child_is_busy.
  [[nodiscard]] result<void> remove_child(std::string_view name);

  /// The last part of its path.
  [[nodiscard]] const std::string& name() const noexcept;
  /// "manager/…/scope".
  [[nodiscard]] std::string path() const;
  /// The children that are there now: tasks, nested scopes, resources, actors and supervisors (with their state,
  /// restarts, last error, and the age of the present incarnation).
  [[nodiscard]] std::vector<tree_node> children() const;
  /// This scope with everything below it.
  [[nodiscard]] supervision_tree tree() const;
  /// Of this scope and everything that was ever below it.
  [[nodiscard]] statistics stats() const;

  /// For the library and `muster/caf.hpp`.
  [[nodiscard]] scope_actor* actor() const noexcept { return actor_.get(); }

private:
  friend class manager;
  friend class async_scope;
  friend struct scope_access;
  friend class context;
  friend class detail::shielded;
  friend class registers_resources<scope>;
  explicit scope(detail::ref<scope_actor> actor) noexcept : actor_(std::move(actor)) {}

  detail::ref<task_actor> spawn(task_options&& options, detail::job_maker maker);
  detail::ref<task_actor> spawn(std::string_view name, detail::job_maker maker);
  std::optional<error> adopt(resource_options options, std::shared_ptr<detail::resource_holder> holder);

  detail::ref<scope_actor> actor_;
};

/// How the library makes handles of scopes.
struct scope_access {
  [[nodiscard]] static scope make(detail::ref<scope_actor> actor) noexcept { return scope{std::move(actor)}; }
};

} // namespace muster

MUSTER_API_END
