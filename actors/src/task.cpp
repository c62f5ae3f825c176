/// The public handles of tasks.
#include <muster/assert.hpp>
#include <muster/task.hpp>

#include "scope_actor.hpp"
#include "task_actor.hpp"

namespace muster {

namespace {

task_actor& deref(const detail::ref<task_actor>& ref) {
  MUSTER_ASSERT(ref, "this task handle is empty: it was default-constructed or moved from");
  return *ref;
}

} // namespace

const std::string& task_handle::name() const { return deref(ref_).label(); }
std::string task_handle::path() const { return deref(ref_).path(); }
task_state task_handle::state() const noexcept {
  runtime::conductor::pause_here(runtime::pause::look);
  return deref(ref_).state();
}

bool task_handle::ready() const noexcept {
  runtime::conductor::pause_here(runtime::pause::look);
  return deref(ref_).ended();
}

const outcome_base* task_handle::peek() const noexcept {
  runtime::conductor::pause_here(runtime::pause::look);
  return deref(ref_).ended() ? ref_->job().out : nullptr;
}

result<void> task_handle::wait_for(duration d) const {
  auto& task = deref(ref_);
  if (auto why = task.join(saturating_add(task.scope().engine().now(), d)))
    return std::unexpected{std::move(*why)};
  return {};
}

void task_handle::cancel(std::string text) const {
  runtime::conductor::pause_here(runtime::pause::call);
  deref(ref_).cancel(std::move(text));
}

detail::job& task_handle::job() const { return deref(ref_).job(); }

std::optional<error> task_handle::join() const { return deref(ref_).join(never); }

} // namespace muster
