/// A scope that a coroutine body has opened: the same crew, whose waits are awaited.
///
/// Owner: the coroutine that made it; it does not move. Threads and invariants: as those of a scope (muster/scope.hpp),
/// with one difference: its destructor does not wait, since that would hold a worker. One that has not been awaited
/// (the body returned early, or something was thrown) is cancelled there, and the task's outcome waits until its
/// children have left and its resources are released. So what its children refer to must live longer than the
/// coroutine: let them own it, or open the scope with `ctx.with_timeout`, which has joined it on every way out.
#pragma once

#include <muster/api.hpp>
#include <muster/async_verbs.hpp>
#include <muster/detail/wait_point.hpp>
#include <muster/scope.hpp>

MUSTER_API_BEGIN

namespace muster {

namespace detail {

/// `co_await crew`, `co_await crew.wait()`, `co_await crew.wait_for(d)`.
class scope_wait final : public wait_point {
public:
  scope_wait(ref<scope_actor> crew, duration limit) noexcept;
  [[nodiscard]] result<void> await_resume();

private:
  void begin() override;
  [[nodiscard]] bool ready() noexcept override;
  [[nodiscard]] std::string what() const override;
  [[nodiscard]] const void* address() const noexcept override;
  [[nodiscard]] std::uint64_t awaited_id() const noexcept override;
  [[nodiscard]] bool ended_badly() const noexcept override;

  ref<scope_actor> crew_;
  duration limit_;
  bool joins_ = false;
  bool was_body_ = false; ///< the task runs a body in the scope, which holds it open but for this wait
};

} // namespace detail

/// A scope of a coroutine's. See the top of this file.
class async_scope : public async_verbs<async_scope>, public registers_resources<async_scope> {
public:
  /// A coroutine of ours may await it.
  using muster_awaitable = void;
  async_scope(const async_scope&) = delete;
  async_scope& operator=(const async_scope&) = delete;
  /// Does not wait: see above. After `co_await` it does nothing.
  ~async_scope();

  /// Starts `fn` (a plain function or a coroutine) as a child; see scope::execute.
  template <class F>
    requires task_body<std::remove_cvref_t<F>>
  task<detail::body_value<std::remove_cvref_t<F>>> execute(task_options options, F&& fn) {
    return crew_.execute(std::move(options), std::forward<F>(fn));
  }
  /// The same with nothing but a name.
  template <std::convertible_to<std::string_view> Name, class F>
    requires task_body<std::remove_cvref_t<F>>
  task<detail::body_value<std::remove_cvref_t<F>>> execute(const Name& name, F&& fn) {
    return crew_.execute(name, std::forward<F>(fn));
  }
  /// Starts every step of a plan, or nothing; see scope::execute.
  [[nodiscard]] result<plan_run> execute(plan steps) { return crew_.execute(std::move(steps)); }

  /// A scope below this one; see scope::create_scope.
  [[nodiscard]] async_scope create_scope(std::string name, scope_options options = {}) {
    return async_scope{crew_.create_scope(std::move(name), std::move(options))};
  }

  /// Awaiting it (or the scope itself, `co_await crew`) joins: what it gives, when, and how it fails is as for
  /// scope::wait, and no worker is held. That the task is asked to stop does not end the wait (the children are asked
  /// too, and joined as ever): the result says it.
  [[nodiscard]] detail::scope_wait wait() noexcept { return {crew_.actor_, duration::max()}; }
  /// The same for at most `d`: errc::not_ready if it is not over by then. Neither cancels nor closes.
  [[nodiscard]] detail::scope_wait wait_for(duration d) noexcept { return {crew_.actor_, d}; }
  /// `co_await crew` is `co_await crew.wait()`.
  [[nodiscard]] detail::scope_wait operator co_await() noexcept { return wait(); }

  /// @{
  /// As the function of this name of muster::scope; none of them blocks.
  void close() { crew_.close(); }
  void cancel(std::string text = {}) { crew_.cancel(std::move(text)); }
  [[nodiscard]] bool cancelled() const noexcept { return crew_.cancelled(); }
  [[nodiscard]] cancel_reason reason() const { return crew_.reason(); }
  [[nodiscard]] bool ended() const noexcept { return crew_.ended(); }
  [[nodiscard]] time_point deadline() const noexcept { return crew_.deadline(); }
  [[nodiscard]] duration time_left() const noexcept { return crew_.time_left(); }
  [[nodiscard]] std::stop_token stop_token() { return crew_.stop_token(); }
  [[nodiscard]] const std::string& name() const noexcept { return crew_.name(); }
  [[nodiscard]] std::string path() const { return crew_.path(); }
  [[nodiscard]] std::vector<tree_node> children() const { return crew_.children(); }
  [[nodiscard]] supervision_tree tree() const { return crew_.tree(); }
  [[nodiscard]] statistics stats() const { return crew_.stats(); }
  /// @}

  /// For the library and `muster/caf.hpp`.
  [[nodiscard]] scope_actor* actor() const noexcept { return crew_.actor(); }

private:
  friend class async_context;
  friend struct async_scope_access;
  friend class registers_resources<async_scope>;
  explicit async_scope(detail::ref<scope_actor> actor) noexcept : crew_(std::move(actor)) {}
  explicit async_scope(scope&& fresh) noexcept : crew_(std::move(fresh.actor_)) {}
  std::optional<error> adopt(resource_options options, std::shared_ptr<detail::resource_holder> holder) {
    return crew_.adopt(std::move(options), std::move(holder));
  }

  scope crew_; ///< whose own destructor finds nothing left to do
};

/// How the library makes them.
struct async_scope_access {
  [[nodiscard]] static async_scope make(detail::ref<scope_actor> actor) noexcept {
    return async_scope{std::move(actor)};
  }
};

} // namespace muster

MUSTER_API_END
