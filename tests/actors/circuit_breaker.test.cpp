// Circuit breakers at work: calls through them from bodies and from outside, their timers, permits, callback and
// errors.
#include "support.hpp"

#include "misuse.hpp"

#include "manager_actor.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <stdexcept>
#include <vector>

#include <unistd.h>

using namespace support;
using muster::breaker_options;
using muster::breaker_permit;
using muster::breaker_state;
using muster::circuit_breaker;
using muster::consecutive_failures;
using muster::count_window;

namespace {

muster::result<int> down() { return std::unexpected{muster::error{std::errc::connection_refused, "nobody there"}}; }
muster::result<int> up() { return 7; }

/// Fails until it is open; the errors are those of `down`.
void open_with_failures(circuit_breaker& b, int failures) {
  for (int i = 0; i < failures; ++i)
    static_cast<void>(b.execute(down));
}

/// Runs `body` in a task of its own and returns how that ended.
template <class F>
auto in_task(muster::manager& site, F body) {
  auto crew = site.create_scope("crew");
  auto t = crew.execute("caller", std::move(body));
  static_cast<void>(crew.wait());
  return std::move(t).get().as_result();
}

} // namespace

TEST_CASE("a breaker opens after so many failures and then fails fast without calling") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  circuit_breaker payments{site, 5, 30s};
  int called = 0;
  for (int i = 0; i < 5; ++i) {
    CHECK(payments.state() == breaker_state::closed);
    const auto got = payments.execute([&] {
      ++called;
      return down();
    });
    CHECK(error_of(got).message() == "nobody there");
  }
  CHECK(payments.state() == breaker_state::open);
  clock->advance(10s);
  const auto refused = error_of(payments.execute([&] { ++called; }));
  CHECK(called == 5);
  CHECK(refused.code() == errc::breaker_open);
  CHECK(refused.is(std::errc::resource_unavailable_try_again));
  CHECK(muster::retry_after(refused) == muster::duration{20s});
  CHECK(refused.message() ==
        "circuit breaker breaker is open (5 failures in a row; the last failure: nobody there): "
        "try again in 20s");
  CHECK(payments.stats().failed == 5);
  CHECK(payments.stats().refused == 1);
  CHECK(payments.stats().opened == 1);
}

TEST_CASE("after its time exactly one probe goes through and its success closes the breaker") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  circuit_breaker b{site, 1, 30s};
  open_with_failures(b, 1);
  clock->advance(30s - 1ns);
  CHECK(error_of(b.execute(up)).code() == errc::breaker_open);
  clock->advance(1ns);
  CHECK(b.state() == breaker_state::half_open);
  const auto probe = b.execute([&]() -> muster::result<int> {
    const auto second = error_of(b.execute(up)); // beside the probe
    CHECK(second.code() == errc::breaker_open);
    CHECK_FALSE(muster::retry_after(second).has_value());
    CHECK(contains(second.message(), "half-open"));
    return 3;
  });
  CHECK(probe == 3);
  CHECK(b.state() == breaker_state::closed);
  CHECK(b.execute(up) == 7);
}

TEST_CASE("a failed probe opens again and the open time grows") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  circuit_breaker b{site, {.opens_on = consecutive_failures{1}, .open_for = 10s, .open_growth = 2, .open_most = 30s}};
  open_with_failures(b, 1);
  for (const auto d : {10s, 20s, 30s, 30s}) {
    CHECK(muster::retry_after(error_of(b.execute(up))) == muster::duration{d});
    clock->advance(d);
    open_with_failures(b, 1);
  }
  CHECK(b.stats().opened == 5);
}

TEST_CASE("values, results, nothing and exceptions come through a breaker as they are") {
  muster::manager site{standing_still()};
  circuit_breaker b{site, 3, 30s};
  CHECK(b.execute([] { return std::string{"value"}; }) == "value");
  CHECK(b.execute([]() -> muster::result<std::string> { return "result"; }) == "result");
  static_assert(std::is_same_v<decltype(b.execute([] {})), muster::result<void>>);
  CHECK(b.execute([] {}));
  CHECK(b.execute([]() -> muster::result<void> { return {}; }));
  CHECK(*b.execute([] { return std::make_unique<int>(4); }).value() == 4);
  CHECK(b.execute([]() -> std::expected<int, std::error_code> { return 5; }) == 5);
  CHECK(b.stats().succeeded == 6);
  const auto coded = b.execute([]() -> std::expected<int, std::error_code> {
    return std::unexpected{std::make_error_code(std::errc::io_error)};
  });
  CHECK(error_of(coded).code() == std::errc::io_error);
  const auto thrown = error_of(b.execute([]() -> int { throw std::out_of_range{"beyond"}; }));
  REQUIRE(thrown.as<std::out_of_range>() != nullptr);
  CHECK(thrown.as<std::out_of_range>()->what() == std::string{"beyond"});
  CHECK(b.stats().failed == 2);
}

