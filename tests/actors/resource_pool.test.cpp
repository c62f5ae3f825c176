// Resource pools: never more than max, first come first served, nothing lost, whatever happens to those who hold and
// wait.
#include "support.hpp"

#include "manager_actor.hpp"
#include "scope_actor.hpp"

#include <csignal>
#include <deque>
#include <functional>
#include <optional>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

using namespace support;
using muster::pool_options;
using muster::resource_pool;

namespace {

/// What has become of the things that a factory made.
struct books {
  std::atomic<int> made = 0;
  std::atomic<int> gone = 0;
  std::atomic<int> most = 0;

  [[nodiscard]] int alive() const { return made - gone; }
};

/// A resource: moves, does not copy, and is counted while it is one.
class thing {
public:
  explicit thing(books& kept) : kept_{&kept}, number{++kept.made} {
    int seen = kept.most;
    while (seen < kept.alive() && !kept.most.compare_exchange_weak(seen, kept.alive())) {}
  }
  thing(thing&& other) noexcept : kept_{std::exchange(other.kept_, nullptr)}, number{other.number} {}
  ~thing() {
    if (kept_)
      ++kept_->gone;
  }

private:
  books* kept_;

public:
  int number;
};

/// A factory of things that are counted in `kept`.
[[nodiscard]] auto maker(books& kept) {
  return [&kept] { return std::make_unique<thing>(kept); };
}

/// A body that takes a lease and keeps it until the gate is open.
[[nodiscard]] auto holder(resource_pool<thing>& pool, const gate& until) {
  return [&pool, &until](context& ctx) -> muster::result<int> {
    auto got = pool.acquire(ctx);
    if (!got)
      return std::unexpected{got.error()};
    until.wait();
    return (*got)->number;
  };
}
/// A body that takes a lease, says its number and gives it back.
[[nodiscard]] auto taker(resource_pool<thing>& pool) {
  return [&pool](context& ctx) -> muster::result<int> {
    auto got = pool.acquire(ctx);
    if (!got)
      return std::unexpected{got.error()};
    return (*got)->number;
  };
}

/// Runs `body` to its end.
template <class Body>
void run(muster::scope& crew, const char* name, Body&& body) {
  static_cast<void>(crew.execute(name, std::forward<Body>(body)).get());
}

void await_in_use(const resource_pool<thing>& pool, std::size_t n) {
  await([&] { return pool.stats().in_use == n; });
}
void await_waiting(const resource_pool<thing>& pool, std::size_t n) {
  await([&] { return pool.stats().waiting == n; });
}
/// Nothing is being made, checked or destroyed any more.
template <class T>
void await_rest(const resource_pool<T>& pool) {
  await([&] {
    const auto s = pool.stats();
    return s.creating + s.checking + s.retiring == 0;
  });
}

/// What a child process that runs `misuse` says when it is aborted; empty if it is not.
[[nodiscard]] std::string sentence_of_abort(const std::function<void()>& misuse) {
  int ends[2];
  if (::pipe(ends) != 0)
    return {};
  const auto child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], 2);
    std::signal(SIGABRT, SIG_DFL);
    misuse();
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string said;
  char some[256];
  for (ssize_t n = 0; (n = ::read(ends[0], some, sizeof some)) > 0;)
    said.append(some, static_cast<std::size_t>(n));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT ? said : std::string{};
}

/// How many events of this kind the trace has, and the text of the last one.
struct seen {
  std::size_t count = 0;
  std::string text;
  std::uint64_t cause = 0;
};
[[nodiscard]] seen events(const muster::manager& site, muster::event_kind kind) {
  seen all;
  auto& trace = site.actor()->engine().trace();
  for (const auto& e : trace.snapshot())
    if (e.kind == kind) {
      ++all.count;
      all.text = trace.text(e.text);
      all.cause = e.cause;
    }
  return all;
}

void balanced(const muster::pool_stats& s) {
  CHECK(s.size == s.idle + s.in_use + s.creating + s.checking + s.retiring);
  CHECK(s.acquired == s.returned + s.discarded + s.reclaimed + s.in_use);
  CHECK(s.created == s.destroyed + s.idle + s.in_use + s.checking + s.retiring);
}

} // namespace

// -- lending ---------------------------------------------------------------------------------------------------------

TEST_CASE("a pool lends what its factory makes and lends it again when it has come back", "[resource_pool]") {
  muster::manager site{standing_still()};
  books kept;
  resource_pool<thing> pool{site, 10, maker(kept)};
  CHECK(kept.made == 0);
  auto crew = site.create_scope("crew");
  for (int i = 0; i < 3; ++i)
    CHECK(crew.execute("worker", taker(pool)).get().value() == 1);
  CHECK(crew.wait());
  CHECK(kept.made == 1);
  const auto s = pool.stats();
  CHECK(s.acquired == 3);
  CHECK(s.returned == 3);
  CHECK(s.idle == 1);
  CHECK(s.max == 10);
  balanced(s);
  CHECK(pool.close());
  CHECK(kept.gone == 1);
  CHECK(pool.stats().size == 0);
}

TEST_CASE("a pool needs no more than a site, a number and a factory of values", "[resource_pool]") {
  muster::manager site{standing_still()};
  resource_pool<std::string> pool{site, 10, [] { return std::string{"hammer"}; }};
  auto crew = site.create_scope("crew");
  auto worker = crew.execute("worker", [&](context& ctx) -> muster::result<std::size_t> {
    auto tool = pool.acquire(ctx);
    if (!tool)
      return std::unexpected{tool.error()};
    (**tool) += "!";
    return (*tool)->size();
  });
  CHECK(worker.get().value() == 7);
  CHECK(crew.wait());
  CHECK(pool.name() == "pool");
  CHECK(pool.path() == "site/pool");
}

TEST_CASE("a factory may return a value that does not move, an owner of one, a subclass, or a result of these",
          "[resource_pool]") {
  struct rock {
    int weight = 3;
    rock() = default;
    rock(const rock&) = delete;
    virtual ~rock() = default;
  };
  struct boulder : rock {
    boulder() { weight = 300; }
  };
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  const auto weight = [&](auto factory) {
    resource_pool<rock> pool{site, 1, std::move(factory)};
    auto t = crew.execute("worker", [&](context& ctx) -> muster::result<int> {
      auto got = pool.acquire(ctx);
      return got ? muster::result<int>{(*got)->weight} : std::unexpected{got.error()};
    });
    return t.get().value();
  };
  CHECK(weight([] { return rock{}; }) == 3);
  CHECK(weight([] { return std::make_unique<rock>(); }) == 3);
  CHECK(weight([] { return std::make_shared<boulder>(); }) == 300);
  CHECK(weight([] { return muster::result<std::unique_ptr<boulder>>{std::make_unique<boulder>()}; }) == 300);
  CHECK(weight([owned = std::make_unique<int>(1)] { return std::make_unique<rock>(); }) == 3);
  CHECK(crew.wait());
}

