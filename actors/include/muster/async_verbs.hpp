/// The verbs for coroutine bodies, the same on an async_context and an async_scope: parallel, series, race,
/// with_timeout. Each gives a coroutine that does what the verb of the same name in muster/verbs.hpp does (see there),
/// when it is awaited, and holds no worker meanwhile. Steps are plain functions or coroutines, mixed as one likes.
///
/// Owner: whoever awaits it; steps, options and an rvalue range are kept in the coroutine until then. Whatever happens,
/// what a verb started has ended when it gives its result; so steps may refer to the locals of the coroutine that
/// awaits it.
#pragma once

#include <muster/api.hpp>
#include <muster/detail/async_verb_support.hpp>

MUSTER_API_BEGIN

namespace muster {

/// Mixed into async_context and async_scope; `Self` provides `create_scope(name, options)`.
template <class Self>
class async_verbs {
public:
  /// All at the same time: the coroutine gives `result<std::tuple<…>>`, as verbs::parallel does.
  template <class... Steps>
    requires(sizeof...(Steps) > 0 && (detail::verb_step<Steps> && ...))
  [[nodiscard]] auto parallel(std::string name, Steps&&... steps) {
    return parallel(std::move(name), scope_options{}, std::forward<Steps>(steps)...);
  }
  /// The same in a scope with these options.
  template <class... Steps>
    requires(sizeof...(Steps) > 0 && (detail::verb_step<Steps> && ...))
  [[nodiscard]] auto parallel(std::string name, scope_options options, Steps&&... steps) {
    return detail::async_parallel(self(), std::move(name), std::move(options),
                                  std::tuple<std::decay_t<Steps>...>{std::forward<Steps>(steps)...});
  }

  /// A range of callables of one type.
  template <detail::verb_range Range>
    requires detail::verb_step<detail::range_reference<Range>>
  [[nodiscard]] auto parallel(std::string name, Range&& callables) {
    return parallel(std::move(name), scope_options{}, std::forward<Range>(callables));
  }
  /// The same in a scope with these options.
  template <detail::verb_range Range>
    requires detail::verb_step<detail::range_reference<Range>>
  [[nodiscard]] auto parallel(std::string name, scope_options options, Range&& callables) {
    std::vector<std::decay_t<detail::range_reference<Range>>> all;
    for (auto&& fn : callables)
      all.push_back(detail::element_of<Range>(fn));
    return detail::async_parallel_range(self(), std::move(name), std::move(options), std::move(all));
  }

  /// `fn(item)` or `fn(ctx, item)` for every item of a range. An lvalue range is referred to.
  template <detail::verb_range Range, class Fn>
    requires(!detail::verb_step<Range> && detail::item_body<Fn, detail::range_reference<Range>>)
  [[nodiscard]] auto parallel(std::string name, Range&& items, Fn&& fn) {
    return parallel(std::move(name), scope_options{}, std::forward<Range>(items), std::forward<Fn>(fn));
  }
  /// The same in a scope with these options.
  template <detail::verb_range Range, class Fn>
    requires(!detail::verb_step<Range> && detail::item_body<Fn, detail::range_reference<Range>>)
  [[nodiscard]] auto parallel(std::string name, scope_options options, Range&& items, Fn&& fn) {
    // An rvalue range is kept, and its items are then referred to where they are kept.
    using kept = std::conditional_t<std::is_lvalue_reference_v<Range>, Range, std::remove_cvref_t<Range>>;
    return detail::async_parallel_items<Self, kept, std::decay_t<Fn>>(self(), std::move(name), std::move(options),
                                                                      std::forward<Range>(items), std::forward<Fn>(fn));
  }

  /// One after another, each given the value before it; see verbs::series.
  template <class... Steps>
    requires(sizeof...(Steps) > 0)
  [[nodiscard]] auto series(std::string name, Steps&&... steps) {
      return detail::async_series(self(), std::move(name),
                                  std::tuple<std::decay_t<Steps>...>{std::forward<Steps>(steps)...});
  }

  /// The first that succeeds; see verbs::race.
  template <class... Steps>
    requires(sizeof...(Steps) > 0 && (detail::verb_step<Steps> && ...))
  [[nodiscard]] auto race(std::string name, Steps&&... steps) {
      return detail::async_race(self(), std::move(name),
                                std::tuple<std::decay_t<Steps>...>{std::forward<Steps>(steps)...});
  }

  /// `body` takes async_scope& and is a coroutine, or a plain function. It runs in the task that awaits this.
  template <class Body>
    requires std::invocable<std::decay_t<Body>&, async_scope&>
  [[nodiscard]] auto with_timeout(std::string name, duration d, Body&& body) {
    return detail::async_with_timeout(self(), std::move(name), d, std::decay_t<Body>(std::forward<Body>(body)));
  }

private:
  friend Self;
  async_verbs() = default;
  Self& self() noexcept { return static_cast<Self&>(*this); }
};

} // namespace muster

MUSTER_API_END
