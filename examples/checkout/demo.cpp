/// The acts of the demo; see demo.hpp. The main thread leads through them.
#include "demo.hpp"

#include "crowd.hpp"
#include "demo_report.hpp"
#include "site.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iterator>

namespace shop {

namespace {

using namespace std::chrono_literals;

/// A folder that goes when the demo is over, unless it is to be kept.
class folder {
public:
  explicit folder(const std::string& keep) : kept_(!keep.empty()), path_(keep) {
    if (kept_) {
      std::filesystem::create_directories(path_);
      return;
    }
    path_ = (std::filesystem::temp_directory_path() / "checkout-XXXXXX").string();
    if (::mkdtemp(path_.data()) == nullptr)
      throw std::system_error{errno, std::generic_category(), "making " + path_};
  }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  ~folder() {
    std::error_code ignored;
    if (!kept_)
      std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

private:
  bool kept_;
  std::string path_;
};

/// Takes snapshots while orders are in flight: of the tree it keeps the fullest that still fits a screen, of the pool
/// the most that was lent and waited for.
class observer {
public:
  observer(muster::manager& site, const shop_site& shop) : site_(site), shop_(shop) {}
  muster::result<void> watch(muster::context& ctx) {
    for (;;) {
      auto seen = site_.tree();
      if (seen.nodes.size() > best_.nodes.size() && seen.nodes.size() <= fits_a_screen)
        best_ = std::move(seen);
      const auto pool = shop_.connections().stats();
      rush_.most_lent = std::max(rush_.most_lent, pool.in_use);
      rush_.most_waiting = std::max(rush_.most_waiting, pool.waiting);
      if (auto slept = ctx.sleep_for(5ms); !slept)
        return slept;
    }
  }
  [[nodiscard]] const muster::supervision_tree& best() const noexcept { return best_; }
  [[nodiscard]] const rush_hour& rush() const noexcept { return rush_; }

private:
  static constexpr std::size_t fits_a_screen = 45;
  muster::manager& site_;
  const shop_site& shop_;
  muster::supervision_tree best_;
  rush_hour rush_;
};

/// The orders of the three acts, each in the order of the file.
struct acts {
  std::vector<csv_order> before, dying, down, after;
};
acts divide(const std::vector<csv_order>& orders) {
  acts a;
  for (const auto& o : orders)
    if (o.wrong == fault::payment_dies)
      a.dying.push_back(o);
    else if (o.wrong == fault::payment_down)
      a.down.push_back(o);
    else
      (a.before.size() < orders.size() * 2 / 3 ? a.before : a.after).push_back(o);
  return a;
}

class demo {
public:
  demo(const demo_options& options, std::vector<csv_order> orders, std::string db)
      : options_(options),
        orders_(std::move(orders)),
        report_(orders_, options.time_for_all),
        db_(db),
        shop_(site_, {.db = std::move(db),
                      .time_for_all = options.time_for_all,
                      .connections = options.connections,
                      .breaker_open_for = options.breaker_open_for,
                      .on_breaker = [this](const muster::breaker_change& c) { report_.breaker_changed(c); },
                      .on_outcome = [this](const std::string& id, const verdict& v) { report_.served(id, v); }}) {}

  muster::result<void> run() {
    if (auto opened = shop_.open(); !opened)
      return opened;
    report_.opening(shop_);
    const auto parts = divide(orders_);
    auto done = first_act(parts);
    payment_died_ = !(parts.dying.empty() && parts.down.empty());
    if (done && payment_died_)
      done = second_act(parts);
    if (done)
      done = send("The rest of the orders, with all services there.", parts.after);
    auto closed = shop_.close(5s);
    return done ? closed : done;
  }

  /// After `run`: the rest of what there is to say; true if all is well.
  [[nodiscard]] bool conclude() {
    report_.failures();
    report_.tree(observer_.best());
    report_.numbers(site_);
    const bool as_expected = report_.outcomes(read_orders(db_));
    const bool agrees = report_.books(check_books(db_));
    const bool guarded = report_.breaker(shop_.payment_breaker().stats(), payment_died_);
    const bool given_back = report_.pool(shop_.connections().stats(), observer_.rush());
    const bool nobody = report_.processes(shop_.pids());
    return as_expected && agrees && guarded && given_back && nobody;
  }

