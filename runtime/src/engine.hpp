/// The engine: what runs actors. One clock, the control loop with its timers, the two lanes, the recorder, and the CAF
/// actor system (its own, or the application's).
///
/// Owner: the root manager; everything below it keeps the engine's memory alive, so that a late question to a handle is
/// harmless. Threads: every function from any thread, unless it says otherwise. Invariant: after `stop()` there are no
/// threads, nothing is queued, and what is still posted to the control loop runs on the poster's thread.
#pragma once

#include "caf_system.hpp"
#include "control_loop.hpp"
#include "lane.hpp"

#include <muster/log.hpp>
#include <muster/trace.hpp>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <string>

namespace muster::runtime {

struct engine_options {
  unsigned control_threads = 1;
  unsigned workers = 0; ///< 0: one for each processor
  unsigned max_workers = 256;
  unsigned max_threads = 0;
  std::shared_ptr<clock> time; ///< null: the real one
  trace_options trace;
  log_hook log;
};

class engine {
public:
  /// Starts threads. `system`: an actor system to live in, which must outlive `stop()`; null: makes its own.
  engine(engine_options options, caf::actor_system* system);
  ~engine(); ///< stop()
  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;

  [[nodiscard]] caf::actor_system& system() noexcept { return *system_; }
  /// Null once the engine has stopped: the system may be gone.
  [[nodiscard]] caf::actor_system* system_if_running() noexcept {
    return stopped_.load(std::memory_order_acquire) ? nullptr : system_;
  }
  [[nodiscard]] control_loop& control() noexcept { return control_; }
  [[nodiscard]] timers& due() noexcept { return control_.due(); }
  [[nodiscard]] time_point now() const noexcept { return control_.now(); }
  /// True if it lives in a simulation: what the machine says of threads means nothing there.
  [[nodiscard]] bool simulated() const noexcept { return control_.time()->conductor() != nullptr; }
  /// The lane of task bodies.
  [[nodiscard]] lane& work() noexcept { return work_; }
  /// The lane of every other kind of user code: releases, factories, callbacks, hooks, destructors of captures.
  [[nodiscard]] lane& service() noexcept { return service_; }
  [[nodiscard]] recorder& trace() noexcept { return trace_; }

  /// Records an event at the present moment; returns its sequence (0 when tracing is off).
  std::uint64_t record(event_kind kind, std::uint64_t subject, std::uint64_t cause = 0, std::int64_t value = 0,
                       std::uint32_t text = 0) noexcept;
  /// The same for one who has just read the clock.
  std::uint64_t record_at(time_point moment, event_kind kind, std::uint64_t subject, std::uint64_t cause = 0,
                          std::int64_t value = 0, std::uint32_t text = 0) noexcept {
    return trace_.record(kind, subject, moment.time_since_epoch().count(), cause, value, text);
  }
  /// The same with a text that is put into the string table first; nothing is interned when tracing is off.
  std::uint64_t record(event_kind kind, std::uint64_t subject, std::uint64_t cause, std::int64_t value,
                       std::string_view text) noexcept;

  /// Enters a thing among the living, as the event `created` tells of it. See recorder::born.
  [[nodiscard]] recorder::living born(trace_format::node kind, std::uint64_t id, std::uint64_t parent,
                                      std::string_view name, std::uint64_t created) noexcept;
  /// Has the trace written to a file of its own, because of something that `path` met with; the log says where it is.
  /// Does nothing while the trace has been written for the same reason lately. Any thread, also under locks.
  enum class keep_for : std::uint8_t { intensity_exceeded, unresponsive, stalled_shutdown };
  void keep_trace(keep_for why, std::string path);

  /// To be called after a supervisor, or a task with supervisors below it, has been marked as asked to stop, and before
  /// anybody may rely on that: whoever has found before that nothing above it was, has to look again.
  void stop_asked() noexcept { stops_asked_.fetch_add(1, std::memory_order_release); }
  /// How often that was said; from 1.
  [[nodiscard]] std::uint64_t stops_asked() const noexcept { return stops_asked_.load(std::memory_order_acquire); }

  /// Runs `job` on the service lane. What it throws is logged as coming from `who`.
  void serve(std::string who, std::move_only_function<void()> job);
  /// Hands a record to the log hook, if there is one, on the service lane.
  void log(log_kind what, std::string path, std::string text);

  /// Ends and joins all threads, and the actor system if it is the engine's own. Everything below must have ended.
  /// Idempotent; not from a thread of the engine.
  void stop() noexcept;

private:
  /// Exceptions that go on a control thread: to the service lane.
  class leftovers final : public disposal {
  public:
    explicit leftovers(engine& of) noexcept : engine_(of) {}
    void take(std::exception_ptr what) noexcept override;

  private:
    engine& engine_;
  };
  void call_log(log_record record) noexcept;
  void write_kept(keep_for why, std::string path) noexcept;

  const log_hook log_;
  recorder trace_;
  std::array<std::atomic<time_point>, 3> kept_{}; ///< when the trace was last written out, by keep_for
  std::unique_ptr<own_system> own_system_;
  caf::actor_system* system_;
  system_watch watch_; ///< of the application's
  leftovers leftovers_{*this};
  control_loop control_;
  lane service_;
  lane work_;
  std::atomic<bool> stopped_ = false;
  alignas(64) std::atomic<std::uint64_t> stops_asked_ = 1;
};

} // namespace muster::runtime
