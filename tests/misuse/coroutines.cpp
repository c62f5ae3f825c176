// Misuse of coroutine bodies: waits that belong to another task, to nobody, or that are over.
#include "kinds.hpp"

#include <muster/caf.hpp>
#include <muster/muster.hpp>
#include <muster/testing.hpp>

using namespace std::chrono_literals;
using muster::async_context;
using muster::coro;
using muster::testing::simulation;

namespace {

/// `body(sim, ctx)` as the only task.
template <class Body>
void in_a_body(Body body) {
  simulation sim{1};
  static_cast<void>(sim.run([&] {
    auto crew = sim.create_scope("crew");
    crew.execute("body", [&](async_context& ctx) { return body(sim, ctx); });
    return crew.wait();
  }));
}

/// `wait(ctx)`, made with the context of one task, is awaited in another.
template <class Wait>
void stolen(Wait wait) {
  in_a_body([&](simulation&, async_context& ctx) -> coro<void> {
    auto below = ctx.create_scope("below");
    below.execute("thief", [&](async_context&) -> coro<void> {
      auto theirs = wait(ctx);
      static_cast<void>(co_await theirs);
    });
    static_cast<void>(co_await below);
  });
}

coro<int> gives_three() { co_return 3; }

} // namespace

misuse_kinds coroutine_kinds() {
  return {
    {"coro_awaited_twice",
     [] {
       in_a_body([](auto&, async_context&) -> coro<void> {
         auto once = gives_three();
         static_cast<void>(co_await once);
         static_cast<void>(co_await once);
       });
     }},
    {"coro_moved_from",
     [] {
       in_a_body([](auto&, async_context&) -> coro<void> {
         auto here = gives_three();
         auto there = std::move(here);
         static_cast<void>(co_await here); // NOLINT(bugprone-use-after-move): that is the misuse
       });
     }},
    {"coro_empty",
     [] {
       in_a_body([](auto&, async_context&) -> coro<void> {
         coro<int> none;
         static_cast<void>(co_await none);
       });
     }},
    {"coro_body_empty", [] { in_a_body([](auto&, async_context&) { return coro<void>{}; }); }},
    {"wait_awaited_twice",
     [] {
       in_a_body([](auto&, async_context& ctx) -> coro<void> {
         auto nap = ctx.sleep_for(1s);
         static_cast<void>(co_await nap);
         static_cast<void>(co_await nap);
       });
     }},
    {"task_handle_empty",
     [] {
       in_a_body([](auto&, async_context&) -> coro<void> {
         muster::task<int> none;
         static_cast<void>(co_await none);
       });
     }},
    {"sleep_of_another_task", [] { stolen([](async_context& ctx) { return ctx.sleep_for(1s); }); }},
    {"blocking_of_another_task", [] { stolen([](async_context& ctx) { return ctx.blocking([] {}); }); }},
    {"channel_of_another_task",
     [] {
       const muster::channel<int> orders{1};
       stolen([orders](async_context& ctx) { return orders.receive(ctx); });
     }},
    {"lease_for_another_task",
     [] {
       in_a_body([](simulation& sim, async_context& ctx) -> coro<void> {
         muster::resource_pool<int> pool{sim, 1, [] { return 1; }};
         auto below = ctx.create_scope("below");
         below.execute("thief", [&](async_context&) -> coro<void> {
           auto theirs = pool.acquire(ctx);
           static_cast<void>(co_await theirs);
         });
         static_cast<void>(co_await below);
       });
     }},
    {"request_of_another_task",
     [] {
       in_a_body([](simulation& sim, async_context& ctx) -> coro<void> {
         auto echo = muster::system_of(sim).spawn(
           [](caf::event_based_actor*) -> caf::behavior { return {[](int n) { return n; }}; });
         auto below = ctx.create_scope("below");
         below.execute("thief", [&](async_context&) -> coro<void> {
           auto theirs = muster::request<int>(ctx, echo, 1s, 3);
           static_cast<void>(co_await theirs);
         });
         static_cast<void>(co_await below);
       });
     }},
    {"request_to_nobody",
     [] {
       in_a_body([](auto&, async_context& ctx) -> coro<void> {
         auto asks = muster::request<int>(ctx, caf::actor{}, 1s, 3);
         static_cast<void>(co_await asks);
       });
     }},
    {"retry_of_nothing",
     [] {
       in_a_body([](auto&, async_context& ctx) -> coro<void> {
         auto tries = muster::retry(ctx, {}, std::function<coro<int>()>{});
         static_cast<void>(co_await tries);
       });
     }},
    {"breaker_call_of_nothing",
     [] {
       simulation sim{1};
       muster::circuit_breaker b{sim, 1, 1s};
       static_cast<void>(sim.run([&] {
         auto crew = sim.create_scope("crew");
         crew.execute("body", [&](async_context& ctx) -> coro<void> {
           auto call = b.execute(ctx, std::function<coro<int>()>{});
           static_cast<void>(co_await call);
         });
         return crew.wait();
       }));
     }},
    {"shield_of_another_task",
     [] {
       stolen([](async_context& ctx) { return ctx.shield(1s, [](async_context& inner) { return inner.path(); }); });
     }},
    {"real_sleep_in_a_coroutine",
     [] {
       in_a_body([](auto&, async_context&) -> coro<void> {
         std::this_thread::sleep_for(10s); // sleep-ok: it must be found out
         co_return;
       });
     }},
    {"lease_after_its_coroutine",
     [] {
       simulation sim{1};
       static_cast<void>(sim.run([&] {
         muster::resource_pool<int> pool{sim, 1, [] { return 1; }};
         std::optional<muster::lease<int>> kept;
         auto crew = sim.create_scope("crew");
         auto t = crew.execute("body", [&](async_context& ctx) -> coro<void> {
           auto got = co_await pool.acquire(ctx);
           kept.emplace(std::move(*got));
         });
         static_cast<void>(t.get());
         static_cast<void>(**kept);
         return crew.wait();
       }));
     }},
  };
}
