/// What a coroutine body is given: the same as `context`, with waits that are awaited and hold no thread.
///
///     crew.execute("greet", [](muster::async_context& ctx) -> muster::coro<muster::result<void>> {
///       if (auto slept = co_await ctx.sleep_for(5ms); !slept)
///         co_return std::unexpected{slept.error()};
///       co_return muster::result<void>{};
///     });
///
/// Owner: the task; valid only while its body runs, and, unlike everything it captured, the callable lives until the
/// frame is gone. Threads: the body's own, whichever worker that is; `cancelled`, `reason`, `deadline`, `time_left`,
/// `now`, `stop_token` and `path` also from other threads. Every wait here ends when the task is asked to stop, with
/// the reason as an error (but `blocking`, whose function runs to its end, and the joining of a scope). Blocking waits
/// do not exist here.
#pragma once

#include <muster/api.hpp>
#include <muster/async_scope.hpp>
#include <muster/context.hpp>
#include <muster/coro.hpp>
#include <muster/detail/call.hpp>

MUSTER_API_BEGIN

namespace muster {

namespace detail {

class sleep_wait final : public wait_point {
public:
  sleep_wait(async_context& ctx, time_point until) noexcept : wait_point(ctx) { wait_until(until); }
  [[nodiscard]] result<void> await_resume() const;

private:
  [[nodiscard]] bool ready() noexcept override { return false; }
  [[nodiscard]] std::string what() const override { return "sleep"; }
};

class yield_wait final : public wait_point {
public:
  explicit yield_wait(async_context& ctx) noexcept : wait_point(ctx) { goes(manner::again); }
  [[nodiscard]] result<void> await_resume() const;

private:
  [[nodiscard]] bool ready() noexcept override { return true; }
  [[nodiscard]] std::string what() const override { return "its turn"; }
};

class cancelled_wait final : public wait_point {
public:
  explicit cancelled_wait(async_context& ctx) noexcept : wait_point(ctx) {}
  [[nodiscard]] cancel_reason await_resume() const;

private:
  [[nodiscard]] bool ready() noexcept override { return false; }
  [[nodiscard]] std::string what() const override { return "being asked to stop"; }
};

/// A function that blocks, on a worker that is known to.
template <class F>
class blocking_wait final : public wait_point {
  using returned = decltype(invoke_body(std::declval<F&>(), std::declval<context&>()));
  static_assert(!is_coro<std::remove_cvref_t<returned>>,
                "async_context::blocking runs a plain function; a coroutine is awaited "
                "as it is");

public:
  blocking_wait(async_context& ctx, F&& fn) : wait_point(ctx), fn_(std::move(fn)) { goes(manner::blocking); }
  blocking_wait(async_context& ctx, const F& fn) : wait_point(ctx), fn_(fn) { goes(manner::blocking); }
  [[nodiscard]] result<call_value<returned>> await_resume() {
    if (!got_)
      return std::unexpected{why()};
    return std::move(*got_);
  }

private:
  [[nodiscard]] bool ready() noexcept override { return got_.has_value(); }
  [[nodiscard]] std::string what() const override { return "a worker that may block"; }
  void call(context& ctx) override {
    got_.emplace(detail::call<returned>([&]() -> decltype(auto) { return invoke_body(fn_, ctx); }, &ctx));
  }

  F fn_;
  std::optional<result<call_value<returned>>> got_;
};

/// The await of a task, whatever its value.
class task_wait : public wait_point {
protected:
  explicit task_wait(ref<task_actor> awaited) noexcept;
  ~task_wait() = default;
  /// How the await was refused; nothing if the task has ended.
  struct refusal {
    error what;
    outcome_kind kind;
    cancel_reason reason;
  };
  [[nodiscard]] std::optional<refusal> refused() const;
  [[nodiscard]] std::shared_ptr<void>& place_for(const void* type) const;
  [[nodiscard]] job& awaited_job() const noexcept;

private:
  void begin() override;
  [[nodiscard]] bool ready() noexcept override;
  [[nodiscard]] std::string what() const override;
  [[nodiscard]] const void* address() const noexcept override;
  [[nodiscard]] task_actor* awaited_task() const noexcept override;
  [[nodiscard]] std::uint64_t awaited_id() const noexcept override;
  [[nodiscard]] bool ended_badly() const noexcept override;

