/// Cases growth_children (n tasks that are all there at the same time, waiting for one that ends last), growth_links (n
/// CAF actors that link themselves to one scope and end; on CAF's sharing scheduler, since the stealing one walks its
/// queues) and growth_depth (n scopes, each in the one before).
///
/// Nanoseconds for each child, link or scope, from its making until it is gone. Small sizes are repeated, so that the
/// measure lasts.
#include "../peers/caf/ping_pong.hpp"
#include "site.hpp"

#include <muster/caf.hpp>

#include <algorithm>
#include <latch>
#include <string_view>
#include <vector>

namespace {

void measure(std::string_view name, std::uint64_t n, std::uint64_t enough, std::string_view unit,
             void (*once)(muster::manager&, std::uint64_t)) {
  muster::init_caf_types();
  caf::actor_system_config config;
  caf::actor_system system{bench::with_sharing_threads(config, bench::threads)};
  auto site = muster::in_system(system, bench::two_workers());
  once(site, n);
  const auto repeats = std::max<std::uint64_t>(1, std::min(n, enough / n));
  const bench::stopwatch watch;
  for (std::uint64_t r = 0; r < repeats; ++r)
    once(site, n);
  bench::report(name, watch.ns() / static_cast<double>(n * repeats), unit);
}

void children(muster::manager& site, std::uint64_t n) {
  std::latch go{1};
  auto crew = site.create_scope("children");
  auto last = crew.execute({.name = "last", .blocking = true}, [&] { go.wait(); });
  for (std::uint64_t i = 0; i < n; ++i)
    crew.execute({.name = "child", .after = {last}}, [] {});
  bench::expect(crew.stats().tasks_live == n + 1, "the children are not all there");
  go.count_down();
  bench::expect(crew.wait().has_value() && crew.stats().tasks_completed == n + 1, "not every child ended ok");
}

void links(muster::manager& site, std::uint64_t n) {
  std::latch ended{static_cast<std::ptrdiff_t>(n)};
  auto crew = site.create_scope("links");
  const auto boss = muster::actor_of(crew);
  {
    std::vector<caf::actor> actors;
    actors.reserve(n);
    for (std::uint64_t i = 0; i < n; ++i)
      actors.push_back(muster::system_of(site).spawn([boss, &ended](caf::event_based_actor* self) -> caf::behavior {
        self->link_to(boss);
        self->attach_functor([&ended](const caf::error&) { ended.count_down(); });
        return {[self](bool) { self->quit(); }};
      }));
    for (const auto& one : actors)
      caf::anon_send(one, true);
    ended.wait();
  }
  bench::expect(crew.wait().has_value(), "the normal end of actors that were linked to the scope failed it");
}

void nest(muster::scope& above, std::uint64_t depth) {
  if (depth == 0) {
    bench::expect(above.execute("leaf", [] { return true; }).get().ok(), "the innermost task did not run");
    return;
  }
  auto crew = above.create_scope("level");
  nest(crew, depth - 1);
  bench::expect(crew.wait().has_value(), "a scope failed");
}

void depth(muster::manager& site, std::uint64_t n) {
  auto crew = site.create_scope("depth");
  nest(crew, n - 1);
  bench::expect(crew.wait().has_value(), "the outermost scope failed");
}

const bench::entry all_there{"growth_children",
                             [](std::uint64_t n) { measure("growth.children", n, 200'000, "ns/child", children); }};
const bench::entry linked{"growth_links",
                          [](std::uint64_t n) { measure("growth.links", n, 20'000, "ns/link", links); }};
const bench::entry deep{"growth_depth", [](std::uint64_t n) { measure("growth.depth", n, 10'000, "ns/scope", depth); }};

} // namespace
