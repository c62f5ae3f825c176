/// See system.hpp.
#include "system.hpp"

#include "actors.hpp"
#include "chaos.hpp"

#include <algorithm>

namespace telemetry {

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 10s; ///< for an actor that is to end: it may have a batch to write on a slow disk

muster::child_options called(std::string name, std::size_t held_messages = 0) {
  return {.name = std::move(name), .daemon = true, .stop_timeout = patience, .held_messages = held_messages};
}

muster::result<void> set_up_sensors(muster::scope& sensors, wiring& around) {
  // Released when the last of the sensors is gone.
  if (auto marked = sensors.register_resource("end", &around.books, [](ledger* books) { books->note("-sensors"); });
      !marked)
    return std::unexpected{marked.error()};
  for (std::size_t i = 0; i < around.sources.size(); ++i) {
    auto options = called(around.sources[i].name);
    options.daemon = false; // a supervisor without any work left would end
    if (auto started = muster::spawn_actor(sensors, options, sensor, &around, i); !started)
      return std::unexpected{started.error()};
  }
  return {};
}

muster::result<void> set_up(muster::scope& root, wiring& around, std::shared_ptr<store> kept_in,
                            std::shared_ptr<restart_log> log) {
  const auto& wanted = around.wanted;
  auto kept = root.register_resource("store", std::move(kept_in), [&](std::shared_ptr<store>& it) {
    around.books.note("-store");
    return it->close();
  });
  if (!kept)
    return std::unexpected{kept.error()};
  around.kept_in = std::move(*kept);
  auto writing = muster::spawn_actor(root, called("writer", wanted.held_messages), writer, &around);
  if (!writing)
    return std::unexpected{writing.error()};
  around.writer = *writing;
  auto gathering = muster::spawn_actor(root, called("aggregator", wanted.held_messages), aggregator, &around);
  if (!gathering)
    return std::unexpected{gathering.error()};
  around.aggregator = *gathering;
  return root.supervise(called("sensors"),
                        {.on_failure = wanted.sensors,
                         .release_timeout = patience,
                         .on_child = [log](const muster::child_event& e) { log->of_sensor(e); }},
                        [&](muster::scope& sensors) { return set_up_sensors(sensors, around); });
}

/// What the task `watch` does: lets time pass, or chaos reign, and waits until all restarts that were due are done.
muster::result<void> watch(muster::context& ctx, const muster::scope& root, wiring& around, outcome& said) {
  const auto& wanted = around.wanted;
  if (wanted.chaos) {
    chaos reign{around, *wanted.chaos};
    auto over = reign.run(ctx, wanted.lasts);
    said.blows = reign.blows();
    if (!over)
      return over;
  } else if (auto slept = ctx.sleep_for(wanted.lasts); !slept) {
    return slept;
  }
  around.calm = true;
  const auto until = ctx.now() + 30s;
  for (int calm_looks = 0; calm_looks < 2 && ctx.now() < until;) {
    if (auto slept = ctx.sleep_for(100ms); !slept)
      return slept;
    said.tree = root.tree();
    said.whole = is_whole(said.tree, around.sources);
    calm_looks = said.whole ? calm_looks + 1 : 0;
  }
  return {};
}

} // namespace

bool is_whole(const muster::supervision_tree& tree, const std::vector<source>& sources) {
  const auto is = [&](const std::string& path, std::string_view state) {
    for (std::size_t i = 0; i < tree.nodes.size(); ++i)
      if (tree.nodes[i].state == state && tree.path_of(i) == path)
        return true;
    return false;
  };
  return is("telemetry", "open") && is("telemetry/store", "held") && is("telemetry/writer", "running") &&
         is("telemetry/aggregator", "running") && is("telemetry/sensors", "open") &&
         std::ranges::all_of(sources, [&](const source& s) { return is("telemetry/sensors/" + s.name, "running"); });
}

void register_messages() { muster::init_caf_types<caf::id_block::telemetry>(); }

outcome run(muster::manager& site, const plan& wanted, std::vector<source> sources, std::shared_ptr<store> kept_in,
            ledger& books) {
  outcome said;
  wiring around{wanted, std::move(sources), books};
  said.log = std::make_shared<restart_log>(std::vector<std::string>{"writer", "aggregator", "sensors"});
  {
    auto root = site.create_scope("telemetry",
                                  {.on_failure = wanted.core,
                                   .release_timeout = patience,
                                   .on_child = [log = said.log](const muster::child_event& e) { log->of_root(e); }});
    auto running = set_up(root, around, std::move(kept_in), said.log);
    if (running)
      root.execute("watch", [&](muster::context& ctx) { return watch(ctx, root, around, said); });
    else
      root.cancel("it could not be set up");
    const auto done = root.wait();
    if (!running)
      said.failure = running.error();
    else if (!done && site.cancelled() && done.error().is(muster::errc::cancelled))
      said.interrupted = true;
    else if (!done)
      said.failure = done.error();
    said.stats = root.stats();
  }
  return said;
}

} // namespace telemetry