  ref<task_actor> awaited_;
};

template <class T, bool MovesOut>
class task_wait_of final : public task_wait {
public:
  explicit task_wait_of(ref<task_actor> awaited) noexcept : task_wait(std::move(awaited)) {}
  [[nodiscard]] std::conditional_t<MovesOut, outcome<T>, const outcome<T>&> await_resume() {
    if (auto no = refused()) {
      auto own = outcome_access::refusal_of<T>(std::move(no->what), no->kind, std::move(no->reason));
      if constexpr (MovesOut) {
        return std::move(*own);
      } else {
        place_for(&type_mark<T>) = own;
        return *own;
      }
    } else if constexpr (MovesOut) {
      return std::move(static_cast<typed_job<T>&>(awaited_job()).result());
    } else {
      return static_cast<typed_job<T>&>(awaited_job()).result();
    }
  }
};

} // namespace detail

/// In a coroutine: waits until the task has ended and gives its outcome, as `get` does elsewhere (of an rvalue: moved
/// out). Any number of coroutines may await one task, as often as they like. Meanwhile the awaiting task's
/// `max_parallel` permit is lent. Unlike `get`, the wait ends when the *awaiting* task is asked to stop: it then gives
/// an outcome of its own, which is `cancelled` with that reason, while `t.ready()` may still say false. A task that
/// awaits itself, one that it runs under, or one that waits for it, is given an outcome that failed with
/// errc::would_deadlock and names the path. (These outcomes are valid until the same body is next refused one of the
/// same type.)
template <class T>
[[nodiscard]] detail::task_wait_of<T, false> operator co_await(const task<T>& t) {
  MUSTER_ASSERT(t.valid(), "an empty task handle was awaited: it was default-constructed or moved from");
  return detail::task_wait_of<T, false>{handle_access::ref(t)};
}
/// The same, and moves the outcome out.
template <class T>
[[nodiscard]] detail::task_wait_of<T, true> operator co_await(task<T>&& t) {
  MUSTER_ASSERT(t.valid(), "an empty task handle was awaited: it was default-constructed or moved from");
  return detail::task_wait_of<T, true>{handle_access::ref(t)};
}

/// The context of a coroutine body. See the top of this file.
class async_context : public async_verbs<async_context>, public registers_resources<async_context> {
public:
  async_context(const async_context&) = delete;
  async_context& operator=(const async_context&) = delete;

  /// @{
  /// As the function of this name of muster::context; none of them waits.
  [[nodiscard]] bool cancelled() const noexcept { return plain().cancelled(); }
  [[nodiscard]] cancel_reason reason() const { return plain().reason(); }
  [[nodiscard]] result<void> checkpoint(std::source_location where = std::source_location::current()) {
    return plain().checkpoint(where);
  }
  void throw_if_cancelled(std::source_location where = std::source_location::current()) {
    plain().throw_if_cancelled(where);
  }
  [[nodiscard]] std::stop_token stop_token() { return plain().stop_token(); }
  /// @}
  /// See context::on_cancel: the way to interrupt what runs in `blocking`. Destroying the registration while `fn` runs
  /// waits for it, in this case alone on the worker's thread: `fn` should be short.
  [[nodiscard]] cancel_registration on_cancel(std::move_only_function<void()> fn) {
    return plain().on_cancel(std::move(fn));
  }
  /// @{
  /// As the function of this name of muster::context; none of them waits.
  [[nodiscard]] time_point deadline() const noexcept { return plain().deadline(); }
  [[nodiscard]] duration time_left() const noexcept { return plain().time_left(); }
  [[nodiscard]] time_point now() const noexcept { return plain().now(); }
  [[nodiscard]] const std::string& name() const noexcept { return plain().name(); }
  [[nodiscard]] std::string path() const { return plain().path(); }
  void note(std::string text) { plain().note(std::move(text)); }
  void progress(std::uint64_t done, std::uint64_t total = 0) { plain().progress(done, total); }
  template <class T>
  [[nodiscard]] const T* value() const {
    return plain().template value<T>();
  }
  template <class T>
  [[nodiscard]] const detail::stored<T>& value_of(std::string_view name) const {
    return plain().template value_of<T>(name);
  }
  /// @}
  // register_resource: with the scope in which the task runs; see registers_resources.

