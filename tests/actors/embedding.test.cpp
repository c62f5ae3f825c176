// Muster inside an application: what a manager brings into a process, and that it takes all of it away again.
#include "support.hpp"

#include "../process_counts.hpp"
#include "../trace_scratch.hpp"

#include <muster/caf.hpp>

#include <caf/actor_registry.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <vector>

using namespace support;

namespace {

/// A manager does a little of everything and goes.
void start_and_stop() {
  muster::manager site{{.name = "site", .workers = 2}};
  auto crew = site.create_scope("crew");
  auto one = crew.execute("one", [](context&) { return 1; });
  crew.execute({.name = "two", .after = {one}},
               [](muster::async_context& ctx) -> muster::coro<void> { static_cast<void>(co_await ctx.yield()); });
  REQUIRE(crew.wait());
}

#if defined(__SANITIZE_ADDRESS__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

/// What `child` leaves behind in a forked process: its status.
template <class Child>
int status_of_a_fork(Child child) {
  const auto pid = ::fork();
  if (pid == 0) {
    child();
    ::_exit(99); // nobody gets here
  }
  REQUIRE(pid > 0);
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  return status;
}

/// Everything that is written to standard output and error goes into a file meanwhile.
class held_terminal {
public:
  held_terminal() : file_{std::tmpfile()} {
    REQUIRE(file_ != nullptr);
    for (const int fd : {1, 2}) {
      std::fflush(fd == 1 ? stdout : stderr);
      kept_[static_cast<std::size_t>(fd)] = ::dup(fd);
      ::dup2(::fileno(file_), fd);
    }
  }
  ~held_terminal() {
    give_back();
    std::fclose(file_);
  }
  held_terminal(const held_terminal&) = delete;
  held_terminal& operator=(const held_terminal&) = delete;

  /// What has been written. Nothing is held any more.
  std::string written() {
    give_back();
    std::string text(4096, '\0');
    std::rewind(file_);
    text.resize(std::fread(text.data(), 1, text.size(), file_));
    return text;
  }

private:
  void give_back() {
    for (const int fd : {1, 2})
      if (auto& kept = kept_[static_cast<std::size_t>(fd)]; kept >= 0) {
        std::fflush(fd == 1 ? stdout : stderr);
        ::dup2(kept, fd);
        ::close(kept);
        kept = -1;
      }
  }
  std::FILE* file_;
  std::array<int, 3> kept_{-1, -1, -1};
};

} // namespace

TEST_CASE("a thousand managers one after the other leave no thread, descriptor or mapping behind", "[embedding]") {
  const int rounds = sanitized ? 100 : 1000;
  for (int i = 0; i < 20; ++i) // what is made once for the process is there now
    start_and_stop();
  const auto threads = process_counts::threads();
  const auto descriptors = process_counts::descriptors();
  const auto mapped = process_counts::mappings();
  const auto resident = process_counts::resident_pages();
  for (int i = 0; i < rounds; ++i)
    start_and_stop();
  // A joined thread leaves the list a moment later.
  await([&] { return process_counts::threads() <= threads; });
  CHECK(process_counts::descriptors() <= descriptors);
  // The C library keeps stacks and arenas for later threads. One mapping or page a round would be more than that.
  CHECK(process_counts::mappings() < mapped + 50);
  if (!sanitized)
    CHECK(process_counts::resident_pages() < resident + 2000);
}

TEST_CASE("two managers in one process know nothing of each other", "[embedding]") {
  journal one_said;
  journal two_said;
  muster::manager one{
    {.name = "one", .workers = 1, .on_error = [&](const muster::error& e) { one_said.write(e.message()); }}};
  muster::manager two{
    {.name = "two", .workers = 1, .on_error = [&](const muster::error& e) { two_said.write(e.message()); }}};
  auto first = one.create_scope("crew");
  auto second = two.create_scope("crew");
  auto staying = second.execute("staying", [](context& ctx) {
    static_cast<void>(ctx.wait_until_cancelled());
    return ctx.reason().text();
  });
  await_start(staying);
  first.execute("failing", fails("broken"));
  CHECK_FALSE(first.wait());
  one.cancel("only this one");
  await([&] { return one_said.size() == 1; });
  CHECK_FALSE(two.cancelled());
  CHECK(staying.state() != muster::task_state::ended);
  second.cancel("this one too");
  CHECK(staying.get().value() == "this one too");
  CHECK_FALSE(second.wait());
  CHECK(one.tree().nodes.size() > 0);
  CHECK(one_said.lines() == lines{"broken"});
  CHECK(two_said.lines().empty());
}

TEST_CASE("two managers share an application's actor system and leave it as it was", "[embedding]") {
  muster::init_caf_types();
  caf::actor_system_config settings;
  caf::actor_system system{settings};
  const auto doubler = system.spawn([](caf::event_based_actor*) -> caf::behavior {
    return {[](int number) { return number * 2; }};
  });
  const auto running = system.registry().running();
  {
    auto one = muster::in_system(system, {.name = "one", .workers = 1});
    auto two = muster::in_system(system, {.name = "two", .workers = 1});
    for (auto* site : {&one, &two}) {
      auto crew = site->create_scope("crew");
      auto asked = crew.execute("asking", [&](context& ctx) { return muster::request<int>(ctx, doubler, 1h, 21); });
      CHECK(crew.wait());
      CHECK(asked.get().value() == 42);
    }
  }
  // The application's actor is still there, and nobody else.
  CHECK(system.registry().running() == running);
  caf::scoped_actor self{system};
  int answer = 0;
  self->request(doubler, caf::infinite, 4).receive([&](int number) { answer = number; }, [](const caf::error&) {});
  CHECK(answer == 8);
  self->send_exit(doubler, caf::exit_reason::user_shutdown);
}

