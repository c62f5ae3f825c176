// Fan out and collect: one function for every item, different functions side by side, and children by hand.
//
// The functions run on worker threads in any order; main's thread waits. The values come in the order of the items.
#include <muster/muster.hpp>

#include <cstdio>
#include <string>
#include <vector>

static int failed(const muster::error& why) {
  std::fprintf(stderr, "%s\n", to_string(why).c_str());
  return 1;
}

int main() {
  muster::manager site{{.name = "site"}};

  const std::vector<std::string> words{"brick", "and", "mortar"};
  const auto lengths = site.parallel("lengths", words, [](const std::string& word) { return word.size(); });
  if (!lengths)
    return failed(lengths.error());
  for (std::size_t i = 0; i < words.size(); ++i)
    std::printf("%s has %zu letters\n", words[i].c_str(), (*lengths)[i]);

  const auto both = site.parallel(
    "both", [] { return 6 * 7; }, [](muster::context& ctx) { return ctx.path(); });
  if (!both)
    return failed(both.error());
  const auto& [number, path] = *both; // a tuple: each value has its own type
  std::printf("%d, and the second one ran as %s\n", number, path.c_str());

  // By hand, where the children are not known beforehand. A handle keeps the outcome for as long as it lives.
  auto crew = site.create_scope("crew");
  std::vector<muster::task<int>> squares;
  for (int side = 1; side <= 4; ++side)
    squares.push_back(crew.execute("square " + std::to_string(side), [side] { return side * side; }));
  if (const auto done = crew.wait(); !done)
    return failed(done.error());
  int sum = 0;
  for (const auto& square : squares)
    sum += square.get().value();
  std::printf("the squares are %d together\n", sum);
}