TEST_CASE("those who wait for a resource are served in the order in which they came", "[resource_pool]") {
  muster::manager site{on(still_clock(), {.workers = 8})};
  books kept;
  resource_pool<thing> pool{site, 1, maker(kept)};
  journal order;
  gate go;
  auto crew = site.create_scope("crew");
  const let_go at_end{go};
  crew.execute("first", holder(pool, go));
  await_in_use(pool, 1);
  for (int i = 0; i < 6; ++i) {
    crew.execute("waiter", [&, i](context& ctx) -> muster::result<void> {
      auto got = pool.acquire(ctx);
      if (!got)
        return std::unexpected{got.error()};
      order.write(std::to_string(i));
      return {};
    });
    await_waiting(pool, static_cast<std::size_t>(i) + 1);
  }
  go.open();
  CHECK(crew.wait());
  CHECK(order.lines() == lines{"0", "1", "2", "3", "4", "5"});
  CHECK(kept.made == 1);
}

TEST_CASE("one who waits for a resource shows in the tree what for", "[resource_pool]") {
  muster::manager site{standing_still()};
  books kept;
  resource_pool<thing> pool{site, {.name = "db", .max = 1}, maker(kept)};
  gate go;
  auto crew = site.create_scope("crew");
  const let_go at_end{go};
  crew.execute("first", holder(pool, go));
  await_in_use(pool, 1);
  crew.execute("second", taker(pool));
  await_waiting(pool, 1);
  await([&] { return waits(site.tree(), "second"); });
  const auto tree = to_string(site.tree());
  CHECK(contains(tree, "waits for a resource of pool site/db"));
  CHECK(contains(tree, "resource db: held"));
  CHECK(contains(tree, "1 of 1 in use, 1 waiting"));
  go.open();
  CHECK(crew.wait());
}

TEST_CASE("one who waits for a resource lends its max_parallel permit meanwhile", "[resource_pool]") {
  muster::manager site{standing_still()};
  books kept;
  resource_pool<thing> pool{site, 1, maker(kept)};
  gate go;
  auto others = site.create_scope("others");
  auto crew = site.create_scope("crew", {.max_parallel = 1});
  const let_go at_end{go};
  others.execute("holder", holder(pool, go));
  await_in_use(pool, 1);
  auto waiter = crew.execute("waiter", taker(pool));
  await_waiting(pool, 1);
  crew.execute("opens the gate", [&] { go.open(); });
  CHECK(waiter.get().value() == 1);
  CHECK(crew.wait());
  CHECK(others.wait());
}

TEST_CASE("a pool works on a lane of one worker that cannot grow", "[resource_pool]") {
  muster::manager site{on(still_clock(), {.workers = 1, .max_workers = 1})};
  books kept;
  resource_pool<thing> pool{site, 1, maker(kept)};
  auto crew = site.create_scope("crew");
  for (int i = 0; i < 20; ++i)
    crew.execute("worker", [&](context& ctx) -> muster::result<void> {
      auto got = pool.acquire(ctx);
      if (!got)
        return std::unexpected{got.error()};
      return ctx.checkpoint();
    });
  CHECK(crew.wait());
  CHECK(pool.stats().acquired == 20);
}

TEST_CASE("the user's functions of a pool run neither in the body nor on a control thread", "[resource_pool]") {
  muster::manager site{standing_still()};
  std::mutex guard;
  std::vector<std::thread::id> threads;
  std::atomic<int> on_control = 0;
  const auto note = [&] {
    on_control += site.actor()->engine().control().on_control_thread() ? 1 : 0;
    const std::scoped_lock lock{guard};
    threads.push_back(std::this_thread::get_id());
  };
  struct noisy {
    std::function<void()> note;
    explicit noisy(std::function<void()> n) : note{std::move(n)} { note(); }
    ~noisy() { note(); }
  };
  std::thread::id body;
  {
    resource_pool<noisy> pool{
      site,
      {.max = 1, .healthy = [&](noisy&) { note(); }, .release = [&](noisy&) { note(); }},
      [&] { return std::make_unique<noisy>(note); }};
    auto crew = site.create_scope("crew");
    crew.execute("worker", [&](context& ctx) {
      body = std::this_thread::get_id();
      pool.acquire(ctx).value();
      std::move(pool.acquire(ctx).value()).discard();
    });
    CHECK(crew.wait());
  }
  CHECK(threads.size() == 4);
  CHECK(on_control == 0);
  for (const auto& one : threads) {
    CHECK(one != body);
    CHECK(one != std::this_thread::get_id());
  }
}

TEST_CASE("a lease can be given back early, moved and overwritten", "[resource_pool]") {
  muster::manager site{standing_still()};
  books kept;
  resource_pool<thing> pool{site, 2, maker(kept)};
  auto crew = site.create_scope("crew");
  journal said;
  crew.execute("worker", [&](context& ctx) {
    auto a = pool.acquire(ctx).value();
    auto b = pool.acquire(ctx).value();
    said.write(std::to_string(a->number) + std::to_string(b->number));
    a = std::move(b); // gives 1 back
    said.write(std::to_string(a->number) + (b.valid() ? "valid" : "empty"));
    said.write(std::to_string(pool.stats().in_use));
    std::move(a).give_back();
    said.write(a.valid() ? "valid" : "empty");
    said.write(std::to_string(pool.stats().in_use));
  });
  CHECK(crew.wait());
  CHECK(said.lines() == lines{"12", "2empty", "1", "empty", "0"});
  CHECK(pool.stats().returned == 2);
}

TEST_CASE("a lease goes back when its body throws", "[resource_pool]") {
  muster::manager site{standing_still()};
  books kept;
  resource_pool<thing> pool{site, 1, maker(kept)};
  auto crew = site.create_scope("crew");
  auto t = crew.execute("worker", [&](context& ctx) {
    auto got = pool.acquire(ctx).value();
    throw std::runtime_error{"broken"};
  });
  CHECK(t.get().failed());
  CHECK_FALSE(crew.wait());
  CHECK(pool.stats().returned == 1);
  CHECK(pool.stats().reclaimed == 0);
}

