// A plan: steps and who comes after whom, written down before anything runs, with values that pass from step to step.
//
// A step runs as soon as those before it have ended ok; if one of them does not, it is skipped. A plan that cannot work
// is refused before anything of it starts.
#include <muster/muster.hpp>

#include <cstdio>
#include <string>

using namespace std::chrono_literals;

struct order {
  int bricks = 0;
};

int main() {
  muster::manager site{{.name = "site"}};

  muster::plan checkout;
  checkout.step({.name = "ship", .timeout = 5s, .after = {"charge", "reserve"}}, [](muster::context& ctx) {
    return "parcel for " + ctx.value_of<std::string>("charge"); // a value of a step that this one came after
  });
  checkout.step({.name = "validate"}, [] { return order{.bricks = 1200}; });
  checkout.step({.name = "charge", .after = {"validate"}}, [](muster::context& ctx) {
    return "account " + std::to_string(ctx.value_of<order>("validate").bricks / 100);
  });
  checkout.step({.name = "reserve", .after = {"validate"}}, [] {}); // gives nothing

  auto crew = site.create_scope("crew");
  const auto run = crew.execute(std::move(checkout));
  if (!run)
    return std::fprintf(stderr, "%s\n", to_string(run.error()).c_str()), 1;
  std::printf("%s\n", run->at<std::string>("ship").get().value().c_str());

  // A failed step: what comes after it is skipped. (Where the first failure cancels the siblings, some of those may be
  // cancelled instead, namely when they are only made after it.)
  muster::plan bad_day;
  bad_day.step({.name = "validate"}, []() -> muster::result<order> {
    return std::unexpected{muster::error{std::errc::invalid_argument, "the cart is empty"}};
  });
  bad_day.step({.name = "charge", .after = {"validate"}}, [] { return 1; });
  bad_day.step({.name = "ship", .after = {"charge"}}, [] { return 2; });
  auto other = site.create_scope("other", {.on_failure = muster::isolate});
  const auto bad = other.execute(std::move(bad_day)).value();
  static_cast<void>(other.wait());
  for (const auto* name : {"charge", "ship"})
    std::printf("%s: %s\n", name, std::string{to_string(bad.at<int>(name).get().kind())}.c_str());

  // A circle.
  muster::plan circle;
  circle.step({.name = "hen", .after = {"egg"}}, [] {}).step({.name = "egg", .after = {"hen"}}, [] {});
  std::printf("%s\n", circle.check().error().message().c_str());
}
