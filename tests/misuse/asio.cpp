// Misuse of operations of Asio in coroutine bodies. They run in real time: an io_context has threads of its own.
#include "kinds.hpp"

#if __has_include(<asio.hpp>)

#include <muster/asio.hpp>
#include <muster/muster.hpp>

#include <asio/post.hpp>
#include <asio/steady_timer.hpp>

using namespace std::chrono_literals;
using muster::async_context;
using muster::coro;
using muster::io_service;
using muster::use_task;

namespace {

template <class Body>
void with_io(Body body) {
  muster::manager site{{.name = "site", .workers = 1}};
  auto outer = site.create_scope("outer");
  auto io = outer.register_resource("io", io_service{}).value();
  outer.execute("body", [&](async_context& ctx) { return body(*io, ctx); });
  static_cast<void>(outer.wait());
}

} // namespace

misuse_kinds asio_kinds() {
  return {
    {"asio_without_executor",
     [] {
       with_io([](io_service&, async_context& ctx) -> coro<void> {
         auto nowhere = asio::post(use_task(ctx));
         static_cast<void>(co_await nowhere);
       });
     }},
    {"asio_of_another_task",
     [] {
       with_io([](io_service& io, async_context& ctx) -> coro<void> {
         auto below = ctx.create_scope("below");
         below.execute("thief", [&](async_context&) -> coro<void> {
           auto theirs = asio::post(io.context(), use_task(ctx));
           static_cast<void>(co_await theirs);
         });
         static_cast<void>(co_await below);
       });
     }},
    {"asio_awaited_twice",
     [] {
       with_io([](io_service& io, async_context& ctx) -> coro<void> {
         auto once = asio::post(io.context(), use_task(ctx));
         static_cast<void>(co_await once);
         static_cast<void>(co_await once);
       });
     }},
    {"io_service_after_its_release",
     [] {
       io_service io;
       static_cast<void>(io.release());
       static_cast<void>(io.context());
     }},
  };
}

#else

misuse_kinds asio_kinds() { return {}; }

#endif
