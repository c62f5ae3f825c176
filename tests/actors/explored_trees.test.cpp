// Supervision trees under a thousand seeds: whatever fails at whatever moment, the tree is whole again or says why not.
#include <muster/caf.hpp>

#include "explored.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <map>

using namespace support;
using muster::restart;
using muster::restart_strategy;

namespace {

/// Who is up: how many incarnations of each name there are at this moment, and the most there ever were.
struct census {
  std::map<std::string, int> up;
  int most = 0;
  std::vector<std::string> ends; ///< in order
  std::uint64_t crashes = 0;

  [[nodiscard]] bool everybody() const {
    return std::ranges::all_of(up, [](const auto& one) { return one.second == 1; });
  }
  [[nodiscard]] bool nobody() const {
    return std::ranges::all_of(up, [](const auto& one) { return one.second == 0; });
  }
};

muster::actor_factory counted(census& all, std::string name) {
  return [&all, name](caf::actor_system& system) {
    all.most = std::max(all.most, ++all.up[name]);
    return system.spawn([&all, name](caf::event_based_actor* self) -> caf::behavior {
      muster::keep_exception_text(self);
      self->attach_functor([&all, name](const caf::error&) {
        --all.up[name];
        all.ends.push_back(name);
      });
      return {[&all](int n) {
        if (n == 0) {
          ++all.crashes;
          throw std::runtime_error{"crashed"};
        }
        return n;
      }};
    });
  };
}

constexpr const char* names[] = {"a", "b", "c", "d", "e"};

/// Crashes children at moments that the seed draws, with and without others at the same time, for a minute.
void chaos(simulation& site, std::vector<caf::actor>& children) {
  auto troublemakers = site.create_scope("troublemakers");
  for (int i = 0; i < 3; ++i)
    troublemakers.execute("troublemaker", [&, i](context& ctx) {
      for (int n = 0; n < 4; ++n) {
        caf::anon_send(children[static_cast<std::size_t>((i * 5 + n * 3) % 5)], 0);
        if (!ctx.sleep_for(1s * ((i + n) % 3)))
          return;
      }
    });
  static_cast<void>(troublemakers.wait());
  site.run_for(1min);
}

verdict whole_after_chaos(simulation& site, restart_strategy strategy, muster::backoff delay) {
  census all;
  const muster::scope_options options{
    .on_failure = restart{.strategy = strategy, .max_restarts = 1'000, .within = 1h, .delay = delay}};
  auto crew = site.create_scope("crew", options);
  std::vector<caf::actor> children;
  for (const char* name : names) {
    auto child = muster::spawn_actor(crew, {.name = name}, counted(all, name));
    if (!child)
      return std::unexpected{child.error()};
    children.push_back(*child);
  }
  chaos(site, children);
  const bool whole = all.everybody();
  std::uint64_t shown = 0;
  bool running = true;
  for (const auto& child : crew.children()) {
    shown += child.restarts;
    running = running && child.state == "running";
  }
  const auto restarted = site.stats().actors_restarted;
  all.ends.clear();
  crew.cancel();
  const auto end = crew.wait();
  return promised{}
    .that(whole && running, "everybody is up again")
    .that(all.most == 1, "there are never two incarnations of one child")
    .that(restarted == shown, "the tree and the statistics agree about the restarts")
    .that(strategy != restart_strategy::one_for_one || restarted == all.crashes, "each crash is one restart")
    .that(is(end, errc::cancelled), "the scope was cancelled, and nothing else was wrong")
    .that(all.nobody(), "everybody has left")
    .that(all.ends == std::vector<std::string>{"e", "d", "c", "b", "a"}, "they leave in reverse order")
    .that(site.stats().tasks_live == 0, "nobody is left");
}

} // namespace

TEST_CASE("explored: after chaos a tree is whole and its restarts are accounted for with each strategy") {
  for (const auto strategy :
       {restart_strategy::one_for_one, restart_strategy::one_for_all, restart_strategy::rest_for_one}) {
    INFO(static_cast<int>(strategy));
    CHECK(explore(300, [&](simulation& site) { return whole_after_chaos(site, strategy, {}); }));
    CHECK(explore(300, [&](simulation& site) {
      return whole_after_chaos(site, strategy, {.first = 500ms, .cap = 4s, .jitter = 0.5, .seed = site.seed()});
    }));
  }
}

TEST_CASE("explored: a cancel in the middle of any restart leaves nobody and starts nobody") {
  for (const auto strategy : {restart_strategy::one_for_all, restart_strategy::rest_for_one}) {
    INFO(static_cast<int>(strategy));
    const auto cut_short = [&](simulation& site) -> verdict {
      census all;
      auto crew =
          site.create_scope("crew", {.on_failure = restart{.strategy = strategy, .max_restarts = 100, .within = 1h}});
      std::vector<caf::actor> children;
      for (const char* name : names) {
        auto child = muster::spawn_actor(crew, {.name = name}, counted(all, name));
        if (!child)
          return std::unexpected{child.error()};
        children.push_back(*child);
      }
      const auto met = rivals(
        site, [&] { caf::anon_send(children[1], 0); }, [&] { crew.cancel(); });
      const auto end = crew.wait();
      const bool nobody = all.nobody();
      const auto gone = all.ends.size();
      site.run_for(1h);
      return promised{}
        .that(met.has_value() && is(end, errc::cancelled), "the scope was cancelled")
        .that(nobody && all.nobody() && gone == all.ends.size(), "everybody had left when it ended")
        .that(all.most == 1, "there are never two incarnations of one child");
    };
    CHECK(explore(1'000, cut_short));
    CHECK(explore(by_priority(), cut_short));
  }
}

TEST_CASE("explored: a supervisor that was set up has started, however soon its last task ends") {
  for (const bool well : {true, false}) {
    INFO(well);
    const auto brief = [&](simulation& site) -> verdict {
      int starts = 0;
      auto outer = site.create_scope("outer", {.on_failure = restart{.max_restarts = 9, .within = 1h}});
      const auto started =
          outer.supervise({.name = "inner", .kind = muster::child_kind::transient}, {}, [&](muster::scope& below) {
            const bool fails = ++starts == 1 && !well;
            below.execute("task", [fails]() -> muster::result<void> {
              if (fails)
                return std::unexpected{muster::error{errc::bad_argument, "the first one"}};
              return {};
            });
            return muster::result<void>{};
          });
      const auto end = outer.wait();
      return promised{}
          .that(started.has_value(), "it has started")
          .that(end.has_value(), "and what becomes of it is for the policy")
          .that(starts == (well ? 1 : 2), "which starts it anew after a failure only");
    };
    CHECK(explore(500, brief));
    CHECK(explore(by_priority(), brief));
  }
}

TEST_CASE("explored: a supervisor that keeps failing is given up with all that is below it, whoever fails first") {
  endings seen;
  const auto failing = [&](simulation& site) -> verdict {
    census all;
    caf::actor inner;
    auto outer = site.create_scope("outer", {.on_failure = restart{.max_restarts = 1, .within = 1h}});
    const auto started = outer.supervise(
        {.name = "inner"},
        {.on_failure = restart{.strategy = restart_strategy::one_for_all, .max_restarts = 1, .within = 1h}},
        [&](muster::scope& below) -> muster::result<void> {
          for (const char* name : {"x", "y"}) {
            auto child = muster::spawn_actor(below, {.name = name}, counted(all, name));
            if (!child)
              return std::unexpected{child.error()};
            inner = *child;
          }
          return {};
        });
    if (!started)
      return std::unexpected{started.error()};
    auto other = site.create_scope("other");
    other.execute("troublemaker", [&](context& ctx) {
      for (int n = 0; n < 20; ++n) {
        caf::anon_send(inner, 0);
        if (!ctx.sleep_for(1s))
          return;
      }
    });
    const auto end = outer.wait();
    seen.saw(is(end, errc::gave_up) ? "gave up" : "otherwise");
    static_cast<void>(other.wait());
    return promised{}
      .that(is(end, errc::gave_up), "the outer one gave up")
      .that(end.error().cause() && end.error().cause()->code() == errc::gave_up, "since the inner one had")
      .that(all.nobody() && all.most == 1, "everybody has left");
  };
  CHECK(explore(1'000, failing));
  CHECK(seen.missing({"gave up"}) == lines{});
}
