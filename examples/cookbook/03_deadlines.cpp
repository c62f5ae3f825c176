// Time limits inside each other: the nearest one counts, and each is reported by the one it belongs to.
//
// A task's own timeout is a failure of that task. A scope's deadline cancels everything in it. A deadline of an inner
// scope is the business of whoever waits for that scope.
#include <muster/muster.hpp>

#include <cstdio>
#include <string>

using namespace std::chrono_literals;

static muster::result<void> an_hour(muster::context& ctx) { return ctx.sleep_for(1h); }

static void say(const char* who, const muster::outcome_base& how) {
  std::printf("%s: %s, for the reason: %s\n", who, std::string{to_string(how.kind())}.c_str(),
              std::string{to_string(how.reason().kind())}.c_str());
}

int main() {
  muster::manager site{{.name = "site"}};

  // Its own timeout. (It starts when dependencies and max_parallel admit the task, not when it is made.)
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate, .timeout = 1h});
  const auto own = crew.execute({.name = "own", .timeout = 20ms}, an_hour);
  say("a task's own timeout", own.get());
  std::printf("the crew's result: %s\n", crew.wait().error().code().message().c_str());

  // The scope's: the child has no timeout of its own, and yet a deadline. `tight` gives up, the caller goes on.
  auto tight = site.create_scope("tight", {.timeout = 20ms});
  const auto inherited = tight.execute("inherited", an_hour);
  say("the scope's deadline", inherited.get());
  std::printf("the scope's result: %s\n", tight.wait().error().code().message().c_str());

  // An inner scope's: the task that opened it was not asked to stop, so it may decide what is good enough.
  const auto quote = site.with_timeout("quote", 1min, [](muster::scope& outer) {
    const auto best = outer.execute("best", [](muster::context& ctx) -> muster::result<int> {
      const auto fresh = ctx.with_timeout("fresh", 20ms, [](muster::scope& inner) -> muster::result<int> {
        std::printf("inside, less than a second is left: %s\n", inner.time_left() < 1s ? "yes" : "no");
        const auto asked = inner.execute("ask", [](muster::context& below) -> muster::result<int> {
          if (auto slept = below.sleep_for(1h); !slept)
            return std::unexpected{slept.error()};
          return 30;
        });
        return asked.get().as_result();
      });
      if (!fresh && fresh.error().is(std::errc::timed_out) && !ctx.cancelled())
        return 40; // yesterday's price
      return fresh;
    });
    return best.get().as_result();
  });
  std::printf("the quote: %d\n", quote.value());
}