  /// Awaiting it sleeps for `d`, or until asked to stop: then the reason as an error. Zero or negative: a checkpoint.
  [[nodiscard]] detail::sleep_wait sleep_for(duration d) { return {*this, saturating_add(now(), d)}; }
  /// The same until `t`.
  [[nodiscard]] detail::sleep_wait sleep_until(time_point t) { return {*this, t}; }
  /// Awaiting it lets those run that are ready, and goes on after them; or the reason as an error, if asked to stop.
  [[nodiscard]] detail::yield_wait yield() { return detail::yield_wait{*this}; }
  /// Awaiting it waits until the task is asked to stop, and gives why.
  [[nodiscard]] detail::cancelled_wait cancelled_event() { return detail::cancelled_wait{*this}; }
  /// The same, by the name it has in muster::context.
  [[nodiscard]] detail::cancelled_wait wait_until_cancelled() { return detail::cancelled_wait{*this}; }
  /// Awaiting it calls `fn` (taking context&, whose waits block, or nothing), which may block its thread, on a worker
  /// for which another one may step in, and gives what it returned or threw, as a result. A task that has been asked to
  /// stop by then does not call it and gets the reason; once called, `fn` runs to its end, and what it gives stands:
  /// interrupt it with `on_cancel`. `fn` lives in what this returns. It waits its turn in the queue before and after.
  template <class F>
    requires std::invocable<std::decay_t<F>&, context&> || std::invocable<std::decay_t<F>&>
  [[nodiscard]] detail::blocking_wait<std::decay_t<F>> blocking(F&& fn) {
    return {*this, std::forward<F>(fn)};
  }

  /// A scope below this task: it inherits the task's deadline and cancellation and is joined before the task has its
  /// outcome. See muster/async_scope.hpp for what its destructor does.
  [[nodiscard]] async_scope create_scope(std::string name, scope_options options = {});

  /// Gives a coroutine that runs `fn` (taking async_context& or nothing, a coroutine or a plain function) as if the
  /// task had not been asked to stop, for at most `d`: what `fn` awaits is cancelled only then. It gives what `fn`
  /// gives. `fn` is kept in the coroutine.
  template <class F>
    requires std::invocable<std::decay_t<F>&, async_context&> || std::invocable<std::decay_t<F>&>
  [[nodiscard]] auto shield(duration d, F&& fn);

private:
  friend struct async_context_access;
  friend class registers_resources<async_context>;
  template <class, class>
  friend class detail::coroutine_job;
  async_context() = default;
  [[nodiscard]] context& plain() const noexcept { return *plain_; }
  std::optional<error> adopt(resource_options options, std::shared_ptr<detail::resource_holder> holder) {
    return plain().adopt(std::move(options), std::move(holder));
  }

  context* plain_ = nullptr; ///< what it stands for
};

/// How the library looks through a context, and makes one with a shield.
struct async_context_access {
  [[nodiscard]] static context& plain(async_context& ctx) noexcept { return ctx.plain(); }
  /// A pair of contexts for what runs under `shield`.
  class shielded {
  public:
    shielded(async_context& outer, scope_actor* shield) noexcept : plain_(outer.plain().task_, shield) {
      async_.plain_ = &plain_;
    }
    shielded(const shielded&) = delete;
    shielded& operator=(const shielded&) = delete;
    [[nodiscard]] async_context& get() noexcept { return async_; }

