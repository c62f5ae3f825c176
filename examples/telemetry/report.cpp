/// See report.hpp.
#include "report.hpp"

#include <iterator>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace telemetry {

std::string as_text(const outcome& said, const audit& books) {
  std::string text;
  const auto line = [&]<class... Values>(fmt::format_string<Values...> how, Values&&... values) {
    fmt::format_to(std::back_inserter(text), how, std::forward<Values>(values)...);
    text += '\n';
  };
  if (!said.tree.nodes.empty())
    line("The tree, {}:\n{}", said.whole ? "which is whole" : "which is NOT whole", to_string(said.tree));

  const auto& r = books.restarts;
  const auto plus = [](std::uint64_t n) { return static_cast<std::int64_t>(n); };
  const auto minus = [](std::uint64_t n) { return -static_cast<std::int64_t>(n); };
  line("Restarts");
  line("  {:>6} children died ({} blows were dealt)", books.kills, said.blows);
  line("  {:>+6} of them while being stopped anyway", minus(books.unseen));
  line("  {:>+6} times `sensors` gave up", plus(r.gave_up));
  line("  {:>+6} were stopped because one before them had failed, or their supervisor gave up", plus(r.companions));
  line("  {:>+6} sensors came back with a new supervisor, as its new children", minus(r.superseded));
  line("  {:>+6} were not restarted any more", minus(r.not_restarted));
  line("  {:>6} restarts, as the hooks saw them; {} as the library counted them\n", r.restarted,
       said.stats.actors_restarted);

  line("Readings      emitted    stored      lost");
  for (const auto& [name, of] : books.by_source)
    line("  {:<10} {:>8}  {:>8}  {:>8}", name, of.emitted, of.stored, of.lost);
  const auto& all = books.readings;
  line("  {:<10} {:>8}  {:>8}  {:>8}\n", "all", all.emitted, all.stored, all.lost);
  if (all.lost > 0) {
    line("Lost          by whose death          not taken  in mailbox   in hand   cut off");
    for (const auto& [who, toll] : books.by_death)
      line("              {:<20}    {:>9}  {:>10}  {:>8}  {:>8}   {}", fmt::format("{} #{}", who.first, who.second),
           toll.not_taken, toll.in_mailbox, toll.in_hand, toll.cut_off, books.why.at(who));
    const auto& sum = books.lost;
    line("              {:<20}    {:>9}  {:>10}  {:>8}  {:>8}\n", "all", sum.not_taken, sum.in_mailbox, sum.in_hand,
         sum.cut_off);
  }
  line("Shut down in this order: {}", fmt::join(books.shutdown, ", "));
  if (said.interrupted)
    line("It was interrupted.");
  if (said.failure)
    line("It failed: {}", to_string(*said.failure));
  for (const auto& each : books.complaints)
    line("NOT ACCOUNTED FOR: {}", each);
  if (books.complaints.empty())
    line("Everything is accounted for.");
  return text;
}

std::string as_json(const outcome& said, const audit& books) {
  using nlohmann::json;
  json tree = json::array();
  for (std::size_t i = 0; i < said.tree.nodes.size(); ++i) {
    const auto& node = said.tree.nodes[i];
    tree.push_back({{"path", said.tree.path_of(i)},
                    {"kind", std::string{to_string(node.kind)}},
                    {"state", node.state},
                    {"restarts", node.restarts},
                    {"last_error", node.last_error}});
  }
  const auto three = [](const ledger::totals& of) {
    return json{{"emitted", of.emitted}, {"stored", of.stored}, {"lost", of.lost}};
  };
  const auto four = [](const death_toll& toll) {
    return json{{"not_taken", toll.not_taken},
                {"in_mailbox", toll.in_mailbox},
                {"in_hand", toll.in_hand},
                {"cut_off", toll.cut_off}};
  };
  json sources = json::object();
  for (const auto& [name, of] : books.by_source)
    sources[name] = three(of);
  json deaths = json::array();
  for (const auto& [who, toll] : books.by_death) {
    auto one = four(toll);
    one["actor"] = who.first;
    one["incarnation"] = who.second;
    one["why"] = books.why.at(who);
    deaths.push_back(std::move(one));
  }
  const auto& r = books.restarts;
  const json all{{"whole", said.whole},
                 {"interrupted", said.interrupted},
                 {"failure", said.failure ? json(to_string(*said.failure)) : json()},
                 {"tree", std::move(tree)},
                 {"restarts",
                  {{"blows", said.blows},
                   {"deaths", books.kills},
                   {"while_stopped", books.unseen},
                   {"supervisors_gave_up", r.gave_up},
                   {"companions", r.companions},
                   {"superseded", r.superseded},
                   {"not_restarted", r.not_restarted},
                   {"restarted", r.restarted},
                   {"actors_restarted", said.stats.actors_restarted}}},
                 {"readings", three(books.readings)},
                 {"sources", std::move(sources)},
                 {"lost", four(books.lost)},
                 {"lost_by_death", std::move(deaths)},
                 {"messages_refused", said.stats.messages_refused},
                 {"shutdown", books.shutdown},
                 {"complaints", books.complaints}};
  return all.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

} // namespace telemetry
