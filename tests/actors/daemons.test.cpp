// Daemons: children that serve the others and are stopped when the last other child has ended.
#include "support.hpp"

using namespace support;

TEST_CASE("a daemon is stopped when the last other child has ended and wait succeeds") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  gate serving;
  auto daemon = crew.execute({.name = "daemon", .daemon = true}, [&](context& ctx) -> muster::result<void> {
    serving.open();
    return std::unexpected{ctx.wait_until_cancelled().to_error()};
  });
  auto worker = crew.execute("worker", [&] {
    serving.wait();
    return daemon.ready();
  });
  CHECK(crew.wait());
  REQUIRE(worker.get().ok());
  CHECK_FALSE(worker.get().value());
  CHECK(daemon.get().cancelled());
  CHECK(site.errors().errors.empty());
}

TEST_CASE("several daemons are all stopped and a value that one gives at its end stands") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  std::atomic<int> serving = 0;
  std::vector<muster::task<int>> daemons;
  for (int i = 0; i < 5; ++i)
    daemons.push_back(crew.execute({.name = "daemon", .daemon = true}, [&, i](context& ctx) {
      serving.fetch_add(1);
      ctx.wait_until_cancelled();
      return i;
    }));
  crew.execute("worker", [&] { await([&] { return serving.load() == 5; }); });
  CHECK(crew.wait());
  for (std::size_t i = 0; i < daemons.size(); ++i)
    CHECK(daemons[i].get().value() == static_cast<int>(i));
}

TEST_CASE("a scope with daemons alone ends when it is waited for") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  auto daemon = crew.execute({.name = "daemon", .daemon = true}, stays);
  CHECK(crew.wait());
  CHECK(daemon.get().cancelled());
}

TEST_CASE("a nested scope that still works keeps the daemons of its parent going") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  auto nested = crew.create_scope("nested");
  gate serving;
  auto daemon = crew.execute({.name = "daemon", .daemon = true}, [&](context& ctx) {
    serving.open();
    ctx.wait_until_cancelled();
  });
  auto worker = nested.execute("worker", [&] {
    serving.wait();
    return daemon.ready();
  });
  CHECK(crew.wait());
  REQUIRE(worker.get().ok());
  CHECK_FALSE(worker.get().value());
  CHECK(daemon.get().ok());
}

TEST_CASE("a daemon that fails before it is stopped fails the scope like any other child") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  auto worker = crew.execute("worker", stays);
  crew.execute({.name = "daemon", .daemon = true}, fails("the generator broke"));
  CHECK(messages(error_of(crew.wait())) == lines{"the generator broke"});
  CHECK(worker.get().cancelled());
}

TEST_CASE("daemons are joined before the resources are released") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  journal written;
  CHECK(crew.register_resource("tool", 1, [&](int&) { written.write("released"); }));
  gate serving;
  crew.execute({.name = "daemon", .daemon = true}, [&](context& ctx) {
    serving.open();
    ctx.wait_until_cancelled();
    written.write("daemon");
  });
  crew.execute("worker", [&] {
    serving.wait();
    written.write("worker");
  });
  CHECK(crew.wait());
  CHECK(written.lines() == lines{"worker", "daemon", "released"});
}

TEST_CASE("a cancelled scope cancels its daemons too") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  auto daemon = crew.execute({.name = "daemon", .daemon = true}, stays);
  auto worker = crew.execute("worker", stays);
  crew.cancel("rain");
  CHECK(error_of(crew.wait()).code() == errc::cancelled);
  CHECK(daemon.get().cancelled());
  CHECK(worker.get().cancelled());
}

TEST_CASE("a task that a daemon starts while others work is an ordinary child and is waited for") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  gate spawned;
  std::atomic<bool> helped = false;
  crew.execute({.name = "daemon", .daemon = true}, [&](context& ctx) {
    crew.execute("helper", [&] { helped = true; });
    spawned.open();
    ctx.wait_until_cancelled();
  });
  crew.execute("worker", [&] { spawned.wait(); });
  CHECK(crew.wait());
  CHECK(helped);
}
