/// A callable passed by reference, for functions that call it only while they run (a small std::function_ref of C++26).
///
/// Owner: nobody; it refers to the caller's object. Invariant: it never allocates and is never empty.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <type_traits>

namespace muster::runtime {

template <class Signature>
class function_ref;

template <class Result, class... Args>
class function_ref<Result(Args...)> {
public:
  template <class Callable>
  requires(!std::same_as<std::remove_cvref_t<Callable>, function_ref> &&
           std::is_invocable_r_v<Result, Callable&, Args...>) function_ref(Callable&& callable)
  noexcept // NOLINT: implicit on purpose
      : object_{const_cast<void*>(static_cast<const volatile void*>(std::addressof(callable)))},
        call_{[](void* object, Args... args) -> Result {
          return std::invoke(*static_cast<std::add_pointer_t<Callable>>(object), static_cast<Args&&>(args)...);
        }} {}

  Result operator()(Args... args) const { return call_(object_, static_cast<Args&&>(args)...); }

private:
  void* object_;
  Result (*call_)(void*, Args...);
};

} // namespace muster::runtime
