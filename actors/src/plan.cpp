/// Plans and their runs.
#include <muster/assert.hpp>
#include <muster/plan.hpp>

#include "dependency_graph.hpp"
#include "task_actor.hpp"

#include <algorithm>

namespace muster {

result<void> plan::check() const {
  std::vector<graph_step> graph;
  graph.reserve(steps_.size());
  for (const auto& s : steps_)
    graph.push_back({s.options.name, s.options.after.names()});
  if (auto order = start_order(graph); !order)
    return std::unexpected{error{errc::invalid_plan, std::move(order).error()}};
  return {};
}

detail::ref<task_actor> plan_run::find(std::string_view name, const void* type) const {
  const auto at = std::ranges::find(names_, name);
  MUSTER_ASSERT(at != names_.end(), "plan_run::at was asked for a step that the plan does not have");
  const auto& task = tasks_[static_cast<std::size_t>(at - names_.begin())];
  MUSTER_ASSERT(task->job().value_type() == type, "plan_run::at was asked for another type than the step's body gives");
  return task;
}

} // namespace muster
