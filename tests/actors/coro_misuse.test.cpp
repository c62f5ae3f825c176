// What must not be done with coroutines, and the sentence that says so.
#include "misuse.hpp"
#include "support.hpp"

using namespace support;
using muster::async_context;
using muster::coro;

namespace {

template <class F>
std::string said_when_running(F body) {
  return assertion_of([&] {
    muster::manager site{{.name = "site", .workers = 1}};
    auto crew = site.create_scope("crew");
    crew.execute("body", body);
    static_cast<void>(crew.wait());
  });
}

coro<int> gives_three() { co_return 3; }

} // namespace

TEST_CASE("awaiting a coroutine twice asserts") {
  CHECK(contains(said_when_running([](async_context&) -> coro<int> {
                   auto once = gives_three();
                   const int first = co_await once;
                   co_return first + co_await once;
                 }),
                 "a coro was awaited that is empty"));
}

TEST_CASE("awaiting a wait twice asserts") {
  CHECK(contains(said_when_running([](async_context& ctx) -> coro<void> {
                   auto turn = ctx.yield();
                   static_cast<void>(co_await turn);
                   static_cast<void>(co_await turn);
                 }),
                 "this was awaited before"));
}

TEST_CASE("awaiting an empty task handle asserts") {
  CHECK(contains(said_when_running([](async_context&) -> coro<void> {
                   muster::task<int> none;
                   static_cast<void>(co_await none);
                 }),
                 "an empty task handle was awaited"));
}

TEST_CASE("awaiting with the context of another body asserts") {
  CHECK(contains(said_when_running([](async_context& ctx) -> coro<void> {
                   auto below = ctx.create_scope("below");
                   below.execute("thief",
                                 [&ctx](async_context&) -> coro<void> { static_cast<void>(co_await ctx.yield()); });
                   static_cast<void>(co_await below);
                 }),
                 "an async_context was used outside its own body"));
}