  /// Writes what the runtime recorded so far.
  [[nodiscard]] std::error_code write_trace(const std::string& file) const { return yard_.write_trace(file); }

private:
  muster::result<void> send(std::string_view what, const std::vector<csv_order>& orders) {
    report_.act(what, orders.size());
    auto sent = send_orders(customers_, shop_.port(), orders, options_.at_a_time,
                            [&](const csv_order& o, const answered& got) { report_.answer(o, got); });
    if (!sent)
      return std::unexpected{std::move(sent).error()};
    // Those who have hung up do not know when the shop is done with their orders; the next act must not meet them.
    std::vector<csv_order> left;
    std::ranges::copy_if(
        orders, std::back_inserter(left), [](fault f) { return f == fault::client_gone; }, &csv_order::wrong);
    auto all_done = customers_.with_timeout("all done", options_.time_for_all + 5s, [&](muster::scope& crew) {
      crew.execute("look", [&](muster::context& ctx) {
        return wait_until(ctx, "SELECT count(*) FROM orders WHERE id = ? AND state != 'pending'", left);
      });
      return crew.wait();
    });
    if (!all_done)
      report_.remark("… of which one has not been finished"); // the judgement at the end will say which
    return {};
  }

  muster::result<void> first_act(const acts& parts) {
    auto watching = customers_.create_scope("observer");
    watching.execute("watch", [this](muster::context& ctx) { return observer_.watch(ctx); });
    return send("The shop is open.", parts.before); // and the observer leaves with its scope
  }

  /// Kills the payment service while it works on the `dying` orders, sends the `down` ones, and starts it again. The
  /// circuit breaker needs no help: what is still to be taken back knocks until it opens, and after its time until it
  /// closes again.
  muster::result<void> second_act(const acts& parts) {
    auto act = customers_.create_scope("payment dies");
    auto sent = act.execute("orders", [&] { return send("These are being charged …", parts.dying); });
    auto charged = act.execute("look", [&](muster::context& ctx) {
      return wait_until(ctx, "SELECT count(*) FROM charges WHERE key = ?", parts.dying);
    });
    if (auto seen = charged.wait_for(options_.time_for_all); !seen)
      report_.remark("… but not all of them in time");
    const auto pid = shop_.payment().pid();
    shop_.payment().kill();
    report_.remark(fmt::format("… when the payment service (process {}) is killed.", pid));
    if (auto done = sent.get().as_result(); !done)
      return done;
    charged.cancel();
    if (auto done = send("The payment service is down.", parts.down); !done)
      return done;
    await_breaker(muster::breaker_state::open);
    if (auto started = shop_.payment().start(); !started)
      return started;
    report_.remark(fmt::format("The payment service is started again (process {}).", shop_.payment().pid()));
    await_breaker(muster::breaker_state::closed);
    return {};
  }

  /// Until the report has heard that the breaker came to this state; for a limited time, since the judgement at the end
  /// says so if it did not.
  void await_breaker(muster::breaker_state state) {
    auto act = customers_.create_scope("breaker");
    act.execute({.name = "look", .timeout = options_.time_for_all + 5s}, [&](muster::context& ctx) {
      auto slept = muster::result<void>{};
      while (slept && report_.breaker_state() != state)
        slept = ctx.sleep_for(5ms);
      return slept;
    });
    if (!act.wait())
      report_.remark(fmt::format("… and the circuit breaker is not {}", to_string(state)));
  }

  /// Until the books answer `question` with more than nothing for each of the orders.
  muster::result<void> wait_until(muster::context& ctx, std::string_view question,
                                  const std::vector<csv_order>& orders) {
    database books{db_, database::access::existing};
    for (const auto& o : orders)
      while (books.read().number(question, 0, o.what.id) == 0)
        if (auto slept = ctx.sleep_for(5ms); !slept)
          return slept;
    return {};
  }

  const demo_options& options_;
  const std::vector<csv_order> orders_;
  demo_report report_;
  const std::string db_;
  muster::manager yard_{{.name = "demo"}};
  muster::manager customers_{yard_, "customers"};
  muster::manager site_{yard_, "site", {.grace = shop_site::time_to_leave}};
  bool payment_died_ = false;
  shop_site shop_;
  observer observer_{site_, shop_};
};

} // namespace

int run_demo(const demo_options& options) {
  const folder files{options.keep};
  const auto db = files.file("orders.db");
  if (std::filesystem::exists(db)) {
    fmt::print(stderr, "{} is there already\n", db);
    return 2;
  }
  auto orders = options.csv.empty() ? generate_orders(options.orders, options.seed) : read_csv(options.csv);
  if (!orders) {
    fmt::print(stderr, "{}\n", to_line(orders.error()));
    return 2;
  }
  if (auto written = write_csv(files.file("orders.csv"), *orders); !written) {
    fmt::print(stderr, "{}\n", to_line(written.error()));
    return 2;
  }
  demo show{options, std::move(*orders), db};
  if (auto done = show.run(); !done) {
    fmt::print(stderr, "The demo broke off:\n{}\n", to_string(done.error()));
    return 1;
  }
  const bool agreed = show.conclude();
  if (!options.trace.empty())
    if (const auto problem = show.write_trace(options.trace)) {
      fmt::print(stderr, "{}: {}\n", options.trace, problem.message());
      return 1;
    }
  return agreed ? 0 : 1;
}

} // namespace shop
