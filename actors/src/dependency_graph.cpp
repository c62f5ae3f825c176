/// The order of a plan's steps.
#include "dependency_graph.hpp"

#include <algorithm>
#include <functional>
#include <queue>
#include <unordered_map>

namespace muster {

namespace {

/// The path of a cycle among the steps that could not be ordered: each of them has an unordered predecessor, so walking
/// back from any one comes to a step twice.
std::string cycle_among(const std::vector<graph_step>& steps, const std::vector<std::size_t>& missing) {
  std::size_t at = 0;
  while (missing[at] == 0)
    ++at;
  std::vector<std::size_t> walk;
  std::vector<bool> seen(steps.size());
  while (!seen[at]) {
    seen[at] = true;
    walk.push_back(at);
    at = *std::ranges::find_if(steps[at].resolved, [&](std::size_t before) { return missing[before] != 0; });
  }
  // From the repeated step on, turned round, it reads in the order in which the steps wait for each other.
  std::string path = steps[at].name;
  for (auto it = std::ranges::find(walk, at); it != walk.end(); ++it) {
    const auto next = it + 1 == walk.end() ? at : *(it + 1);
    path += " → " + steps[next].name;
  }
  return path;
}

} // namespace

std::expected<std::vector<std::size_t>, std::string> start_order(std::vector<graph_step>& steps) {
  std::unordered_map<std::string, std::size_t> index;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].name.empty())
      return std::unexpected{"step " + std::to_string(i + 1) + " of the plan has no name"};
    if (!index.emplace(steps[i].name, i).second)
      return std::unexpected{"two steps of the plan are called '" + steps[i].name + "'"};
  }
  std::vector<std::size_t> missing(steps.size());
  std::vector<std::vector<std::size_t>> followers(steps.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    steps[i].resolved.clear();
    for (const auto& name : steps[i].after) {
      const auto found = index.find(name);
      if (found == index.end())
        return std::unexpected{"step '" + steps[i].name + "' comes after '" + name + "', which is no step of the plan"};
      if (found->second == i)
        return std::unexpected{"step '" + name + "' comes after itself: " + name + " → " + name};
      steps[i].resolved.push_back(found->second);
      followers[found->second].push_back(i);
      ++missing[i];
    }
  }
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> startable;
  for (std::size_t i = 0; i < steps.size(); ++i)
    if (missing[i] == 0)
      startable.push(i);
  std::vector<std::size_t> order;
  while (!startable.empty()) {
    order.push_back(startable.top());
    startable.pop();
    for (const auto follower : followers[order.back()])
      if (--missing[follower] == 0)
        startable.push(follower);
  }
  if (order.size() != steps.size())
    return std::unexpected{"the plan has a cycle, each step waiting for the next: " + cycle_among(steps, missing)};
  return order;
}

} // namespace muster
