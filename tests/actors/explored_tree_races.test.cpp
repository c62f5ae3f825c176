// Failures at the same time, in a tree of real actors, under a thousand seeds: whoever comes first, the tree is whole
// again or has ended, and nobody is left.
#include <muster/caf.hpp>

#include "explored.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <map>

using namespace support;
using muster::restart;
using muster::restart_strategy;

namespace {

/// What became of the incarnations of each name.
struct census {
  std::map<std::string, int> up;
  std::map<std::string, int> made;
  int most = 0;

  [[nodiscard]] bool all(int n) const {
    return std::ranges::all_of(up, [n](const auto& one) { return one.second == n; });
  }
};

caf::actor make(caf::actor_system& system, census& all, const std::string& name) {
  all.most = std::max(all.most, ++all.up[name]);
  return system.spawn([&all, name](caf::event_based_actor* self) -> caf::behavior {
    muster::keep_exception_text(self);
    self->attach_functor([&all, name](const caf::error&) { --all.up[name]; });
    return {[](int) { throw std::runtime_error{"crashed"}; }, [self](const std::string&) { self->quit(); }};
  });
}

/// The n-th call of this factory fails, if n is in `fail`.
muster::actor_factory counted(census& all, std::string name, std::vector<int> fail = {}) {
  return [&all, name, fail](caf::actor_system& system) {
    if (std::ranges::find(fail, ++all.made[name]) != fail.end())
      throw std::runtime_error{"no luck"};
    return make(system, all, name);
  };
}

struct crew_of_three {
  crew_of_three(simulation& site, restart how, std::vector<int> b_fails = {})
      : crew{site.create_scope("crew", {.on_failure = how})} {
    for (const char* name : {"a", "b", "c"})
      if (auto child = muster::spawn_actor(crew, {.name = name},
                                           counted(all, name, *name == 'b' ? b_fails : std::vector<int>{})))
        children.push_back(*child);
  }
  census all;
  muster::scope crew;
  std::vector<caf::actor> children;
};

void crash(const caf::actor& whom) { caf::anon_send(whom, 0); }

restart patient(restart_strategy strategy) { return {.strategy = strategy, .max_restarts = 100, .within = 1h}; }

/// Afterwards all three are up, one incarnation each; then the crew is cancelled, and nobody is left.
verdict whole(simulation& site, crew_of_three& three) {
  site.run_for(1min);
  promised all;
  all.that(three.all.all(1), "everybody is up again");
  for (const auto& child : three.crew.children())
    all.that(child.state == "running", "and shown as running");
  three.crew.cancel();
  all.that(is(three.crew.wait(), errc::cancelled), "nothing was wrong but the cancellation")
    .that(three.all.all(0), "everybody has left")
    .that(three.all.most == 1, "there are never two incarnations of one child");
  return all;
}

} // namespace

TEST_CASE("explored: a sibling that dies while a rest_for_one restart is under way") {
  for (const int other : {0, 1, 2}) {
    INFO(other);
    const auto both = [&](simulation& site) -> verdict {
      crew_of_three three{site, patient(restart_strategy::rest_for_one)};
      const auto met = rivals(
        site, [&] { crash(three.children[1]); },
        [&](context& ctx) {
          crash(three.children[static_cast<std::size_t>(other)]);
          if (ctx.sleep_for(0s))
            crash(three.children[2]);
        });
      return met ? whole(site, three) : verdict{met};
    };
    CHECK(explore(500, both));
    CHECK(explore(by_priority(), both));
  }
}

TEST_CASE("explored: a start that fails in the middle of a group restart, while siblings die") {
  for (const auto strategy : {restart_strategy::one_for_all, restart_strategy::rest_for_one}) {
    INFO(static_cast<int>(strategy));
    const auto unlucky = [&](simulation& site) -> verdict {
      crew_of_three three{site, patient(strategy), {2, 3}};
      const auto met = rivals(
        site, [&] { crash(three.children[0]); }, [&] { crash(three.children[2]); });
      return met ? whole(site, three) : verdict{met};
    };
    CHECK(explore(500, unlucky));
    CHECK(explore(by_priority(), unlucky));
  }
}

