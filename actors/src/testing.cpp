/// The simulated clock with its conductor, the manager on it, and trying one seed after the other.
#include <muster/assert.hpp>
#include <muster/testing.hpp>

#include "conductor.hpp"
#include "manager_actor.hpp"
#include "trace_json.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace muster::testing {

namespace {

class simulated_clock final : public clock {
public:
  explicit simulated_clock(const runtime::conductor_options& options) : conductor_{options} {}

  [[nodiscard]] time_point now() const noexcept override { return conductor_.now(); }
  [[nodiscard]] bool is_manual() const noexcept override { return true; }
  [[nodiscard]] runtime::conductor* conductor() const noexcept override { return &conductor_; }

private:
  mutable runtime::conductor conductor_;
};

runtime::conductor_options conductor_of(const simulation_options& options) {
  return {.schedule = {.seed = options.seed,
                       .priority_changes = options.priority_changes.value_or(0),
                       .by_priority = options.priority_changes.has_value(),
                       .expected_steps = options.expected_steps},
          .max_steps = options.max_steps};
}

} // namespace

std::optional<std::uint64_t> seed_from_environment() {
  const char* text = std::getenv("MUSTER_SEED");
  if (text == nullptr || *text == '\0')
    return std::nullopt;
  std::uint64_t seed = 0;
  const char* end = text + std::strlen(text);
  const auto read = std::from_chars(text, end, seed);
  MUSTER_ASSERT(
      read.ec == std::errc{} && read.ptr == end,
      "the environment variable MUSTER_SEED is not a number: it takes the seed that a failed exploration named");
  return seed;
}

struct detail::simulated_time::impl {
  explicit impl(const simulation_options& options)
      : seed{options.seed}, clock{std::make_shared<simulated_clock>(conductor_of(options))}, start{clock->now()} {}

  [[nodiscard]] runtime::conductor& conductor() const noexcept { return *clock->conductor(); }

  const std::uint64_t seed;
  const std::shared_ptr<simulated_clock> clock;
  const time_point start;
};

detail::simulated_time::simulated_time(const simulation_options& options) : impl_{std::make_shared<impl>(options)} {
  impl_->conductor().begin();
}

detail::simulated_time::~simulated_time() { impl_->conductor().end(); }

simulation::simulation(simulation_options options)
    : detail::simulated_time{options}, manager{[&] {
        options.site.clock = impl_->clock;
        return std::move(options.site);
      }()} {
  impl_->conductor().on_stuck([this](const std::string& report) {
    actor()->cancel({cancel_kind::user, actor()->path(), report, manager::now()});
  });
}

simulation::~simulation() { impl_->conductor().expect_here(); }

void simulation::run_until(time_point t) {
  MUSTER_ASSERT(t >= now(),
                "time only goes forward: run_until takes a moment that has not passed; see simulation::now");
  impl_->conductor().rest(t);
}

void simulation::run_for(duration d) {
  MUSTER_ASSERT(d >= duration{}, "time only goes forward: run_for takes a span that is not negative");
  run_until(saturating_add(now(), d));
}

duration simulation::elapsed() const noexcept { return now() - impl_->start; }
std::uint64_t simulation::steps() const noexcept { return impl_->conductor().steps(); }
std::uint64_t simulation::seed() const noexcept { return impl_->seed; }
std::shared_ptr<muster::clock> simulation::clock() const noexcept { return impl_->clock; }

std::string simulation::trace() const {
  const auto& recorded = actor()->engine().trace();
  fmt::memory_buffer lines;
  for (const auto& e : recorded.snapshot())
    runtime::append_event_line(lines, recorded, e);
  return fmt::to_string(lines);
}

void simulation::begin_run() {
  impl_->conductor().expect_here();
  impl_->conductor().watch(true);
}

std::optional<error> simulation::end_run() {
  auto& conductor = impl_->conductor();
  conductor.rest(now());
  conductor.watch(false);
  auto report = conductor.take_report();
  if (!report)
    return std::nullopt;
  return error{errc::would_deadlock, std::move(*report)}.with_path(actor()->path());
}

exploration detail::explore(const explore_options& options,
                            const std::function<std::optional<std::string>(simulation&)>& run) {
  MUSTER_ASSERT(options.seeds > 0, "an exploration of no seeds would find nothing: give at least one");
  simulation_options each{
      .priority_changes = options.priority_changes, .max_steps = options.max_steps, .site = options.site};
  const auto only = seed_from_environment();
  exploration found;
  const auto try_seed = [&](std::uint64_t seed) {
    each.seed = seed;
    simulation sim{each};
    ++found.runs;
    std::optional<std::string> failure;
    try {
      failure = run(sim);
    } catch (const std::exception& e) {
      failure = fmt::format("the body threw: {}", e.what());
    } catch (...) {
      failure =
          "the body threw something that is no std::exception (a failed assertion of the test framework, perhaps)";
    }
    found.most_steps = std::max(found.most_steps, sim.steps());
    if (failure) {
      found.failing_seed = seed;
      found.failure = std::move(*failure);
      found.trace = sim.trace();
    }
    return !failure;
  };
  // Changes of priority are spread over as many steps as a run takes. That is found out in the same way each time, so
  // that a replay spreads them likewise.
  if (each.priority_changes) {
    each.priority_changes.reset();
    const bool ok = try_seed(options.first_seed);
    each.priority_changes = options.priority_changes;
    each.expected_steps = std::max<std::uint64_t>(found.most_steps, 1);
    if (ok || only.value_or(options.first_seed) != options.first_seed)
      found = {};
  }
  if (found.failing_seed) {
    // The first run was enough.
  } else if (only) {
    std::fprintf(stderr, "muster: exploring seed %llu alone, as MUSTER_SEED says\n",
                 static_cast<unsigned long long>(*only));
    static_cast<void>(try_seed(*only));
  } else {
    for (std::uint64_t i = 0; i != options.seeds && try_seed(options.first_seed + i); ++i) {}
  }
  if (found.failing_seed)
    std::fprintf(stderr, "muster: with seed %llu (run %llu): %s\nmuster: MUSTER_SEED=%llu replays this run\n",
                 static_cast<unsigned long long>(*found.failing_seed), static_cast<unsigned long long>(found.runs),
                 found.failure.c_str(), static_cast<unsigned long long>(*found.failing_seed));
  return found;
}

} // namespace muster::testing
