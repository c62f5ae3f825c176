// From std::async: two prices, the lower one counts. See actors/MIGRATING.md.
#include <muster/muster.hpp>

#include <algorithm>
#include <cstdio>
#include <future>

using namespace std::chrono_literals;

static int ask_the_first() { return 40; }
static int ask_the_second() { return 30; }

namespace before {

int cheapest() {
  auto first = std::async(std::launch::async, ask_the_first);
  auto second = std::async(std::launch::async, ask_the_second);
  return std::min(first.get(), second.get());
}

} // namespace before

namespace after {

muster::result<int> cheapest(muster::manager& site) {
  auto prices = site.parallel("prices", muster::step{{.name = "first", .timeout = 5s}, ask_the_first},
                              muster::step{{.name = "second", .timeout = 5s}, ask_the_second});
  if (!prices)
    return std::unexpected{prices.error()};
  const auto [first, second] = *prices;
  return std::min(first, second);
}

} // namespace after

int main() {
  muster::manager site;
  std::printf("before: %d, after: %d\n", before::cheapest(), after::cheapest(site).value());
}
