// Operations of Asio in coroutine bodies: values, failures, cancelling, and that nothing is left behind.
#include "support.hpp"

#include <muster/asio.hpp>

#include <asio/compose.hpp>
#include <asio/connect.hpp>
#include <asio/experimental/as_tuple.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>

using namespace support;
using asio::ip::tcp;
using muster::async_context;
using muster::coro;
using muster::io_service;
using muster::result;
using muster::use_task;

namespace {

/// A site with an io_service in a scope of its own, in which tests run bodies.
struct world {
  explicit world(unsigned threads = 1) : io{outer.register_resource("io", io_service{threads}).value()} {}

  muster::manager site{standing_still()};
  muster::scope outer = site.create_scope("outer");
  muster::resource<io_service> io;
};

/// An operation that completes at once with what it is given, in the executor of the io_context.
template <class Signature, class... Values, class Token>
auto completes_with(asio::io_context& io, Token token, Values... values) {
  return asio::async_compose<Token, Signature>(
      [values = std::tuple{values...}, begun = false](auto& self) mutable {
        if (!std::exchange(begun, true))
          return asio::post(std::move(self));
        std::apply([&](auto&... each) { self.complete(std::move(each)...); }, values);
      },
      token, io);
}

/// Two ends of a connection over the loopback.
struct connection {
  explicit connection(asio::io_context& io) : near{io}, far{io} {
    tcp::acceptor door{io, {asio::ip::address_v4::loopback(), 0}};
    near.connect(door.local_endpoint());
    door.accept(far);
  }
  tcp::socket near;
  tcp::socket far;
};

} // namespace

TEST_CASE("a coroutine awaits operations of Asio, whatever they complete with") {
  world w;
  auto t = w.outer.execute("all", [io = w.io](async_context& ctx) -> coro<result<int>> {
    auto& in = io->context();
    const auto broken = std::make_error_code(std::errc::broken_pipe);
    const auto thrown = std::make_exception_ptr(std::runtime_error{"thrown"});
    int right = 0;
    const result<void> nothing = co_await completes_with<void()>(in, use_task(ctx));
    right += nothing.has_value();
    const result<int> value = co_await completes_with<void(int)>(in, use_task(ctx), 3);
    right += value && *value == 3;
    const result<std::tuple<int, std::string>> two =
        co_await completes_with<void(int, std::string)>(in, use_task(ctx), 4, std::string{"four"});
    right += two && std::get<1>(*two) == "four";
    const result<void> done = co_await completes_with<void(std::error_code)>(in, use_task(ctx), std::error_code{});
    right += done.has_value();
    const result<void> failed = co_await completes_with<void(std::error_code)>(in, use_task(ctx), broken);
    right += !failed && failed.error().code() == broken && failed.error().path() == ctx.path();
    const result<int> with_value =
        co_await completes_with<void(std::error_code, int)>(in, use_task(ctx), std::error_code{}, 5);
    right += with_value && *with_value == 5;
    const result<int> without = co_await completes_with<void(std::error_code, int)>(in, use_task(ctx), broken, 5);
    right += !without && without.error().code() == broken;
    const result<void> threw = co_await completes_with<void(std::exception_ptr)>(in, use_task(ctx), thrown);
    right += !threw && threw.error().template as<std::runtime_error>() != nullptr;
    const result<int> did_not =
        co_await completes_with<void(std::exception_ptr, int)>(in, use_task(ctx), std::exception_ptr{}, 6);
    right += did_not && *did_not == 6;
    const result<std::tuple<std::error_code, int>> both =
        co_await completes_with<void(std::error_code, int)>(in, asio::experimental::as_tuple(use_task(ctx)), broken, 7);
    right += both && std::get<0>(*both) == broken && std::get<1>(*both) == 7;
    const result<void> posted = co_await asio::post(in, use_task(ctx));
    right += posted.has_value();
    co_return right;
  });
  CHECK(t.get().value() == 11);
  CHECK(w.outer.wait().has_value());
}

