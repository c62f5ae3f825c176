/// What the verbs are made of: starting a step, collecting values, running steps in order, choosing a winner.
///
/// Threads: everything here runs on the thread that called the verb, except the bodies. Nothing here decides about
/// failure: that is the nested scope's business.
#pragma once

#include <muster/api.hpp>
#include <muster/options.hpp>
#include <muster/task.hpp>

#include <atomic>
#include <concepts>
#include <coroutine>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

MUSTER_API_BEGIN

namespace muster {
class scope;
template <class F>
struct step;
} // namespace muster

namespace muster::detail {

template <class S>
inline constexpr bool is_step = false;
template <class F>
inline constexpr bool is_step<step<F>> = true;

/// The callable inside a step, or the callable itself.
template <class S>
struct step_callable {
  using type = S;
};
template <class F>
struct step_callable<step<F>> {
  using type = F;
};
template <class S>
using step_callable_t = std::decay_t<typename step_callable<std::remove_cvref_t<S>>::type>;

template <class S>
concept verb_step = task_body<step_callable_t<S>>;

template <class S>
using step_value = body_value<step_callable_t<S>>;
/// A `void` value is a std::monostate in a tuple or vector.
template <class T>
using stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;
template <class S>
using step_result = stored<step_value<S>>;
template <class S>
using step_task = task<step_value<S>>;

template <class S>
[[nodiscard]] task_options options_of(S& s, std::size_t index) {
  task_options options;
  if constexpr (is_step<std::remove_cvref_t<S>>)
    options = s.options;
  if (options.name.empty())
    options.name = std::to_string(index);
  return options;
}

/// The callable of a step, as an rvalue if the step was one.
template <class S>
decltype(auto) callable_of(S&& s) {
  if constexpr (is_step<std::remove_cvref_t<S>>)
    return (std::forward<S>(s).fn);
  else
    return std::forward<S>(s);
}

/// A range, and what it hands out. <ranges> has the same; but that header alone would be a tenth of what a program with
/// Muster compiles, and <iterator> has all that is needed.
template <class Range>
concept verb_range = requires(Range& range) {
  { std::ranges::begin(range) } -> std::input_iterator;
  std::ranges::end(range);
};
template <class Range>
using range_reference = std::iter_reference_t<decltype(std::ranges::begin(std::declval<Range&>()))>;

/// An element of a range: movable if the range is an owner that is given away.
template <class Range, class Element>
decltype(auto) element_of(Element& element) noexcept {
  if constexpr (!std::is_lvalue_reference_v<Range> && !std::ranges::enable_view<std::remove_cvref_t<Range>>)
    return std::move(element);
  else
    return (element);
}

template <class Scope, class S>
step_task<S> start_step(Scope& crew, S&& s, std::size_t index) {
  auto options = options_of(s, index);
  return crew.execute(std::move(options), callable_of(std::forward<S>(s)));
}

/// The error of the first of these ended tasks that has no value, or null.
template <class... Tasks>
[[nodiscard]] const error* first_without_value(const Tasks&... tasks) {
  const error* first = nullptr;
  ((first = !first && !tasks.peek()->ok() ? &tasks.peek()->error() : first), ...);
  return first;
}

/// Waits for `crew` and takes the tasks' values in order.
template <class Scope, class T>
[[nodiscard]] result<std::vector<stored<T>>> gather(Scope& crew, std::vector<task<T>>& tasks) {
  if (auto done = crew.wait(); !done)
    return std::unexpected{std::move(done).error()};
  std::vector<stored<T>> values;
  values.reserve(tasks.size());
  for (auto& t : tasks) {
    if (const auto* missing = first_without_value(t))
      return std::unexpected{*missing};
    values.push_back(std::move(t).get().value());
  }
  return values;
}

template <class Fn, class Item>
concept item_body = std::invocable<std::remove_reference_t<Fn>&, context&, Item> ||
                    std::invocable<std::remove_reference_t<Fn>&, Item> ||
                    std::invocable<std::remove_reference_t<Fn>&, async_context&, Item>;

/// One call of a function that is shared by a whole range. An item that the range keeps is referred to; one that the
/// range only hands out is kept here.
template <class Fn, class Item>
struct bound_item {
  Fn& fn;
  std::conditional_t<std::is_lvalue_reference_v<Item>, Item, std::remove_cvref_t<Item>> item;