TEST_CASE("in a body the function may take the context and the refusal has the path of the task") {
  muster::manager site{standing_still()};
  circuit_breaker b{site, 1, 30s};
  const auto path = in_task(site, [&](context& ctx) { return b.execute(ctx, [](context& c) { return c.path(); }); });
  CHECK(path == "site/crew/caller");
  const auto thrown =
      in_task(site, [&](context& ctx) { return b.execute(ctx, []() -> int { throw std::runtime_error{"broken"}; }); });
  CHECK(error_of(thrown).path() == "site/crew/caller");
  const auto refused = in_task(site, [&](context& ctx) { return b.execute(ctx, up); });
  CHECK(error_of(refused).code() == errc::breaker_open);
  CHECK(error_of(refused).path() == "site/crew/caller");
}

TEST_CASE("a breaker may be made in a scope and has its name there") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  circuit_breaker b{crew, {.name = "payments", .opens_on = consecutive_failures{1}}};
  CHECK(b.path() == "site/crew/payments");
  CHECK(b.name() == "payments");
  open_with_failures(b, 1);
  CHECK(contains(error_of(b.execute(up)).message(), "circuit breaker payments is open"));
}

TEST_CASE("a cancelled caller counts neither as success nor as failure") {
  muster::manager site{standing_still()};
  circuit_breaker b{site, 1, 30s};
  auto crew = site.create_scope("crew");
  auto caller = crew.execute("caller", [&](context& ctx) { return b.execute(ctx, stays); });
  await_start(caller);
  crew.cancel();
  CHECK_FALSE(crew.wait());
  CHECK(caller.get().cancelled());
  CHECK(b.state() == breaker_state::closed);
  CHECK(b.stats().ignored == 1);
  CHECK(b.stats().failed == 0);
}

TEST_CASE("a cancellation that the caller was not asked for is a failure like any other") {
  muster::manager site{standing_still()};
  circuit_breaker b{site, 1, 30s};
  static_cast<void>(in_task(site, [&](context& ctx) {
    return b.execute(ctx, []() -> muster::result<int> {
      return std::unexpected{muster::error{std::errc::operation_canceled, "the server did"}};
    });
  }));
  CHECK(b.state() == breaker_state::open);
}

TEST_CASE("a task's own timeout in a call counts as a failure of what hangs") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  circuit_breaker b{site, 1, 30s};
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
  auto caller = crew.execute({.name = "caller", .timeout = 2s}, [&](context& ctx) { return b.execute(ctx, stays); });
  await([&] { return waits(crew.tree(), "caller"); });
  clock->advance(2s);
  CHECK_FALSE(crew.wait());
  CHECK(caller.get().timed_out());
  CHECK(b.state() == breaker_state::open);
}

TEST_CASE("a cancelled probe gives its place back and the next probe decides") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  circuit_breaker b{site, 1, 30s};
  open_with_failures(b, 1);
  clock->advance(30s);
  auto crew = site.create_scope("crew");
  auto probe = crew.execute("probe", [&](context& ctx) { return b.execute(ctx, stays); });
  await([&] { return waits(crew.tree(), "probe"); });
  CHECK(error_of(b.execute(up)).code() == errc::breaker_open);
  probe.cancel();
  CHECK(probe.get().cancelled());
  CHECK(b.state() == breaker_state::half_open);
  CHECK(b.execute(up) == 7);
  CHECK(b.state() == breaker_state::closed);
}

TEST_CASE("which errors count is the caller's choice and the others are successes") {
  muster::manager site{standing_still()};
  circuit_breaker b{site, {.opens_on = consecutive_failures{2}, .counts_as_failure = [](const muster::error& e) {
                             return e.code() == std::errc::connection_refused;
                           }}};
  open_with_failures(b, 1);
  const auto other = b.execute([]() -> muster::result<int> {
    return std::unexpected{muster::error{std::errc::no_such_file_or_directory, "not found"}};
  });
  CHECK(error_of(other).message() == "not found");
  open_with_failures(b, 1);
  CHECK(b.state() == breaker_state::closed);
  CHECK(b.stats().succeeded == 1);
  open_with_failures(b, 1);
  CHECK(b.state() == breaker_state::open);
}

