/// What a plain body is given: cancellation, deadline, sleeping, nested scopes, resources, checkpoint, values.
///
/// Owner: the task; valid only while its body runs. Threads: the body's own thread; `cancelled`, `reason`, `deadline`,
/// `time_left`, `stop_token` and `path` may also be called from threads that the body itself made and joins. Debug
/// builds assert when a context is used outside its own body. Every wait here returns when the task is asked to stop.
#pragma once

#include <muster/api.hpp>
#include <muster/scope.hpp>

#include <functional>
#include <memory>
#include <source_location>
#include <stop_token>

MUSTER_API_BEGIN

namespace muster {

struct MUSTER_INSIDE context_access;

namespace detail {
class MUSTER_INSIDE callback_entry;
class shielded;
} // namespace detail

/// Keeps a function registered with `context::on_cancel`. Destroying it takes the function back: on return it is not
/// running and will not run: if the task has been asked to stop meanwhile, the function is called first (on the
/// function's own thread it does not wait for itself). Moves; one thread at a time.
class cancel_registration {
public:
  cancel_registration() = default;
  /// The other one is empty afterwards.
  cancel_registration(cancel_registration&& other) noexcept = default;
  /// The same; the function that this one kept is taken back first, as by the destructor.
  cancel_registration& operator=(cancel_registration&& other) noexcept;
  ~cancel_registration();

private:
  friend class context;
  explicit cancel_registration(std::shared_ptr<detail::callback_entry> entry) noexcept : entry_(std::move(entry)) {}
  std::shared_ptr<detail::callback_entry> entry_;
};

/// The context of a plain body. See the top of this file.
class context : public verbs<context>, public registers_resources<context> {
public:
  context(const context&) = delete;
  context& operator=(const context&) = delete;

  /// True once the task has been asked to stop. Cheap: meant for inner loops.
  [[nodiscard]] bool cancelled() const noexcept;
  /// Why; none if it has not been asked.
  [[nodiscard]] cancel_reason reason() const;
  /// Asked to stop: the reason as an error (errc::cancelled or errc::timed_out). Otherwise nothing. Notes where the
  /// body is, for the report about a task that does not answer.
  [[nodiscard]] result<void> checkpoint(std::source_location where = std::source_location::current());
  /// The same, throwing muster::cancelled_error.
  void throw_if_cancelled(std::source_location where = std::source_location::current());
  /// A token that is asked to stop when the task is (by the callback lane, just after).
  [[nodiscard]] std::stop_token stop_token();
  /// Calls `fn` once when the task is asked to stop, on a worker kept for that (at once if it already has been): the
  /// way to interrupt a third party's blocking call. What `fn` throws goes to the log hook.
  [[nodiscard]] cancel_registration on_cancel(std::move_only_function<void()> fn);

  /// The earliest deadline of the task and everything above it; `never` if there is none.
  [[nodiscard]] time_point deadline() const noexcept;
  /// What is left until then; never negative; duration::max() without a deadline.
  [[nodiscard]] duration time_left() const noexcept;
  /// The engine's clock, now.
  [[nodiscard]] time_point now() const noexcept;

  /// Sleeps for `d`, or until asked to stop: then the reason as an error. Zero or negative: a checkpoint.
  [[nodiscard]] result<void> sleep_for(duration d);
  /// The same until `t` on the engine's clock.
  [[nodiscard]] result<void> sleep_until(time_point t);
  /// Blocks until the task is asked to stop; returns why.
  cancel_reason wait_until_cancelled();

  /// A scope below this task: it inherits the task's deadline and cancellation and is joined before the task ends.
  [[nodiscard]] scope create_scope(std::string name, scope_options options = {});
  // register_resource: with the scope in which the task runs; see registers_resources.

  /// Runs `fn` (taking context& or nothing) as if the task had not been asked to stop, for at most `d`: the context
  /// it is given is asked to stop only then. Returns what `fn` returns. For the last words of a body that must finish.
  template <task_body F>
  decltype(auto) shield(duration d, F&& fn);

  /// The task's own: the last part of its path.
  [[nodiscard]] const std::string& name() const noexcept;
  /// "manager/scope/…/task".
  [[nodiscard]] std::string path() const;
  /// Writes `text` to the trace and shows it in `tree()`.
  void note(std::string text);
  /// Says how far the body is (`total` 0: unknown): to the trace, `tree()` and the progress hook.
  void progress(std::uint64_t done, std::uint64_t total = 0);

  /// The context value of type `T` that is in force here, or null.
  template <class T>
  [[nodiscard]] const T* value() const {
    return values().template find<T>();
  }
  /// The value of the task `name` that this task came after. Any other name or type is misuse (it asserts).
  template <class T>
  [[nodiscard]] const detail::stored<T>& value_of(std::string_view name) const {
    return static_cast<detail::typed_job<T>&>(dependency(name, &detail::type_mark<T>)).result().value();
  }

private:
  friend class task_actor;
  friend struct context_access;
  friend struct async_context_access;
  friend class async_context;
  friend class detail::shielded;
  friend class registers_resources<context>;
  friend error detail::caught_in(const context& ctx) noexcept;
  context(task_actor& task, scope_actor* shield) noexcept : task_(task), shield_(shield) {}

  std::optional<error> adopt(resource_options options, std::shared_ptr<detail::resource_holder> holder);
  [[nodiscard]] const context_values& values() const noexcept;
  [[nodiscard]] detail::job& dependency(std::string_view name, const void* type) const;

  task_actor& task_;
  scope_actor* shield_; ///< the shield's scope, which stands in for the task's own cancellation; or null
};

namespace detail {

/// A scope that stands between a task's cancellation and what runs in `context::shield`.
class shielded {
public:
  shielded(context& outer, duration d);
  shielded(const shielded&) = delete;
  shielded& operator=(const shielded&) = delete;
  ~shielded();
  [[nodiscard]] context& inner() noexcept { return inner_; }

private:
  scope crew_;
  context inner_;
};

} // namespace detail

template <task_body F>
decltype(auto) context::shield(duration d, F&& fn) {
  static_assert(!detail::suspends<std::remove_cvref_t<F>>,
                "this shield blocks its thread, so what it runs is a plain function; "
                "a coroutine is for the shield of an async_context");
  detail::shielded shield{*this, d};
  return detail::invoke_body(fn, shield.inner());
}

} // namespace muster

MUSTER_API_END