TEST_CASE("coroutines talk over sockets and hold no worker while they wait") {
  for (const unsigned threads : {1U, 3U}) {
    world w{threads};
    connection line{w.io->context()};
    auto crew = w.outer.create_scope("crew");
    auto listens = crew.execute("listens", [&line](async_context& ctx) -> coro<result<std::string>> {
      std::string heard(5, '\0');
      auto read = asio::async_read(line.far, asio::buffer(heard), use_task(ctx));
      if (auto got = co_await read; !got)
        co_return std::unexpected{got.error()};
      auto end = co_await asio::async_read(line.far, asio::buffer(heard.data(), 1), use_task(ctx));
      co_return end                                                    ? result<std::string>{"more"}
      : end.error().is(asio::error::make_error_code(asio::error::eof)) ? heard
                                                                       : "?";
    });
    crew.execute({.name = "speaks", .after = {}}, [&line](async_context& ctx) -> coro<result<void>> {
      const std::string word = "hello";
      if (auto sent = co_await asio::async_write(line.near, asio::buffer(word), use_task(ctx)); !sent)
        co_return std::unexpected{sent.error()};
      line.near.shutdown(tcp::socket::shutdown_send);
      co_return result<void>{};
    });
    CHECK(listens.get().value() == "hello");
    CHECK(crew.wait().has_value());
    line.near.close();
    line.far.close();
  }
}

TEST_CASE("cancelling a task calls its operation off and no other one, and gives the reason") {
  world w;
  connection line{w.io->context()};
  auto crew = w.outer.create_scope("crew");
  auto reads = crew.execute("reads", [&line](async_context& ctx) -> coro<result<std::size_t>> {
    char buffer[8];
    auto got = co_await asio::async_read(line.far, asio::buffer(buffer), use_task(ctx));
    co_return got;
  });
  auto sleeps = crew.execute("sleeps", [io = w.io](async_context& ctx) -> coro<result<void>> {
    asio::steady_timer timer{io->context(), 24h};
    co_return co_await timer.async_wait(use_task(ctx));
  });
  auto other = crew.execute("other way", [&line](async_context& ctx) -> coro<result<std::size_t>> {
    char buffer[1];
    co_return co_await line.near.async_read_some(asio::buffer(buffer), use_task(ctx));
  });
  await([&] { return waits(crew.tree(), "reads") && waits(crew.tree(), "sleeps") && waits(crew.tree(), "other way"); });
  reads.cancel("enough");
  sleeps.cancel();
  REQUIRE(reads.get().cancelled());
  CHECK(contains(to_string(reads.get().error()), "enough"));
  CHECK(reads.get().error().is(std::errc::operation_canceled));
  CHECK(sleeps.get().cancelled());
  CHECK_FALSE(other.ready());
  asio::write(line.far, asio::buffer("x", 1));
  CHECK(other.get().value() == 1);
  CHECK(crew.wait().has_value());
  line.near.close();
  line.far.close();
}

TEST_CASE("a task's timeout ends the operation that it waits for") {
  auto clock = still_clock();
  muster::manager site{on(clock)};
  auto outer = site.create_scope("outer", {.on_failure = muster::isolate});
  auto io = outer.register_resource("io", io_service{}).value();
  auto slow = outer.execute({.name = "slow", .timeout = 5s}, [io](async_context& ctx) -> coro<result<void>> {
    asio::steady_timer timer{io->context(), 24h};
    co_return co_await timer.async_wait(use_task(ctx));
  });
  await([&] { return waits(outer.tree(), "slow"); });
  clock->advance(5s);
  CHECK(slow.get().timed_out());
  CHECK_FALSE(outer.wait().has_value());
}

