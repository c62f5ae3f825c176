// The smallest whole program: a manager, a scope with a time limit, three tasks, a resource, and one result.
//
// The scope's body runs on main's thread, the tasks on worker threads. When `with_timeout` returns, whatever happened,
// every task has ended and the notebook is closed: so the lines always come in the same order.
#include <muster/muster.hpp>

#include <cstdio>
#include <string>

using namespace std::chrono_literals;

int main() {
  muster::manager site;
  auto total = site.with_timeout("stocktaking", 8s, [](muster::scope& crew) -> muster::result<int> {
    auto notebook = crew.register_resource("notebook", std::string{"empty"}, [](std::string& text) {
      std::printf("closing the notebook: %s\n", text.c_str());
    });

    auto bricks = crew.execute("bricks", [] { return 1200; });
    auto beams = crew.execute({.name = "beams", .timeout = 1s}, [](muster::context& ctx) -> muster::result<int> {
      if (auto slept = ctx.sleep_for(5ms); !slept) // ends at once if the scope is cancelled or out of time
        return std::unexpected{slept.error()};
      return 34;
    });
    auto sum = crew.execute({.name = "sum", .after = {bricks, beams}}, [=] {
      notebook.value()->assign("bricks and beams counted");
      return bricks.get().value() + beams.get().value();
    });
    return sum.get().as_result();
  });
  if (!total)
    return std::fprintf(stderr, "%s\n", to_string(total.error()).c_str()), 1;
  std::printf("%d things, and nobody is left behind\n", *total);
}
