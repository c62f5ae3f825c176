/// How the engine is put together and taken apart. The order of the members is the order of dependence: lanes go first,
/// the control loop after them (their last messages must still be handled), the actor system last.
#include "engine.hpp"

#include "block_store.hpp"
#include "fork_mark.hpp"

#include <muster/assert.hpp>

#include <algorithm>
#include <chrono>
#include <thread>

namespace muster::runtime {

namespace {

unsigned processors() noexcept { return std::max(1U, std::thread::hardware_concurrency()); }

/// In a simulation the same on every machine, so that a replay is one.
unsigned usual_workers(const clock& time) noexcept { return time.conductor() != nullptr ? 4 : processors(); }

/// A callable on the service lane; destroys itself when it has run.
class served final : public lane_item {
public:
  served(engine& owner, std::string who, std::move_only_function<void()> job)
      : owner_(owner), who_(std::move(who)), job_(std::move(job)) {}

private:
  void run_on_lane() noexcept override {
    std::unique_ptr<served> self{this};
    try {
      job_();
    } catch (const std::exception& e) {
      owner_.log(log_kind::callback_threw, who_, std::string{"a callback threw: "} + e.what());
    } catch (...) {
      owner_.log(log_kind::callback_threw, who_, "a callback threw something that is no std::exception");
    }
  }

  engine& owner_;
  std::string who_;
  std::move_only_function<void()> job_;
};

} // namespace

namespace {

/// How long a trace that was written out stands for what comes after it.
constexpr duration written_lately = std::chrono::seconds{10};

constexpr std::string_view word_for(engine::keep_for why) noexcept {
  switch (why) {
    case engine::keep_for::intensity_exceeded: return "intensity";
    case engine::keep_for::unresponsive: return "unresponsive";
    case engine::keep_for::stalled_shutdown: return "shutdown";
  }
  return "unknown";
}

trace_origin origin_of(const engine_options& options) {
  const auto& time = options.time ? options.time : real_clock();
  const bool simulated = time->conductor() != nullptr;
  const auto wall = std::chrono::system_clock::now().time_since_epoch() / std::chrono::nanoseconds{1};
  return {.clock_ns = time->now().time_since_epoch().count(),
          .wall_ns = simulated ? 0 : wall,
          .workers = options.workers ? options.workers : usual_workers(*time),
          .in_memory = simulated};
}

} // namespace

engine::engine(engine_options options, caf::actor_system* system)
    : log_(std::move(options.log)),
      trace_(options.trace, origin_of(options)),
      own_system_(system ? nullptr
                         : std::make_unique<own_system>(std::max(2U, processors()),
                                                        options.time ? options.time->conductor() : nullptr)),
      system_(system ? system : &own_system_->system()),
      watch_(system),
      control_(options.time ? options.time : real_clock(), options.control_threads, &leftovers_),
      service_(lane_options{.thread_name = "muster/cb",
                            .workers = 1,
                            .max_workers = 256,
                            .grows = growth::when_stuck,
                            .time = control_.time(),
                            .on_saturated = {},
                            .on_grown = {},
                            .on_shrunk = {}}),
      work_(lane_options{
        .thread_name = "muster/w",
        .workers = options.workers ? options.workers : usual_workers(*control_.time()),
        .max_workers = options.max_workers,
        .max_threads = options.max_threads,
        .grows = growth::when_blocked,
        .time = control_.time(),
        .on_saturated = [this](std::size_t ready) { record(event_kind::lane_saturated, 0, 0, std::int64_t(ready)); },
        .on_grown = [this](std::size_t workers) { record(event_kind::lane_grown, 0, 0, std::int64_t(workers)); },
        .on_shrunk = [this](std::size_t workers) { record(event_kind::lane_shrunk, 0, 0, std::int64_t(workers)); }}) {
  MUSTER_ASSERT(
      own_system_ || control_.time()->conductor() == nullptr,
      "a manager inside an actor system that exists already cannot be on the clock of a simulation: that system has "
      "threads and a time of its own");
  engine_begins();
  if (auto why = trace_.complaint(); !why.empty())
    log(log_kind::trace_in_memory, {}, "the trace is kept in memory that no other process sees: " + why);
  task_memory().user_came();
}

engine::~engine() { stop(); }

std::uint64_t engine::record(event_kind kind, std::uint64_t subject, std::uint64_t cause, std::int64_t value,
                             std::uint32_t text) noexcept {
  if (!trace_.enabled())
    return 0;
  return trace_.record(kind, subject, now().time_since_epoch().count(), cause, value, text);
}

std::uint64_t engine::record(event_kind kind, std::uint64_t subject, std::uint64_t cause, std::int64_t value,
                             std::string_view text) noexcept {
  if (!trace_.enabled())
    return 0;
  return record(kind, subject, cause, value, trace_.intern(text));
}

recorder::living engine::born(trace_format::node kind, std::uint64_t id, std::uint64_t parent, std::string_view name,
                              std::uint64_t created) noexcept {
  if (!trace_.enabled())
    return 0;
  return trace_.born(kind, id, parent, now().time_since_epoch().count(), trace_.intern(name), created);
}

void engine::keep_trace(keep_for why, std::string path) {
  // A simulation shall leave nothing behind.
  if (!trace_.enabled() || simulated() || stopped_.load(std::memory_order_acquire))
    return;
  const auto at = now();
  auto& last = kept_[static_cast<std::size_t>(why)];
  auto before = last.load();
  if ((before != time_point{} && at - before < written_lately) || !last.compare_exchange_strong(before, at))
    return;
  serve(path, [this, why, path] { write_kept(why, path); });
}

void engine::write_kept(keep_for why, std::string path) noexcept {
  try {
    const auto file = trace_.keep(word_for(why));
    log(file ? log_kind::trace_written : log_kind::trace_not_written, std::move(path),
        file ? "the trace was written to " + file->string()
             : "the trace could not be written: " + file.error().message());
  } catch (...) {
    // Without memory it is not written.
  }
}

void engine::serve(std::string who, std::move_only_function<void()> job) {
  service_.push(*new served(*this, std::move(who), std::move(job)));
}

void engine::leftovers::take(std::exception_ptr what) noexcept {
  class last_of_it final : public lane_item {
  public:
    explicit last_of_it(std::exception_ptr it) noexcept : it_(std::move(it)) {}

  private:
    void run_on_lane() noexcept override { delete this; }
    std::exception_ptr it_;
  };
  // Without memory for it there is nothing better than to let go of it here.
  if (auto* item = new (std::nothrow) last_of_it{std::move(what)})
    engine_.service().push(*item);
}

void engine::call_log(log_record record) noexcept {
  try {
    log_(record);
  } catch (...) {
    // A log hook that throws has nobody to tell.
  }
}

void engine::log(log_kind what, std::string path, std::string text) {
  if (!log_ || stopped_.load(std::memory_order_acquire))
    return;
  serve({}, [this, record = log_record{severity_of(what), what, now(), std::move(path), std::move(text)}]() mutable {
    call_log(std::move(record));
  });
}

void engine::stop() noexcept {
  if (stopped_.exchange(true, std::memory_order_acq_rel))
    return;
  work_.stop();
  service_.stop();
  control_.stop();
  control_.due().clear(); // what is armed still keeps its owner, and so this engine, alive
  watch_.end();
  if (own_system_)
    own_system_->settle();
  own_system_.reset();
  trace_.close();
  task_memory().user_left();
  engine_ended();
}

} // namespace muster::runtime
