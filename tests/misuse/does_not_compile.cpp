// Misuse of coroutines that the compiler refuses, one kind for each run: see expect_refusal.cmake. Without a kind it
// compiles.
#include <muster/muster.hpp>

#include <coroutine>

using namespace std::chrono_literals;
using muster::async_context;
using muster::coro;

namespace {

/// A coroutine of somebody else's, which belongs to no task.
struct foreign {
  struct promise_type {
    foreign get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() {}
  };
};

[[maybe_unused]] coro<int> gives_three() { co_return 3; }

#if defined SLEEPS_OUTSIDE_A_TASK
foreign sleeps(async_context& ctx) { static_cast<void>(co_await ctx.sleep_for(1s)); }
#elif defined AWAITS_A_CORO_OUTSIDE_A_TASK
foreign awaits() { static_cast<void>(co_await gives_three()); }
#elif defined AWAITS_A_TASK_OUTSIDE_A_TASK
foreign awaits(muster::task<int> t) { static_cast<void>(co_await t); }
#elif defined RECEIVES_OUTSIDE_A_TASK
foreign receives(async_context& ctx, muster::channel<int> c) { static_cast<void>(co_await c.receive(ctx)); }
#elif defined AWAITS_SOMETHING_FOREIGN
coro<void> awaits() { co_await std::suspend_always{}; }
#elif defined COROUTINE_WITH_A_BLOCKING_CONTEXT
void starts(muster::scope& crew) {
  crew.execute("body", [](muster::context&) -> coro<void> { co_return; });
}
#elif defined PLAIN_BODY_WITH_AN_ASYNC_CONTEXT
void starts(muster::scope& crew) {
  crew.execute("body", [](async_context&) { return 3; });
}
#elif defined BLOCKING_RUNS_A_COROUTINE
coro<void> awaits(async_context& ctx) {
  auto job = ctx.blocking([] { return gives_three(); });
  static_cast<void>(co_await job);
}
#elif defined BLOCKING_RETRY_OF_A_COROUTINE
int tries(muster::context& ctx) { return muster::retry(ctx, {}, [] { return gives_three(); }).value(); }
#elif defined BLOCKING_BREAKER_CALL_OF_A_COROUTINE
int calls(muster::context& ctx, muster::circuit_breaker& b) {
  return b.execute(ctx, [] { return gives_three(); }).value();
}
#elif defined BLOCKING_WAIT_IN_A_COROUTINE
coro<void> waits(async_context& ctx) {
  muster::scope below = ctx.create_scope("below");
  static_cast<void>(below.wait());
  co_return;
}
#elif defined CORO_OF_A_REFERENCE
coro<int&> gives(int& n) { co_return n; }
#elif defined SCOPE_OF_A_PLAIN_BODY
coro<void> joins(muster::scope& crew) { static_cast<void>(co_await crew); }
#endif

} // namespace

int main() {}
