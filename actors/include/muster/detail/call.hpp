/// Calling a user's function so that a value, an error and an exception all come back as a result.
///
/// Threads: the caller's own. Invariant: nothing the function throws gets out.
#pragma once

#include <muster/api.hpp>
#include <muster/context.hpp>

#include <functional>
#include <type_traits>
#include <utility>

MUSTER_API_BEGIN

namespace muster::detail {

/// The exception in flight, as an error that arose in the body of `ctx`, or (null) in none.
[[nodiscard]] error caught_by(const context* ctx) noexcept;

template <class R>
using call_value = typename body_result<std::remove_cvref_t<R>>::value;

/// What `fn()` returns or throws. `R` is its return type.
template <class R, class Fn>
[[nodiscard]] result<call_value<R>> call(Fn&& fn, const context* ctx) {
  using plain = std::remove_cvref_t<R>;
  static_assert(!is_coro<plain>,
                "what is called here is a plain function: a coroutine that nobody awaits would never run");
  try {
    if constexpr (std::is_void_v<R>) {
      fn();
      return {};
    } else if constexpr (body_result<plain>::is_expected) {
      auto got = fn();
      if (!got.has_value())
        return std::unexpected{error{std::move(got).error()}};
      if constexpr (std::is_void_v<call_value<R>>)
        return {};
      else
        return std::move(*got);
    } else {
      return fn();
    }
  } catch (...) {
    return std::unexpected{caught_by(ctx)};
  }
}

/// True for a null pointer to a function and for an empty std::function or std::move_only_function.
template <class F>
[[nodiscard]] bool is_empty_function(const F&) noexcept {
  return false;
}
template <class R, class... Args>
[[nodiscard]] bool is_empty_function(R (*const& fn)(Args...)) noexcept {
  return fn == nullptr;
}
template <class Signature>
[[nodiscard]] bool is_empty_function(const std::function<Signature>& fn) noexcept {
  return !fn;
}
template <class Signature>
[[nodiscard]] bool is_empty_function(const std::move_only_function<Signature>& fn) noexcept {
  return !fn;
}

} // namespace muster::detail

MUSTER_API_END