  private:
    context plain_;
    async_context async_;
  };
};

namespace detail {

/// Lets the awaits that belong to no context be cancelled with another one's shield from now on; gives the one before.
struct change_shield {
  using muster_awaitable = void;
  async_context* to;
  async_context* before = nullptr;
  [[nodiscard]] static constexpr bool await_ready() noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> by) noexcept {
    before = std::exchange(by.promise().course().ctx, to);
    return false;
  }
  [[nodiscard]] async_context* await_resume() const noexcept { return before; }
};

[[nodiscard]] ref<scope_actor> make_shield(async_context& outer, duration d);

template <class F>
auto shielded_run(async_context& outer, duration d, F fn)
  -> coro<typename without_coro<std::remove_cvref_t<decltype(invoke_body(fn, outer))>>::type> {
  using returned = std::remove_cvref_t<decltype(invoke_body(fn, outer))>;
  using given = typename without_coro<returned>::type;
  auto shield = async_scope_access::make(make_shield(outer, d));
  async_context_access::shielded contexts{outer, shield.actor()};
  auto& inner = contexts.get();
  auto inside = change_shield{&inner};
  async_context* const before = co_await inside;
  auto outside = change_shield{before};
  std::exception_ptr thrown;
  std::optional<stored<given>> got;
  try {
    if constexpr (is_coro<returned> && std::is_void_v<given>)
      co_await invoke_body(fn, inner);
    else if constexpr (is_coro<returned>)
      got.emplace(co_await invoke_body(fn, inner));
    else if constexpr (std::is_void_v<given>)
      invoke_body(fn, inner);
    else
      got.emplace(invoke_body(fn, inner));
  } catch (...) {
    thrown = std::current_exception();
  }
  co_await outside;
  // Scopes that were left open inside are joined; what is left is to take the shield off the tree.
  static_cast<void>(co_await shield);
  if (thrown)
    std::rethrow_exception(thrown);
  if constexpr (!std::is_void_v<given>)
    co_return std::move(*got);
}

/// The job of a coroutine. Its frame is destroyed before the callable, and both before the outcome counts.
template <class F, class T>
class coroutine_job final : public typed_job<T> {
public:
  template <class G>
  explicit coroutine_job(G&& fn) : fn_(std::forward<G>(fn)) {}
  ~coroutine_job() override { drop_callable(); }

  void run(context& ctx) noexcept override {
    try {
      ctx_.plain_ = &ctx;
      course_.ctx = &ctx_;
      body_ = coro_await<given>{invoke_body(fn_, ctx_).release()};
      body_.start({}, course_);
    } catch (...) {
      failed(ctx);
    }
  }
  [[nodiscard]] course* coroutine() noexcept override { return &course_; }
  void collect(context& ctx) noexcept override {
    if (!body_.valid())
      return; // it was not even made
    try {
      if constexpr (std::is_void_v<given>) {
        body_.await_resume();
        outcome_access::emplace(this->outcome_);
      } else {
        store(this->outcome_, body_.await_resume());
      }
    } catch (...) {
      failed(ctx);
    }
  }
  void drop_callable() noexcept override {
    body_ = {};
    if (std::exchange(alive_, false))
      std::destroy_at(std::addressof(fn_));
  }

private:
  using given = typename without_coro<body_return<F>>::type;
  void failed(const context& ctx) noexcept {
    outcome_access::drop_value(this->outcome_);
    outcome_access::error(this->outcome_).emplace(caught_in(ctx));
  }

  course course_;
  async_context ctx_;
  coro_await<given> body_;
  union {
    F fn_;
  };
  bool alive_ = true;
};

} // namespace detail

template <class F>
  requires std::invocable<std::decay_t<F>&, async_context&> || std::invocable<std::decay_t<F>&>
auto async_context::shield(duration d, F&& fn) {
  return detail::shielded_run<std::decay_t<F>>(*this, d, std::forward<F>(fn));
}

} // namespace muster

MUSTER_API_END
