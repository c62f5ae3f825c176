// The context: what a body is given, and what it inherits.
#include "support.hpp"

#include <optional>

using namespace support;

namespace {

struct request_id {
  std::string text;
};
struct user_name {
  std::string text;
};

} // namespace

TEST_CASE("a context knows the task's name and path and the time") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  auto worker = crew.execute("worker", [&](context& ctx) {
    return ctx.name() == "worker" && ctx.path() == "site/crew/worker" && ctx.now() == clock->now();
  });
  CHECK(worker.get().value());
  auto unnamed = crew.execute(muster::task_options{}, [](context& ctx) { return ctx.path(); });
  CHECK(unnamed.get().value() == "site/crew/task");
  CHECK(crew.name() == "crew");
  CHECK(crew.path() == "site/crew");
  CHECK(crew.wait());
}

TEST_CASE("a context that has not been asked to stop says so") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  auto worker = crew.execute("worker", [](context& ctx) {
    ctx.throw_if_cancelled();
    return !ctx.cancelled() && !ctx.reason() && ctx.checkpoint().has_value() && !ctx.stop_token().stop_requested();
  });
  CHECK(worker.get().value());
  CHECK(crew.wait());
}

TEST_CASE("a context that has been asked to stop says why in every way") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  std::optional<muster::error> returned;
  std::optional<muster::error> thrown;
  auto worker = crew.execute("worker", [&](context& ctx) {
    const auto why = ctx.wait_until_cancelled();
    returned = error_of(ctx.checkpoint());
    try {
      ctx.throw_if_cancelled();
    } catch (const muster::cancelled_error& e) {
      thrown = e.error();
    }
    return why.kind() == cancel_kind::user && why.text() == "rain" && ctx.cancelled() &&
           ctx.reason().text() == "rain" && !ctx.sleep_for(1h) && !ctx.sleep_for(0s) &&
           ctx.wait_until_cancelled().text() == "rain";
  });
  await_start(worker);
  worker.cancel("rain");
  REQUIRE(worker.get().ok());
  CHECK(worker.get().value());
  REQUIRE(returned);
  REQUIRE(thrown);
  CHECK(returned->is(errc::cancelled));
  CHECK(returned->path() == "site/crew/worker");
  CHECK(contains(returned->message(), "rain"));
  CHECK(thrown->is(errc::cancelled));
  CHECK(crew.wait());
}

TEST_CASE("a thread that the body made may look at its context") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew", {.timeout = 5s});
  auto worker = crew.execute("worker", [](context& ctx) {
    bool same = false;
    std::thread helper{[&] {
      same = !ctx.cancelled() && !ctx.reason() && ctx.time_left() == 5s && ctx.path() == "site/crew/worker" &&
             !ctx.stop_token().stop_requested();
    }};
    helper.join();
    return same;
  });
  CHECK(worker.get().value());
  CHECK(crew.wait());
}

TEST_CASE("context values are inherited from manager and scopes and the nearest is in force") {
  auto options = standing_still();
  options.values.set(request_id{"manager"}).set(user_name{"mason"});
  muster::manager site{std::move(options)};
  const auto asks = [](context& ctx) { return ctx.value<request_id>()->text + " " + ctx.value<user_name>()->text; };
  auto crew = site.create_scope("crew");
  CHECK(crew.execute("worker", asks).get().value() == "manager mason");
  auto own = site.create_scope("own", {.values = muster::context_values{}.set(request_id{"scope"})});
  CHECK(own.execute("worker", asks).get().value() == "scope mason");
  auto nested = own.create_scope("nested");
  CHECK(nested.execute("worker", asks).get().value() == "scope mason");
  auto outer = own.execute("outer", [&](context& ctx) {
    auto inner = ctx.create_scope("inner", {.values = muster::context_values{}.set(user_name{"carpenter"})});
    auto below = inner.execute("worker", asks);
    static_cast<void>(inner.wait());
    return below.get().value();
  });
  CHECK(outer.get().value() == "scope carpenter");
  CHECK(crew.execute("none", [](context& ctx) { return ctx.value<int>() == nullptr; }).get().value());
  muster::manager request{site, "request", {.values = muster::context_values{}.set(request_id{"request"})}};
  auto below = request.create_scope("crew");
  CHECK(below.execute("worker", asks).get().value() == "request mason");
}

