// A test in virtual time: eight seconds pass at once, and the order of things is drawn from a seed.
//
// What is tested takes a scope, and does not know that it runs in a simulation. In a real test the checks are those of
// the test framework: see examples/testing.
#include <muster/testing.hpp>

#include <cstdio>

using namespace std::chrono_literals;

// What is tested: the price that a slow supplier tells, or the old one after eight seconds.
static int price(muster::scope& crew, muster::duration supplier_needs) {
  const auto asked = crew.with_timeout("ask", 8s, [&](muster::scope& below) {
    const auto answer = below.execute("supplier", [supplier_needs](muster::context& ctx) -> muster::result<int> {
      if (auto slept = ctx.sleep_for(supplier_needs); !slept)
        return std::unexpected{slept.error()};
      return 30;
    });
    return answer.get().as_result();
  });
  return asked.value_or(40);
}

int main() {
  { // one simulation at a time
    muster::testing::simulation sim;
    const auto late = sim.run([&] {
      auto crew = sim.create_scope("crew");
      return price(crew, 1h);
    });
    std::printf("a supplier who needs an hour: %d\n", late.value());
    std::printf("simulated seconds: %d\n", static_cast<int>(sim.elapsed() / 1s));
  }

  // A hundred orders in which things can happen: at seven seconds the supplier is always in time. A seed that fails is
  // printed, and MUSTER_SEED=n replays that very run.
  const auto found = muster::testing::explore(100, [](muster::testing::simulation& each) {
    auto crew = each.create_scope("crew");
    return price(crew, 7s) == 30;
  });
  std::printf("tried %d orders: %s\n", static_cast<int>(found.runs), found ? "all well" : found.failure.c_str());
  return found ? 0 : 1;
}
