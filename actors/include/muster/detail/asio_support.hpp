/// One operation of Asio that a coroutine body awaits: its state, its handler and its await. For muster/asio.hpp alone.
///
/// Owner: the state is shared by the await, the handler and what is on its way to the strand. Threads: all but
/// `finished` and what is read after it belongs to the operation's strand: the initiation, all steps of a composed
/// operation, the emission of a cancellation and the completion follow each other there, which is what Asio asks of
/// users of cancellation slots. Invariants: the state is finished exactly once: with the values of the handler, or
/// because the handler was destroyed without having been called; after that nothing is emitted, and nothing of the
/// frame is used.
#pragma once

#include <muster/api.hpp>
#include <muster/assert.hpp>
#include <muster/async_context.hpp>
#include <muster/detail/wait_point.hpp>
#include <muster/error.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/error.hpp>
#include <asio/error_code.hpp>
#include <asio/post.hpp>
#include <asio/strand.hpp>

#include <atomic>
#include <exception>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

MUSTER_API_BEGIN

namespace muster::detail {

/// What a handler is called with, apart from how it failed.
template <class... Values>
struct asio_plain_values {
  using kept = std::tuple<Values...>;
  using value = std::conditional_t<sizeof...(Values) == 0, std::type_identity<void>, std::type_identity<kept>>::type;
};
template <class Value>
struct asio_plain_values<Value> {
  using kept = std::tuple<Value>;
  using value = Value;
};

/// The same with how it failed, if the signature says it.
template <class... Values>
struct asio_values : asio_plain_values<Values...> {
  using failure = std::monostate;
};
template <class... Values>
struct asio_values<asio::error_code, Values...> : asio_plain_values<Values...> {
  using failure = asio::error_code;
};
template <class... Values>
struct asio_values<std::exception_ptr, Values...> : asio_plain_values<Values...> {
  using failure = std::exception_ptr;
};

using asio_strand = asio::strand<asio::any_io_executor>;

class asio_state_base {
public:
  asio_state_base(asio_strand in, waker of) : strand(std::move(in)), who_(std::move(of)) {}

  const asio_strand strand;
  asio::cancellation_signal signal;
  std::exception_ptr thrown; ///< by the initiation, or while the values were kept
  std::atomic<bool> finished{false};
  std::atomic<bool> called_off{false};

  /// How many may still change it: the initiation, and the handler that it has been given.
  void another() noexcept { at_it_.fetch_add(1, std::memory_order_relaxed); }
  void one_less() noexcept {
    if (at_it_.fetch_sub(1, std::memory_order_acq_rel) != 1)
      return;
    const auto who = std::move(who_);
    finished.store(true, std::memory_order_release); // from here on the frame may go
    who.wake();
  }

private:
  std::atomic<int> at_it_{0};
  waker who_;
};

template <class Values>
class asio_state final : public asio_state_base {
public:
  using asio_state_base::asio_state_base;
  std::optional<typename Values::kept> kept; ///< nothing: it never completed
  typename Values::failure failure{};
};

/// The right to change the state. When the last one is gone, used or not, the state is finished.
template <class Values>
class asio_duty {
public:
  explicit asio_duty(std::shared_ptr<asio_state<Values>> of) noexcept : state_(std::move(of)) { state_->another(); }
  asio_duty(asio_duty&&) noexcept = default;
  asio_duty& operator=(asio_duty&&) = delete;
  ~asio_duty() { done(); }
  [[nodiscard]] const std::shared_ptr<asio_state<Values>>& state() const noexcept { return state_; }
  void done() noexcept {
    if (const auto mine = std::move(state_))
      mine->one_less();
  }

private:
  std::shared_ptr<asio_state<Values>> state_;
};

/// The handler.
template <class Values>
class asio_handler {
public:
  using executor_type = asio_strand;
  using cancellation_slot_type = asio::cancellation_slot;

  explicit asio_handler(asio_duty<Values>&& duty) noexcept : duty_(std::move(duty)) {}
  asio_handler(asio_handler&&) noexcept = default;

  [[nodiscard]] executor_type get_executor() const noexcept { return duty_.state()->strand; }
  [[nodiscard]] cancellation_slot_type get_cancellation_slot() const noexcept { return duty_.state()->signal.slot(); }

  template <class... Given>
  void operator()(Given&&... given) {
    try {
      if constexpr (std::is_same_v<typename Values::failure, std::monostate>)
        duty_.state()->kept.emplace(std::forward<Given>(given)...);
      else
        keep(std::forward<Given>(given)...);
    } catch (...) { // a value's own move
      duty_.state()->thrown = std::current_exception();
    }
    duty_.done();
  }

private:
  template <class Failure, class... Given>
  void keep(Failure&& failure, Given&&... given) {
    duty_.state()->failure = std::forward<Failure>(failure);
    duty_.state()->kept.emplace(std::forward<Given>(given)...);
  }

