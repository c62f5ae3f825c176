/// In which order the steps of a plan can be started, or why they cannot. Pure.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <vector>

namespace muster {

struct graph_step {
  std::string name;
  std::vector<std::string> after;
  std::vector<std::size_t> resolved{}; ///< filled in by `start_order`: the indices of `after`
};

/// An order in which every step comes after those it names, otherwise as written (Kahn 1962). Refused with a sentence:
/// an empty or double name, an unknown one, a step after itself, a cycle (with its path, "a → b → a").
[[nodiscard]] std::expected<std::vector<std::size_t>, std::string> start_order(std::vector<graph_step>& steps);

} // namespace muster
