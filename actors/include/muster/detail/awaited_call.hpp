/// Calling a user's function, plain or a coroutine, in a coroutine of ours, so that a value, an error and an exception
/// all come back as a result.
///
/// Owner: whoever awaits it; what `fn` refers to lives in the frame of that one. Invariant: nothing the function throws
/// gets out.
#pragma once

#include <muster/api.hpp>
#include <muster/async_context.hpp>
#include <muster/detail/call.hpp>

#include <type_traits>
#include <utility>

MUSTER_API_BEGIN

namespace muster::detail {

template <class R>
using awaited_value = call_value<typename without_coro<std::remove_cvref_t<R>>::type>;

/// What `fn()` returns or throws, or what the coroutine does that it returns. `R` is its return type.
template <class R, class Fn>
coro<result<awaited_value<R>>> awaited_call(Fn fn, const context& ctx) {
  using plain = std::remove_cvref_t<R>;
  using given = typename without_coro<plain>::type;
  if constexpr (!is_coro<plain>) {
    co_return call<R>(fn, &ctx);
  } else {
    try {
      auto made = fn();
      if constexpr (std::is_void_v<given>) {
        co_await made;
        co_return result<void>{};
      } else {
        auto value = co_await made;
        co_return call<given>([&]() -> given { return std::move(value); }, &ctx);
      }
    } catch (...) {
      co_return std::unexpected{caught_by(&ctx)};
    }
  }
}

} // namespace muster::detail

MUSTER_API_END
