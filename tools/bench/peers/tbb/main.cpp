/// The peer "TBB", the floor of what running small tasks costs: no links, no outcomes but what the task itself writes
/// down, no cancellation that is asked for. fan_out with a task_group, dag with a flow graph.
///
/// Nanoseconds a task.
#include "harness.hpp"

#include <algorithm>
#include <deque>
#include <vector>

#include <oneapi/tbb/flow_graph.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_group.h>

namespace {

namespace flow = oneapi::tbb::flow;

void fan_out(std::uint64_t n) {
  std::vector<std::uint64_t> values(n);
  oneapi::tbb::task_group group;
  for (std::uint64_t i = 0; i < n; ++i)
    group.run([&values, i] { values[i] = i; });
  group.wait();
  std::uint64_t sum = 0;
  for (const auto value : values)
    sum += value;
  bench::expect(sum == n * (n - 1) / 2, "the values of the tasks do not add up");
}

constexpr std::uint64_t width = 100;

void dag(std::uint64_t layers) {
  using node = flow::continue_node<flow::continue_msg>;
  std::vector<std::uint64_t> values(layers * width);
  flow::graph graph;
  std::deque<node> nodes;
  for (std::uint64_t i = 0; i < layers * width; ++i) {
    if (i < width) {
      nodes.emplace_back(graph, [&values, i](const flow::continue_msg&) { values[i] = 1; });
      continue;
    }
    const auto left = (i / width - 1) * width + i % width;
    const auto right = (i / width - 1) * width + (i + 1) % width;
    nodes.emplace_back(graph, [&values, i, left, right](const flow::continue_msg&) {
      values[i] = std::max(values[left], values[right]) + 1;
    });
    flow::make_edge(nodes[left], nodes[i]);
    flow::make_edge(nodes[right], nodes[i]);
  }
  for (std::uint64_t j = 0; j < width; ++j)
    nodes[j].try_put(flow::continue_msg{});
  graph.wait_for_all();
  for (std::uint64_t i = 0; i < values.size(); ++i)
    bench::expect(values[i] == i / width + 1, "a task did not run after those above it");
}

const oneapi::tbb::global_control limit{oneapi::tbb::global_control::max_allowed_parallelism, bench::threads};

const bench::entry wide{"fan_out", [](std::uint64_t n) {
                          const bench::stopwatch first;
                          fan_out(n);
                          bench::report("fan_out.first", first.ns() / static_cast<double>(n), "ns/task");
                          const bench::stopwatch watch;
                          fan_out(n);
                          bench::report("fan_out", watch.ns() / static_cast<double>(n), "ns/task");
                        }};
const bench::entry layered{"dag", [](std::uint64_t n) {
                             const auto layers = n / width + 1;
                             dag(layers);
                             const bench::stopwatch watch;
                             dag(layers);
                             bench::report("dag", watch.ns() / static_cast<double>(layers * width), "ns/task");
                           }};

} // namespace
