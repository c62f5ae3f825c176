// From Go: errgroup with a limit, and a timeout of each task. See actors/MIGRATING.md.
#include <muster/muster.hpp>

#include <cstdio>
#include <string>
#include <vector>

using namespace std::chrono_literals;

static muster::result<void> fetch(muster::context& ctx, const std::string& url) {
  if (url.empty())
    return std::unexpected{muster::error{std::errc::invalid_argument, "no address"}};
  return ctx.sleep_for(1ms);
}

muster::result<void> fetch_all(muster::context& ctx, const std::vector<std::string>& urls) {
  auto group = ctx.create_scope("fetch", {.max_parallel = 8});
  for (const auto& url : urls)
    group.execute(url, [&url](muster::context& below) { return fetch(below, url); });
  return group.wait();
}

static muster::result<void> validate(muster::context& ctx) { return ctx.sleep_for(30ms); }
static muster::result<void> charge(muster::context& ctx) { return ctx.checkpoint(); }

muster::result<void> each_its_own(muster::manager& site) {
  auto crew = site.create_scope("checkout");
  auto validated = crew.execute({.name = "validate"}, validate);
  crew.execute({.name = "charge", .timeout = 20ms, .after = {validated}}, charge);
  return crew.wait();
}

muster::result<void> one_for_both(muster::manager& site) {
  auto crew = site.create_scope("checkout", {.timeout = 20ms});
  auto validated = crew.execute({.name = "validate"}, validate);
  crew.execute({.name = "charge", .after = {validated}}, charge);
  return crew.wait();
}

int main() {
  muster::manager site{{.name = "site"}};
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
  const auto fetched = crew.execute("all", [](muster::context& ctx) { return fetch_all(ctx, {"a", "", "c"}); });
  std::printf("fetch: %s\n", fetched.get().error().message().c_str());

  // The step before needs longer than the limit. Counted from its own start, charge is in time.
  std::printf("each its own: %s\n", each_its_own(site) ? "in time" : "too late");
  std::printf("one for both: %s\n", one_for_both(site) ? "in time" : "too late");
}