  template <class Context>
    requires std::invocable<Fn&, Context&, Item> || std::invocable<Fn&, Item>
  decltype(auto) operator()(Context& ctx) {
    if constexpr (std::invocable<Fn&, Context&, Item>)
      return fn(ctx, static_cast<Item>(item));
    else
      return fn(static_cast<Item>(item));
  }
};

/// A step of a series with the value before it.
template <class F, class Previous>
struct chained {
  F fn;
  const Previous* previous;

  template <class Context>
    requires std::invocable<F&, Context&, const Previous&> || std::invocable<F&, const Previous&> ||
             std::invocable<F&, Context&> || std::invocable<F&>
  decltype(auto) operator()(Context& ctx) {
    if constexpr (std::invocable<F&, Context&, const Previous&>)
      return fn(ctx, *previous);
    else if constexpr (std::invocable<F&, const Previous&>)
      return fn(*previous);
    else if constexpr (std::invocable<F&, Context&>)
      return fn(ctx);
    else
      return fn();
  }
};

/// The step as a body: with the last value of `before`, if there is one.
template <class S, class... Before>
auto chain(S&& s, const std::tuple<Before...>& before) {
  using callable = step_callable_t<S>;
  if constexpr (sizeof...(Before) == 0) {
    static_assert(task_body<callable>, "the first step of a series takes context& or nothing");
    return callable(callable_of(std::forward<S>(s)));
  } else {
    using previous = std::tuple_element_t<sizeof...(Before) - 1, std::tuple<Before...>>;
    return chained<callable, previous>{callable_of(std::forward<S>(s)), &std::get<sizeof...(Before) - 1>(before)};
  }
}

template <class Scope, class... Done, class First, class... Rest>
auto run_series(Scope& crew, std::tuple<Done...> done, First&& first, Rest&&... rest) {
  auto options = options_of(first, sizeof...(Done) + 1);
  auto t = crew.execute(std::move(options), chain(std::forward<First>(first), done));
  using value = stored<typename decltype(t.get().as_result())::value_type>;
  using all = std::tuple<Done..., value>;
  auto next = [&](all values) {
    if constexpr (sizeof...(Rest) == 0) {
      auto ended = crew.wait();
      return ended ? result<all>{std::move(values)} : result<all>{std::unexpected{std::move(ended).error()}};
    } else {
      return run_series(crew, std::move(values), std::forward<Rest>(rest)...);
    }
  };
  using returned = decltype(next(std::declval<all>()));
  auto ended = std::move(t).get();
  if (!ended.ok()) {
    auto whole = crew.wait();
    return returned{std::unexpected{whole ? ended.error() : std::move(whole).error()}};
  }
  return next(std::tuple_cat(std::move(done), std::tuple<value>{std::move(ended).value()}));
}

template <class... Ts>
struct race_value {
  using type = std::variant<stored<Ts>...>;
};
template <class T, class... Ts>
  requires(std::same_as<T, Ts> && ...)
struct race_value<T, Ts...> {
  using type = stored<T>;
};

/// A racer: claims the finish line if it succeeds, and then calls the others off.
template <class Scope, class F>
struct racer {
  F fn;
  std::size_t index;
  std::atomic<std::size_t>* winner; ///< 0: nobody yet; else index + 1
  Scope* crew;