TEST_CASE("a discarded resource is destroyed and another is made when it is wanted", "[resource_pool]") {
  muster::manager site{standing_still()};
  books kept;
  resource_pool<thing> pool{site, 1, maker(kept)};
  auto crew = site.create_scope("crew");
  auto second = crew.execute("worker", [&](context& ctx) {
    std::move(pool.acquire(ctx).value()).discard();
    return pool.acquire(ctx).value()->number;
  });
  CHECK(second.get().value() == 2);
  CHECK(crew.wait());
  CHECK(kept.gone == 1);
  CHECK(kept.most == 1);
  CHECK(pool.stats().discarded == 1);
}

// -- giving up -------------------------------------------------------------------------------------------------------

TEST_CASE("a waiter that is cancelled says so and what was for it goes to the next", "[resource_pool]") {
  muster::manager site{on(still_clock(), {.workers = 4})};
  books kept;
  resource_pool<thing> pool{site, 1, maker(kept)};
  gate go;
  auto crew = site.create_scope("crew");
  const let_go at_end{go};
  crew.execute("holder", holder(pool, go));
  await_in_use(pool, 1);
  auto second = crew.execute("second", taker(pool));
  await_waiting(pool, 1);
  auto third = crew.execute("third", taker(pool));
  await_waiting(pool, 2);
  second.cancel("not needed");
  CHECK(second.get().cancelled());
  CHECK(second.get().error().code() == errc::cancelled);
  CHECK(pool.stats().waiting == 1);
  go.open();
  CHECK(third.get().value() == 1);
  CHECK(crew.wait());
  CHECK(pool.stats().cancelled == 1);
  CHECK(pool.stats().timeouts == 0);
}

TEST_CASE("a task that has been asked to stop already gets no resource", "[resource_pool]") {
  muster::manager site{standing_still()};
  books kept;
  resource_pool<thing> pool{site, 1, maker(kept)};
  auto crew = site.create_scope("crew");
  std::optional<muster::error> why;
  auto t = crew.execute("worker", [&](context& ctx) {
    ctx.wait_until_cancelled();
    why = error_of(pool.acquire(ctx));
  });
  await_start(t);
  t.cancel();
  CHECK(crew.wait());
  CHECK(why->code() == errc::cancelled);
  CHECK(why->path() == "site/crew/worker");
  CHECK(kept.made == 0);
}

TEST_CASE("a shielded body that has been asked to stop may still acquire", "[resource_pool]") {
  muster::manager site{standing_still()};
  books kept;
  resource_pool<thing> pool{site, 1, maker(kept)};
  gate go;
  auto crew = site.create_scope("crew");
  const let_go at_end{go};
  auto first = crew.execute("holder", holder(pool, go));
  await_in_use(pool, 1);
  auto t = crew.execute("worker", [&](context& ctx) {
    ctx.wait_until_cancelled();
    return ctx.shield(1s, [&](context& inner) { return pool.acquire(inner).value()->number; });
  });
  await_start(t);
  t.cancel();
  await_waiting(pool, 1);
  go.open();
  CHECK(t.get().value() == 1);
  CHECK(crew.wait());
}

TEST_CASE("a wait for a resource ends with the deadline of its task", "[resource_pool]") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  books kept;
  resource_pool<thing> pool{site, 1, maker(kept)};
  gate go;
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
  const let_go at_end{go};
  crew.execute("holder", holder(pool, go));
  await_in_use(pool, 1);
  auto t = crew.execute({.name = "waiter", .timeout = 5s}, taker(pool));
  await_waiting(pool, 1);
  clock->advance(5s);
  CHECK(t.get().timed_out());
  CHECK(pool.stats().cancelled == 1);
  CHECK(pool.stats().waiting == 0);
}

TEST_CASE("a wait for a resource ends at its own limit and the task goes on", "[resource_pool]") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  books kept;
  resource_pool<thing> pool{site, {.name = "db", .max = 1, .acquire_timeout = 3s}, maker(kept)};
  gate go;
  auto crew = site.create_scope("crew");
  const let_go at_end{go};
  crew.execute("holder", holder(pool, go));
  await_in_use(pool, 1);
  std::vector<muster::error> said;
  auto t = crew.execute("waiter", [&](context& ctx) {
    said.push_back(error_of(pool.acquire(ctx)));
    said.push_back(error_of(pool.acquire(ctx, 2s)));
    said.push_back(error_of(pool.acquire(ctx, 0s)));
    said.push_back(error_of(pool.acquire(ctx, -1s)));
  });
  await_waiting(pool, 1);
  clock->advance(3s);
  await([&] { return pool.stats().timeouts == 1 && pool.stats().waiting == 1; });
  clock->advance(2s);
  CHECK(t.get().ok());
  REQUIRE(said.size() == 4);
  for (const auto& one : said) {
    CHECK(one.code() == errc::timed_out);
    CHECK(contains(one.message(), "'db'"));
    CHECK(one.path() == "site/crew/waiter");
  }
  CHECK(pool.stats().timeouts == 4);
  CHECK(pool.stats().cancelled == 0);
}

TEST_CASE("a limit of nothing still takes what is free", "[resource_pool]") {
  muster::manager site{standing_still()};
  books kept;
  resource_pool<thing> pool{site, 1, maker(kept)};
  auto crew = site.create_scope("crew");
  auto t = crew.execute("worker", [&](context& ctx) {
    pool.acquire(ctx).value();
    return pool.acquire(ctx, 0s).value()->number;
  });
  CHECK(t.get().value() == 1);
  CHECK(crew.wait());
}

TEST_CASE("the time that callers waited is counted on the manager's clock", "[resource_pool]") {
  const auto clock = still_clock();
  muster::manager site{on(clock, {.workers = 4})};
  books kept;
  resource_pool<thing> pool{site, 1, maker(kept)};
  gate go;
  auto crew = site.create_scope("crew");
  const let_go at_end{go};
  crew.execute("holder", holder(pool, go));
  await_in_use(pool, 1);
  crew.execute("a", taker(pool));
  await_waiting(pool, 1);
  clock->advance(2s);
  crew.execute("b", taker(pool));
  await_waiting(pool, 2);
  clock->advance(3s);
  go.open();
  CHECK(crew.wait());
  CHECK(pool.stats().wait_time == 8s);
  CHECK(pool.stats().longest_wait == 5s);
}

// -- factories that fail ---------------------------------------------------------------------------------------------

