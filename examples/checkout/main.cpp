/// The command line of the checkout example; the main thread. See README.md for what the commands do.
#include "books.hpp"
#include "crowd.hpp"
#include "demo.hpp"
#include "service_host.hpp"
#include "site.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <pthread.h>
#include <sys/prctl.h>

#include <csignal>
#include <cstdio>

namespace {

using namespace shop;
using std::chrono::milliseconds;

int report(const muster::error& e) {
  fmt::print(stderr, "{}\n", to_string(e));
  return 1;
}

/// The shop, until SIGTERM or SIGINT.
int serve(const site_options& options, muster::duration drain) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr); // before any other thread is there, so that all have it

  muster::manager site{{.name = "site", .grace = shop_site::time_to_leave}};
  shop_site shop{site, options};
  if (auto opened = shop.open(); !opened)
    return report(opened.error());
  for (const auto* service : shop.services())
    fmt::print("{} service: process {}\n", service->name(), service->pid());
  fmt::print("listening on port {}\n", shop.port());
  std::fflush(stdout);

  int signal = 0;
  ::sigwait(&signals, &signal);
  fmt::print("closing\n");
  std::fflush(stdout);
  if (auto closed = shop.close(drain); !closed)
    return report(closed.error());
  const auto pool = shop.connections().stats();
  fmt::print("connections to the books: {} at most, {} made, {} closed; lent {} times, {} given back, {} taken back\n",
             pool.max, pool.created, pool.destroyed, pool.acquired, pool.returned, pool.reclaimed);
  fmt::print("closed\n");
  return 0;
}

void print_outcome(const std::string& id, const verdict& v) {
  fmt::print("{} {} {}\n", id.empty() ? "-" : id, v.status, v.error ? to_line(*v.error) : "confirmed");
  std::fflush(stdout);
}

void print_breaker(const muster::breaker_change& change) {
  fmt::print("payment breaker: {}: {}\n", to_string(change.to), change.why);
  std::fflush(stdout);
}

int generate(std::size_t count, std::uint64_t seed, const std::string& file) {
  auto written = write_csv(file, generate_orders(count, seed));
  return written ? 0 : report(written.error());
}

int drive(const std::string& csv, int port, std::size_t at_a_time) {
  auto orders = read_csv(csv);
  if (!orders)
    return report(orders.error());
  muster::manager customers{{.name = "customers"}};
  auto sent = send_orders(customers, port, *orders, at_a_time, [](const csv_order& o, const answered& got) {
    fmt::print("{} {}\n", o.what.id, got.status);
    std::fflush(stdout);
  });
  return sent ? 0 : report(sent.error());
}

int check(const std::string& db) {
  const auto found = check_books(db);
  fmt::print("{} orders confirmed, {} failed, {} cents charged, {} items sold\n", found.confirmed, found.failed,
             found.captured_cents, found.items_sold);
  for (const auto& sentence : found.disagreements)
    fmt::print("{}\n", sentence);
  fmt::print("the books {}\n", found.agrees() ? "agree" : "do not agree");
  return found.agrees() ? 0 : 1;
}

