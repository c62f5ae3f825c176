// Last words: a commit that must not be cut short, and a clean-up in the right order.
//
// A body that was asked to stop finds all its waits cut short. What runs in `shield` does not know of it, for a limited
// time. What must be given back whatever happens is a resource: released after the tasks, in reverse order, one by one.
#include <muster/muster.hpp>

#include <cstdio>
#include <latch>
#include <string>

using namespace std::chrono_literals;

static auto closing(const char* what) {
  return [what](int&) { std::printf("closing the %s\n", what); };
}

int main() {
  std::latch begun{1};
  muster::manager site{{.name = "site"}};
  auto crew = site.create_scope("crew");
  static_cast<void>(crew.register_resource("database", 1, closing("database")));
  static_cast<void>(crew.register_resource("transaction", 2, closing("transaction"))); // needs the database: after it

  const auto writer = crew.execute({.name = "writer", .grace = 10s}, [&](muster::context& ctx) -> muster::result<int> {
    begun.count_down();
    const auto why = ctx.wait_until_cancelled();
    std::printf("asked to stop: %s\n", why.text().c_str());
    std::printf("may sleep: %s\n", ctx.sleep_for(1ms) ? "yes" : "no");
    const auto written = ctx.shield(5s, [](muster::context& inner) { return inner.sleep_for(1ms); });
    std::printf("may sleep under the shield: %s\n", written ? "yes" : "no");
    return 17; // a value stands, though it is late
  });
  begun.wait();
  crew.cancel("closing time");

  const auto done = crew.wait();
  std::printf("the writer: %s, late: %s\n", std::string{to_string(writer.get().kind())}.c_str(),
              writer.get().late() ? "yes" : "no");
  std::printf("the crew: %s\n", done.error().code().message().c_str());
}
