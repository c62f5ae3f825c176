/// Opening and closing the shop; on the main thread, see site.hpp.
#include "site.hpp"

#include "failure.hpp"

#include <unistd.h>

#include <algorithm>

namespace shop {

namespace {

using namespace std::chrono_literals;

constexpr muster::duration time_to_start = 10s;
constexpr muster::duration time_to_stop = 5s;
constexpr muster::duration time_to_release = time_to_stop + 1s;
constexpr muster::duration time_to_settle = 10s;
static_assert(time_to_settle + 3 * time_to_release < shop_site::time_to_leave);

} // namespace

service_process::service_process(std::string name, std::string db, file_descriptor port, std::vector<pid_t>& pids)
    : name_(std::move(name)),
      db_(std::move(db)),
      port_(std::move(port)),
      pids_(&pids) {}

muster::result<void> service_process::start() {
  auto started = child_process::start(
      {"service", name_, "--port", std::to_string(port()), "--parent", std::to_string(::getpid()), "--db", db_},
      time_to_start);
  if (!started)
    return std::unexpected{muster::error{std::move(started).error(), "starting the " + name_ + " service"}};
  process_.emplace(std::move(*started));
  pids_->push_back(process_->pid());
  return {};
}

muster::result<void> service_process::stop() {
  auto stopped = process_ ? process_->stop(time_to_stop) : muster::result<void>{};
  process_.reset();
  return stopped;
}

void service_process::kill() noexcept { process_.reset(); }

shop_site::shop_site(muster::manager& site, site_options options)
    : site_(site),
      options_(std::move(options)),
      payment_breaker_(site, {.name = "payment",
                              .opens_on = muster::consecutive_failures{5},
                              .open_for = options_.breaker_open_for,
                              .counts_as_failure = service_is_missing,
                              .on_state_change = options_.on_breaker}),
      // A connection that ends badly must not end the others.
      house_(site.create_scope("house", {.on_failure = muster::isolate, .grace = 1s})) {}

muster::result<downstream> shop_site::open_service(const std::string& name, muster::circuit_breaker* breaker) {
  auto port = reserve_port();
  if (!port)
    return std::unexpected{std::move(port).error()};
  auto service = std::make_unique<service_process>(name, options_.db, std::move(*port), pids_);
  if (auto started = service->start(); !started)
    return std::unexpected{std::move(started).error()};
  downstream address{name, service->port(), breaker};
  services_.push_back(service.get());
  auto held = house_.register_resource({.name = name + " service", .timeout = time_to_release}, std::move(service),
                                       [](auto& process) { return process->stop(); });
  if (!held)
    return std::unexpected{std::move(held).error()};
  return address;
}

muster::result<void> shop_site::open() {
  // What was pending when this program last ended has no client any more. No task is there yet to hold a lease.
  const auto interrupted = verdict_on(muster::error{failure::shutting_down, "the shop went down meanwhile"});
  books{options_.db}.fail_what_was_pending(interrupted.status, text_of(interrupted.answer));
  connections_.emplace(house_, muster::pool_options<books>{.name = "books", .max = options_.connections},
                       [db = options_.db] { return std::make_unique<books>(db); });

  auto users = open_service("user");
  if (!users)
    return std::unexpected{std::move(users).error()};
  auto payment = open_service("payment", &payment_breaker_);
  if (!payment)
    return std::unexpected{std::move(payment).error()};
  auto inventory = open_service("inventory");
  if (!inventory)
    return std::unexpected{std::move(inventory).error()};
  counter_.emplace(counter{site_, *connections_, *users, *payment, *inventory, options_.time_for_all});

  auto settled = house_.register_resource({.name = "last settling", .timeout = time_to_settle}, &*counter_,
                                          [this](counter* at) { return settle_at_the_end(*at, options_.db, 5s); });
  if (!settled)
    return std::unexpected{std::move(settled).error()};
  auto listening = listen_on(options_.port);
  if (!listening)
    return std::unexpected{std::move(listening).error()};
  auto front = std::make_unique<http_front>(std::move(*listening), *counter_, house_, options_.on_outcome);
  front_ = front.get();
  if (auto held = house_.register_resource("door", std::move(front), [](auto& door) { door.reset(); }); !held)
    return std::unexpected{std::move(held).error()};

  house_.execute({.name = "settle", .daemon = true, .blocking = true, .grace = 5s},
                 [this](muster::context& ctx) { return settle_for_ever(ctx, *counter_); });
  front_->open();
  return {};
}

muster::result<void> shop_site::close(muster::duration drain) {
  if (front_ != nullptr)
    front_->close();
  if (auto left = site_.shutdown(drain); !left)
    return left;
  auto ended = house_.wait();
  // To be cut off when the time for draining is up is what was asked for; a release that failed is not.
  const auto cut_off = [](const muster::error& e) { return e.is(muster::errc::cancelled); };
  if (!ended && cut_off(ended.error()) && std::ranges::all_of(ended.error().later(), cut_off))
    return {};
  return ended;
}

} // namespace shop