TEST_CASE("a choice that throws is a failure and goes to the log") {
  journal log;
  muster::manager site{
      on(still_clock(), {.log = [&](const muster::log_record& r) { log.write(r.path + ": " + r.text); }})};
  circuit_breaker b{site, {.opens_on = consecutive_failures{1}, .counts_as_failure = [](const muster::error&) -> bool {
                             throw std::runtime_error{"no idea"};
                           }}};
  open_with_failures(b, 1);
  CHECK(b.state() == breaker_state::open);
  await([&] { return log.size() == 1; });
  CHECK(log.lines() == lines{"site/breaker: counts_as_failure threw: no idea"});
}

TEST_CASE("slow calls open a breaker though they succeed") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  circuit_breaker b{site, {.opens_on = count_window{.calls = 4, .minimum = 2, .slow_rate = 0.5}, .slow_after = 1s}};
  CHECK(b.execute(up));
  CHECK(b.execute([&] { clock->advance(1s); }));
  CHECK(b.state() == breaker_state::open);
  CHECK(b.stats().slow == 1);
  CHECK(b.stats().succeeded == 2);
  CHECK(contains(error_of(b.execute(up)).message(), "1 of the last 2 calls were slow"));
}

TEST_CASE("with failures in a row a slow success is one of them") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  circuit_breaker b{site, {.opens_on = consecutive_failures{2}, .slow_after = 1s}};
  CHECK(b.execute([&] { clock->advance(1s); }));
  CHECK(b.execute([&] { clock->advance(1s); }));
  CHECK(b.state() == breaker_state::open);
}

TEST_CASE("a call that hangs opens the breaker before it returns and its result is late") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  journal changes;
  circuit_breaker b{site,
                    {.opens_on = consecutive_failures{1},
                     .overdue_after = 5s,
                     .on_state_change = [&](const muster::breaker_change& c) { changes.write(c.why); }}};
  gate held;
  auto crew = site.create_scope("crew");
  const let_go at_end{held};
  gate inside;
  auto hangs = crew.execute("hangs", [&](context& ctx) {
    return b.execute(ctx, [&] {
      inside.open();
      held.wait();
      return 1;
    });
  });
  inside.wait();
  clock->advance(5s - 1ns);
  CHECK(b.state() == breaker_state::closed);
  clock->advance(1ns);
  await([&] { return changes.size() == 1; }); // by its timer: nobody has asked
  CHECK(b.state() == breaker_state::open);
  CHECK(b.stats().overdue == 1);
  CHECK(b.stats().failed == 1);
  held.open();
  CHECK(crew.wait());
  CHECK(hangs.get().value() == 1); // what it returns is its own business
  CHECK(b.stats().late == 1);
  CHECK(b.stats().succeeded == 0);
  CHECK(b.state() == breaker_state::open);
}

TEST_CASE("a result of an earlier generation changes nothing") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  circuit_breaker b{site, 1, 30s};
  CHECK(b.execute([&] { open_with_failures(b, 1); })); // opened while this call was on its way
  CHECK(b.state() == breaker_state::open);
  CHECK(b.stats().late == 1);
  clock->advance(30s);
  CHECK(b.execute(up));
  CHECK(b.state() == breaker_state::closed);
  CHECK_FALSE(b.execute([&]() -> muster::result<int> {
    b.reset();
    return down();
  }));
  CHECK(b.state() == breaker_state::closed);
  CHECK(b.stats().late == 2);
}

TEST_CASE("forced open it refuses without a moment until it is reset") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  circuit_breaker b{site, 1, 30s};
  b.force_open();
  b.force_open();
  clock->advance(1000h);
  const auto refused = error_of(b.execute(up));
  CHECK(refused.code() == errc::breaker_open);
  CHECK_FALSE(muster::retry_after(refused).has_value());
  CHECK(refused.message() == "circuit breaker breaker is open (it was forced open)");
  CHECK(b.stats().retry_at == muster::never);
  b.reset();
  CHECK(b.execute(up) == 7);
  CHECK(b.stats().opened == 1);
}

// -- permits ----------------------------------------------------------------------------------------------------------