  asio_duty<Values> duty_;
};

/// The executor of an operation; empty if it has none. Asio's adapters of tokens (as_tuple) hide the initiation in
/// their own.
template <class Initiation>
[[nodiscard]] asio::any_io_executor asio_executor_of(const Initiation& initiation) {
  if constexpr (requires { asio::any_io_executor{initiation.get_executor()}; })
    return initiation.get_executor();
  else if constexpr (requires { initiation.initiation_; })
    return asio_executor_of(initiation.initiation_);
  else
    return {};
}

/// Carries the initiation to the strand.
template <class Values, class Initiation, class... Args>
struct asio_start {
  asio_duty<Values> duty; // goes last
  std::tuple<Initiation, Args...> what;

  void operator()() {
    auto& state = *duty.state();
    if (state.called_off.load(std::memory_order_relaxed))
      return; // nothing has begun, and nothing will
    try {
      std::apply(
        [&](auto&... args) { begin(asio_handler<Values>{asio_duty<Values>{duty.state()}}, args...); }, what);
    } catch (...) {
      state.thrown = std::current_exception();
    }
  }

private:
  static void begin(asio_handler<Values>&& handler, Initiation& initiation, Args&... args) {
    std::move(initiation)(std::move(handler), std::move(args)...);
  }
};

template <class Values, class Initiation, class... Args>
class asio_wait final : public wait_point {
public:
  using value = typename Values::value;

  template <class I, class... A>
  explicit asio_wait(async_context& ctx, asio::any_io_executor in, I&& initiation, A&&... args)
      : wait_point(ctx), ctx_(&ctx), in_(std::move(in)),
        what_(std::in_place, std::forward<I>(initiation), std::forward<A>(args)...) {}
  asio_wait(asio_wait&&) = default;

  /// What the operation gave, or why there is nothing.
  [[nodiscard]] result<value> await_resume() {
    if (!state_)
      return std::unexpected{why()};
    const auto s = std::move(state_);
    const auto failed = [&](error how) {
      // Asio's own error says no more than that it did as it was told.
      if (s->called_off.load(std::memory_order_relaxed) && how.is(std::errc::operation_canceled))
        return std::unexpected{why().with_cause(std::move(how))};
      return std::unexpected{how.with_path(ctx_->path())};
    };
    if (s->thrown)
      return failed(error::from_exception(s->thrown));
    if (!s->kept)
      return failed(error{std::errc::operation_canceled, "the operation was dropped before it had completed"});
    if constexpr (std::is_same_v<typename Values::failure, asio::error_code>) {
      if (s->failure)
        return failed(error{s->failure});
    } else if constexpr (std::is_same_v<typename Values::failure, std::exception_ptr>) {
      if (s->failure)
        return failed(error::from_exception(s->failure));
    }
    if constexpr (std::is_void_v<value>)
      return {};
    else if constexpr (std::is_same_v<value, typename Values::kept>)
      return std::move(*s->kept);
    else
      return std::get<0>(std::move(*s->kept));
  }

private:
  void begin() override {
    if (asked())
      return ends_with(ending::cancelled);
    auto executor = in_ ? in_ : asio_executor_of(std::get<0>(*what_));
    // Asio would take threads of its own then, which nobody joins before what the operation refers to goes.
    MUSTER_ASSERT(executor,
                  "an operation that has no executor of its own was given muster::use_task(ctx): say where it "
                  "runs, use_task(ctx, executor)");
    state_ = std::make_shared<asio_state<Values>>(asio::make_strand(std::move(executor)), make_waker());
    asio::post(state_->strand, asio_start<Values, Initiation, Args...>{asio_duty<Values>{state_}, *std::move(what_)});
  }
  [[nodiscard]] bool ready() noexcept override { return state_->finished.load(std::memory_order_acquire); }
  [[nodiscard]] std::string what() const override { return "an operation of Asio"; }
  [[nodiscard]] bool call_off() noexcept override {
    state_->called_off.store(true, std::memory_order_relaxed);
    try {
      asio::post(state_->strand, [s = std::shared_ptr<asio_state_base>{state_}] {
        if (!s->finished.load(std::memory_order_relaxed))
          s->signal.emit(asio::cancellation_type::terminal);
      });
    } catch (...) {
      // Without memory it is awaited to its end, as one is that cannot be called off.
    }
    return false;
  }

  async_context* ctx_;
  asio::any_io_executor in_; ///< empty: that of the operation
  std::optional<std::tuple<Initiation, Args...>> what_;
  std::shared_ptr<asio_state<Values>> state_;
};

} // namespace muster::detail

MUSTER_API_END