int service(const std::string& name, const service_options& options) {
  ::prctl(PR_SET_NAME, ("shop-" + name).c_str()); // for ps; it would be "exe", after the path it was started by
  if (name == "user")
    return run_user_service(options);
  return name == "payment" ? run_payment_service(options) : run_inventory_service(options);
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"A shop's checkout: an HTTP service on Muster, with three services behind it and its books in SQLite"};
  app.require_subcommand(1);
  const CLI::AsNumberWithUnit time{std::map<std::string, std::int64_t>{{"ms", 1}, {"s", 1000}, {"min", 60'000}},
                                   CLI::AsNumberWithUnit::UNIT_REQUIRED};
  std::int64_t time_for_all = 8000;
  std::int64_t drain = 5000;
  site_options site{.db = "orders.db", .on_breaker = print_breaker, .on_outcome = print_outcome};
  std::int64_t open_for = 2000;
  auto* serve_command = app.add_subcommand("serve", "run the shop until SIGTERM or SIGINT");
  serve_command->add_option("--port", site.port, "port on 127.0.0.1; 0: any")->check(CLI::Range(0, 65535));
  serve_command->add_option("--db", site.db, "SQLite file, made if it is not there")->capture_default_str();
  serve_command->add_option("--timeout", time_for_all, "for a whole checkout, such as 8s or 800ms")->transform(time);
  serve_command->add_option("--connections", site.connections, "to the books, at most; the orders take turns")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  serve_command->add_option("--open-for", open_for, "circuit breaker of the payment service; 2s")->transform(time);
  serve_command->add_option("--drain", drain, "for the orders in flight when the shop closes")->transform(time);

  std::string name;
  service_options downstream_options;
  auto* service_command = app.add_subcommand("service", "run one of the downstream services until SIGTERM");
  service_command->add_option("name", name)->required()->check(CLI::IsMember({"user", "payment", "inventory"}));
  service_command->add_option("--port", downstream_options.port)->required()->check(CLI::Range(1, 65535));
  service_command->add_option("--db", downstream_options.db)->required();
  service_command->add_option("--parent", downstream_options.parent, "process to end with");

  demo_options show;
  std::int64_t show_time = 2000;
  std::string csv;
  auto* generate_command = app.add_subcommand("generate", "make up an orders.csv");
  auto* demo_command = app.add_subcommand("demo", "open a shop, send orders of every kind, close it, check the books");
  for (auto* command : {generate_command, demo_command}) {
    command->add_option("--orders", show.orders)->check(CLI::Range(1, 100'000))->capture_default_str();
    command->add_option("--seed", show.seed)->capture_default_str();
  }
  generate_command->add_option("-o,--output", csv)->required();
  demo_command->add_option("--csv", show.csv, "orders to send in place of made-up ones")->check(CLI::ExistingFile);
  demo_command->add_option("--keep", show.keep, "folder for orders.csv and orders.db, which stays");
  demo_command->add_option("--trace", show.trace, "write what the runtime did to this file, for muster-trace");
  demo_command->add_option("--at-a-time", show.at_a_time)->check(CLI::Range(1, 60))->capture_default_str();
  demo_command->add_option("--timeout", show_time, "for a whole checkout; 2s")->transform(time);

  demo_command->add_option("--connections", show.connections, "to the books, at most")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();

  int port = 0;
  std::size_t at_a_time = 8;
  auto* drive_command = app.add_subcommand("drive", "send the orders of a file to a shop that runs");
  drive_command->add_option("--csv", csv)->required()->check(CLI::ExistingFile);
  drive_command->add_option("--port", port)->required()->check(CLI::Range(1, 65535));
  drive_command->add_option("--at-a-time", at_a_time)->check(CLI::Range(1, 60))->capture_default_str();

  auto* check_command = app.add_subcommand("check", "compare orders, charges and stock");
  check_command->add_option("--db", site.db)->required()->check(CLI::ExistingFile);

  CLI11_PARSE(app, argc, argv);
  try {
    if (*serve_command) {
      site.time_for_all = milliseconds{time_for_all};
      site.breaker_open_for = milliseconds{std::max<std::int64_t>(open_for, 1)};
      return serve(site, milliseconds{drain});
    }
    if (*service_command)
      return service(name, downstream_options);
    if (*generate_command)
      return generate(show.orders, show.seed, csv);
    if (*drive_command)
      return drive(csv, port, at_a_time);
    if (*check_command)
      return check(site.db);
    show.time_for_all = milliseconds{show_time};
    return run_demo(show);
  } catch (const std::exception& e) {
    fmt::print(stderr, "checkout: {}\n", e.what());
    return 1;
  }
}
