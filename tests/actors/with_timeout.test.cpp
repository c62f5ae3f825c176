// with_timeout: a scope with a time limit whose body runs on the caller's thread.
#include "support.hpp"

#include <stdexcept>

using namespace support;

TEST_CASE("with_timeout runs its body on the caller's thread and gives its value") {
  muster::manager site{standing_still()};
  const auto here = std::this_thread::get_id();
  const auto got = site.with_timeout("checkout", 8s, [&](muster::scope& crew) {
    return std::pair{std::this_thread::get_id() == here, crew.path()};
  });
  REQUIRE(got);
  CHECK(got->first);
  CHECK(got->second == "site/checkout");
}

TEST_CASE("a normal return from with_timeout joins the children without cancelling them") {
  struct says_returned {
    std::atomic<bool>& returned;
    ~says_returned() { returned = true; }
  };
  muster::manager site{standing_still()};
  std::atomic<bool> returned = false;
  muster::task<bool> child;
  const auto got = site.with_timeout("checkout", 8s, [&](muster::scope& crew) {
    const says_returned at_end{returned};
    child = crew.execute("child", [&](context& ctx) {
      await([&] { return returned.load(); });
      for (int i = 0; i < 1'000; ++i)
        std::this_thread::yield();
      return ctx.cancelled();
    });
    return 5;
  });
  CHECK(got == 5);
  REQUIRE(child.ready());
  CHECK(child.get().as_result() == false);
}

TEST_CASE("with_timeout gives no value if a child failed") {
  muster::manager site{standing_still()};
  const auto got = site.with_timeout("checkout", 8s, [](muster::scope& crew) {
    crew.execute("child", fails("broken"));
    return 5;
  });
  CHECK(messages(error_of(got)) == lines{"broken"});
}

TEST_CASE("an error of with_timeout's body cancels and joins and is the result with the scope's behind it") {
  muster::manager site{standing_still()};
  muster::task<void> child;
  std::atomic<int> released = 0;
  gate started;
  const auto got = site.with_timeout("checkout", 8s, [&](muster::scope& crew) -> muster::result<int> {
    child = crew.execute("child", [&](context& ctx) -> muster::result<void> {
      started.open();
      ctx.wait_until_cancelled();
      return std::unexpected{muster::error{std::errc::io_error, "child"}};
    });
    if (auto tool = crew.register_resource("tool", 1, [&](int&) { released.fetch_add(1); }); !tool)
      return std::unexpected{tool.error()};
    started.wait();
    return std::unexpected{muster::error{std::errc::no_space_on_device, "body"}};
  });
  CHECK(error_of(got).message() == "body");
  CHECK(error_of(got).code() == std::errc::no_space_on_device);
  CHECK(error_of(got).path() == "site/checkout");
  CHECK(any_is(error_of(got), std::make_error_code(std::errc::io_error)));
  CHECK(child.get().cancelled());
  CHECK(released == 1);
}

TEST_CASE("an exception of with_timeout's body cancels and joins and is the result") {
  muster::manager site{standing_still()};
  muster::task<void> child;
  const auto got = site.with_timeout("checkout", 8s, [&](muster::scope& crew) -> int {
    child = crew.execute("child", stays);
    throw std::runtime_error{"thrown"};
  });
  REQUIRE(error_of(got).as<std::runtime_error>() != nullptr);
  CHECK(error_of(got).path() == "site/checkout");
  CHECK(child.get().cancelled());
  const auto other = site.with_timeout("checkout", 8s, [](muster::scope&) { throw 42; });
  CHECK(error_of(other).as<int>() != nullptr);
}

TEST_CASE("an error that wait returned to with_timeout's body is recognised and not attached twice") {
  muster::manager site{standing_still()};
  const auto got = site.with_timeout("checkout", 8s, [](muster::scope& crew) {
    crew.execute("child", fails("broken"));
    return crew.wait();
  });
  CHECK(messages(error_of(got)) == lines{"broken"});
  const auto wrapped = site.with_timeout("checkout", 8s, [](muster::scope& crew) -> muster::result<void> {
    crew.execute("child", fails("broken"));
    return std::unexpected{muster::error{error_of(crew.wait()), "checking out"}};
  });
  CHECK(messages(error_of(wrapped)) == lines{"checking out"});
  CHECK(error_of(wrapped).is(std::errc::io_error));
  CHECK(site.errors().errors.size() == 2);
}

TEST_CASE("a child of with_timeout that ends with an error after a normal return still fails it") {
  struct says_returned {
    std::atomic<bool>& returned;
    ~says_returned() { returned = true; }
  };
  muster::manager site{standing_still()};
  std::atomic<bool> returned = false;
  const auto got = site.with_timeout("checkout", 8s, [&](muster::scope& crew) {
    const says_returned at_end{returned};
    crew.execute("child", [&]() -> muster::result<void> {
      await([&] { return returned.load(); });
      return std::unexpected{muster::error{std::errc::io_error, "broken"}};
    });
    return std::make_unique<int>(1);
  });
  CHECK(messages(error_of(got)) == lines{"broken"});
}

TEST_CASE("with_timeout may give what can only be moved and void and a result of either") {
  muster::manager site{standing_still()};
  auto moved = site.with_timeout("moved", 1s, [](muster::scope&) { return std::make_unique<int>(3); });
  REQUIRE(moved);
  CHECK(**moved == 3);
  CHECK(site.with_timeout("void", 1s, [](muster::scope&) {}));
  CHECK(site.with_timeout("result", 1s, [](muster::scope&) -> muster::result<int> { return 2; }) == 2);
  CHECK(site.with_timeout("nothing", 1s, [](muster::scope&) -> muster::result<void> { return {}; }));
}

TEST_CASE("with_timeout inside with_timeout: the outer limit counts and the inner scope's failure is its own") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  const auto start = clock->now();
  const auto got = site.with_timeout("outer", 3s, [&](muster::scope& outer) {
    const auto failed = outer.with_timeout("inner", 10s, [&](muster::scope& inner) -> muster::result<void> {
      if (inner.deadline() != start + 3s)
        return {};
      return std::unexpected{muster::error{std::errc::io_error, "inner"}};
    });
    return std::pair{error_of(failed).message(), outer.cancelled()};
  });
  REQUIRE(got);
  CHECK(got->first == "inner");
  CHECK_FALSE(got->second);
}

TEST_CASE("waiting for with_timeout's scope inside its body joins and more may not be started afterwards") {
  muster::manager site{standing_still()};
  const auto got = site.with_timeout("checkout", 8s, [](muster::scope& crew) -> muster::result<bool> {
    crew.execute("child", succeeds);
    if (auto done = crew.wait(); !done)
      return std::unexpected{done.error()};
    return crew.execute("late", succeeds).get().cancelled();
  });
  CHECK(got == true);
}
