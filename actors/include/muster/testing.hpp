/// Deterministic tests of whatever is built on Muster: time that jumps, and schedules that can be replayed.
///
/// A simulation is a manager of which everything (supervision, timers, bodies, callbacks, CAF actors) runs one step at
/// a time, in an order drawn from a seed, on a clock that jumps to the next moment at which something is due whenever
/// nobody can go on. The same seed gives the same run, event for event; other seeds give other interleavings.
///
/// Owner: the test. Threads: the one that made the simulation, which is "the simulation's own thread"; bodies run on
/// threads of the library, one at a time. While that thread is inside a call of Muster others may run; otherwise they
/// stand still. Inside a simulation nothing may sleep or wait in real time, nor may other threads call in: both assert,
/// and the sentence says what to use instead.
#pragma once

#include <muster/api.hpp>
#include <muster/muster.hpp>

#include <concepts>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>

MUSTER_API_BEGIN

namespace muster::testing {

/// The seed in the environment variable MUSTER_SEED. Nothing if there is none; one that is no number asserts.
[[nodiscard]] std::optional<std::uint64_t> seed_from_environment();

/// What a simulation is like.
struct simulation_options {
  /// Of the order in which things happen. MUSTER_SEED, if it is set, is the default.
  std::uint64_t seed = seed_from_environment().value_or(1);
  /// Without it the schedule is a random walk: whoever is ready runs next with the same chance. With it, the priorities
  /// of all that can run are random and change so many times (probabilistic concurrency testing, Burckhardt et al.,
  /// ASPLOS 2010): a bug that needs d ordering decisions shows in one run with `d - 1` changes with a probability of at
  /// least 1 / (n k^(d-1)), for n things that ran (bodies, messages, timers) and `expected_steps` k.
  std::optional<unsigned> priority_changes{};
  /// How long a run is thought to be, for `priority_changes`.
  std::uint64_t expected_steps = 1'000;
  /// A run of more steps is reported as one that goes round in circles.
  std::uint64_t max_steps = 1'000'000;
  /// Of the manager. `clock` is replaced; `workers` means bodies that are under way at the same time (default: 4).
  manager_options site = {.name = "site"};
};

namespace detail {

/// The simulated time, which has to be there before the manager and after it.
class simulated_time {
protected:
  explicit simulated_time(const simulation_options& options);
  ~simulated_time();
  simulated_time(const simulated_time&) = delete;
  simulated_time& operator=(const simulated_time&) = delete;

  struct MUSTER_INSIDE impl;
  std::shared_ptr<impl> impl_;
};

template <class Body, class... Args>
using body_result = std::invoke_result_t<Body&, Args...>;

template <class T>
struct as_result {
  using type = result<T>;
};
template <class T>
struct as_result<result<T>> {
  using type = result<T>;
};

} // namespace detail

/// A manager in simulated time. See the top of this file.
class simulation : private detail::simulated_time, public manager {
public:
  /// One with this seed.
  explicit simulation(std::uint64_t seed) : simulation(simulation_options{.seed = seed}) {}
  /// One with everything that can be said about it. Two at the same time in one thread are misuse (it asserts).
  explicit simulation(simulation_options options = {});
  /// Cancels and joins what is left, as a manager does. By the thread that made it.
  ~simulation();

  /// Runs `body(*this)` (or `body()`) on this thread; when it has returned, lets the others run until nobody can
  /// without time going on. What the body returns, as a result; what it throws goes on to the caller. If meanwhile
  /// nobody could go on and nothing was due although somebody waited, or `max_steps` were passed, then that:
  /// errc::would_deadlock, with everybody who waited, for what, since when, by path in the message. (To end such a run
  /// the manager is cancelled with this text; waits that do not end even then return errc::would_deadlock; if one of
  /// those cannot fail, it asserts.)
  template <class Body>
    requires std::invocable<Body&, simulation&> || std::invocable<Body&>
  auto run(Body&& body) {
    if constexpr (std::invocable<Body&, simulation&>)
      return run_as<detail::body_result<Body, simulation&>>([&] { return body(*this); });
    else
      return run_as<detail::body_result<Body>>([&] { return body(); });
  }

