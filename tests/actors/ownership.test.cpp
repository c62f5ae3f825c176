// Ownership: no task outlives its scope, no scope its manager, and destructors join without detaching or throwing.
#include "support.hpp"

#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

using namespace support;

static_assert(!std::is_move_constructible_v<muster::scope> && !std::is_copy_constructible_v<muster::scope>);
static_assert(!std::is_move_constructible_v<muster::manager> && !std::is_copy_constructible_v<muster::manager>);
static_assert(std::is_nothrow_destructible_v<muster::scope> && std::is_nothrow_destructible_v<muster::manager>);
static_assert(std::is_copy_constructible_v<muster::task<int>> &&
              std::is_nothrow_move_constructible_v<muster::task<int>>);

namespace {

/// Stays until asked to stop, and leaves a mark as the last thing it does.
auto marks_its_end(gate& started, std::atomic<int>& gone) {
  return [&](context& ctx) {
    started.open();
    ctx.wait_until_cancelled();
    gone.fetch_add(1);
  };
}

/// One of those that are alive.
class counted {
public:
  explicit counted(std::atomic<int>& alive) noexcept : alive_(&alive) { ++alive; }
  counted(counted&& other) noexcept : alive_(other.alive_) { ++*alive_; }
  counted& operator=(counted&&) = delete;
  ~counted() { --*alive_; }

private:
  std::atomic<int>* alive_;
};

} // namespace

TEST_CASE("a value that nobody has a handle of is gone when the wait for its scope returns") {
  muster::manager site{{.name = "site", .workers = 2}};
  for (int round = 0; round < 1'000; ++round) {
    std::atomic<int> alive = 0;
    auto crew = site.create_scope("crew");
    for (int i = 0; i < 3; ++i)
      crew.execute("task", [&] { return counted{alive}; });
    static_cast<void>(crew.wait());
    REQUIRE(alive == 0);
  }
}

TEST_CASE("a value that waits for its scope when it is destroyed is told that this would never end") {
  muster::manager site{{.name = "site", .workers = 2}};
  muster::result<void> said;
  {
    auto crew = site.create_scope("crew");
    struct waits {
      muster::scope* whom;
      muster::result<void>* said;
      waits(muster::scope& s, muster::result<void>& r) : whom(&s), said(&r) {}
      waits(waits&& other) noexcept : whom(std::exchange(other.whom, nullptr)), said(other.said) {}
      waits& operator=(waits&&) = delete;
      ~waits() {
        if (whom)
          *said = whom->wait();
      }
    };
    gate go;
    crew.execute("task", [&] {
      go.wait(); // until nobody has its handle
      return waits{crew, said};
    });
    go.open();
    static_cast<void>(crew.wait());
  }
  REQUIRE_FALSE(said);
  CHECK(said.error().code() == errc::would_deadlock);
}

TEST_CASE("no task outlives its scope: a scope destroyed without wait cancels and joins") {
  gate started;
  std::atomic<int> gone = 0;
  muster::manager site{standing_still()};
  {
    auto crew = site.create_scope("crew");
    crew.execute("worker", marks_its_end(started, gone));
    started.wait();
  }
  CHECK(gone == 1);
  CHECK(site.stats().tasks_live == 0);
}

TEST_CASE("a scope destroyed without wait never starts what had not started") {
  gate started;
  std::atomic<int> ran = 0;
  muster::task<void> held;
  muster::manager site{standing_still()};
  {
    auto crew = site.create_scope("crew", {.max_parallel = 1});
    crew.execute("worker", [&](context& ctx) {
      started.open();
      ctx.wait_until_cancelled();
    });
    held = crew.execute("held", [&] { ran.fetch_add(1); });
    started.wait();
  }
  CHECK(held.get().cancelled());
  CHECK(ran == 0);
}

TEST_CASE("no scope outlives its manager: a manager destroyed first ends the scopes whose handles are still there") {
  gate started;
  std::atomic<int> gone = 0;
  std::unique_ptr<muster::scope> crew;
  muster::task<void> worker;
  {
    muster::manager site{standing_still()};
    crew.reset(new muster::scope(site.create_scope("crew")));
    worker = crew->execute("worker", marks_its_end(started, gone));
    started.wait();
  }
  CHECK(gone == 1);
  CHECK(worker.ready());
  CHECK(crew->ended());
  CHECK(crew->cancelled());
  CHECK(error_of(crew->wait()).is(errc::cancelled));
  CHECK(crew->execute("too late", succeeds).get().cancelled());
}

TEST_CASE("a manager destroyed without shutdown cancels and joins everything below it") {
  std::atomic<int> gone = 0;
  gate started[3];
  {
    muster::manager site{standing_still()};
    auto left = site.create_scope("left");
    auto right = site.create_scope("right");
    auto below = right.create_scope("below");
    left.execute("worker", marks_its_end(started[0], gone));
    right.execute("worker", marks_its_end(started[1], gone));
    below.execute("worker", marks_its_end(started[2], gone));
    for (auto& each : started)
      each.wait();
  }
  CHECK(gone == 3);
}

TEST_CASE("what a manager ends when it is destroyed is told: shutdown") {
  gate started;
  muster::cancel_reason why;
  std::unique_ptr<muster::scope> crew;
  muster::task<void> worker;
  {
    muster::manager site{standing_still()};
    crew.reset(new muster::scope(site.create_scope("crew")));
    worker = crew->execute("worker", [&](context& ctx) {
      started.open();
      why = ctx.wait_until_cancelled();
    });
    started.wait();
  }
  CHECK(why.root_kind() == cancel_kind::shutdown);
  CHECK(worker.get().reason().root_kind() == cancel_kind::shutdown);
}

