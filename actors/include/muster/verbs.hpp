/// The verbs, the same on a manager, a scope and a context: parallel (callables, a range of them, or a range and a
/// function), series, race, with_timeout. Each is a nested scope that the verb opens, fills and waits for, so nothing
/// outlives the call.
///
/// Threads: each blocks its caller until the nested scope has ended. The callables run on the lane (with_timeout's body
/// runs on the caller's thread). Results are values; an exception of a task comes back as an error.
#pragma once

#include <muster/api.hpp>
#include <muster/detail/verb_support.hpp>

MUSTER_API_BEGIN

namespace muster {

/// A callable with options, for the verbs: `step{{.name = "load", .timeout = 1s}, fn}`.
template <class F>
struct step {
  task_options options; ///< as for scope::execute
  F fn;                 ///< the body
};
/// What the compiler takes `step{options, fn}` for.
template <class F>
step(task_options, F) -> step<F>;

/// Mixed into manager, scope and context; `Self` provides `create_scope(name, options)`.
template <class Self>
class verbs {
public:
  /// Runs all of them at the same time. Their values in order (nothing: std::monostate), or the first error with all
  /// the others behind it; the first failure cancels the rest. A step that gives no value without having failed (it was
  /// skipped for a task elsewhere, or is a daemon) makes its own error the result.
  template <class... Steps>
    requires(sizeof...(Steps) > 0 && (detail::verb_step<Steps> && ...))
  [[nodiscard]] auto parallel(std::string name, Steps&&... steps) {
    return parallel(std::move(name), scope_options{}, std::forward<Steps>(steps)...);
  }
  /// The same in a scope with these options.
  template <class... Steps>
    requires(sizeof...(Steps) > 0 && (detail::verb_step<Steps> && ...))
  [[nodiscard]] auto parallel(std::string name, scope_options options, Steps&&... steps) {
    // Not a trailing return type: Clang 19 forms that before it looks at what is required above.
    using values = result<std::tuple<detail::step_result<Steps>...>>;
    auto crew = self().create_scope(std::move(name), std::move(options));
    auto tasks = [&]<std::size_t... Is>(std::index_sequence<Is...>) {
      return std::tuple{detail::start_step(crew, std::forward<Steps>(steps), Is + 1)...};
    }(std::index_sequence_for<Steps...>{});
    if (auto done = crew.wait(); !done)
      return values{std::unexpect, std::move(done).error()};
    if (const auto* missing = std::apply([](auto&... task) { return detail::first_without_value(task...); }, tasks))
      return values{std::unexpect, *missing};
    return std::apply(
      [](auto&... task) { return values{std::in_place, std::move(task).get().value()...}; }, tasks);
  }

  /// The same for a range of callables of one type: a vector of their values, in the range's order. A container that is
  /// handed over as an rvalue gives its callables away; otherwise they are copied.
  template <detail::verb_range Range>
    requires detail::verb_step<detail::range_reference<Range>>
  [[nodiscard]] auto parallel(std::string name, Range&& callables) {
    return parallel(std::move(name), scope_options{}, std::forward<Range>(callables));
  }
  /// The same in a scope with these options.
  template <detail::verb_range Range>
    requires detail::verb_step<detail::range_reference<Range>>
  [[nodiscard]] auto parallel(std::string name, scope_options options, Range&& callables) {
    auto crew = self().create_scope(std::move(name), std::move(options));
    std::vector<detail::step_task<detail::range_reference<Range>>> tasks;
    for (auto&& fn : callables)
      tasks.push_back(detail::start_step(crew, detail::element_of<Range>(fn), tasks.size() + 1));
    return detail::gather(crew, tasks);
  }

  /// Calls `fn(item)` or `fn(context&, item)` for every item at the same time: a vector of the values, in the range's
  /// order. `fn` is shared by all the calls. Items that the range keeps are passed by reference.
  template <detail::verb_range Range, class Fn>
    requires(!detail::verb_step<Range> && detail::item_body<Fn, detail::range_reference<Range>>)
  [[nodiscard]] auto parallel(std::string name, Range&& items, Fn&& fn) {
    return parallel(std::move(name), scope_options{}, std::forward<Range>(items), std::forward<Fn>(fn));
  }
  /// The same in a scope with these options.
  template <detail::verb_range Range, class Fn>
    requires(!detail::verb_step<Range> && detail::item_body<Fn, detail::range_reference<Range>>)
  [[nodiscard]] auto parallel(std::string name, scope_options options, Range&& items, Fn&& fn) {
    auto crew = self().create_scope(std::move(name), std::move(options));
    using bound = detail::bound_item<std::remove_reference_t<Fn>, detail::range_reference<Range>>;
    std::vector<task<detail::body_value<bound>>> tasks;
    for (auto&& item : items)
      tasks.push_back(crew.execute(std::to_string(tasks.size() + 1), bound{fn, std::forward<decltype(item)>(item)}));
    return detail::gather(crew, tasks);
  }

  /// Runs one after another. Each may take the value of the one before as its last parameter, by `const&`. The values
  /// in order, or the error of the step that failed; after a failure the rest never start.
  template <class... Steps>
    requires(sizeof...(Steps) > 0)
  [[nodiscard]] auto series(std::string name, Steps&&... steps) {
    auto crew = self().create_scope(std::move(name), scope_options{});
    return detail::run_series(crew, std::tuple<>{}, std::forward<Steps>(steps)...);
  }

  /// Runs all of them at the same time; the first that succeeds gives the result, the others are cancelled and awaited,
  /// and what they return is destroyed. If none succeeds: the first error with the others behind it. The value has the
  /// callables' common type, or is a variant whose index tells which of them won.
  template <class... Steps>
    requires(sizeof...(Steps) > 0 && (detail::verb_step<Steps> && ...))
  [[nodiscard]] auto race(std::string name, Steps&&... steps) {
    auto crew = self().create_scope(std::move(name), scope_options{.on_failure = isolate});
    return detail::run_race(crew, std::index_sequence_for<Steps...>{}, std::forward<Steps>(steps)...);
  }

  /// Opens a scope with the time limit `d` and runs `body(scope&)` in it, on this thread. A normal return joins the
  /// children without cancelling them; an error or an exception cancels them, joins, releases, and becomes the result
  /// (the body's error first, else the scope's, else the body's value). If the time is up before it could begin, the
  /// body does not run.
  template <class Body>
    requires std::invocable<Body&, scope&>
  [[nodiscard]] auto with_timeout(std::string name, duration d, Body&& body) {
    auto crew = self().create_scope(std::move(name), scope_options{.timeout = d});
    return detail::run_in_scope(crew, body);
  }

private:
  friend Self;
  verbs() = default;
  Self& self() noexcept { return static_cast<Self&>(*this); }
};

} // namespace muster

MUSTER_API_END