TEST_CASE("whatever a factory throws or returns for an error is the cause of the caller's error", "[resource_pool]") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  const auto why = [&]<class T>(std::type_identity<T>, auto factory) {
    resource_pool<T> pool{site, 1, std::move(factory)};
    std::optional<muster::error> said;
    run(crew, "worker", [&](context& ctx) { said = error_of(pool.acquire(ctx)); });
    CHECK(said->code() == errc::start_failed);
    CHECK(said->path() == "site/crew/worker");
    CHECK(pool.stats().create_failures == 1);
    CHECK(pool.stats().size == 0);
    return *said;
  };
  using number = std::type_identity<int>;
  CHECK(why(number{}, []() -> int { throw std::runtime_error{"no bricks"}; }).as<std::runtime_error>() != nullptr);
  CHECK(why(number{}, []() -> int { throw 42; }).as<int>() != nullptr);
  CHECK(why(number{}, []() -> muster::result<int> {
          return std::unexpected{muster::error{std::errc::connection_refused}};
        }).is(std::errc::connection_refused));
  CHECK(why(number{}, []() -> std::expected<int, std::error_code> {
          return std::unexpected{std::make_error_code(std::errc::io_error)};
        }).is(std::errc::io_error));
  CHECK(contains(to_line(why(number{}, [] { return std::unique_ptr<int>{}; })), "returned null"));
  CHECK(contains(to_line(why(number{}, [] { return std::optional<int>{}; })), "returned null"));
  CHECK(contains(to_line(why(number{}, []() -> muster::result<std::shared_ptr<int>> { return nullptr; })),
                 "returned null"));
  CHECK(contains(to_line(why(std::type_identity<int*>{}, []() -> int* { return nullptr; })), "returned null"));
  CHECK(crew.wait());
}

TEST_CASE("a failed create fails one caller and wakes the next who tries for itself", "[resource_pool]") {
  muster::manager site{on(still_clock(), {.workers = 4})};
  books kept;
  gate go;
  std::atomic<int> attempts = 0;
  resource_pool<thing> pool{site, 1, [&]() -> muster::result<std::unique_ptr<thing>> {
                              go.wait();
                              if (++attempts == 1)
                                return std::unexpected{muster::error{std::errc::connection_refused}};
                              return std::make_unique<thing>(kept);
                            }};
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
  const let_go at_end{go};
  auto a = crew.execute("a", taker(pool));
  await_waiting(pool, 1);
  auto b = crew.execute("b", taker(pool));
  await_waiting(pool, 2);
  auto c = crew.execute("c", taker(pool));
  await_waiting(pool, 3);
  go.open();
  CHECK(a.get().error().is(std::errc::connection_refused));
  CHECK(b.get().value() == 1);
  CHECK(c.get().value() == 1);
  CHECK(attempts == 2);
  CHECK_FALSE(crew.wait());
}

TEST_CASE("a factory that asks its own pool for a resource is refused and not kept waiting", "[resource_pool]") {
  muster::manager site{standing_still()};
  context* outer = nullptr;
  resource_pool<int>* self = nullptr;
  std::optional<muster::error> inside;
  std::optional<muster::error> closing;
  resource_pool<int> pool{site, 5, [&] {
                            inside = error_of(self->acquire(*outer));
                            closing = error_of(self->close());
                            return 7;
                          }};
  self = &pool;
  auto crew = site.create_scope("crew");
  auto t = crew.execute("worker", [&](context& ctx) {
    outer = &ctx;
    return *pool.acquire(ctx).value();
  });
  CHECK(t.get().value() == 7);
  CHECK(crew.wait());
  CHECK(inside->code() == errc::would_deadlock);
  CHECK(closing->code() == errc::would_deadlock);
  CHECK_FALSE(pool.closed());
}

// -- health and age --------------------------------------------------------------------------------------------------

TEST_CASE("an unhealthy resource is replaced and so is one whose health check throws", "[resource_pool]") {
  muster::manager site{standing_still()};
  books kept;
  std::atomic<int> checks = 0;
  resource_pool<thing> pool{site,
                            {.max = 1,
                             .healthy =
                               [&](thing& one) {
                                 ++checks;
                                 if (one.number == 2)
                                   throw std::runtime_error{"no answer"};
                                 return one.number != 1;
                               }},
                            maker(kept)};
  auto crew = site.create_scope("crew");
  auto t = crew.execute("worker", [&](context& ctx) {
    std::vector<int> numbers;
    for (int i = 0; i < 4; ++i)
      numbers.push_back(pool.acquire(ctx).value()->number);
    return numbers;
  });
  CHECK(t.get().value() == std::vector<int>{1, 2, 3, 3});
  CHECK(crew.wait());
  CHECK(checks == 3); // a fresh one is not asked
  CHECK(pool.stats().check_failures == 2);
  CHECK(kept.most == 1);
}

TEST_CASE("a health check may return a result", "[resource_pool]") {
  muster::manager site{standing_still()};
  books kept;
  resource_pool<thing> pool{site,
                            {.max = 1,
                             .healthy = [](thing&) -> muster::result<void> {
                               return std::unexpected{muster::error{std::errc::not_connected, "gone away"}};
                             }},
                            maker(kept)};
  auto crew = site.create_scope("crew");
  CHECK(crew.execute("a", taker(pool)).get().value() == 1);
  CHECK(crew.execute("b", taker(pool)).get().value() == 2);
  CHECK(crew.wait());
  CHECK(events(site, muster::event_kind::pool_check_failed).text == "gone away");
}

TEST_CASE("a resource that is too old is replaced", "[resource_pool]") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  books kept;
  resource_pool<thing> pool{site, {.max = 1, .max_lifetime = 60s}, maker(kept)};
  auto crew = site.create_scope("crew");
  CHECK(crew.execute("a", taker(pool)).get().value() == 1);
  clock->advance(59s);
  CHECK(crew.execute("b", taker(pool)).get().value() == 1);
  clock->advance(1s); // free: it goes by itself
  await([&] { return kept.gone == 1; });
  auto long_one = crew.execute("c", [&](context& ctx) {
    auto got = pool.acquire(ctx).value();
    clock->advance(100s); // lent: it stays until it comes back
    return got->number;
  });
  CHECK(long_one.get().value() == 2);
  await([&] { return kept.gone == 2; });
  CHECK(crew.execute("d", taker(pool)).get().value() == 3);
  CHECK(crew.wait());
  CHECK(pool.stats().outlived == 2);
}

