/// Context values: what a scope hands down to everything below it (a request id, a user, a tenant), keyed by type.
///
/// Owner: whoever holds one; copies share immutable layers. Threads: any; different objects may be used from different
/// threads at once, one object only for reading. Invariants: a value never changes once it is set (setting again
/// replaces it in that object alone, never in copies); a lookup sees the nearest layer first; layers are destroyed
/// without recursion. The values themselves are destroyed on the thread that lets go of the last copy.
#pragma once

#include <muster/api.hpp>

#include <memory>
#include <type_traits>
#include <typeindex>
#include <utility>

MUSTER_API_BEGIN

namespace muster {

namespace detail {
struct MUSTER_INSIDE values_layer;
} // namespace detail

/// A set of values, at most one of each type in each layer, on top of those of a parent.
class context_values {
public:
  /// No values. Also what a moved-from one is.
  context_values() noexcept = default;
  /// @{
  /// Copies share the layers: one atomic increment, or none.
  context_values(const context_values& other) noexcept;
  context_values(context_values&& other) noexcept : top_{std::exchange(other.top_, nullptr)} {}
  context_values& operator=(const context_values& other) noexcept;
  context_values& operator=(context_values&& other) noexcept;
  /// @}
  ~context_values();

  /// Puts `value` into the own layer, in place of one of the same type that is there; a parent's is hidden, not
  /// changed. Returns this object. The key is T exactly: a base class does not find it. Give each meaning a type of its
  /// own (`struct request_id { std::string text; }`). If it throws (std::bad_alloc, T's move) nothing has changed.
  template <class T>
  context_values& set(T value) {
    static_assert(std::is_object_v<T> && !std::is_const_v<T> && !std::is_volatile_v<T>,
                  "context values are keyed by plain object types");
    put(typeid(T), std::make_shared<const T>(std::move(value)));
    return *this;
  }

  /// The nearest value of exactly this type, or null. Valid as long as this object or a copy of it lives unchanged.
  /// Linear in the number of values and layers passed on the way.
  template <class T>
  [[nodiscard]] const T* find() const noexcept {
    return static_cast<const T*>(get(typeid(T)));
  }

  /// True if no value is there, in no layer.
  [[nodiscard]] bool empty() const noexcept { return top_ == nullptr; }

  /// `own` on top of `parent`. If one of them is empty the result is the other and costs nothing; else one layer for
  /// each layer of `own`. May throw std::bad_alloc.
  [[nodiscard]] static context_values layered(const context_values& parent, const context_values& own);

private:
  void put(std::type_index key, std::shared_ptr<const void> value);
  [[nodiscard]] const void* get(std::type_index key) const noexcept;

  const detail::values_layer* top_ = nullptr; // null: empty; a layer that exists has at least one value
};

} // namespace muster

MUSTER_API_END
