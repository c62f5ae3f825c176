/// Printing and judging; see demo_report.hpp.
#include "demo_report.hpp"

#include "site.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>

namespace shop {

namespace {

using seconds = std::chrono::duration<double>;
using milliseconds = std::chrono::duration<double, std::milli>;

template <class... Values>
void say(fmt::format_string<Values...> text, Values&&... values) {
  fmt::print(text, std::forward<Values>(values)...);
  std::fflush(stdout);
}

void heading(std::string_view text) { say("\n== {} ==\n", text); }

/// The message at the bottom of an answer's error.
std::string reason_in(const std::string& body) {
  const auto answer = nlohmann::json::parse(body, nullptr, false);
  if (!answer.is_object() || !answer.contains("error"))
    return answer.is_object() ? "confirmed" : body.substr(0, 60);
  const auto* at = &answer["error"];
  while (!at->at("causes").empty())
    at = &at->at("causes").at(0);
  const auto later = answer["error"].at("later").size();
  return at->at("message").get<std::string>() + (later > 0 ? fmt::format(" (and {} more)", later) : "");
}

std::string euros(std::int64_t cents) { return fmt::format("{}.{:02}", cents / 100, cents % 100); }

} // namespace

demo_report::demo_report(const std::vector<csv_order>& orders, muster::duration time_for_all)
    : orders_(orders),
      time_for_all_(time_for_all) {}

void demo_report::opening(const shop_site& shop) {
  opened_at_ = shop.now();
  heading("the shop");
  say("http://127.0.0.1:{}/checkout\n", shop.port());
  for (const auto* service : shop.services())
    say("the {} service: process {}, port {}\n", service->name(), service->pid(), service->port());
  say("An order has {:.1f} s for everything (8 s by default; less here, so that slow payments need not be waited "
      "for).\n",
      seconds{time_for_all_}.count());
}

void demo_report::act(std::string_view what, std::size_t orders) { say("\n== {} ({} orders) ==\n", what, orders); }

void demo_report::remark(std::string_view what) { say("{}\n", what); }

void demo_report::answer(const csv_order& o, const answered& got) {
  const std::lock_guard lock{mutex_};
  answers_.insert_or_assign(o.what.id, got);
  const auto what = got.status == 0 ? "the customer has hung up" : reason_in(got.body);
  say("{}  {:>3}  {:>5.0f} ms  {:<14} {}\n", o.what.id, got.status, milliseconds{got.took}.count(), to_string(o.wrong),
      what);
}

void demo_report::served(const std::string& id, const verdict& v) {
  const std::lock_guard lock{mutex_};
  if (v.error && !id.empty())
    errors_.insert_or_assign(id, *v.error);
}

void demo_report::breaker_changed(const muster::breaker_change& change) {
  const std::lock_guard lock{mutex_};
  changes_.push_back(change);
  say("            -- {:.2f} s: the payment service's circuit breaker is {}: {}\n",
      seconds{change.at - opened_at_}.count(), to_string(change.to), change.why);
}

muster::breaker_state demo_report::breaker_state() const {
  const std::lock_guard lock{mutex_};
  return changes_.empty() ? muster::breaker_state::closed : changes_.back().to;
}

void demo_report::failures() {
  // One that shows how errors hang together: with the most lines.
  const auto lines = [](const auto& entry) { return std::ranges::count(to_string(entry.second), '\n'); };
  const auto richest = std::ranges::max_element(errors_, {}, lines);
  if (richest == errors_.end())
    return;
  heading("a failed order's error: " + richest->first);
  say("{}\n", to_string(richest->second));
}

void demo_report::tree(const muster::supervision_tree& tree) {
  heading("the supervision tree while orders were in flight");
  say("{}\n", to_string(tree));
}

void demo_report::numbers(const muster::manager& site) {
  const auto s = site.stats();
  const auto errors = site.errors();
  heading("statistics of the site");
  say("scopes {}, tasks started {}: {} completed, {} failed, {} timed out, {} cancelled, {} skipped, {} unresponsive\n",
      s.scopes_created, s.tasks_started, s.tasks_completed, s.tasks_failed, s.tasks_timed_out, s.tasks_cancelled,
      s.tasks_skipped, s.tasks_unresponsive);
  say("{} resources released, {} tasks live; {:.1f} s in bodies, {:.2f} s of processor time\n", s.resources_released,
      s.tasks_live, seconds{s.wall_time}.count(), seconds{s.cpu_time}.count());
  say("{} errors kept, {} dropped; {} trace events dropped; at most {} worker threads\n", errors.errors.size(),
      errors.dropped, s.events_dropped, site.lane().most_workers);
}

bool demo_report::outcomes(const std::vector<order_record>& recorded) {
  struct count {
    std::size_t orders = 0;
    std::map<int, std::size_t> statuses;
  };
  std::map<fault, count> counts;
  std::vector<std::string> wrong;
  std::map<std::string_view, const order_record*> by_id;
  for (const auto& r : recorded)
    by_id.emplace(r.id, &r);

  for (const auto& o : orders_) {
    const auto seen = answers_.find(o.what.id);
    const auto entry = by_id.find(o.what.id);
    const bool entered = entry != by_id.end();
    int status = seen == answers_.end() ? -1 : seen->second.status;
    if (status == 0 && entered) // the customer who has left does not know it; the books do
      status = entry->second->status;
    auto& c = counts[o.wrong];
    ++c.orders;
    ++c.statuses[status];
    const auto expected = expected_status(o.wrong);
    if (expected > 0 && status != expected)
      wrong.push_back(fmt::format("{} ({}): {} in place of {}", o.what.id, to_string(o.wrong), status, expected));
    if (o.wrong != fault::unknown && entered == refused_at_the_door(o.wrong))
      wrong.push_back(fmt::format("{} ({}): {}", o.what.id, to_string(o.wrong),
                                  entered ? "is in the books" : "is missing in the books"));
    else if (entered && entry->second->status != status)
      wrong.push_back(
          fmt::format("{}: the customer was told {}, the books say {}", o.what.id, status, entry->second->status));
  }
  const auto lucky = counts[fault::last_items].statuses[200];
  if (lucky != expected_last_items(orders_))
    wrong.push_back(fmt::format("{} of the last items were sold, there were {}", lucky, expected_last_items(orders_)));

  heading("outcomes");
  for (const auto& [what, c] : counts) {
    if (c.orders == 0)
      continue;
    std::string statuses;
    for (const auto& [status, n] : c.statuses)
      if (n > 0)
        statuses += fmt::format("  {} x {}", n, status);
    say("{:<14} {:>4} orders:{}\n", what == fault::unknown ? "as it comes" : to_string(what), c.orders, statuses);
  }
  for (const auto& sentence : wrong)
    say("NOT AS EXPECTED: {}\n", sentence);
  return wrong.empty();
}

bool demo_report::books(const audit& found) {
  heading("the books");
  say("{} orders confirmed, {} failed; {} items sold; {} charged\n", found.confirmed, found.failed, found.items_sold,
      euros(found.captured_cents));
  for (const auto& sentence : found.disagreements)
    say("DISAGREEMENT: {}\n", sentence);
  if (found.agrees())
    say("orders, charges and stock agree\n");
  return found.agrees();
}

bool demo_report::breaker(const muster::breaker_stats& numbers, bool service_was_stopped) const {
  heading("the circuit breaker before the payment service");
  const auto when = [&](muster::breaker_state state) {
    std::string moments;
    for (const auto& c : changes_)
      if (c.to == state)
        moments += fmt::format("{}{:.2f} s", moments.empty() ? "" : ", ", seconds{c.at - opened_at_}.count());
    return moments.empty() ? "never" : moments;
  };
  say("opened {} times, at {}; closed again at {}\n", numbers.opened, when(muster::breaker_state::open),
      when(muster::breaker_state::closed));
  say("{} calls refused at once while it was open; of those that passed {} were answered, {} met no service, {} say "
      "nothing\n",
      numbers.refused, numbers.succeeded, numbers.failed, numbers.ignored + numbers.late + numbers.reclaimed);
  const bool opened = numbers.opened > 0 && numbers.refused > 0;
  const bool closed = numbers.state == muster::breaker_state::closed;
  if (service_was_stopped && !opened)
    say("NOT AS EXPECTED: it did not open while the payment service was stopped\n");
  else if (service_was_stopped && closed)
    say("it opened while the payment service was stopped, and closed after that was back\n");
  if (!closed)
    say("NOT AS EXPECTED: it is {}\n", to_string(numbers.state));
  return closed && (opened || !service_was_stopped);
}

bool demo_report::pool(const muster::pool_stats& numbers, const rush_hour& seen) const {
  heading("the pool of connections to the books");
  say("at most {}; {} were made; {} seen in use and {} tasks waiting at the same time\n", numbers.max, numbers.created,
      seen.most_lent, seen.most_waiting);
  say("lent {} times, {:.2f} ms of waiting on average, {:.1f} ms at most\n", numbers.acquired,
      numbers.acquired > 0 ? milliseconds{numbers.wait_time}.count() / static_cast<double>(numbers.acquired) : 0.0,
      milliseconds{numbers.longest_wait}.count());
  // None is closed before the end, so as many as were made were there at the same time.
  const bool few = numbers.created <= numbers.max && seen.most_lent <= numbers.max;
  const bool back = numbers.returned == numbers.acquired && numbers.destroyed == numbers.created && numbers.size == 0;
  if (few && back)
    say("every one was given back by its task, and all {} are closed\n", numbers.destroyed);
  else
    say("NOT AS EXPECTED: {} in use, {} taken back from tasks that had kept them, {} of {} closed\n", numbers.in_use,
        numbers.reclaimed, numbers.destroyed, numbers.created);
  return few && back;
}

bool demo_report::processes(const std::vector<pid_t>& pids) {
  std::size_t left = 0;
  for (const auto pid : pids)
    if (::kill(pid, 0) == 0) {
      ++left;
      say("STILL RUNNING: process {}\n", pid);
    }
  if (left == 0)
    say("all {} service processes are gone\n", pids.size());
  return left == 0;
}

} // namespace shop