TEST_CASE("resources that nobody uses are evicted but for those to be kept ready", "[resource_pool]") {
  const auto clock = still_clock();
  muster::manager site{on(clock, {.workers = 4})};
  books kept;
  resource_pool<thing> pool{site, {.max = 3, .min_idle = 1, .idle_timeout = 10s}, maker(kept)};
  await([&] { return pool.stats().idle == 1; }); // from the start
  gate go;
  auto crew = site.create_scope("crew");
  const let_go at_end{go};
  for (int i = 0; i < 3; ++i)
    crew.execute("worker", holder(pool, go));
  await_in_use(pool, 3);
  go.open();
  CHECK(crew.wait());
  CHECK(pool.stats().idle == 3);
  clock->advance(9s);
  CHECK(pool.stats().idle == 3);
  clock->advance(1s);
  await([&] { return kept.alive() == 1; });
  clock->advance(1000s);
  await_rest(pool);
  CHECK(pool.stats().idle == 1);
  CHECK(pool.stats().evicted == 2);
  balanced(pool.stats());
}

TEST_CASE("those to be kept ready are tried again later when they cannot be made", "[resource_pool]") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  books kept;
  std::atomic<bool> down = true;
  resource_pool<thing> pool{site, {.max = 3, .min_idle = 2}, [&]() -> std::unique_ptr<thing> {
                              return down ? nullptr : std::make_unique<thing>(kept);
                            }};
  await([&] { return pool.stats().create_failures == 2; });
  await_rest(pool);
  down = false;
  CHECK(kept.made == 0);
  clock->advance(2s);
  await([&] { return pool.stats().idle == 2; });
}

// -- reclaiming ------------------------------------------------------------------------------------------------------

namespace {

/// What holds for a lease that was taken back at the end of its task, however it had got away.
void check_reclaimed(const muster::manager& site, resource_pool<thing>& pool, books& kept, muster::scope& crew,
                     const std::string& who) {
  const auto s = pool.stats();
  CHECK(s.reclaimed == 1);
  CHECK(s.in_use == 0);
  CHECK(s.returned == 0);
  await([&] { return kept.gone == 1; });
  const auto event = events(site, muster::event_kind::lease_reclaimed);
  CHECK(event.count == 1);
  CHECK(event.text == who);
  CHECK(event.cause != 0);
  // Another is made: it is never lent again.
  CHECK(crew.execute("next", taker(pool)).get().value() == 2);
  CHECK(kept.most == 1);
  balanced(pool.stats());
}

} // namespace

TEST_CASE("a lease that is leaked on the heap is taken back when its task ends", "[resource_pool]") {
  journal logged;
  muster::manager site{
      on(still_clock(), {.log = [&](const muster::log_record& r) { logged.write(r.path + ": " + r.text); }})};
  books kept;
  resource_pool<thing> pool{site, 1, maker(kept)};
  auto crew = site.create_scope("crew");
  muster::lease<thing>* leaked = nullptr;
  auto t = crew.execute("leaker", [&](context& ctx) { leaked = new muster::lease<thing>{pool.acquire(ctx).value()}; });
  CHECK(t.get().ok());
  check_reclaimed(site, pool, kept, crew, "site/crew/leaker");
  CHECK_FALSE(leaked->valid());
  await([&] { return logged.size() == 1; });
  CHECK(contains(logged.lines()[0], "site/crew/leaker: ended without giving back a resource of pool site/pool"));
  delete leaked;
  CHECK(pool.stats().returned == 1); // of the next one
  CHECK(crew.wait());
}

TEST_CASE("a lease that is kept in the value of its task is taken back before the outcome counts", "[resource_pool]") {
  muster::manager site{standing_still()};
  books kept;
  resource_pool<thing> pool{site, 1, maker(kept)};
  auto crew = site.create_scope("crew");
  auto t = crew.execute("keeper", [&](context& ctx) { return pool.acquire(ctx); });
  CHECK(t.get().ok());
  CHECK_FALSE(t.get().value().valid());
  CHECK(pool.stats().reclaimed == 1);
  check_reclaimed(site, pool, kept, crew, "site/crew/keeper");
  CHECK(crew.wait());
}

TEST_CASE("a lease that is moved out of its task into something global is taken back", "[resource_pool]") {
  muster::manager site{standing_still()};
  books kept;
  resource_pool<thing> pool{site, 1, maker(kept)};
  static std::optional<muster::lease<thing>> global;
  auto crew = site.create_scope("crew");
  run(crew, "mover", [&](context& ctx) { global.emplace(pool.acquire(ctx).value()); });
  check_reclaimed(site, pool, kept, crew, "site/crew/mover");
  CHECK_FALSE(global->valid());
  std::move(*global).give_back(); // a revoked one: nothing
  CHECK(pool.stats().returned == 1);
  global.reset();
  CHECK(crew.wait());
}

TEST_CASE("a lease that a task loses by failing or by being cancelled is taken back as well", "[resource_pool]") {
  muster::manager site{standing_still()};
  books kept;
  resource_pool<thing> pool{site, 2, maker(kept)};
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
  std::optional<muster::lease<thing>> a;
  std::optional<muster::lease<thing>> b;
  auto failed = crew.execute("fails", [&](context& ctx) {
    a.emplace(pool.acquire(ctx).value());
    throw std::runtime_error{"broken"};
  });
  auto cancelled = crew.execute("cancelled", [&](context& ctx) -> muster::result<void> {
    b.emplace(pool.acquire(ctx).value());
    return stays(ctx);
  });
  await([&] { return pool.stats().acquired == 2; });
  CHECK(failed.get().failed());
  cancelled.cancel();
  CHECK(cancelled.get().cancelled());
  CHECK(pool.stats().reclaimed == 2);
  CHECK_FALSE(a->valid());
  CHECK_FALSE(b->valid());
  CHECK_FALSE(crew.wait());
}

TEST_CASE("a lease in a capture of the body goes back with it and need not be taken back", "[resource_pool]") {
  muster::manager site{standing_still()};
  books kept;
  resource_pool<thing> pool{site, 1, maker(kept)};
  auto crew = site.create_scope("crew");
  run(crew, "worker", [&pool, mine = std::optional<muster::lease<thing>>{}](context& ctx) mutable {
        mine.emplace(pool.acquire(ctx).value());
      });
  CHECK(pool.stats().returned == 1);
  CHECK(pool.stats().reclaimed == 0);
  CHECK(crew.wait());
}

