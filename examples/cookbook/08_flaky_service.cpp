// A flaky service: `retry` tries again, a circuit breaker leaves it alone while it is down.
//
// The breaker opens after three failures in a row. While it is open calls are refused at once, with the time at which
// it is worth trying again, and `retry` waits that long: so nobody knocks at a closed door.
#include <muster/muster.hpp>

#include <cstdio>
#include <string>

using namespace std::chrono_literals;

/// Fails its first calls, then works.
class service {
public:
  explicit service(int failures) : failures_(failures) {}
  muster::result<std::string> fetch() {
    if (++calls_ <= failures_)
      return std::unexpected{muster::error{std::errc::connection_reset, "call " + std::to_string(calls_)}};
    return "answer " + std::to_string(calls_);
  }
  [[nodiscard]] int calls() const { return calls_; }

private:
  int failures_;
  int calls_ = 0;
};

int main() {
  service prices{3}; // declared first: they outlive the tasks that use them
  service ruin{1'000};
  muster::manager site{{.name = "site"}};
  muster::circuit_breaker guarded{site, {.name = "prices", .opens_on = muster::consecutive_failures{3},
                                         .open_for = 50ms}};
  muster::circuit_breaker hopeless{site, 3, 1h};
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate});

  const auto price = crew.execute({.name = "price", .timeout = 1min}, [&](muster::context& ctx) {
    return muster::retry(ctx, {.attempts = 8, .first_delay = 1ms, .spread = muster::jitter::none},
                         [&] { return guarded.execute(ctx, [&] { return prices.fetch(); }); });
  });
  const auto& answer = price.get().value();
  std::printf("%s, in %d calls\n", answer.c_str(), prices.calls());
  std::printf("the breaker opened %d time and is %s\n", static_cast<int>(guarded.stats().opened),
              std::string{to_string(guarded.state())}.c_str());

  // A service that stays down is called three times, and no more. The task's deadline would come before the breaker
  // lets anybody through again, so retry does not even wait.
  const auto nothing = crew.execute({.name = "nothing", .timeout = 1min}, [&](muster::context& ctx) {
    return muster::retry(ctx, {.attempts = 8, .first_delay = 1ms},
                         [&] { return hopeless.execute(ctx, [&] { return ruin.fetch(); }); });
  });
  const auto& why = nothing.get().error();
  const bool refused = why.is(muster::errc::breaker_open);
  std::printf("%d calls, then the breaker refused: %s\n", ruin.calls(), refused ? "yes" : "no");
  std::printf("it is worth trying again in more than a minute: %s\n", muster::retry_after(why) > 1min ? "yes" : "no");
}