TEST_CASE("a permit reports by hand") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  circuit_breaker b{site, 2, 30s};
  CHECK(in_task(site, [&](context& ctx) -> muster::result<void> {
    for (int i = 0; i < 2; ++i) {
      auto p = b.try_acquire(ctx);
      if (!p)
        return std::unexpected{p.error()};
      p->failure(muster::error{errc::exception, "by hand"});
    }
    return {};
  }));
  CHECK(b.state() == breaker_state::open);
  clock->advance(30s);
  CHECK(in_task(site, [&](context& ctx) -> muster::result<void> {
    auto p = b.try_acquire(ctx);
    if (!p)
      return std::unexpected{p.error()};
    if (b.try_acquire(ctx))
      return std::unexpected{muster::error{errc::exception, "two probes"}};
    p->ignore();
    p = b.try_acquire(ctx);
    if (!p)
      return std::unexpected{p.error()};
    breaker_permit moved = std::move(*p);
    moved.success();
    return {};
  }));
  CHECK(b.state() == breaker_state::closed);
  CHECK(b.stats().ignored == 1);
  CHECK(b.stats().reclaimed == 0);
}

TEST_CASE("a permit that is dropped without a report counts as neither") {
  muster::manager site{standing_still()};
  circuit_breaker b{site, 1, 30s};
  const auto thrown = in_task(site, [&](context& ctx) -> muster::result<void> {
    auto p = b.try_acquire(ctx);
    throw std::runtime_error{"on the way"};
  });
  CHECK_FALSE(thrown);
  CHECK(b.state() == breaker_state::closed);
  CHECK(b.stats().ignored == 1);
  CHECK(b.stats().reclaimed == 0);
}

TEST_CASE("a permit whose task ended without a report is taken back and counted and noted with the task's path") {
  const auto clock = still_clock();
  journal log;
  muster::manager site{on(clock, {.log = [&](const muster::log_record& r) { log.write(r.path + ": " + r.text); }})};
  circuit_breaker b{site, 1, 30s};
  open_with_failures(b, 1);
  clock->advance(30s);
  std::optional<breaker_permit> leaked;
  CHECK(in_task(site, [&](context& ctx) -> muster::result<void> {
    auto p = b.try_acquire(ctx);
    if (!p)
      return std::unexpected{p.error()};
    leaked.emplace(std::move(*p));
    return {};
  }));
  CHECK(b.stats().reclaimed == 1);
  CHECK(b.state() == breaker_state::half_open);
  await([&] { return log.size() == 1; });
  CHECK(log.lines() ==
        lines{"site/crew/caller: ended without reporting on its permit of circuit breaker site/breaker"});
  CHECK(b.execute(up) == 7); // the place was free
  CHECK(b.state() == breaker_state::closed);
  leaked->failure(muster::error{errc::exception, "too late"}); // changes nothing
  CHECK(b.state() == breaker_state::closed);
  CHECK(b.stats().reclaimed == 1);
  CHECK(b.stats().late == 0);
}

TEST_CASE("permits captured by a body go with it and are not reclaimed") {
  muster::manager site{standing_still()};
  circuit_breaker b{site, 1, 30s};
  CHECK(in_task(site, [&, mine = std::optional<breaker_permit>{}](context& ctx) mutable -> muster::result<void> {
    auto p = b.try_acquire(ctx);
    if (!p)
      return std::unexpected{p.error()};
    mine.emplace(std::move(*p));
    return {};
  }));
  CHECK(b.stats().ignored == 1);
  CHECK(b.stats().reclaimed == 0);
}

TEST_CASE("permits reported on other threads while their tasks end are counted once each") {
  muster::manager site{on(still_clock(), {.workers = 4})};
  circuit_breaker b{site, {.opens_on = count_window{.calls = 10, .minimum = 10}}};
  constexpr int rounds = 300;
  for (int i = 0; i < rounds; ++i) {
    auto crew = site.create_scope("crew");
    std::optional<breaker_permit> handed_over;
    gate over;
    std::thread other{[&] {
      over.wait();
      handed_over->success();
    }};
    crew.execute("caller", [&](context& ctx) {
      auto p = b.try_acquire(ctx);
      handed_over.emplace(std::move(p).value());
      over.open();
    });
    CHECK(crew.wait());
    other.join();
  }
  const auto s = b.stats();
  CHECK(s.succeeded + s.reclaimed == rounds);
  CHECK(s.late == 0);
}