  body_return<F> operator()(async_context& ctx)
    requires suspends<F>
  {
    using given = typename without_coro<body_return<F>>::type;
    if constexpr (std::is_void_v<given>) {
      co_await invoke_body(fn, ctx);
      finish();
    } else {
      auto got = co_await invoke_body(fn, ctx);
      if constexpr (body_result<given>::is_expected) {
        if (got.has_value())
          finish();
      } else {
        finish();
      }
      co_return got;
    }
  }
  body_return<F> operator()(context& ctx)
    requires(!suspends<F>)
  {
    if constexpr (std::is_void_v<body_return<F>>) {
      invoke_body(fn, ctx);
      finish();
    } else {
      auto got = invoke_body(fn, ctx);
      if constexpr (body_result<body_return<F>>::is_expected) {
        if (got.has_value())
          finish();
      } else {
        finish();
      }
      return got;
    }
  }
  void finish() {
    std::size_t nobody = 0;
    if (winner->compare_exchange_strong(nobody, index + 1))
      crew->cancel("the race is won");
  }
};

/// What a race of tasks, which have ended, gives. `winner`: 0, or its index + 1.
template <class Value, class... Steps, class... Tasks>
[[nodiscard]] result<Value> winner_of(std::tuple<Tasks...>& tasks, std::size_t winner, result<void> ended) {
  std::optional<Value> won;
  std::optional<error> lost; // of the one that came first but could not hand its value over, else of the first of all
  auto take = [&](auto index, auto& t) {
    if (const auto* why = first_without_value(t); why && (!lost || winner == index + 1))
      lost = *why;
    auto taken = std::move(t).get(); // a loser's value ends here
    if (winner != index + 1 || !taken.ok())
      return;
    if constexpr (std::same_as<Value, std::variant<step_result<Steps>...>>)
      won.emplace(std::in_place_index<index>, std::move(taken).value());
    else
      won.emplace(std::move(taken).value());
  };
  [&]<std::size_t... Is>(std::index_sequence<Is...>) {
    (take(std::integral_constant<std::size_t, Is>{}, std::get<Is>(tasks)), ...);
  }(std::index_sequence_for<Tasks...>{});
  if (won)
    return std::move(*won);
  if (ended || winner != 0)
    return std::unexpected{std::move(*lost)};
  return std::unexpected{std::move(ended).error()};
}

template <class Scope, std::size_t... Is, class... Steps>
auto run_race(Scope& crew, std::index_sequence<Is...>, Steps&&... steps) {
  using value = typename race_value<step_value<Steps>...>::type;
  std::atomic<std::size_t> winner = 0;
  auto start = [&]<class S>(S&& s, std::size_t index) {
    using runner = racer<Scope, step_callable_t<S>>;
    auto options = options_of(s, index + 1);
    return crew.execute(std::move(options), runner{callable_of(std::forward<S>(s)), index, &winner, &crew});
  };
  auto tasks = std::tuple{start(std::forward<Steps>(steps), Is)...};
  auto ended = crew.wait();
  return winner_of<value, Steps...>(tasks, winner.load(), std::move(ended));
}

/// Marks that a body runs in the scope on its caller's thread; false: the scope is over already, it must not run.
[[nodiscard]] bool enter_body(scope_actor& crew);
/// Why it must not.
[[nodiscard]] error body_refused(scope_actor& crew);
/// The body is over: with `why` it failed, and the scope is cancelled. Joins and releases; gives the combined error.
[[nodiscard]] std::optional<error> leave_body(scope_actor& crew, std::optional<error> why);
/// The exception in flight, as an error that arose in the scope's body.
[[nodiscard]] error caught_in(const scope_actor& crew) noexcept;

template <class Scope, class Body>
auto run_in_scope(Scope& crew, Body& body) {
  using returned = std::remove_cvref_t<std::invoke_result_t<Body&, Scope&>>;
  static_assert(!is_coro<returned>,
                "this with_timeout blocks its thread, so its body is a plain function; a coroutine as body "
                "is for the with_timeout of an async_context or async_scope");
  using value = typename body_result<returned>::value;
  using answer = result<value>;
  scope_actor& actor = *crew.actor();
  if (!enter_body(actor))
    return answer{std::unexpected{body_refused(actor)}};
  std::optional<error> why;
  std::optional<answer> got;
  try {
    if constexpr (std::is_void_v<returned>) {
      body(crew);
      got.emplace();
    } else if constexpr (body_result<returned>::is_expected) {
      auto r = body(crew);
      if (!r.has_value())
        why.emplace(std::move(r).error());
      else if constexpr (std::is_void_v<value>)
        got.emplace();
      else
        got.emplace(std::move(*r));
    } else {
      got.emplace(body(crew));
    }
  } catch (...) {
    why.emplace(caught_in(actor));
  }
  if (auto failed = leave_body(actor, std::move(why)))
    return answer{std::unexpected{std::move(*failed)}};
  return std::move(*got);
}

} // namespace muster::detail

MUSTER_API_END