TEST_CASE("a task that has been asked to stop begins no operation") {
  world w;
  bool begun = false;
  auto t = w.outer.execute("asked", [&begun, io = w.io](async_context& ctx) -> coro<result<void>> {
    static_cast<void>(co_await ctx.cancelled_event());
    auto token = use_task(ctx, io->get_executor());
    auto never = asio::async_initiate<muster::asio_token, void()>(
        [&begun](auto handler) { begun = true, std::move(handler)(); }, token);
    co_return co_await never;
  });
  t.cancel();
  CHECK(t.get().cancelled());
  CHECK_FALSE(begun);
  CHECK(w.outer.wait().has_value());
}

TEST_CASE("an operation that cannot be called off is awaited to its end, and its value counts") {
  world w;
  std::move_only_function<void()> complete;
  gate begun;
  auto t = w.outer.execute("stubborn", [&, io = w.io](async_context& ctx) -> coro<result<int>> {
    auto token = use_task(ctx, io->get_executor());
    auto stubborn = asio::async_initiate<muster::asio_token, void(int)>(
        [&complete, &begun](auto handler) {
          complete = [handler = std::move(handler)]() mutable {
            const auto in = asio::get_associated_executor(handler);
            asio::post(in, [handler = std::move(handler)]() mutable { std::move(handler)(4); });
          };
          begun.open();
        },
        token);
    co_return co_await stubborn;
  });
  begun.wait();
  t.cancel();
  CHECK_FALSE(t.ready());
  complete();
  CHECK(t.get().value() == 4);
  complete = {};
  CHECK(w.outer.wait().has_value());
}

TEST_CASE("an operation that is dropped, or that cannot begin, is a failure and no hang") {
  world w;
  auto crew = w.outer.create_scope("crew", {.on_failure = muster::isolate});
  auto dropped = crew.execute("dropped", [io = w.io](async_context& ctx) -> coro<result<void>> {
    auto token = use_task(ctx, io->get_executor());
    auto never = asio::async_initiate<muster::asio_token, void()>([](auto) {}, token);
    co_return co_await never;
  });
  auto throws = crew.execute("throws", [io = w.io](async_context& ctx) -> coro<result<void>> {
    auto token = use_task(ctx, io->get_executor());
    auto never = asio::async_initiate<muster::asio_token, void()>([](auto) { throw std::runtime_error{"no"}; }, token);
    co_return co_await never;
  });
  CHECK(contains(dropped.get().error().message(), "dropped"));
  CHECK(throws.get().error().as<std::runtime_error>() != nullptr);
  CHECK_FALSE(crew.wait().has_value());
  CHECK(w.outer.wait().has_value());
}

TEST_CASE("an io_service that its threads throw in says so when it is released, and went on until then") {
  muster::manager site{standing_still()};
  auto outer = site.create_scope("outer");
  auto io = outer.register_resource("io", io_service{}).value();
  asio::post(io->context(), [] { throw std::runtime_error{"from a handler"}; });
  auto after = outer.execute("after", [io](async_context& ctx) -> coro<result<void>> {
    co_return co_await asio::post(io->context(), use_task(ctx));
  });
  CHECK(after.get().ok());
  const auto whole = outer.wait();
  REQUIRE_FALSE(whole.has_value());
  CHECK(contains(to_string(whole.error()), "from a handler"));
}

TEST_CASE("cancels against completions leave nothing behind, whoever is first") {
  world w{2};
  auto counted = std::make_shared<int>(0);
  {
    auto crew = w.outer.create_scope("crew");
    std::vector<muster::task<void>> all;
    for (int i = 0; i != 300; ++i)
      all.push_back(crew.execute("timer", [io = w.io, counted](async_context& ctx) -> coro<result<void>> {
        asio::steady_timer timer{io->context(), std::chrono::microseconds{50}};
        auto waiting = timer.async_wait(use_task(ctx));
        co_return co_await waiting;
      }));
    for (auto& each : all)
      each.cancel();
    for (auto& each : all)
      CHECK((each.get().ok() || each.get().cancelled()));
    CHECK(crew.wait().has_value());
  }
  CHECK(counted.use_count() == 1);
  CHECK(w.outer.wait().has_value());
}