TEST_CASE("what a task has acquired may be given back on another thread while the task lives", "[resource_pool]") {
  muster::manager site{standing_still()};
  books kept;
  resource_pool<thing> pool{site, 1, maker(kept)};
  auto crew = site.create_scope("crew");
  auto t = crew.execute("worker", [&](context& ctx) {
    std::thread helper{[mine = pool.acquire(ctx).value()]() mutable { std::move(mine).give_back(); }};
    helper.join();
    return pool.acquire(ctx).value()->number;
  });
  CHECK(t.get().value() == 1);
  CHECK(crew.wait());
  CHECK(pool.stats().returned == 2);
}

TEST_CASE("the resources of leases that are taken back at the end go to those who wait as new ones",
          "[resource_pool]") {
  muster::manager site{on(still_clock(), {.workers = 4})};
  books kept;
  resource_pool<thing> pool{site, 2, maker(kept)};
  gate go;
  auto crew = site.create_scope("crew");
  const let_go at_end{go};
  std::vector<muster::lease<thing>> away;
  auto leaker = crew.execute("leaker", [&](context& ctx) {
    away.push_back(pool.acquire(ctx).value());
    away.push_back(pool.acquire(ctx).value());
    go.wait();
  });
  await_in_use(pool, 2);
  auto a = crew.execute("a", taker(pool));
  await_waiting(pool, 1);
  auto b = crew.execute("b", taker(pool));
  await_waiting(pool, 2);
  go.open();
  CHECK(a.get().value() >= 3);
  CHECK(b.get().value() >= 3);
  CHECK(leaker.get().ok());
  CHECK(crew.wait());
  CHECK(pool.stats().reclaimed == 2);
  CHECK(kept.most <= 2);
}

TEST_CASE("using a lease after its task has ended asserts and so does giving one back twice", "[resource_pool]") {
  muster::manager site{standing_still()};
  books kept;
  resource_pool<thing> pool{site, 2, maker(kept)};
  auto crew = site.create_scope("crew");
  std::optional<muster::lease<thing>> away;
  std::string twice;
  run(crew, "worker", [&](context& ctx) {
        away.emplace(pool.acquire(ctx).value());
        auto other = pool.acquire(ctx).value();
        std::move(other).give_back();
        twice = sentence_of_abort([&] { std::move(other).give_back(); });
      });
  CHECK(contains(twice, "a lease was used that is empty"));
  CHECK(
      contains(sentence_of_abort([&] { static_cast<void>((*away)->number); }), "the task that acquired it has ended"));
  CHECK(contains(sentence_of_abort([&] { static_cast<void>((**away).number); }), "revoked"));
  CHECK(sentence_of_abort([&] { std::move(*away).give_back(); }).empty());
  CHECK(crew.wait());
}

// -- resize and reset ------------------------------------------------------------------------------------------------

TEST_CASE("a larger pool serves those who wait and a smaller one destroys what is too much", "[resource_pool]") {
  muster::manager site{on(still_clock(), {.workers = 4})};
  books kept;
  resource_pool<thing> pool{site, 1, maker(kept)};
  gate go;
  auto crew = site.create_scope("crew");
  const let_go at_end{go};
  for (int i = 0; i < 3; ++i)
    crew.execute("holder", holder(pool, go));
  await([&] { return pool.stats().in_use == 1 && pool.stats().waiting == 2; });
  CHECK(pool.resize(3));
  await_in_use(pool, 3);
  CHECK(pool.resize(1));
  CHECK(pool.stats().max == 1);
  CHECK(pool.stats().in_use == 3);
  go.open();
  CHECK(crew.wait());
  await([&] { return pool.stats().size == 1; });
  CHECK(kept.alive() == 1);
  CHECK(error_of(pool.resize(0)).code() == errc::bad_argument);
  CHECK(pool.close());
  CHECK(error_of(pool.resize(3)).code() == errc::pool_closed);
}

TEST_CASE("a reset replaces what is free now and what is lent when it comes back", "[resource_pool]") {
  muster::manager site{on(still_clock(), {.workers = 4})};
  books kept;
  resource_pool<thing> pool{site, 2, maker(kept)};
  gate go;
  auto crew = site.create_scope("crew");
  const let_go at_end{go};
  auto first = crew.execute("holder", holder(pool, go));
  await_in_use(pool, 1);
  CHECK(crew.execute("other", taker(pool)).get().value() == 2);
  pool.reset();
  await([&] { return kept.gone == 1; });
  CHECK(pool.stats().in_use == 1);
  CHECK(crew.execute("next", taker(pool)).get().value() == 3);
  go.open();
  CHECK(first.get().value() == 1); // its lease stayed good
  await([&] { return kept.gone == 2; });
  CHECK(crew.execute("last", taker(pool)).get().value() == 3);
  CHECK(crew.wait());
}

// -- closing ---------------------------------------------------------------------------------------------------------

TEST_CASE("close refuses those who wait and says at its limit who holds what", "[resource_pool]") {
  const auto clock = still_clock();
  muster::manager site{on(clock, {.workers = 4})};
  books kept;
  resource_pool<thing> pool{site, {.name = "db", .max = 2}, maker(kept)};
  gate go;
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
  const let_go at_end{go};
  crew.execute("ada", holder(pool, go));
  crew.execute("bob", holder(pool, go));
  await_in_use(pool, 2);
  auto waiter = crew.execute("waiter", taker(pool));
  await_waiting(pool, 1);
  std::optional<muster::error> said;
  std::thread closer{[&] { said = error_of(pool.close(5s)); }};
  CHECK(waiter.get().error().code() == errc::pool_closed);
  clock->await_timer_within(5s);
  clock->advance(5s);
  closer.join();
  CHECK(said->code() == errc::survivors);
  CHECK(contains(said->message(), "site/crew/ada holds one since 5000 ms"));
  CHECK(contains(said->message(), "site/crew/bob holds one since 5000 ms"));
  CHECK(pool.closed());
  CHECK(crew.execute("late", taker(pool)).get().error().code() == errc::pool_closed);
  go.open();
  CHECK(pool.close());
  CHECK(kept.alive() == 0);
  CHECK(pool.stats().refused == 2);
  CHECK_FALSE(crew.wait());
}

TEST_CASE("close waits until everything is destroyed, and may be called again", "[resource_pool]") {
  muster::manager site{standing_still()};
  books kept;
  resource_pool<thing> pool{site, {.max = 3, .min_idle = 3}, maker(kept)};
  await([&] { return pool.stats().idle == 3; });
  CHECK(pool.close());
  CHECK(kept.gone == 3);
  CHECK(pool.close(0s));
  CHECK(events(site, muster::event_kind::pool_ended).count == 1);
  CHECK(events(site, muster::event_kind::pool_item_destroyed).text == "closed");
}