  /// Lets everybody run, and time go on, up to `t`: on return it is `t`, what was due by then has happened, and nobody
  /// can go on without time doing so. A moment that has passed is misuse (it asserts). From the simulation's own
  /// thread.
  void run_until(time_point t);
  /// The same up to `d` from now.
  void run_for(duration d);

  /// The simulated time; it begins an hour after the clock's zero.
  [[nodiscard]] time_point now() const noexcept { return manager::now(); }
  /// How much of it has passed since the beginning.
  [[nodiscard]] duration elapsed() const noexcept;
  /// How many steps have been taken: how often it was decided who goes on.
  [[nodiscard]] std::uint64_t steps() const noexcept;
  /// The seed of this run.
  [[nodiscard]] std::uint64_t seed() const noexcept;
  /// Everything that was recorded so far, oldest first, a line of JSON for each event. Two runs of one seed give the
  /// same bytes. Empty if tracing is off.
  [[nodiscard]] std::string trace() const;
  /// The clock. A manager that is given it, on this thread, is part of the simulation.
  [[nodiscard]] std::shared_ptr<muster::clock> clock() const noexcept;

private:
  template <class R, class Call>
  typename detail::as_result<R>::type run_as(Call call) {
    // What is watched ends with the body, however that ends; what went wrong in the schedule comes before what it says.
    const auto finish = [this] { return end_run(); };
    begin_run();
    std::exception_ptr thrown;
    std::optional<typename detail::as_result<R>::type> said;
    try {
      if constexpr (std::is_void_v<R>) {
        call();
        said.emplace();
      } else {
        said.emplace(call());
      }
    } catch (...) {
      thrown = std::current_exception();
    }
    if (auto stuck = finish())
      return std::unexpected{std::move(*stuck)};
    if (thrown)
      std::rethrow_exception(thrown);
    return std::move(*said);
  }
  void begin_run();
  [[nodiscard]] std::optional<error> end_run();
};

/// How many seeds, and what the simulations are like.
struct explore_options {
  std::uint64_t seeds = 1'000; ///< how many are tried
  std::uint64_t first_seed = 1; ///< then the next ones
  std::optional<unsigned> priority_changes{}; ///< see simulation_options; the expected steps are taken from a first run
  std::uint64_t max_steps = 1'000'000;       ///< see simulation_options
  manager_options site = {.name = "site"};    ///< of the manager of each run
};

/// What an exploration found.
struct exploration {
  std::uint64_t runs = 0;                       ///< how many seeds were tried
  std::uint64_t most_steps = 0;                ///< of one run
  std::optional<std::uint64_t> failing_seed{}; ///< the first; nothing: no run failed
  std::string failure{};                       ///< what was wrong
  std::string trace{};                         ///< of the failing run, as simulation::trace gives it
  /// @{
  /// True if no run failed.
  [[nodiscard]] bool ok() const noexcept { return !failing_seed; }
  explicit operator bool() const noexcept { return ok(); }
  /// @}
};

namespace detail {

[[nodiscard]] exploration explore(const explore_options& options,
                                  const std::function<std::optional<std::string>(simulation&)>& run);

template <class T>
std::optional<std::string> failure_in(const result<T>& said) {
  if (!said)
    return to_string(said.error());
  if constexpr (std::same_as<T, bool>)
    if (!*said)
      return "the body returned false";
  return std::nullopt;
}

} // namespace detail

/// Runs `body` in a simulation for each of so many seeds, until one run fails: the body threw, returned an error or
/// `false`, somebody waited and nobody could go on, or it went round in circles. The seed and what was wrong are then
/// written to stderr and returned. With MUSTER_SEED=n in the environment only the run of that seed takes place: exactly
/// the one that was reported.
template <class Body>
  requires std::invocable<Body&, simulation&> || std::invocable<Body&>
[[nodiscard]] exploration explore(explore_options options, Body body) {
  return detail::explore(options, [&](simulation& sim) { return detail::failure_in(sim.run(body)); });
}
/// The same with so many seeds, and the rest as it is by default.
template <class Body>
  requires std::invocable<Body&, simulation&> || std::invocable<Body&>
[[nodiscard]] exploration explore(std::uint64_t seeds, Body body) {
  return explore(explore_options{.seeds = seeds}, std::move(body));
}

} // namespace muster::testing

MUSTER_API_END
