// How the frames of suspended coroutines go: on a worker, under no lock, before the outcome, whatever they wait for and
// whatever ends the wait; and that no line, lease or timer remembers them.
#include "support.hpp"

#include <muster/resource_pool.hpp>
#include <muster/retry.hpp>

#include <functional>
#include <stdexcept>

#include <pthread.h>

using namespace support;
using muster::async_context;
using muster::coro;
using muster::result;

namespace {

std::string this_thread() {
  char name[16] = {};
  pthread_getname_np(pthread_self(), name, sizeof name);
  return name;
}

struct world {
  std::shared_ptr<muster::manual_clock> clock = still_clock();
  muster::manager site{on(clock)};
  muster::resource_pool<int> pool{site, 1, [] { return 1; }};
  muster::channel<int> never_sent{0, "never sent"};
  muster::channel<int> never_received{0, "never received"};
  muster::circuit_breaker breaker{site, 1, 1h};
  gate held;
  muster::scope elsewhere = site.create_scope("elsewhere");
  muster::task<void> holder = elsewhere.execute("holder", [this](async_context& ctx) -> coro<result<void>> {
    auto lease = co_await pool.acquire(ctx);
    held.open();
    auto reason = co_await ctx.cancelled_event();
    co_return std::unexpected{reason.to_error()};
  });
};

/// Lies in a frame. Its destructor uses what takes locks: under one of them it would never return.
class witness {
public:
  witness(world& of, journal& said) : of_(of), said_(said) {}
  witness(const witness&) = delete;
  witness& operator=(const witness&) = delete;
  ~witness() {
    static_cast<void>(of_.site.tree());
    static_cast<void>(of_.site.stats());
    static_cast<void>(of_.pool.stats());
    static_cast<void>(of_.never_sent.size());
    static_cast<void>(of_.breaker.stats());
    said_.write(this_thread());
  }

private:
  world& of_;
  journal& said_;
};

coro<void> sleeps(async_context& ctx) { static_cast<void>(co_await ctx.sleep_for(1'000h)); }

using wait = std::function<coro<void>(async_context&, world&)>;
struct kind_of_wait {
  const char* name;
  wait begin;
};

const kind_of_wait kinds[] = {
  {"sleep", [](async_context& ctx, world&) { return sleeps(ctx); }},
  {"event",
   [](async_context& ctx, world&) -> coro<void> { static_cast<void>(co_await ctx.cancelled_event()); }},
  {"lease", [](async_context& ctx, world& w) -> coro<void> { static_cast<void>(co_await w.pool.acquire(ctx)); }},
  {"receive",
   [](async_context& ctx, world& w) -> coro<void> { static_cast<void>(co_await w.never_sent.receive(ctx)); }},
  {"send",
   [](async_context& ctx, world& w) -> coro<void> { static_cast<void>(co_await w.never_received.send(ctx, 1)); }},
  {"task", [](async_context&, world& w) -> coro<void> { static_cast<void>(co_await w.holder); }},
  {"scope",
   [](async_context& ctx, world&) -> coro<void> {
     auto below = ctx.create_scope("below");
     below.execute("child", [](async_context& inner) { return sleeps(inner); });
     static_cast<void>(co_await below);
   }},
  {"scope left open",
   [](async_context& ctx, world&) -> coro<void> {
     auto below = ctx.create_scope("below");
     below.execute("child", [](async_context& inner) { return sleeps(inner); });
     static_cast<void>(co_await ctx.cancelled_event());
     throw std::runtime_error{"out"};
   }},
  {"blocking",
   [](async_context& ctx, world&) -> coro<void> {
     auto job = ctx.blocking([](context& plain) { plain.wait_until_cancelled(); });
     static_cast<void>(co_await job);
   }},
  {"parallel",
   [](async_context& ctx, world&) -> coro<void> {
     auto both = ctx.parallel("both", sleeps, [](async_context& inner) { return sleeps(inner); });
     static_cast<void>(co_await both);
   }},
  {"with_timeout",
   [](async_context& ctx, world&) -> coro<void> {
     auto inner = ctx.with_timeout("inner", 1'000h, [&ctx](muster::async_scope&) { return sleeps(ctx); });
     static_cast<void>(co_await inner);
   }},
  {"shield",
   [](async_context& ctx, world&) -> coro<void> {
     static_cast<void>(co_await ctx.cancelled_event());
     auto last = ctx.shield(1s, [](async_context& inner) -> coro<void> { static_cast<void>(co_await inner.yield()); });
     co_await last;
   }},
  {"retry",
   [](async_context& ctx, world&) -> coro<void> {
     auto tries = muster::retry(ctx, {.first_delay = 2s, .spread = muster::jitter::none}, fails("broken"));
     static_cast<void>(co_await tries);
   }},
  {"breaker",
   [](async_context& ctx, world& w) -> coro<void> {
     auto call = w.breaker.execute(ctx, [](async_context& inner) { return sleeps(inner); });
     static_cast<void>(co_await call);
   }},
};

/// What the task runs: a frame in a frame, each with a witness.
coro<void> inner(async_context& ctx, world& w, journal& said, const wait& begin) {
  const witness here{w, said};
  auto waiting = begin(ctx, w);
  co_await waiting;
}

/// Lets every kind of wait begin in a scope of its own, ends it by `end(w, crew, task)`, and looks at what is left.
template <class End>
void ended_by(End end, muster::duration timeout = muster::no_timeout) {
  for (const auto& kind : kinds) {
    INFO(kind.name);
    world w;
    w.held.wait();
    journal said;
    auto crew = std::unique_ptr<muster::scope>{new muster::scope(w.site.create_scope("crew"))}; // it does not move
    auto t = crew->execute({.name = "body", .timeout = timeout}, [&](async_context& ctx) -> coro<void> {
      const witness here{w, said};
      auto below = inner(ctx, w, said, kind.begin);
      co_await below;
    });
    await([&] { return waits(crew->tree(), "body"); });
    end(w, crew, t);
    static_cast<void>(t.get());
    const auto where = said.lines(); // all of it is over before the outcome is there
    REQUIRE(where.size() == 2);
    for (const auto& thread : where)
      CHECK(thread.starts_with("muster/w"));
    if (crew)
      static_cast<void>(crew->wait());
    CHECK(w.pool.stats().waiting == 0);
    CHECK(error_of(w.never_sent.try_send(1)).code() == errc::not_ready);
    CHECK(error_of(w.never_received.try_receive()).code() == errc::not_ready);
    const auto calls = w.breaker.stats();
    CHECK(calls.succeeded + calls.failed + calls.ignored == (kind.name == std::string{"breaker"} ? 1 : 0));
    CHECK(w.site.stats().tasks_live == (w.holder.ready() ? 0 : 1));
    w.elsewhere.cancel();
    static_cast<void>(w.elsewhere.wait());
    CHECK(w.pool.stats().in_use == 0);
  }
}

} // namespace

TEST_CASE("a coroutine that is cancelled while it is suspended leaves nothing behind, whatever it waits for") {
  ended_by([](world&, auto&, auto& t) { t.cancel(); });
}

TEST_CASE("a coroutine whose time is up while it is suspended leaves nothing behind, whatever it waits for") {
  ended_by([](world& w, auto&, auto&) { w.clock->advance(5s); }, 5s);
}

TEST_CASE("a suspended coroutine whose scope fails leaves nothing behind, whatever it waits for") {
  ended_by([](world&, auto& crew, auto&) { crew->execute("sibling", fails("broken")); });
}

TEST_CASE("a suspended coroutine whose scope is destroyed leaves nothing behind, whatever it waits for") {
  ended_by([](world&, auto& crew, auto&) { crew.reset(); });
}

TEST_CASE("a suspended coroutine whose manager is shut down leaves nothing behind, whatever it waits for") {
  ended_by([](world& w, auto&, auto&) { static_cast<void>(w.site.shutdown(0s)); });
}

TEST_CASE("a coroutine that never began drops what it was given, and has no frame") {
  const auto given = std::make_shared<int>(0);
  muster::manager site{standing_still()};
  gate open;
  auto busy = site.create_scope("busy", {.on_failure = muster::isolate, .max_parallel = 1});
  const let_go guard{open};
  auto first = busy.execute("first", [&] { open.wait(); });
  const auto body = [&given] { // a coroutine in whose place in the line nobody has come yet
    return [given](async_context&) -> coro<int> { co_return *given; };
  };
  auto cancelled = busy.execute("cancelled", body());
  cancelled.cancel();
  CHECK(cancelled.get().cancelled());
  CHECK(given.use_count() == 1);
  auto expired = busy.execute({.name = "expired", .timeout = 0s}, body());
  open.open();
  CHECK(expired.get().timed_out());
  auto after = busy.execute({.name = "after", .after = {cancelled}}, body());
  CHECK(after.get().skipped());
  static_cast<void>(busy.wait());
  auto refused = busy.execute("refused", body());
  CHECK(refused.get().cancelled());
  CHECK(given.use_count() == 1);
}