TEST_CASE("a task that holds a lease cannot wait for the end of its pool", "[resource_pool]") {
  muster::manager site{standing_still()};
  books kept;
  resource_pool<thing> pool{site, 1, maker(kept)};
  auto crew = site.create_scope("crew");
  std::optional<muster::error> said;
  run(crew, "worker", [&](context& ctx) {
        auto mine = pool.acquire(ctx).value();
        said = error_of(pool.close());
      });
  CHECK(said->code() == errc::would_deadlock);
  CHECK_FALSE(pool.closed());
  CHECK(crew.wait());
}

TEST_CASE("a pool may be made, used and destroyed inside a body", "[resource_pool]") {
  muster::manager site{on(still_clock(), {.workers = 1, .max_workers = 1})};
  books kept;
  auto crew = site.create_scope("crew");
  auto t = crew.execute("worker", [&](context& ctx) {
    auto inner = ctx.create_scope("inner");
    resource_pool<thing> pool{inner, 1, maker(kept)};
    const int number = pool.acquire(ctx).value()->number;
    return number;
  });
  CHECK(t.get().value() == 1);
  CHECK(crew.wait());
  CHECK(kept.alive() == 0);
}

TEST_CASE("the release function is called for everything that is destroyed and its errors are not lost",
          "[resource_pool]") {
  journal logged;
  muster::manager site{on(still_clock(), {.log = [&](const muster::log_record& r) { logged.write(r.text); }})};
  books kept;
  journal released;
  auto crew = site.create_scope("crew");
  resource_pool<thing> pool{crew,
                            {.name = "db",
                             .max = 2,
                             .release =
                               [&](thing& one) {
                                 released.write(std::to_string(one.number));
                                 throw std::runtime_error{"jammed " + std::to_string(one.number)};
                               }},
                            maker(kept)};
  run(crew, "worker", [&](context& ctx) { std::move(pool.acquire(ctx).value()).discard(); });
  await([&] { return logged.size() == 1; });
  CHECK(contains(logged.lines()[0], "jammed 1"));
  CHECK(crew.execute("next", taker(pool)).get().value() == 2);
  const auto why = error_of(crew.wait());
  CHECK(why.code() == errc::release_failed);
  CHECK(contains(to_line(why), "jammed 2"));
  CHECK(released.lines() == lines{"1", "2"});
  CHECK(pool.stats().release_failures == 2);
  CHECK(kept.alive() == 0);
}

// -- belonging to a scope or manager ---------------------------------------------------------------------------------

TEST_CASE("a pool is a resource of its scope and is released in its turn", "[resource_pool]") {
  muster::manager site{standing_still()};
  books kept;
  journal order;
  auto crew = site.create_scope("crew");
  const auto note = [&](std::string what) {
    CHECK(crew.register_resource(what, 1, [&order, what](int&) { order.write(what); }));
  };
  note("before");
  resource_pool<thing> pool{crew, {.max = 1, .release = [&](thing&) { order.write("pool"); }}, maker(kept)};
  note("after");
  CHECK(crew.execute("worker", taker(pool)).get().ok());
  CHECK(crew.wait());
  CHECK(order.lines() == lines{"after", "pool", "before"});
  CHECK(kept.alive() == 0);
  CHECK(pool.closed());
  CHECK(pool.close());
  CHECK(site.stats().resources_released == 3);
}

TEST_CASE("a pool that was closed by hand leaves its scope and the rest is released as ever", "[resource_pool]") {
  muster::manager site{standing_still()};
  books kept;
  journal order;
  auto crew = site.create_scope("crew");
  CHECK(crew.register_resource("a", 1, [&](int&) { order.write("a"); }));
  {
    resource_pool<thing> pool{crew, 1, maker(kept)};
    CHECK(crew.execute("worker", taker(pool)).get().ok());
    CHECK(crew.register_resource("b", 1, [&](int&) { order.write("b"); }));
  }
  CHECK(kept.alive() == 0);
  CHECK(crew.children().size() == 2);
  CHECK(crew.wait());
  CHECK(order.lines() == lines{"b", "a"});
}

TEST_CASE("the end of a scope waits for leases of its pool that tasks elsewhere hold", "[resource_pool]") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  books kept;
  gate go;
  auto others = site.create_scope("others");
  auto crew = site.create_scope("crew", {.release_timeout = 2s});
  const let_go at_end{go};
  resource_pool<thing> pool{crew, {.name = "db", .max = 1}, maker(kept)};
  others.execute("ada", holder(pool, go));
  await_in_use(pool, 1);
  CHECK(error_of(crew.wait_for(0s)).code() == errc::not_ready);
  std::optional<muster::error> said;
  std::thread waiter{[&] { said = error_of(crew.wait()); }};
  await([&] { return pool.closed(); });
  clock->advance(2s);
  go.open();
  waiter.join();
  CHECK(said->code() == errc::unresponsive);
  CHECK(contains(said->message(), "site/others/ada holds one"));
  CHECK(others.wait());
  CHECK(kept.alive() == 0);
}

TEST_CASE("the pool of a manager serves until the last scope has ended and goes with the manager", "[resource_pool]") {
  books kept;
  std::optional<resource_pool<thing>> pool;
  gate go;
  {
    muster::manager site{standing_still()};
    pool.emplace(site, 1, maker(kept));
    auto crew = site.create_scope("crew");
    const let_go at_end{go};
    auto t = crew.execute("worker", [&](context& ctx) {
      go.wait();
      return pool->acquire(ctx).value()->number;
    });
    await_start(t);
    bool in_time = false;
    std::thread closer{[&] { in_time = site.shutdown(1h).has_value(); }};
    await([&] { return contains(to_string(site.tree()), "site: closed"); });
    go.open();
    CHECK(t.get().value() == 1);
    closer.join();
    CHECK(in_time);
    CHECK(pool->closed());
    CHECK(kept.alive() == 0);
  }
  CHECK(pool->close());
  pool.reset();
}

TEST_CASE("pools of one manager are released in reverse order", "[resource_pool]") {
  journal order;
  {
    muster::manager site{standing_still()};
    std::vector<std::unique_ptr<resource_pool<int>>> pools;
    for (const char* name : {"a", "b", "c"})
      pools.push_back(std::make_unique<resource_pool<int>>(
          site,
          pool_options<int>{.name = name, .max = 1, .min_idle = 1, .release = [&, name](int&) { order.write(name); }},
          [] { return 1; }));
    for (auto& one : pools)
      await([&] { return one->stats().idle == 1; });
    CHECK(site.shutdown(1h));
  }
  CHECK(order.lines() == lines{"c", "b", "a"});
}