TEST_CASE("explored: a supervisor is stopped in the middle of a group restart whose starts fail") {
  for (const bool by_parent : {false, true}) {
    INFO(by_parent);
    const auto cut = [&](simulation& site) -> verdict {
      census all;
      auto top = site.create_scope("top", {.on_failure = patient(restart_strategy::one_for_one)});
      std::vector<caf::actor> children;
      auto made = top.supervise(
        {.name = "inner"}, {.on_failure = patient(restart_strategy::rest_for_one)}, [&](muster::scope& inner) {
          for (const char* name : {"a", "b", "c"}) {
            auto child = muster::spawn_actor(inner, {.name = name},
                                             counted(all, name, *name == 'b' ? std::vector{2, 3} : std::vector<int>{}));
            if (!child)
              return muster::result<void>{std::unexpected{child.error()}};
            children.push_back(*child);
          }
          return muster::result<void>{};
        });
      if (!made)
        return made;
      muster::result<void> stopped;
      const auto met = rivals(
        site, [&] { crash(children[0]); },
        [&] {
          if (by_parent)
            top.cancel();
          else
            stopped = top.stop_child("inner");
        });
      promised said;
      said.that(met.has_value() && stopped.has_value(), "it can be stopped at any moment");
      if (!by_parent) {
        site.run_for(1min);
        said.that(all.all(0), "nobody is left of one that was stopped by hand");
        top.cancel();
      }
      const auto end = top.wait();
      said.that(by_parent ? is(end, errc::cancelled) : end.has_value(), "nothing was wrong but the cancellation");
      const auto at_end = all.made;
      site.run_for(1h);
      return said.that(all.all(0) && at_end == all.made, "nobody is left, nobody is started")
        .that(all.most == 1, "there are never two incarnations of one child");
    };
    CHECK(explore(500, cut));
    CHECK(explore(by_priority(), cut));
  }
}

TEST_CASE("explored: a child that dies while it is being stopped by hand is stopped") {
  endings seen;
  const auto both = [&](simulation& site) -> verdict {
    crew_of_three three{site, patient(restart_strategy::one_for_one)};
    muster::result<void> stopped;
    const auto met = rivals(
      site, [&] { crash(three.children[1]); }, [&] { stopped = three.crew.stop_child("b"); });
    site.run_for(1min);
    const auto of_b = [&] {
      for (const auto& child : three.crew.children())
        if (child.name == "b")
          return child;
      return muster::tree_node{};
    };
    // It may have been started again before the order to stop came: then that incarnation was stopped.
    seen.saw(three.all.made["b"] == 1 ? "died or stopped first" : "stopped the next");
    promised all;
    all.that(met.has_value() && stopped.has_value(), "stopping it succeeds")
      .that(three.all.up["b"] == 0 && of_b().state != "running", "it is down")
      .that(three.crew.restart_child("b").has_value(), "and can be started again");
    const auto rest = whole(site, three);
    return rest ? verdict{all} : rest;
  };
  CHECK(explore(1'000, both));
  CHECK(explore(by_priority(), both));
  CHECK(seen.missing({"died or stopped first"}) == lines{});
}

TEST_CASE("explored: a child that dies while its group stops it comes back once") {
  const auto both = [&](simulation& site) -> verdict {
    crew_of_three three{site, patient(restart_strategy::one_for_all)};
    const auto met = rivals(
      site, [&] { crash(three.children[0]); }, [&] { caf::anon_send(three.children[2], std::string{"end"}); });
    return met ? whole(site, three) : verdict{met};
  };
  CHECK(explore(1'000, both));
  CHECK(explore(by_priority(), both));
}
