/// Asio: a completion token with which a coroutine body awaits any operation of (standalone) Asio, and a resource that
/// runs an io_context. Needs Asio 1.22 or newer; `muster.hpp` does not include it.
///
///     auto io = crew.register_resource("io", muster::io_service{});
///     crew.execute("client", [io = *io](muster::async_context& ctx) -> muster::coro<muster::result<void>> {
///       asio::ip::tcp::socket socket{io->context()};
///       if (auto connected = co_await socket.async_connect(where, muster::use_task(ctx)); !connected)
///         co_return std::unexpected{connected.error()};
///       …
///     });
///
/// Owner: the state of an operation is shared by the one who awaits it and the operation. Threads: the operation is
/// begun, goes on, is called off and completes on threads that run its executor, in a strand of its own, so a context
/// may be run by several; the body goes on, on a worker of Muster's, when it is over. Objects that several tasks use at
/// the same time are made with a strand as their executor, as ever. Invariants: nothing begins before it is awaited;
/// the frame that awaits it stays until its handler has been called (or destroyed), so what the operation refers to in
/// it is safe; an io_context must be stopped and its threads joined before it goes, which io_service sees to;
/// cancelling the task calls the operation off through its own cancellation slot, and no other one.
///
/// What `co_await` gives, by the signature of the operation: `()`, `(error_code)` and `(exception_ptr)`:
/// `result<void>`; with one value after that: `result<T>`; with more: `result<std::tuple<…>>`. An operation that was
/// called off gives the reason of the task, with Asio's error as the cause; one that was there first counts. One that
/// cannot be called off (such as resolving a name) is awaited to its end. Not in a simulation: an io_context has
/// threads and a time of its own.
#pragma once

#include <muster/api.hpp>
#include <muster/detail/asio_support.hpp>
#include <muster/resource.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>

#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

MUSTER_API_BEGIN

namespace muster {

/// What `use_task` gives: valid as long as the context.
class asio_token {
public:
  /// Of `ctx`; an empty `in` stands for the executor of what the operation belongs to.
  asio_token(async_context& ctx, asio::any_io_executor in) noexcept : ctx_(&ctx), in_(std::move(in)) {}
  /// Whose task is held up.
  [[nodiscard]] async_context& ctx() const noexcept { return *ctx_; }
  /// Where the operation runs; empty: on its own executor.
  [[nodiscard]] const asio::any_io_executor& executor() const noexcept { return in_; }

private:
  async_context* ctx_;
  asio::any_io_executor in_;
};

/// To be given to an asynchronous operation as its last argument; what that returns is awaited in the body of `ctx`. It
/// runs on the executor of the object whose operation it is, or on `in`, which one without such an object needs (else
/// it asserts). Bind nothing else to it (no executor, no cancellation slot).
/// `asio::experimental::as_tuple(use_task(ctx))` gives a result of everything, for those who need a count of bytes
/// beside an error.
[[nodiscard]] inline asio_token use_task(async_context& ctx) noexcept { return {ctx, {}}; }
/// The same on the executor `in`.
[[nodiscard]] inline asio_token use_task(async_context& ctx, asio::any_io_executor in) noexcept {
  return {ctx, std::move(in)};
}

/// An io_context with threads that run it, to be given to `register_resource`. Its release stops it, joins the threads
/// and destroys what has not completed. Moves until then.
class io_service {
public:
  /// Starts `threads` threads (at least one); they inherit the signal mask of this one. Throws std::system_error if the
  /// system gives none. An exception from a handler ends neither thread nor program: the first one is what `release`
  /// says.
  explicit io_service(unsigned threads = 1) : running_(std::make_unique<running>()) {
    for (unsigned i = 0; i == 0 || i < threads; ++i)
      running_->threads.emplace_back([of = running_.get()] { of->run(); });
  }

  /// Not after the release (it asserts).
  [[nodiscard]] asio::io_context& context() const noexcept {
    MUSTER_ASSERT(running_, "an io_service was used after its release, or when it had been moved from: a task that "
                            "uses it belongs to the scope that it is registered with, or to one below");
    return running_->io;
  }
  /// The executor of the context; asserts as `context()` does.
  [[nodiscard]] asio::io_context::executor_type get_executor() const noexcept { return context().get_executor(); }

  /// Not from one of its own threads. For the scope that owns it; without one, the destructor does the same.
  result<void> release() {
    const auto last = std::move(running_);
    if (last)
      last->stop();
    if (last && last->thrown)
      return std::unexpected{error::from_exception(last->thrown)};
    return {};
  }

private:
  struct running {
    asio::io_context io;
    asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(io);
    std::vector<std::thread> threads;
    std::mutex mutex;
    std::exception_ptr thrown; ///< guarded by the mutex until the threads are gone

    ~running() { stop(); }
    void stop() noexcept {
      io.stop();
      for (auto& each : threads)
        if (each.joinable())
          each.join();
    }
    void run() noexcept {
      while (!io.stopped())
        try {
          io.run();
        } catch (...) {
          const std::scoped_lock lock{mutex};
          if (!thrown)
            thrown = std::current_exception();
        }
    }
  };

  std::unique_ptr<running> running_;
};

} // namespace muster

/// @cond specialisations

/// How Asio makes what is awaited.
template <class Returned, class... Values>
class asio::async_result<muster::asio_token, Returned(Values...)> {
public:
  template <class Initiation, class... Args>
  static auto initiate(Initiation&& initiation, muster::asio_token token, Args&&... args) {
    using values = muster::detail::asio_values<std::decay_t<Values>...>;
    return muster::detail::asio_wait<values, std::decay_t<Initiation>, std::decay_t<Args>...>{
        token.ctx(), token.executor(), std::forward<Initiation>(initiation), std::forward<Args>(args)...};
  }
};

/// @endcond

MUSTER_API_END