TEST_CASE("a pool of something that has ended is closed from the start", "[resource_pool]") {
  muster::manager site{standing_still()};
  books kept;
  auto crew = site.create_scope("crew");
  CHECK(crew.wait());
  resource_pool<thing> pool{crew, {.max = 1, .min_idle = 1}, maker(kept)};
  CHECK(pool.closed());
  auto others = site.create_scope("others");
  CHECK(others.execute("worker", taker(pool)).get().error().code() == errc::pool_closed);
  CHECK_FALSE(others.wait());
  CHECK(pool.close());
  CHECK(kept.made == 0);
}

TEST_CASE("cancelling the scope of a pool ends it and takes nothing from those who hold", "[resource_pool]") {
  muster::manager site{on(still_clock(), {.workers = 4})};
  books kept;
  auto crew = site.create_scope("crew");
  resource_pool<thing> pool{crew, 1, maker(kept)};
  std::atomic<int> number = 0;
  crew.execute("holder", [&](context& ctx) {
    auto mine = pool.acquire(ctx).value();
    ctx.wait_until_cancelled();
    number = mine->number;
  });
  await_in_use(pool, 1);
  auto waiter = crew.execute("waiter", taker(pool));
  await_waiting(pool, 1);
  crew.cancel();
  CHECK_FALSE(crew.wait());
  CHECK((waiter.get().cancelled() || waiter.get().ok())); // it may have got it before it was asked
  CHECK(number == 1);
  CHECK(kept.alive() == 0);
}

// -- misuse ----------------------------------------------------------------------------------------------------------

TEST_CASE("a pool that makes no sense asserts when it is made", "[resource_pool]") {
  muster::manager site{standing_still()};
  const auto said = [&](auto options, auto factory) {
    return sentence_of_abort([&] { resource_pool<int> pool{site, std::move(options), std::move(factory)}; });
  };
  const auto one = [] { return 1; };
  using options = pool_options<int>;
  CHECK(contains(said(std::size_t{0}, one), "max 0"));
  CHECK(contains(said(options{.max = 1, .min_idle = 2}, one), "min_idle above max"));
  CHECK(contains(said(options{.max_lifetime = 0s}, one), "max_lifetime"));
  CHECK(contains(said(options{.idle_timeout = -1s}, one), "idle_timeout"));
  CHECK(contains(said(options{.acquire_timeout = -1s}, one), "acquire_timeout"));
  CHECK(contains(said(options{}, std::function<int()>{}), "empty factory"));
  CHECK(contains(said(options{}, static_cast<int (*)()>(nullptr)), "empty factory"));
}

TEST_CASE("a context of somebody else asserts", "[resource_pool]") {
  muster::manager site{standing_still()};
  resource_pool<int> pool{site, 1, [] { return 1; }};
  auto crew = site.create_scope("crew");
  std::string said;
  run(crew, "worker", [&](context& ctx) {
        std::thread{[&] { said = sentence_of_abort([&] { static_cast<void>(pool.acquire(ctx)); }); }}.join();
      });
  CHECK(contains(said, "outside its own body"));
  CHECK(crew.wait());
}

// -- all at once -----------------------------------------------------------------------------------------------------

TEST_CASE("many tasks that take, give back, lose, discard and give up leave nothing behind", "[resource_pool]") {
  constexpr int tasks = 2'000;
  muster::manager site{on(still_clock(), {.workers = 4})};
  books kept;
  std::atomic<int> attempts = 0;
  std::atomic<int> got_one = 0;
  std::mutex guard;
  std::deque<muster::lease<thing>> away;
  auto pool = std::make_unique<resource_pool<thing>>(
    site, pool_options<thing>{.max = 3, .healthy = [](thing& one) { return one.number % 7 != 0; }},
    [&]() -> muster::result<std::unique_ptr<thing>> {
      if (++attempts % 11 == 0)
        return std::unexpected{muster::error{std::errc::connection_refused}};
      return std::make_unique<thing>(kept);
    });
  {
    auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
    for (int i = 0; i < tasks; ++i) {
      auto t = crew.execute("worker", [&, i](context& ctx) -> muster::result<void> {
        auto mine = pool->acquire(ctx, i % 13 == 0 ? muster::duration{} : muster::no_timeout);
        if (!mine)
          return std::unexpected{mine.error()};
        ++got_one;
        if (i % 5 == 0)
          std::this_thread::yield();
        if (i % 17 == 0) {
          const std::scoped_lock lock{guard};
          away.push_back(std::move(*mine));
        } else if (i % 19 == 0) {
          std::move(*mine).discard();
        }
        return {};
      });
      if (i % 7 == 0)
        t.cancel();
      if (i % 100 == 0)
        pool->reset();
      if (i % 150 == 0)
        CHECK(pool->resize(static_cast<std::size_t>(1 + (i / 150) % 3)));
    }
    static_cast<void>(crew.wait());
  }
  await_rest(*pool);
  const auto s = pool->stats();
  balanced(s);
  CHECK(s.in_use == 0);
  CHECK(s.waiting == 0);
  CHECK(s.acquired == static_cast<std::uint64_t>(got_one));
  CHECK(s.reclaimed == away.size());
  for (const auto& one : away)
    CHECK_FALSE(one.valid());
  CHECK(kept.most <= 3);
  CHECK(pool->close());
  CHECK(kept.alive() == 0);
  CHECK(pool->stats().created == static_cast<std::uint64_t>(kept.made));
  pool.reset();
}

TEST_CASE("race: giving a lease back on another thread against the end of its task ends it exactly once",
          "[resource_pool]") {
  muster::manager site{standing_still()};
  books kept;
  resource_pool<thing> pool{site, 1, maker(kept)};
  auto crew = site.create_scope("crew");
  for (int i = 0; i < 500; ++i) {
    std::optional<muster::lease<thing>> away;
    gate ready;
    std::thread helper{[&] {
      ready.wait();
      for (std::atomic<int> n = 0; n < (i * 37) % 300;)
        ++n;
      std::move(*away).give_back();
    }};
    run(crew, "worker", [&](context& ctx) {
          away.emplace(pool.acquire(ctx).value());
          ready.open();
        });
    helper.join();
  }
  CHECK(crew.wait());
  await_rest(pool);
  const auto s = pool.stats();
  balanced(s);
  CHECK(s.acquired == 500);
  CHECK(s.returned + s.reclaimed == 500);
  CHECK(pool.close());
  CHECK(kept.alive() == 0);
}