TEST_CASE("a child of fork may exec or _exit while the managers of its parent go on", "[embedding]") {
  muster::manager site{{.name = "site", .workers = 2}};
  auto crew = site.create_scope("crew");
  auto staying = crew.execute("staying", stays);
  // From the application's thread, and from a body.
  const auto run_true = [] { ::execl("/bin/true", "true", nullptr); };
  const auto leave = [] { ::_exit(7); };
  const auto here = status_of_a_fork(run_true);
  CHECK((WIFEXITED(here) && WEXITSTATUS(here) == 0));
  const auto left = status_of_a_fork(leave);
  CHECK((WIFEXITED(left) && WEXITSTATUS(left) == 7));
  auto in_a_body = crew.execute("forking", [&] { return status_of_a_fork(run_true); });
  CHECK(in_a_body.get().value() == 0);
  CHECK(staying.state() == muster::task_state::running);
  // Nor has the child taken away what the parent records.
  const muster::tests::scratch_folder folder;
  CHECK_FALSE(site.write_trace((folder.path / "all.trace").string()));
  CHECK(std::filesystem::file_size(folder.path / "all.trace") > 0);
  crew.cancel();
}

TEST_CASE("a manager that is used in a child of fork says so and aborts", "[embedding]") {
  muster::manager site{{.name = "site", .workers = 1}};
  auto over = site.create_scope("over");
  static_cast<void>(over.execute("task", [] {}).get());
  const auto uses_it = [&](bool with_a_task) {
    std::array<int, 2> pipe{};
    REQUIRE(::pipe(pipe.data()) == 0);
    const auto status = status_of_a_fork([&] {
      ::signal(SIGABRT, SIG_DFL);
      ::dup2(pipe[1], 2);
      ::close(pipe[1]);
      if (!with_a_task) {
        static_cast<void>(over.wait()); // nothing runs there any more
        return;
      }
      auto crew = site.create_scope("crew");
      crew.execute("task", [] {});
      static_cast<void>(crew.wait());
    });
    ::close(pipe[1]);
    std::string said(4096, '\0');
    const auto length = ::read(pipe[0], said.data(), said.size());
    ::close(pipe[0]);
    said.resize(static_cast<std::size_t>(length > 0 ? length : 0));
    CHECK(contains(said, "a manager was used in a child of fork()"));
    CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT));
  };
  uses_it(true);
  uses_it(false);
  CHECK(site.create_scope("later").wait()); // the parent's has not noticed
}

TEST_CASE("the threads of a manager have the signal mask of the thread that made it, and no handler is installed",
          "[embedding]") {
  sigset_t blocked;
  sigset_t before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR2);
  REQUIRE(::pthread_sigmask(SIG_BLOCK, &blocked, &before) == 0);
  std::array<struct sigaction, 32> handlers{};
  for (int number = 1; number < 32; ++number)
    ::sigaction(number, nullptr, &handlers[static_cast<std::size_t>(number)]);
  {
    muster::manager site{{.name = "site", .workers = 1}};
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    auto crew = site.create_scope("crew");
    auto masked = crew.execute("looking", [] {
      sigset_t now;
      ::pthread_sigmask(SIG_SETMASK, nullptr, &now);
      return sigismember(&now, SIGUSR2) == 1 && sigismember(&now, SIGUSR1) == 0;
    });
    CHECK(masked.get().value());
    for (int number = 1; number < 32; ++number) {
      struct sigaction now {};
      ::sigaction(number, nullptr, &now);
      CHECK(now.sa_handler == handlers[static_cast<std::size_t>(number)].sa_handler);
    }
  }
}

TEST_CASE("without a log hook Muster writes nothing to the terminal, whatever goes wrong", "[embedding]") {
  std::string written;
  {
    held_terminal terminal;
    {
      const auto clock = still_clock();
      muster::manager site{on(clock)};
      auto crew = site.create_scope("crew", {.on_failure = muster::isolate, .grace = 1s});
      gate started;
      gate held;
      const let_go at_the_end{held};
      // They have ended before time passes: on a busy machine they would be found unresponsive too.
      static_cast<void>(crew.execute("throwing", [] { throw std::runtime_error{"broken"}; }).get());
      static_cast<void>(crew.execute("throwing no exception", [] { throw 1; }).get());
      auto clumsy = crew.execute("clumsy", [&](context& ctx) {
        const auto registered = ctx.on_cancel([] { throw std::runtime_error{"clumsy"}; });
        started.open();
        held.wait();
      });
      static_cast<void>(crew.register_resource("broken", 1, [](int) { throw std::runtime_error{"cannot be closed"}; }));
      static_cast<void>(muster::spawn_actor(crew, {.name = "failing"}, [](caf::event_based_actor*) {
        throw std::runtime_error{"an actor failed"};
      }));
      started.wait();
      crew.cancel();
      clock->advance(2s);
      await([&] { return crew.stats().tasks_unresponsive == 1; });
      held.open();
      static_cast<void>(crew.wait());
    }
    written = terminal.written();
  }
  CHECK(written.empty());
}
