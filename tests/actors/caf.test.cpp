/// Muster seen from CAF: links, monitors, exit messages, an application's actors and actor system.
#include <muster/caf.hpp>

#include "../catch.hpp"
#include "control_actor.hpp"
#include "support.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/response_promise.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <latch>
#include <thread>

using namespace std::chrono_literals;
using muster::errc;

namespace {

struct system_of_an_application {
  const bool registered = (muster::init_caf_types(), true);
  caf::actor_system_config config;
  caf::actor_system system{config};
};

/// Receives one down message from an observer that monitors `whom`, and gives its text.
std::string end_as_monitored(caf::actor_system& system, const caf::actor& whom) {
  caf::scoped_actor observer{system};
  observer->monitor(whom);
  std::string text;
  observer->receive([&](const caf::down_msg& down) { text = down.reason ? caf::to_string(down.reason) : "normal"; });
  return text;
}

/// The same through a link.
std::string end_as_linked(caf::actor_system& system, const caf::actor& whom) {
  caf::scoped_actor observer{system};
  observer->link_to(whom);
  std::string text;
  observer->receive([&](const caf::exit_msg& exit) { text = exit.reason ? caf::to_string(exit.reason) : "normal"; });
  return text;
}

muster::control_actor& actor_of_ours(const caf::actor& actor) {
  return static_cast<muster::control_actor&>(*caf::actor_cast<caf::abstract_actor*>(actor));
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace

TEST_CASE("an ordinary actor that monitors or links to a task before its end hears of it with the error's text",
          "[caf]") {
  system_of_an_application app;
  auto site = muster::in_system(app.system, {.name = "site", .workers = 2});
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
  std::latch observed{2};
  std::latch go{1};
  auto task = crew.execute("card", [&]() -> muster::result<void> {
    go.wait();
    return std::unexpected{muster::error{errc::bad_argument, "card declined"}};
  });
  const auto actor = muster::actor_of(task);
  std::string by_link;
  std::string by_monitor;
  std::thread linked{[&] {
    caf::scoped_actor self{app.system};
    self->link_to(actor);
    observed.count_down();
    self->receive([&](const caf::exit_msg& m) { by_link = caf::to_string(m.reason); });
  }};
  std::thread monitoring{[&] {
    caf::scoped_actor self{app.system};
    self->monitor(actor);
    observed.count_down();
    self->receive([&](const caf::down_msg& m) { by_monitor = caf::to_string(m.reason); });
  }};
  observed.wait();
  go.count_down();
  linked.join();
  monitoring.join();
  CHECK(contains(by_link, "card declined"));
  CHECK(contains(by_monitor, "card declined"));
  CHECK_FALSE(crew.wait().has_value());
}

TEST_CASE("an ordinary actor that monitors or links to a task after its end hears of it at once", "[caf]") {
  system_of_an_application app;
  auto site = muster::in_system(app.system, {.name = "site", .workers = 2});
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
  auto good = crew.execute("good", [] {});
  auto bad = crew.execute("bad", [] { throw std::runtime_error{"boom"}; });
  CHECK_FALSE(crew.wait().has_value());
  CHECK(end_as_monitored(app.system, muster::actor_of(good)) == "normal");
  CHECK(contains(end_as_monitored(app.system, muster::actor_of(bad)), "boom"));
  CHECK(contains(end_as_linked(app.system, muster::actor_of(bad)), "boom"));
}

TEST_CASE("whoever asks for a task's actor after its outcome was moved away still hears how it ended", "[caf]") {
  system_of_an_application app;
  auto site = muster::in_system(app.system, {.name = "site", .workers = 2});
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
  auto bad = crew.execute(
      "charge", []() -> muster::result<int> { return std::unexpected{muster::error{errc::bad_argument, "declined"}}; });
  auto stopped = crew.execute("wait", [](muster::context& ctx) { ctx.wait_until_cancelled(); });
  support::await_start(stopped);
  stopped.cancel("closing time");
  const auto copy = bad;
  const auto other = stopped;
  CHECK(std::move(bad).get().failed());
  CHECK(std::move(stopped).get().ok()); // its body did not mind
  CHECK(contains(end_as_monitored(app.system, muster::actor_of(copy)), "site/crew/charge: declined"));
  CHECK(end_as_monitored(app.system, muster::actor_of(other)) == "normal");
  CHECK_FALSE(crew.wait());
}

TEST_CASE("actors that link to and monitor a task while it ends hear of it exactly once", "[caf]") {
  system_of_an_application app;
  auto site = muster::in_system(app.system, {.name = "site", .workers = 2});
  for (int round = 0; round < 300; ++round) {
    auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
    std::latch both{2};
    auto task = crew.execute("t", [&] {
      both.arrive_and_wait();
      throw std::runtime_error{"boom"};
    });
    const auto actor = muster::actor_of(task);
    both.arrive_and_wait();
    REQUIRE(contains(end_as_monitored(app.system, actor), "boom"));
    REQUIRE(contains(end_as_linked(app.system, actor), "boom"));
    REQUIRE_FALSE(crew.wait().has_value());
  }
}

TEST_CASE("an abnormal exit message asks a task to stop and a normal one does not", "[caf]") {
  system_of_an_application app;
  auto site = muster::in_system(app.system, {.name = "site", .workers = 2});
  auto crew = site.create_scope("crew");
  std::latch running{1};
  auto task = crew.execute("t", [&](muster::context& ctx) {
    running.count_down();
    return std::string{ctx.wait_until_cancelled().text()};
  });
  running.wait();
  caf::anon_send_exit(muster::actor_of(task), caf::exit_reason::normal);
  CHECK(task.state() == muster::task_state::running);
  caf::anon_send_exit(muster::actor_of(task), caf::exit_reason::user_shutdown);
  CHECK(contains(task.get().value(), "user_shutdown"));
}

TEST_CASE("kill sent to a scope cancels and joins it", "[caf]") {
  system_of_an_application app;
  auto site = muster::in_system(app.system, {.name = "site", .workers = 2});
  auto crew = site.create_scope("crew");
  auto task = crew.execute("t", [](muster::context& ctx) -> muster::result<void> {
    static_cast<void>(ctx.wait_until_cancelled());
    return ctx.checkpoint();
  });
  caf::anon_send_exit(muster::actor_of(crew), caf::exit_reason::kill);
  CHECK(task.get().cancelled());
  const auto ended = crew.wait();
  REQUIRE_FALSE(ended.has_value());
  CHECK(ended.error().code() == errc::cancelled);
  CHECK(contains(end_as_monitored(app.system, muster::actor_of(crew)), "user_shutdown"));
}

TEST_CASE("the failure of an actor to which a scope is linked cancels the scope", "[caf]") {
  system_of_an_application app;
  auto site = muster::in_system(app.system, {.name = "site", .workers = 2});
  auto crew = site.create_scope("crew");
  std::latch running{1};
  auto task = crew.execute("t", [&](muster::context& ctx) {
    running.count_down();
    return ctx.wait_until_cancelled().kind();
  });
  running.wait();
  const auto scope_actor = muster::actor_of(crew);
  app.system.spawn([scope_actor](caf::event_based_actor* self) {
    self->link_to(scope_actor);
    self->quit(caf::exit_reason::user_shutdown);
  });
  CHECK(task.get().ok());
  CHECK_FALSE(crew.wait().has_value());
}

TEST_CASE("whoever is linked to a scope hears of its end once, however often the link was made", "[caf]") {
  system_of_an_application app;
  auto site = muster::in_system(app.system, {.name = "site", .workers = 2});
  auto crew = site.create_scope("crew");
  const auto actor = muster::actor_of(crew);
  caf::scoped_actor twice{app.system};
  twice->link_to(actor);
  twice->link_to(actor);
  caf::scoped_actor no_longer{app.system};
  no_longer->link_to(actor);
  no_longer->unlink_from(actor);
  caf::scoped_actor again{app.system};
  again->link_to(actor);
  again->unlink_from(actor);
  again->link_to(actor);
  CHECK(actor_of_ours(actor).count_links() == 2);
  crew.cancel("enough");
  CHECK_FALSE(crew.wait().has_value());
  for (auto* self : {&twice, &again}) {
    std::string text;
    (*self)->receive([&](const caf::exit_msg& exit) { text = caf::to_string(exit.reason); });
    CHECK(contains(text, "enough"));
    CHECK((*self)->mailbox().empty());
  }
  CHECK(no_longer->mailbox().empty());
  CHECK(actor_of_ours(actor).count_links() == 0);
}

TEST_CASE("an actor that has ended leaves no link behind at the scope it was linked to", "[caf]") {
  system_of_an_application app;
  auto site = muster::in_system(app.system, {.name = "site", .workers = 2});
  auto crew = site.create_scope("crew");
  const auto actor = muster::actor_of(crew);
  for (int i = 0; i < 100; ++i)
    app.system.spawn([actor](caf::event_based_actor* self) {
      self->link_to(actor);
      self->quit();
    });
  app.system.await_all_actors_done();
  while (actor_of_ours(actor).count_links() != 0) // the exits are on their way
    std::this_thread::yield();
  CHECK(crew.wait().has_value());
}

TEST_CASE("an actor that sends its scope an exit and lives on is still told of the scope's end", "[caf]") {
  system_of_an_application app;
  auto site = muster::in_system(app.system, {.name = "site", .workers = 2});
  auto crew = site.create_scope("crew");
  const auto actor = muster::actor_of(crew);
  caf::scoped_actor self{app.system};
  self->link_to(actor);
  self->send_exit(actor, caf::exit_reason::user_shutdown);
  while (!crew.cancelled()) // it is on its way
    std::this_thread::yield();
  CHECK_FALSE(crew.wait().has_value());
  bool told = false;
  self->receive([&](const caf::exit_msg&) { told = true; });
  CHECK(told);
}

TEST_CASE("a scope that ends well tells those who monitor it a normal reason", "[caf]") {
  system_of_an_application app;
  auto site = muster::in_system(app.system, {.name = "site", .workers = 2});
  auto crew = site.create_scope("crew");
  crew.execute("t", [] {});
  CHECK(crew.wait().has_value());
  CHECK(end_as_monitored(app.system, muster::actor_of(crew)) == "normal");
}

TEST_CASE("a message that a scope or a task does not understand is answered with an error", "[caf]") {
  system_of_an_application app;
  auto site = muster::in_system(app.system, {.name = "site", .workers = 2});
  auto crew = site.create_scope("crew");
  auto task = crew.execute("t", [] {});
  caf::scoped_actor self{app.system};
  for (const auto& actor : {muster::actor_of(crew), muster::actor_of(task)}) {
    bool refused = false;
    self->request(actor, caf::infinite, 42).receive([](int) {}, [&](const caf::error&) { refused = true; });
    CHECK(refused);
  }
}

TEST_CASE("an actor is a child of its scope and is stopped in one order with the resources", "[caf]") {
  system_of_an_application app;
  auto site = muster::in_system(app.system, {.name = "site", .workers = 2});
  std::mutex lock;
  std::vector<std::string> order;
  auto say = [&](std::string what) {
    std::lock_guard guard{lock};
    order.push_back(std::move(what));
  };
  {
    auto crew = site.create_scope("crew");
    static_cast<void>(crew.register_resource("first", 1, [&](int&) { say("first"); }));
    auto echo = muster::spawn_actor(crew, {.name = "echo", .daemon = true}, [&](caf::actor_system& system) {
      return system.spawn([&](caf::event_based_actor* self) -> caf::behavior {
        self->attach_functor([&] { say("echo"); });
        return {[](int x) { return x + 1; }};
      });
    });
    REQUIRE(echo.has_value());
    static_cast<void>(crew.register_resource("last", 1, [&](int&) { say("last"); }));
    auto answer = crew.execute("ask", [&](muster::context& ctx) { return muster::request<int>(ctx, *echo, 10s, 41); });
    CHECK(answer.get().value() == 42);
    CHECK(crew.wait().has_value());
  }
  CHECK(order == std::vector<std::string>{"last", "echo", "first"});
}

TEST_CASE("an actor that is no daemon keeps the wait waiting until it ends by itself", "[caf]") {
  system_of_an_application app;
  auto site = muster::in_system(app.system, {.name = "site", .workers = 2});
  auto crew = site.create_scope("crew");
  auto actor = muster::spawn_actor(crew, {.name = "a"}, [](caf::actor_system& system) {
    return system.spawn([](caf::event_based_actor* self) -> caf::behavior {
      return {[self](int) { self->quit(); }};
    });
  });
  REQUIRE(actor.has_value());
  crew.execute("later", [&] { caf::anon_send(*actor, 1); });
  CHECK(crew.wait().has_value());
}

TEST_CASE("an actor that fails by itself fails its scope and cancels its siblings", "[caf]") {
  system_of_an_application app;
  auto site = muster::in_system(app.system, {.name = "site", .workers = 2});
  auto crew = site.create_scope("crew");
  auto task = crew.execute("t", [](muster::context& ctx) -> muster::result<void> {
    static_cast<void>(ctx.wait_until_cancelled());
    return ctx.checkpoint();
  });
  auto actor = muster::spawn_actor(crew, {.name = "a"}, [](caf::actor_system& system) {
    return system.spawn([](caf::event_based_actor* self) -> caf::behavior {
      return {[self](int) { self->quit(caf::sec::runtime_error); }};
    });
  });
  REQUIRE(actor.has_value());
  caf::anon_send(*actor, 1);
  const auto ended = crew.wait();
  REQUIRE_FALSE(ended.has_value());
  CHECK(ended.error().code() == errc::actor_exited);
  CHECK(ended.error().path() == "site/crew/a");
  CHECK(task.get().cancelled());
}

TEST_CASE("a factory that throws or gives nothing is an error and no child", "[caf]") {
  system_of_an_application app;
  auto site = muster::in_system(app.system, {.name = "site", .workers = 2});
  auto crew = site.create_scope("crew");
  auto threw = muster::spawn_actor(crew, {.name = "a"},
                                   [](caf::actor_system&) -> caf::actor { throw std::runtime_error{"no luck"}; });
  REQUIRE_FALSE(threw.has_value());
  CHECK(threw.error().code() == errc::start_failed);
  CHECK(contains(muster::to_string(threw.error()), "no luck"));
  auto empty = muster::spawn_actor(crew, {.name = "a"}, [](caf::actor_system&) { return caf::actor{}; });
  REQUIRE_FALSE(empty.has_value());
  CHECK(crew.wait().has_value());
}

TEST_CASE("a request ends when its task is asked to stop", "[caf]") {
  system_of_an_application app;
  auto site = muster::in_system(app.system, {.name = "site", .workers = 2});
  auto crew = site.create_scope("crew");
  const auto silent = app.system.spawn([](caf::event_based_actor* self) -> caf::behavior {
    auto kept = std::make_shared<caf::response_promise>(); // CAF 1.x answers for one that is destroyed
    return {[self, kept](int) { return *kept = self->make_response_promise(); }};
  });
  std::latch running{1};
  auto task = crew.execute("ask", [&](muster::context& ctx) {
    running.count_down();
    return muster::request<int>(ctx, silent, 1h, 1);
  });
  running.wait();
  task.cancel();
  CHECK(task.get().cancelled());
  caf::anon_send_exit(silent, caf::exit_reason::user_shutdown);
}

TEST_CASE("a request to a dead actor or for another type comes back as an error", "[caf]") {
  system_of_an_application app;
  auto site = muster::in_system(app.system, {.name = "site", .workers = 2});
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
  const auto dead = app.system.spawn([](caf::event_based_actor* self) { self->quit(); });
  static_cast<void>(end_as_monitored(app.system, dead));
  auto to_dead = crew.execute("dead", [&](muster::context& ctx) { return muster::request<int>(ctx, dead, 1h, 1); });
  CHECK(to_dead.get().error().code() == errc::actor_exited);
  const auto texts = app.system.spawn([](caf::event_based_actor*) -> caf::behavior {
    return {[](int) { return std::string{"seven"}; }};
  });
  auto wrong = crew.execute("wrong", [&](muster::context& ctx) { return muster::request<int>(ctx, texts, 1h, 1); });
  CHECK(wrong.get().error().code() == errc::bad_argument);
  caf::anon_send_exit(texts, caf::exit_reason::user_shutdown);
}

TEST_CASE("an application's actor never runs on Muster's threads", "[caf]") {
  system_of_an_application app;
  auto site = muster::in_system(app.system, {.name = "site", .workers = 2});
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
  std::mutex lock;
  std::vector<std::string> threads;
  auto where = [&] {
    char name[16] = {};
    pthread_getname_np(pthread_self(), name, sizeof name);
    std::lock_guard guard{lock};
    threads.emplace_back(name);
  };
  std::latch heard{200};
  std::vector<caf::actor> observers; // an actor that nobody refers to ends
  for (int i = 0; i < 200; ++i) {
    auto task = crew.execute("t", [] { throw std::runtime_error{"boom"}; });
    const auto actor = muster::actor_of(task);
    observers.push_back(app.system.spawn([&, actor](caf::event_based_actor* self) -> caf::behavior {
      self->set_down_handler([&, self](const caf::down_msg&) {
        where();
        heard.count_down();
        self->quit();
      });
      self->monitor(actor);
      return {[](int) {}};
    }));
  }
  heard.wait();
  for (const auto& name : threads)
    CHECK_FALSE(name.starts_with("muster"));
  CHECK_FALSE(crew.wait().has_value());
}