TEST_CASE("the outcome of a task lives until its last handle goes also after scope and manager") {
  muster::task<std::string> good;
  muster::task<void> bad;
  {
    muster::manager site{standing_still()};
    auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
    good = crew.execute("good", [] { return std::string{"a value that does not fit into the string object itself"}; });
    bad = crew.execute("bad", fails("broken"));
    CHECK_FALSE(crew.wait());
  }
  const auto copy = good;
  good = {};
  CHECK(copy.get().value() == "a value that does not fit into the string object itself");
  CHECK(copy.path() == "site/crew/good");
  CHECK(copy.name() == "good");
  CHECK(copy.ready());
  CHECK(copy.state() == muster::task_state::ended);
  CHECK(copy.wait_for(0s));
  REQUIRE(bad.get().failed());
  CHECK(bad.get().error().message() == "broken");
  CHECK(bad.get().error().path() == "site/crew/bad");
  bad.cancel();
  CHECK(bad.get().failed());
}

TEST_CASE("discarding a task handle is fine: the task belongs to its scope") {
  gate go;
  std::atomic<bool> done = false;
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  const let_go at_end{go};
  crew.execute("worker", [&] {
    go.wait();
    done = true;
  });
  go.open();
  CHECK(crew.wait());
  CHECK(done);
}

TEST_CASE("a finished task without a handle keeps nothing: its value is destroyed while the scope lives on") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  auto value = std::make_shared<int>(7);
  const std::weak_ptr<int> watched = value;
  crew.execute("worker", [value = std::move(value)] { return value; });
  await([&] { return watched.expired(); });
  CHECK(crew.execute("another", [] { return 1; }).get().ok());
  CHECK(crew.wait());
}

TEST_CASE("a task's callable is destroyed before its outcome counts") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
  for (int i = 0; i < 500; ++i) {
    auto captured = std::make_shared<int>(i);
    const std::weak_ptr<int> watched = captured;
    auto task = crew.execute("worker", [captured = std::move(captured), i]() -> muster::result<void> {
      if (i % 2 == 0)
        return std::unexpected{muster::error{std::errc::io_error}};
      return {};
    });
    static_cast<void>(task.get());
    REQUIRE(watched.expired());
  }
  CHECK_FALSE(crew.wait());
}

TEST_CASE("the callable of a task that never ran is destroyed before its outcome counts") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew", {.max_parallel = 1});
  gate started;
  crew.execute("holds the permit", [&](context& ctx) {
    started.open();
    ctx.wait_until_cancelled();
  });
  started.wait();
  auto captured = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = captured;
  auto task = crew.execute("held", [captured = std::move(captured)] {});
  CHECK_FALSE(watched.expired());
  task.cancel();
  CHECK(task.get().cancelled());
  CHECK(watched.expired());
}

TEST_CASE("a scope that is destroyed while an exception unwinds joins its children") {
  gate started;
  std::atomic<int> gone = 0;
  muster::manager site{standing_still()};
  bool caught = false;
  try {
    auto crew = site.create_scope("crew");
    crew.execute("worker", marks_its_end(started, gone));
    started.wait();
    throw std::runtime_error{"out of here"};
  } catch (const std::runtime_error&) {
    caught = true;
  }
  CHECK(caught);
  CHECK(gone == 1);
}

TEST_CASE("the destructor of a scope does not throw what its children and releases threw") {
  muster::manager site{standing_still()};
  {
    auto crew = site.create_scope("crew");
    CHECK(crew.register_resource("tool", 1, [](int&) { throw 42; }));
    crew.execute("worker", [] { throw std::runtime_error{"broken"}; });
  }
  CHECK(site.stats().resources_released + site.errors().errors.size() >= 1);
}

TEST_CASE("a nested scope destroyed inside a body is joined before the body goes on") {
  gate started;
  std::atomic<int> gone = 0;
  int seen = -1;
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  crew.execute("outer", [&](context& ctx) {
    {
      auto inner = ctx.create_scope("inner");
      inner.execute("worker", marks_its_end(started, gone));
      started.wait();
    }
    seen = gone;
  });
  CHECK(crew.wait());
  CHECK(seen == 1);
}

TEST_CASE("a nested scope that a body leaves behind is joined before the task ends") {
  gate body_over;
  std::atomic<int> ended_before_child = -1;
  std::unique_ptr<muster::scope> left_behind;
  muster::task<void> outer;
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  const let_go at_end{body_over};
  gate handle_is_there;
  outer = crew.execute("outer", [&](context& ctx) {
    handle_is_there.wait();
    left_behind.reset(new muster::scope(ctx.create_scope("inner")));
    left_behind->execute("worker", [&] {
      body_over.wait();
      ended_before_child = outer.ready() ? 1 : 0;
    });
  });
  handle_is_there.open();
  await([&] { return waits(site.tree(), "outer") || outer.ready(); }); // it joins what it left behind
  body_over.open();
  CHECK(crew.wait());
  CHECK(ended_before_child != 1);
  REQUIRE(left_behind);
  CHECK(left_behind->ended());
  left_behind.reset();
}

TEST_CASE("a manager with nothing in it starts and ends") {
  for (int i = 0; i < 20; ++i) {
    const muster::manager site{standing_still()};
    CHECK(site.stats().scopes_created == 0);
  }
}

TEST_CASE("several managers live beside each other") {
  muster::manager one{standing_still()};
  muster::manager two{standing_still()};
  auto left = one.create_scope("crew");
  auto right = two.create_scope("crew");
  auto a = left.execute("a", [] { return 1; });
  right.execute("b", fails("two is broken"));
  CHECK_FALSE(right.wait());
  CHECK(left.wait());
  CHECK(a.get().value() == 1);
  CHECK(one.errors().errors.empty());
  CHECK(two.errors().errors.size() == 1);
}