TEST_CASE("a shield runs its function as if the task had not been asked to stop") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  muster::task<std::string> goodbye;
  auto worker = crew.execute("worker", [&](context& ctx) -> muster::result<std::string> {
    ctx.wait_until_cancelled();
    const auto said = ctx.shield(5s, [&](context& shielded) -> muster::result<std::string> {
      if (shielded.cancelled() || shielded.reason() || !shielded.checkpoint() || shielded.time_left() != 5s)
        return std::unexpected{muster::error{std::errc::io_error, "not shielded"}};
      auto inner = shielded.create_scope("last words");
      goodbye = inner.execute("goodbye",
                              [](context& below) { return std::string{below.cancelled() ? "cancelled" : "goodbye"}; });
      if (auto done = inner.wait(); !done)
        return std::unexpected{done.error()};
      return goodbye.get().value();
    });
    if (!ctx.cancelled())
      return std::unexpected{muster::error{std::errc::io_error, "forgotten"}};
    return said;
  });
  await_start(worker);
  worker.cancel();
  REQUIRE(worker.get().ok());
  CHECK(worker.get().value() == "goodbye");
  CHECK(crew.wait());
}

TEST_CASE("a shield holds against a cancel that comes while it is up") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  gate up;
  gate go;
  const let_go at_end{go};
  auto worker = crew.execute("worker", [&](context& ctx) {
    return ctx.shield(5s, [&](context& shielded) {
      up.open();
      go.wait();
      return ctx.cancelled() && !shielded.cancelled();
    });
  });
  up.wait();
  crew.cancel();
  go.open();
  CHECK(worker.get().value());
  CHECK_FALSE(crew.wait());
}

TEST_CASE("a shield lasts only so long: then what runs under it is asked to stop") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  gate up;
  auto worker = crew.execute("worker", [&](context& ctx) {
    ctx.wait_until_cancelled();
    return ctx.shield(5s, [&](context& shielded) {
      up.open();
      return shielded.wait_until_cancelled();
    });
  });
  await_start(worker);
  worker.cancel();
  up.wait();
  await([&] { return waits(site.tree(), "worker"); });
  clock->advance(5s);
  REQUIRE(worker.get().ok());
  CHECK(worker.get().value().root_kind() == cancel_kind::timeout);
  CHECK(site.stats().tasks_unresponsive == 0);
  CHECK(crew.wait());
}

TEST_CASE("a shield may take a function without a parameter and may give nothing and lets exceptions pass") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
  int ran = 0;
  auto plain = crew.execute("plain", [&](context& ctx) {
    ctx.shield(1s, [&] { ++ran; });
    return ctx.shield(1s, [&] { return ++ran; });
  });
  CHECK(plain.get().value() == 2);
  auto throws = crew.execute("throws", [](context& ctx) { ctx.shield(1s, [] { throw 42; }); });
  REQUIRE(throws.get().failed());
  CHECK(throws.get().error().as<int>() != nullptr);
  CHECK_FALSE(crew.wait());
}

TEST_CASE("a scope that a context opens is joined with its task and its failure comes back from its own wait") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  auto outer = crew.execute("outer", [](context& ctx) {
    auto inner = ctx.create_scope("inner");
    inner.execute("culprit", fails("broken"));
    return error_of(inner.wait()).message() + (ctx.cancelled() ? " and asked" : " alone");
  });
  CHECK(crew.wait());
  CHECK(outer.get().value() == "broken alone");
}

TEST_CASE("a body may open scopes beside each other and tasks of one may wait for the other") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  auto outer = crew.execute("outer", [](context& ctx) -> muster::result<int> {
    auto left = ctx.create_scope("left");
    auto right = ctx.create_scope("right");
    auto a = left.execute("a", [] { return 1; });
    auto b = right.execute("b", [a] { return a.get().value() + 1; });
    for (auto* each : {&left, &right})
      if (auto done = each->wait(); !done)
        return std::unexpected{done.error()};
    return b.get().value();
  });
  CHECK(crew.wait());
  CHECK(outer.get().value() == 2);
}

TEST_CASE("a shield inside a shield holds for its own time") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  gate inside;
  gate go;
  const let_go at_end{go};
  auto other = crew.execute("other", [&] { go.wait(); });
  auto worker = crew.execute("worker", [&](context& ctx) {
    return ctx.shield(1s, [&](context& outer) {
      return outer.shield(1h, [&](context& inner) {
        inside.open();
        const bool waited = other.get().ok();
        return waited && !inner.cancelled() && outer.cancelled();
      });
    });
  });
  inside.wait();
  await([&] { return waits(site.tree(), "worker"); });
  worker.cancel();
  clock->advance(1s);
  go.open();
  CHECK(worker.get().value());
  CHECK(crew.wait());
}
