/// The tasks that a task waits for before it starts: the value of `.after = {validate, reserve}`.
///
/// A class of its own with a variadic constructor, because an `initializer_list` of handles inside a `co_await`
/// expression does not compile on GCC 12.
#pragma once

#include <muster/api.hpp>
#include <muster/detail/ref.hpp>

#include <concepts>
#include <vector>

MUSTER_API_BEGIN

namespace muster {

class task_handle;

/// A list of task handles of any value types. Empty: start at once. Plain value; not shared between threads.
class dependencies {
public:
  dependencies() = default;
  /// These tasks, in any number. An empty handle is misuse (starting the task asserts).
  template <class... Handles>
    requires(sizeof...(Handles) > 0 && (std::derived_from<std::remove_cvref_t<Handles>, task_handle> && ...))
  dependencies(const Handles&... tasks) {
    tasks_.reserve(sizeof...(Handles));
    (tasks_.push_back(tasks.ref_), ...);
  }

  /// Adds one more; for lists whose length is known only at run time.
  template <std::derived_from<task_handle> Handle>
  dependencies& add(const Handle& task) {
    tasks_.push_back(task.ref_);
    return *this;
  }
  /// True if there is nothing to wait for.
  [[nodiscard]] bool empty() const noexcept { return tasks_.empty(); }
  /// @{
  /// For the library: who they are; and the same for the task that comes after them, which keeps them from then on.
  [[nodiscard]] const std::vector<detail::ref<task_actor>>& tasks() const noexcept { return tasks_; }
  [[nodiscard]] std::vector<detail::ref<task_actor>> take() && noexcept { return std::move(tasks_); }
  /// @}

private:
  std::vector<detail::ref<task_actor>> tasks_;
};

} // namespace muster

MUSTER_API_END
