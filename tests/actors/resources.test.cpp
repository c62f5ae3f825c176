// Resources: released in reverse order, one after another, after all tasks, whatever happened; errors are kept.
#include "support.hpp"

#include <expected>
#include <stdexcept>

using namespace support;

namespace {

/// Registers a, b and c, whose releases write their names.
template <class Registrar>
void register_three(Registrar& with, journal& written) {
  for (const char* name : {"a", "b", "c"})
    if (!with.register_resource(name, std::string{name}, [&](std::string& held) { written.write(held); }))
      written.write("refused");
}
const lines in_reverse{"c", "b", "a"};

} // namespace

TEST_CASE("resources are released in reverse order when the scope succeeds") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  journal written;
  register_three(crew, written);
  crew.execute("worker", [&] { written.write("worker"); });
  CHECK(crew.wait());
  CHECK(written.lines() == lines{"worker", "c", "b", "a"});
  CHECK(site.stats().resources_released == 3);
}

TEST_CASE("resources are released in reverse order when the scope fails") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  journal written;
  register_three(crew, written);
  crew.execute("culprit", fails("broken"));
  CHECK(messages(error_of(crew.wait())) == lines{"broken"});
  CHECK(written.lines() == in_reverse);
}

TEST_CASE("resources are released in reverse order when the scope is cancelled") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  journal written;
  register_three(crew, written);
  crew.execute("worker", stays);
  crew.cancel();
  CHECK(error_of(crew.wait()).code() == errc::cancelled);
  CHECK(written.lines() == in_reverse);
}

TEST_CASE("resources are released in reverse order when the scope never ran anything") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  journal written;
  register_three(crew, written);
  CHECK(crew.wait());
  CHECK(written.lines() == in_reverse);
}

TEST_CASE("resources are released when the scope is destroyed without wait") {
  muster::manager site{standing_still()};
  journal written;
  {
    auto crew = site.create_scope("crew");
    register_three(crew, written);
    auto worker = crew.execute("worker", [&](context& ctx) {
      ctx.wait_until_cancelled();
      written.write("worker");
    });
    await_start(worker);
  }
  CHECK(written.lines() == lines{"worker", "c", "b", "a"});
}

TEST_CASE("resources are released when the manager is destroyed") {
  journal written;
  std::unique_ptr<muster::scope> crew;
  {
    muster::manager site{standing_still()};
    crew.reset(new muster::scope(site.create_scope("crew")));
    register_three(*crew, written);
  }
  CHECK(written.lines() == in_reverse);
}

TEST_CASE("resources are released strictly one after another and each is awaited") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  std::atomic<int> inside = 0;
  std::atomic<int> together = 0;
  std::atomic<int> released = 0;
  for (int i = 0; i < 200; ++i)
    CHECK(crew.register_resource("tool", i, [&](int&) {
      if (inside.fetch_add(1) != 0)
        together.fetch_add(1);
      std::this_thread::yield();
      inside.fetch_sub(1);
      released.fetch_add(1);
    }));
  CHECK(crew.wait());
  CHECK(released == 200);
  CHECK(together == 0);
}

TEST_CASE("no resource is released before the last task has ended") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  gate go;
  const let_go at_end{go};
  auto tool = crew.register_resource("tool", 7, [](int& held) { held = 0; });
  REQUIRE(tool);
  std::vector<muster::task<int>> workers;
  for (int i = 0; i < 4; ++i)
    workers.push_back(crew.execute("worker", [&go, tool = *tool] {
      go.wait();
      return *tool;
    }));
  crew.close();
  go.open();
  CHECK(crew.wait());
  for (const auto& each : workers)
    CHECK(each.get().value() == 7);
}

TEST_CASE("an error in one release keeps the others going and a lone one is the result") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  journal written;
  CHECK(crew.register_resource("a", 1, [&](int&) { written.write("a"); }));
  CHECK(crew.register_resource("brush", 1, [&](int&) -> muster::result<void> {
    written.write("b");
    return std::unexpected{muster::error{std::errc::device_or_resource_busy, "still in use"}};
  }));
  CHECK(crew.register_resource("c", 1, [&](int&) { written.write("c"); }));
  auto worker = crew.execute("worker", [] { return 1; });
  const auto why = error_of(crew.wait());
  CHECK(why.code() == errc::release_failed);
  CHECK(why.is(std::errc::device_or_resource_busy));
  REQUIRE(why.cause() != nullptr);
  CHECK(why.cause()->message() == "still in use");
  CHECK(contains(to_line(why), "brush"));
  CHECK(why.later().empty());
  CHECK(written.lines() == in_reverse);
  CHECK(worker.get().ok());
  CHECK(site.errors().errors.size() == 1);
}

TEST_CASE("an error in a release after an error in a task comes behind it") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  CHECK(crew.register_resource("pump", 1, [](int&) { throw std::runtime_error{"jammed"}; }));
  crew.execute("culprit", fails("broken"));
  const auto why = error_of(crew.wait());
  CHECK(why.message() == "broken");
  REQUIRE(why.later().size() == 1);
  CHECK(why.later()[0].code() == errc::release_failed);
  CHECK(contains(to_line(why.later()[0]), "jammed"));
}