TEST_CASE("a permit may outlive its breaker and its manager") {
  std::optional<breaker_permit> leaked;
  std::optional<breaker_permit> kept;
  {
    muster::manager site{standing_still()};
    auto crew = site.create_scope("crew");
    circuit_breaker b{site, {.opens_on = count_window{}, .overdue_after = 1h}};
    crew.execute("caller", [&](context& ctx) { leaked.emplace(b.try_acquire(ctx).value()); });
    CHECK(crew.wait());
  }
  leaked->success();
}

TEST_CASE("a breaker may outlive its manager and is of use without it") {
  std::optional<circuit_breaker> b;
  std::atomic<int> told = 0;
  {
    muster::manager site{standing_still()};
    b.emplace(site, breaker_options{.opens_on = consecutive_failures{1},
                                    .on_state_change = [&](const muster::breaker_change&) { told.fetch_add(1); }});
  }
  open_with_failures(*b, 1);
  CHECK(b->state() == breaker_state::open);
  CHECK(error_of(b->execute(up)).code() == errc::breaker_open);
  b->reset();
  CHECK(b->execute(up) == 7);
  CHECK(told == 2);
}

// -- the callback -----------------------------------------------------------------------------------------------------

TEST_CASE("every change of state is told in order and at its moment") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  journal told;
  const auto start = clock->now();
  circuit_breaker b{
      site,
      {.opens_on = consecutive_failures{1}, .open_for = 30s, .on_state_change = [&](const muster::breaker_change& c) {
         told.write(std::string{to_string(c.from)} + " to " + std::string{to_string(c.to)} + " at " +
                    std::to_string((c.at - start) / 1s) + ": " + c.why);
       }}};
  clock->advance(1s);
  open_with_failures(b, 1);
  clock->advance(100s); // half-open on the way, by its timer
  CHECK(b.execute(up));
  b.force_open();
  b.reset();
  await([&] { return told.size() == 5; });
  CHECK(told.lines() == lines{"closed to open at 1: 1 failure", "open to half-open at 31: its open time is over",
                              "half-open to closed at 101: 1 probe succeeded",
                              "closed to open at 101: it was forced open", "open to closed at 101: it was reset"});
}

TEST_CASE("a breaker may be used from its own callback") {
  muster::manager site{standing_still()};
  journal told;
  std::unique_ptr<circuit_breaker> b;
  b = std::make_unique<circuit_breaker>(
      site,
      breaker_options{.opens_on = consecutive_failures{1}, .on_state_change = [&](const muster::breaker_change& c) {
                        if (c.to != breaker_state::open)
                          return told.write("closed");
                        told.write(std::string{error_of(b->execute(up)).code().message()});
                        b->reset();
                        told.write(std::to_string(b->execute(up).value()));
                      }});
  open_with_failures(*b, 1);
  await([&] { return told.size() == 3; });
  CHECK(told.lines() == lines{"breaker open", "7", "closed"});
}

TEST_CASE("what a callback throws goes to the log and the next change is told") {
  journal log;
  muster::manager site{
      on(still_clock(), {.log = [&](const muster::log_record& r) { log.write(r.path + ": " + r.text); }})};
  circuit_breaker b{site, {.opens_on = consecutive_failures{1}, .on_state_change = [](const muster::breaker_change& c) {
                             throw std::runtime_error{c.why};
                           }}};
  b.force_open();
  b.reset();
  await([&] { return log.size() == 2; });
  auto all = log.lines();
  std::sort(all.begin(), all.end());
  CHECK(all == lines{"site/breaker: on_state_change threw: it was forced open",
                     "site/breaker: on_state_change threw: it was reset"});
}

TEST_CASE("the destructor waits for a running callback and lets no other begin") {
  muster::manager site{standing_still()};
  std::atomic<int> inside = 0;
  std::atomic<int> calls = 0;
  for (int round = 0; round < 50; ++round) {
    gate begun;
    {
      circuit_breaker b{site,
                        {.opens_on = consecutive_failures{1}, .on_state_change = [&](const muster::breaker_change&) {
                           inside.fetch_add(1);
                           calls.fetch_add(1);
                           begun.open();
                           std::this_thread::yield();
                           inside.fetch_sub(1);
                         }}};
      b.force_open();
      begun.wait();
      b.reset();
    }
    CHECK(inside == 0);
  }
  CHECK(calls >= 50);
}

TEST_CASE("a breaker may be destroyed by its own callback") {
  muster::manager site{standing_still()};
  gate gone;
  auto b = std::make_unique<circuit_breaker*>();
  auto* const breaker = new circuit_breaker{
      site, {.opens_on = consecutive_failures{1}, .on_state_change = [&](const muster::breaker_change&) {
               delete *b;
               gone.open();
             }}};
  *b = breaker;
  breaker->force_open();
  gone.wait();
}

