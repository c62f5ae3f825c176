/// What the verbs of coroutine bodies are made of: coroutines that open a scope, fill it, join it and take the values.
///
/// Owner: whoever awaits them; everything that they were given is in their frames. Invariant: whatever happens, a scope
/// that one of them opened has been joined before it goes on.
#pragma once

#include <muster/api.hpp>
#include <muster/coro.hpp>
#include <muster/detail/verb_support.hpp>

#include <exception>
#include <optional>

MUSTER_API_BEGIN

namespace muster {
class async_scope;
}

namespace muster::detail {

/// Calls `fill()` and joins; what `fill` throws comes after that.
template <class Scope, class Fill>
coro<result<void>> fill_and_join(Scope& crew, Fill& fill) {
  std::exception_ptr thrown;
  try {
    fill();
  } catch (...) {
    thrown = std::current_exception();
    crew.cancel("it could not be filled");
  }
  auto done = co_await crew;
  if (thrown)
    std::rethrow_exception(thrown);
  co_return done;
}

/// The values of tasks that have ended, in order.
template <class... Ts>
[[nodiscard]] result<std::tuple<stored<Ts>...>> values_of(std::tuple<task<Ts>...>& tasks) {
  if (const auto* missing = std::apply([](auto&... task) { return first_without_value(task...); }, tasks))
    return std::unexpected{*missing};
  return std::apply([](auto&... task) { return std::tuple<stored<Ts>...>{std::move(task).get().value()...}; }, tasks);
}
template <class T>
[[nodiscard]] result<std::vector<stored<T>>> values_of(std::vector<task<T>>& tasks) {
  std::vector<stored<T>> values;
  values.reserve(tasks.size());
  for (auto& t : tasks) {
    if (const auto* missing = first_without_value(t))
      return std::unexpected{*missing};
    values.push_back(std::move(t).get().value());
  }
  return values;
}

template <class Self, class... Steps>
coro<result<std::tuple<step_result<Steps>...>>> async_parallel(Self& self, std::string name, scope_options options,
                                                               std::tuple<Steps...> steps) {
  auto crew = self.create_scope(std::move(name), std::move(options));
  std::tuple<step_task<Steps>...> tasks;
  auto fill = [&]<std::size_t... Is>(std::index_sequence<Is...>) {
    ((std::get<Is>(tasks) = start_step(crew, std::move(std::get<Is>(steps)), Is + 1)), ...);
  };
  auto fill_all = [&] { fill(std::index_sequence_for<Steps...>{}); };
  auto joining = fill_and_join(crew, fill_all);
  auto done = co_await joining;
  if (!done)
    co_return std::unexpected{std::move(done).error()};
  co_return values_of(tasks);
}

template <class Self, class Callable>
coro<result<std::vector<step_result<Callable>>>> async_parallel_range(Self& self, std::string name,
                                                                      scope_options options,
                                                                      std::vector<Callable> callables) {
  auto crew = self.create_scope(std::move(name), std::move(options));
  std::vector<step_task<Callable>> tasks;
  auto fill = [&] {
    for (auto& fn : callables)
      tasks.push_back(start_step(crew, std::move(fn), tasks.size() + 1));
  };
  auto joining = fill_and_join(crew, fill);
  auto done = co_await joining;
  if (!done)
    co_return std::unexpected{std::move(done).error()};
  co_return values_of(tasks);
}

/// `Range` is an lvalue reference, or a range that is kept here.
template <class Range, class Fn>
using bound_to = bound_item<Fn, range_reference<Range>>;
template <class Self, class Range, class Fn>
coro<result<std::vector<stored<body_value<bound_to<Range, Fn>>>>>> async_parallel_items(Self& self, std::string name,
                                                                                        scope_options options,
                                                                                        Range items, Fn fn) {
  auto crew = self.create_scope(std::move(name), std::move(options));
  std::vector<task<body_value<bound_to<Range, Fn>>>> tasks;
  auto fill = [&] {
    for (auto&& item : items)
      tasks.push_back(
        crew.execute(std::to_string(tasks.size() + 1), bound_to<Range, Fn>{fn, std::forward<decltype(item)>(item)}));
  };
  auto joining = fill_and_join(crew, fill);
  auto done = co_await joining;
  if (!done)
    co_return std::unexpected{std::move(done).error()};
  co_return values_of(tasks);
}

/// The tuple that a series gives which has got as far as `Done`.
template <class Done, class... Steps>
struct series_values {
  using type = Done;
};
template <class... Done, class First, class... Rest>
struct series_values<std::tuple<Done...>, First, Rest...>
    : series_values<
          std::tuple<Done...,
                     stored<body_value<decltype(chain(std::declval<First>(), std::declval<std::tuple<Done...>&>()))>>>,
          Rest...> {};

template <class Scope, class... Done, class First, class... Rest>
coro<result<typename series_values<std::tuple<Done...>, First, Rest...>::type>>
async_series_from(Scope& crew, std::tuple<Done...> done, std::tuple<First, Rest...> steps) {
  auto options = options_of(std::get<0>(steps), sizeof...(Done) + 1);
  auto t = crew.execute(std::move(options), chain(std::move(std::get<0>(steps)), done));
  using value = stored<typename decltype(t.get().as_result())::value_type>;
  static_cast<void>(co_await t); // if that is refused, the scope is on its way down, and joining it tells
  const bool ok = t.ready() && t.peek()->ok();
  if (!ok || sizeof...(Rest) == 0) {
    auto whole = co_await crew;
    if (!t.peek()->ok())
      co_return std::unexpected{whole ? t.peek()->error() : std::move(whole).error()};
    if (!whole)
      co_return std::unexpected{std::move(whole).error()};
    if constexpr (sizeof...(Rest) > 0) {
      co_return std::unexpected{error{errc::cancelled, "the series was cancelled between two of its steps"}};
    } else {
      co_return std::tuple_cat(std::move(done), std::tuple<value>{std::move(t).get().value()});
    }
  }
  if constexpr (sizeof...(Rest) > 0) {
    auto rest = [&]<std::size_t... Is>(std::index_sequence<Is...>) {
      return std::tuple<Rest...>{std::move(std::get<Is + 1>(steps))...};
    }(std::index_sequence_for<Rest...>{});
    auto next = async_series_from(crew, std::tuple_cat(std::move(done), std::tuple<value>{std::move(t).get().value()}),
                                  std::move(rest));
    co_return co_await next;
  }
}

template <class Self, class... Steps>
coro<result<typename series_values<std::tuple<>, Steps...>::type>> async_series(Self& self, std::string name,
                                                                                std::tuple<Steps...> steps) {
  auto crew = self.create_scope(std::move(name), scope_options{});
  auto all = async_series_from(crew, std::tuple<>{}, std::move(steps));
  co_return co_await all;
}

template <class Self, class... Steps>
coro<result<typename race_value<step_value<Steps>...>::type>> async_race(Self& self, std::string name,
                                                                        std::tuple<Steps...> steps) {
  using value = typename race_value<step_value<Steps>...>::type;
  std::atomic<std::size_t> winner = 0;
  auto crew = self.create_scope(std::move(name), scope_options{.on_failure = isolate});
  std::tuple<step_task<Steps>...> tasks;
  auto start = [&](auto index, auto& s) {
    using S = std::remove_reference_t<decltype(s)>;
    using runner = racer<decltype(crew), step_callable_t<S>>;
    auto options = options_of(s, index + 1);
    std::get<index>(tasks) = crew.execute(std::move(options), runner{callable_of(std::move(s)), index, &winner, &crew});
  };
  auto fill = [&]<std::size_t... Is>(std::index_sequence<Is...>) {
    (start(std::integral_constant<std::size_t, Is>{}, std::get<Is>(steps)), ...);
  };
  auto fill_all = [&] { fill(std::index_sequence_for<Steps...>{}); };
  auto joining = fill_and_join(crew, fill_all);
  auto ended = co_await joining;
  co_return winner_of<value, Steps...>(tasks, winner.load(), std::move(ended));
}

// -- a body that runs in a scope, as a coroutine of the task that awaits it
// -----------------------------------------------

/// As enter_body, for the task that runs here.
[[nodiscard]] bool enter_async_body(scope_actor& crew);
/// The body is over; with `why` the scope is cancelled. Joining must follow, and then `after_body` gives the combined
/// error.
void leave_async_body(scope_actor& crew, std::optional<error>& why);
[[nodiscard]] std::optional<error> after_body(scope_actor& crew, std::optional<error> why, result<void> joined);

template <class Self, class Body>
auto async_with_timeout(Self& self, std::string name, duration d, Body body)
  -> coro<result<typename body_result<
    typename without_coro<std::remove_cvref_t<std::invoke_result_t<Body&, async_scope&>>>::type>::value>> {
  using returned = std::remove_cvref_t<std::invoke_result_t<Body&, async_scope&>>;
  using given = typename without_coro<returned>::type;
  using answer = result<typename body_result<given>::value>;
  auto crew = self.create_scope(std::move(name), scope_options{.timeout = d});
  // No local of the scope's inside: a coroutine keeps its locals in a class that users' code would seem to export.
  if (!enter_async_body(*crew.actor())) {
    auto refused = co_await crew;
    co_return std::unexpected{refused ? error{errc::scope_closed, "the scope was over before its body could begin"}
                                      : std::move(refused).error()};
  }
  std::optional<error> why;
  std::optional<answer> got;
  try {
    if constexpr (std::is_void_v<given>) {
      if constexpr (is_coro<returned>)
        co_await body(crew);
      else
        body(crew);
      got.emplace();
    } else {
      std::optional<given> said;
      if constexpr (is_coro<returned>)
        said.emplace(co_await body(crew));
      else
        said.emplace(body(crew));
      if constexpr (!body_result<given>::is_expected)
        got.emplace(std::move(*said));
      else if (!said->has_value())
        why.emplace(std::move(*said).error());
      else if constexpr (std::is_void_v<typename answer::value_type>)
        got.emplace();
      else
        got.emplace(std::move(**said));
    }
  } catch (...) {
    why.emplace(caught_in(*crew.actor()));
  }
  leave_async_body(*crew.actor(), why);
  auto joined = co_await crew;
  if (auto failed = after_body(*crew.actor(), std::move(why), std::move(joined)))
    co_return std::unexpected{std::move(*failed)};
  co_return std::move(*got);
}

} // namespace muster::detail

MUSTER_API_END