TEST_CASE("whatever a release throws or returns is kept") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  CHECK(crew.register_resource("throws an int", 1, [](int&) { throw 42; }));
  CHECK(crew.register_resource("throws", 1, [](int&) { throw std::logic_error{"clumsy"}; }));
  CHECK(crew.register_resource("returns a code", 1, [](int&) -> std::expected<void, std::error_code> {
    return std::unexpected{std::make_error_code(std::errc::io_error)};
  }));
  CHECK(crew.register_resource("returns a number that means nothing", 1, [](int&) { return -1; }));
  const auto why = error_of(crew.wait());
  CHECK(why.is(std::errc::io_error));
  REQUIRE(why.later().size() == 2);
  CHECK(why.later()[0].as<std::logic_error>() != nullptr);
  CHECK(why.later()[1].as<int>() != nullptr);
  for (const auto& each : why.later())
    CHECK(each.code() == errc::release_failed);
}

TEST_CASE("a release is shielded from its scope's cancellation: it may still run work elsewhere") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  std::atomic<int> said = 0;
  CHECK(crew.register_resource("tool", 1, [&](int&) {
    auto goodbye = site.create_scope("goodbye");
    said = goodbye.execute("last words", [] { return 5; }).get().value();
    static_cast<void>(goodbye.wait());
  }));
  crew.execute("worker", stays);
  crew.cancel();
  CHECK(error_of(crew.wait()).code() == errc::cancelled);
  CHECK(error_of(crew.wait()).later().empty());
  CHECK(said == 5);
}

TEST_CASE("registering on an ended scope is an error and the object is released at once on this thread") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  CHECK(crew.wait());
  std::thread::id on_thread;
  auto object = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = object;
  const auto late = crew.register_resource("late", std::move(object),
                                           [&](std::shared_ptr<int>&) { on_thread = std::this_thread::get_id(); });
  CHECK(error_of(late).code() == errc::scope_closed);
  CHECK(on_thread == std::this_thread::get_id());
  CHECK(watched.expired());
  CHECK(crew.wait());
}

TEST_CASE("a release that throws when its scope has refused it does not throw at the one who registers") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  CHECK(crew.wait());
  const auto late = crew.register_resource("late", 1, [](int&) { throw std::runtime_error{"jammed"}; });
  CHECK(error_of(late).is(errc::scope_closed));
  CHECK(crew.wait());
}

TEST_CASE("a scope that has been cancelled but not ended still takes resources and releases them") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  journal written;
  auto worker = crew.execute("worker", [&](context& ctx) {
    ctx.wait_until_cancelled();
    register_three(ctx, written);
    written.write("registered");
  });
  await_start(worker);
  crew.cancel();
  CHECK_FALSE(crew.wait());
  CHECK(written.lines() == lines{"registered", "c", "b", "a"});
}

TEST_CASE("a task registers with the scope that it runs in and not for itself alone") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  journal written;
  auto first = crew.execute("first", [&](context& ctx) {
    register_three(ctx, written);
    auto inner = ctx.create_scope("inner");
    static_cast<void>(inner.register_resource("inner", 1, [&](int&) { written.write("inner"); }));
    inner.execute("below", [&](context& below) {
      static_cast<void>(below.register_resource("below", 1, [&](int&) { written.write("below"); }));
    });
    static_cast<void>(inner.wait());
  });
  CHECK(first.get().ok());
  CHECK(crew.execute("second", [&] { written.write("second"); }).get().ok());
  CHECK(crew.wait());
  CHECK(written.lines() == lines{"below", "inner", "second", "c", "b", "a"});
}

TEST_CASE("a nested scope's resources are released before its parent's") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  journal written;
  register_three(crew, written);
  auto nested = crew.create_scope("nested");
  CHECK(nested.register_resource("nested", 1, [&](int&) { written.write("nested"); }));
  CHECK(crew.wait());
  CHECK(written.lines() == lines{"nested", "c", "b", "a"});
}

TEST_CASE("an object with a release of its own and a pointer to one need no function") {
  struct pump {
    journal* written;
    std::string name;
    void release() { written->write(name); }
  };
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  journal written;
  CHECK(crew.register_resource("value", pump{&written, "value"}));
  CHECK(crew.register_resource("pointer", std::make_unique<pump>(pump{&written, "pointer"})));
  CHECK(crew.register_resource(muster::resource_options{.name = "shared"},
                               std::make_shared<pump>(pump{&written, "shared"})));
  CHECK(crew.wait());
  CHECK(written.lines() == lines{"shared", "pointer", "value"});
}

TEST_CASE("a resource is used through its handle and destroyed right after its release") {
  struct tool {
    std::string text;
    std::shared_ptr<int> alive;
  };
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  auto alive = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = alive;
  bool alive_in_release = false;
  const auto held = crew.register_resource("tool", tool{"hammer", std::move(alive)},
                                           [&](tool&) { alive_in_release = !watched.expired(); });
  REQUIRE(held);
  CHECK((*held)->text == "hammer");
  CHECK((**held).text.size() == 6);
  CHECK(crew.wait());
  CHECK(alive_in_release);
  CHECK(watched.expired());
}

TEST_CASE("resources that tasks register at the same time are each released exactly once and in reverse") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  std::mutex order;
  std::vector<int> registered;
  std::vector<int> released;
  for (int i = 0; i < 100; ++i)
    crew.execute("worker", [&, i](context& ctx) {
      const std::scoped_lock lock{order};
      registered.push_back(i);
      static_cast<void>(ctx.register_resource("tool", i, [&](int& held) { released.push_back(held); }));
    });
  CHECK(crew.wait());
  CHECK(registered.size() == 100);
  CHECK(std::vector<int>(released.rbegin(), released.rend()) == registered);
}
