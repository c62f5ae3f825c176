/// All downloads: see crew.hpp.
#include "crew.hpp"

#include "download.hpp"

#include <muster/asio.hpp>

#include <fmt/format.h>

#include <atomic>
#include <filesystem>
#include <fstream>

namespace fetch {

namespace {

using namespace std::chrono_literals;
using muster::async_context;
using muster::coro;
using muster::result;
using service = muster::resource<muster::io_service>;

struct counts {
  std::atomic<std::size_t> done{0};
  std::atomic<std::size_t> failed{0};
};

result<void> write_file(const std::filesystem::path& name, const std::string& body) {
  std::ofstream out{name, std::ios::binary | std::ios::trunc};
  out.write(body.data(), static_cast<std::streamsize>(body.size()));
  out.close();
  if (!out)
    return std::unexpected{muster::error{std::errc::io_error, "writing " + name.string()}};
  return {};
}

/// The body of each task.
coro<fetched> fetch_one(async_context& ctx, service io, url from, std::filesystem::path file) {
  auto loading = download(ctx, io->context(), std::move(from));
  auto body = co_await loading;
  if (!body)
    co_return std::unexpected{body.error()};
  if (!file.empty()) {
    auto writing = ctx.blocking([&] { return write_file(file, *body); });
    auto written = co_await writing;
    if (!written)
      co_return std::unexpected{written.error()};
  }
  co_return body->size();
}

} // namespace

harvest fetch_all(muster::manager& site, const std::vector<wanted_page>& pages, const options& wanted, screen& shown) {
  harvest all;
  counts so_far; // outlives the scope, and so every task
  auto crew = site.create_scope(
      "fetch", {.on_failure = muster::isolate, .timeout = wanted.total, .max_parallel = wanted.at_once});
  auto io = crew.register_resource("io", muster::io_service{});
  if (!io) {
    all.whole = std::unexpected{io.error()};
    all.each.resize(pages.size(), std::unexpected{io.error()});
    return all;
  }

  std::vector<muster::task<std::size_t>> tasks;
  tasks.reserve(pages.size());
  for (const auto& page : pages) {
    const auto number = tasks.size() + 1;
    const auto file =
        wanted.into.empty() ? std::filesystem::path{} : std::filesystem::path{wanted.into} / std::to_string(number);
    tasks.push_back(crew.execute({.name = fmt::format("{}", number), .timeout = wanted.timeout},
                                 [io = *io, from = page.from, file, &so_far](async_context& ctx) -> coro<fetched> {
                                   auto fetching = fetch_one(ctx, io, from, file);
                                   auto got = co_await fetching;
                                   ++(got ? so_far.done : so_far.failed);
                                   co_return got;
                                 }));
  }

  while (!crew.ended()) {
    shown.draw_bar(so_far.done, so_far.failed, pages.size());
    const auto waited = crew.wait_for(100ms);
    if (waited || waited.error().code() != muster::errc::not_ready)
      break;
  }
  shown.hide_bar();
  if (crew.cancelled())
    all.whole = std::unexpected{crew.reason().to_error()};
  for (const auto& each : tasks)
    all.each.push_back(each.get().as_result());
  return all;
}

} // namespace fetch
