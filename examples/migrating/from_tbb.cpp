// From TBB's task_group: a sum over halves. See actors/MIGRATING.md.
#include <muster/muster.hpp>

#include <cstdio>
#include <numeric>
#include <span>
#include <vector>

muster::result<long> sum(muster::context& ctx, std::span<const int> numbers) {
  if (numbers.size() <= 10'000)
    return std::accumulate(numbers.begin(), numbers.end(), 0L);
  const auto middle = numbers.size() / 2;
  auto halves = ctx.parallel(
    "halves", [&](muster::context& below) { return sum(below, numbers.first(middle)); },
    [&](muster::context& below) { return sum(below, numbers.subspan(middle)); });
  if (!halves)
    return std::unexpected{halves.error()};
  const auto [left, right] = *halves;
  return left + right;
}

int main() {
  const std::vector<int> numbers(100'000, 3); // declared first: it outlives the tasks that read it
  muster::manager site;
  auto crew = site.create_scope("crew");
  const auto total = crew.execute("sum", [&](muster::context& ctx) { return sum(ctx, numbers); });
  std::printf("%ld\n", total.get().value());
}