// -- the rest ---------------------------------------------------------------------------------------------------------

TEST_CASE("many threads on the closed path all pass and each is counted once") {
  muster::manager site{standing_still()};
  circuit_breaker b{site, 1'000'000, 30s};
  constexpr int threads = 8;
  constexpr int calls = 5000;
  std::vector<std::thread> all;
  std::atomic<int> made = 0;
  for (int t = 0; t < threads; ++t)
    all.emplace_back([&, t] {
      for (int i = 0; i < calls; ++i)
        if (i % 50 == t) {
          static_cast<void>(b.execute(down));
        } else {
          static_cast<void>(b.execute([&] { made.fetch_add(1, std::memory_order_relaxed); }));
        }
    });
  for (auto& t : all)
    t.join();
  const auto s = b.stats();
  CHECK(s.succeeded == threads * (calls - calls / 50));
  CHECK(made == threads * (calls - calls / 50));
  CHECK(s.failed == threads * (calls / 50));
  CHECK(s.refused + s.late + s.ignored == 0);
}

TEST_CASE("in half-open many threads never have more probes on their way than permitted") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  circuit_breaker b{site, {.opens_on = consecutive_failures{1}, .open_for = 1s, .probes = 2, .successes = 1'000'000}};
  open_with_failures(b, 1);
  clock->advance(1s);
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  std::vector<std::thread> all;
  for (int t = 0; t < 8; ++t)
    all.emplace_back([&] {
      for (int i = 0; i < 2000; ++i)
        static_cast<void>(b.execute([&] {
          const int now = inside.fetch_add(1) + 1;
          int seen = most.load();
          while (seen < now && !most.compare_exchange_weak(seen, now))
            continue;
          std::this_thread::yield();
          inside.fetch_sub(1);
        }));
    });
  for (auto& t : all)
    t.join();
  CHECK(most <= 2);
  const auto s = b.stats();
  CHECK(s.succeeded + s.refused == 8 * 2000);
}

TEST_CASE("threads that open and close a breaker at the same time lose no call") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  circuit_breaker b{site, 3, 1s};
  std::vector<std::thread> all;
  std::atomic<int> running = 6;
  for (int t = 0; t < 6; ++t)
    all.emplace_back([&, t] {
      for (int i = 0; i < 3000; ++i)
        static_cast<void>((i + t) % 3 ? b.execute(down) : b.execute(up));
      running.fetch_sub(1);
    });
  while (running > 0)
    clock->advance(1s);
  for (auto& t : all)
    t.join();
  const auto s = b.stats();
  CHECK(s.succeeded + s.failed + s.late + s.refused == 6 * 3000);
  CHECK(s.opened > 0);
}

TEST_CASE("a breaker's life is in the trace with its causes") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  circuit_breaker b{site, 1, 30s};
  open_with_failures(b, 1);
  static_cast<void>(b.execute(up));
  clock->advance(30s);
  CHECK(b.execute(up));
  b.reset();
  lines kinds;
  for (const auto& e : site.actor()->engine().trace().snapshot())
    if (const std::string kind{to_string(e.kind)}; kind.starts_with("breaker_"))
      kinds.push_back(kind);
  CHECK(kinds == lines{"breaker_created", "breaker_opened", "breaker_refused", "breaker_half_opened", "breaker_closed",
                       "breaker_reset"});
}

TEST_CASE("executing on an empty function and reporting twice are misuse") {
  CHECK(contains(assertion_of([] {
                   muster::manager site{standing_still()};
                   circuit_breaker b{site, 1, 30s};
                   static_cast<void>(b.execute(std::function<int()>{}));
                 }),
                 "empty function"));
  CHECK(contains(assertion_of([] {
                   muster::manager site{standing_still()};
                   circuit_breaker b{site, 1, 30s};
                   int (*none)() = nullptr;
                   static_cast<void>(b.execute(none));
                 }),
                 "empty function"));
  CHECK(contains(assertion_of([] {
                   muster::manager site{standing_still()};
                   circuit_breaker b{site, 1, 30s};
                   static_cast<void>(in_task(site, [&](context& ctx) {
                     auto p = b.try_acquire(ctx).value();
                     p.success();
                     p.success();
                   }));
                 }),
                 "reports once"));
}
