/// Case dag: n tasks in layers of a hundred, each after two of the layer above, of which it reads the values.
///
/// Nanoseconds a task, from the opening of the scope until the last outcome has been freed.
#include "site.hpp"

#include <algorithm>
#include <vector>

namespace {

constexpr std::uint64_t width = 100;

void dag(muster::manager& site, std::uint64_t layers) {
  auto crew = site.create_scope("dag");
  std::vector<muster::task<std::uint64_t>> tasks;
  tasks.reserve(layers * width);
  for (std::uint64_t j = 0; j < width; ++j)
    tasks.push_back(crew.execute("task", [] { return std::uint64_t{1}; }));
  for (std::uint64_t layer = 1; layer < layers; ++layer)
    for (std::uint64_t j = 0; j < width; ++j) {
      const auto above = (layer - 1) * width;
      auto left = tasks[above + j];
      auto right = tasks[above + (j + 1) % width];
      muster::dependencies both{left, right};
      auto deeper = [left = std::move(left), right = std::move(right)] {
        return std::max(left.get().value(), right.get().value()) + 1;
      };
      tasks.push_back(crew.execute({.name = "task", .after = std::move(both)}, std::move(deeper)));
    }
  bench::expect(crew.wait().has_value(), "the scope failed");
  for (std::uint64_t i = 0; i < tasks.size(); ++i)
    bench::expect(tasks[i].get().ok() && tasks[i].get().value() == i / width + 1,
                  "a task did not run after those above it");
}

const bench::entry here{"dag", [](std::uint64_t n) {
                          muster::manager site{bench::two_workers()};
                          const auto layers = n / width + 1;
                          dag(site, layers);
                          const bench::stopwatch watch;
                          dag(site, layers);
                          bench::report("dag", watch.ns() / static_cast<double>(layers * width), "ns/task");
                        }};

} // namespace
