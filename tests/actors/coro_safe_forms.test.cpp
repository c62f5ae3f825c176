// The ways of writing awaits that the documentation shows, under the eyes of the address sanitizer: what they were
// given is destroyed exactly once. (GCC 12 destroys some temporaries twice in an expression with a co_await in it; see
// muster/coro.hpp.)
#include "support.hpp"

#include <array>
#include <memory>

using namespace support;
using muster::async_context;
using muster::async_scope;
using muster::coro;
using muster::result;

namespace {

std::atomic<int> living = 0;

/// Too long to lie inside a string object, and counted.
struct word {
  word() { ++living; }
  word(const word& other) : text(other.text) { ++living; }
  word(word&& other) noexcept : text(std::move(other.text)) { ++living; }
  word& operator=(const word&) = default;
  word& operator=(word&&) = default;
  ~word() { --living; }
  std::string text = std::string(100, 'x');
};

coro<std::size_t> measures(word w) { co_return w.text.size(); }
coro<std::size_t> measures_in_turn(async_context& ctx, word w) {
  static_cast<void>(co_await ctx.yield());
  co_return co_await measures(w);
}

template <class F>
void run(F body) {
  const int before = living; // those that `body` itself keeps, when it has been moved from
  {
    muster::manager site{standing_still()};
    auto crew = site.create_scope("crew");
    auto t =
        crew.execute({.name = "a name that is too long for the string object itself", .timeout = 1h}, std::move(body));
    const auto done = crew.wait();
    INFO((done ? std::string{} : to_string(done.error())));
    CHECK(done.has_value());
  }
  CHECK(living == before);
}

} // namespace

TEST_CASE("captures of a coroutine body are destroyed once") {
  run([w = word{}](async_context& ctx) -> coro<result<void>> {
    if (auto slept = co_await ctx.yield(); !slept)
      co_return std::unexpected{slept.error()};
    co_return w.text.size() == 100 ? result<void>{}
                                   : result<void>{std::unexpected{muster::error{errc::bad_argument, "short"}}};
  });
}

TEST_CASE("a stored blocking call with captured strings is awaited safely") {
  run([](async_context& ctx) -> coro<void> {
    const word w;
    auto job = ctx.blocking([w] { return w; });
    auto got = co_await job;
    static_cast<void>(got.value().text.size());
    auto moved = ctx.blocking([w] { return w.text; });
    co_await muster::or_throw(std::move(moved));
  });
}

TEST_CASE("what is awaited by name is neither copied nor moved") {
  run([](async_context& ctx) -> coro<result<void>> {
    auto only_here = ctx.blocking([one = std::make_unique<int>(1)] { return *one; });
    auto got = co_await only_here;
    if (got.value() != 1)
      co_return std::unexpected{muster::error{errc::bad_argument, "another value"}};
    auto turn = ctx.yield();
    co_await muster::or_throw(turn);
    co_return result<void>{};
  });
}

TEST_CASE("the wait for a lease is stored, awaited, and gives it") {
  muster::manager site{standing_still()};
  muster::resource_pool<word> pool{site, 1, [] { return word{}; }};
  auto crew = site.create_scope("crew");
  auto t = crew.execute("body", [&](async_context& ctx) -> coro<std::size_t> {
    auto waits = pool.acquire(ctx);
    auto lease = co_await waits;
    co_return lease ? (*lease)->text.size() : 0;
  });
  CHECK(t.get().value() == 100);
}

TEST_CASE("parameters of awaited coroutines are destroyed once, stored or not") {
  run([](async_context& ctx) -> coro<void> {
    const word w;
    auto stored = measures(w);
    static_cast<void>(co_await stored);
    static_cast<void>(co_await measures(w));
    static_cast<void>(co_await measures_in_turn(ctx, word{}));
    auto never = measures(w);
    static_cast<void>(never.valid());
  });
}

TEST_CASE("stored verbs with captured strings and named steps are awaited safely") {
  run([](async_context& ctx) -> coro<void> {
    const word w;
    auto both = ctx.parallel(
        "both", [w] { return w; },
        muster::step{{.name = std::string(60, 'n'), .timeout = 1h},
                     [w](async_context&) -> coro<word> { co_return w; }});
    auto values = co_await both;
    static_cast<void>(std::get<1>(values.value()).text.size());
    auto chain = ctx.series(
      "chain", [w] { return w; }, [w](const word& before) { return before.text + w.text; });
    static_cast<void>((co_await chain).value());
    auto race = ctx.race("race", [w] { return w; }, [w](async_context&) -> coro<word> { co_return w; });
    static_cast<void>((co_await race).value());
    auto inner = ctx.with_timeout("inner", 1h, [w](async_scope& crew) -> coro<result<word>> {
      auto t = crew.execute({.name = std::string(60, 'n')}, [w] { return w; });
      co_return (co_await t).as_result();
    });
    static_cast<void>((co_await inner).value());
    auto last = ctx.shield(1s, [w](async_context&) -> coro<word> { co_return w; });
    static_cast<void>(co_await last);
  });
}

TEST_CASE("scopes, tasks and leases are awaited safely and give back what they had") {
  run([](async_context& ctx) -> coro<result<void>> {
    const word w;
    auto crew = ctx.create_scope(std::string(60, 'n'));
    auto t = crew.execute({.name = std::string(60, 'n')}, [w](async_context& inner) -> coro<result<word>> {
      if (auto slept = co_await inner.yield(); !slept)
        co_return std::unexpected{slept.error()};
      co_return w;
    });
    const auto& end = co_await t;
    static_cast<void>(end.value().text.size());
    auto taken = co_await std::move(t);
    static_cast<void>(taken.value().text.size());
    co_return co_await crew;
  });
}

TEST_CASE("what a coroutine throws is destroyed once, however far it goes up") {
  struct thrown : std::runtime_error {
    thrown() : std::runtime_error("a text that is too long for the string object itself") {}
    word w;
  };
  run([](async_context&) -> coro<void> {
    auto throws = [](word) -> coro<int> {
      throw thrown{};
      co_return 1;
    };
    auto between = [&]() -> coro<int> { co_return co_await throws(word{}); };
    try {
      static_cast<void>(co_await between());
    } catch (const thrown& t) {
      static_cast<void>(t.w.text.size());
    }
  });
}
