/// See audit.hpp.
#include "audit.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace telemetry {

namespace {

void count(death_toll& toll, cause why) {
  switch (why) {
  case cause::not_taken: ++toll.not_taken; break;
  case cause::mailbox: ++toll.in_mailbox; break;
  case cause::hand: ++toll.in_hand; break;
  case cause::cut_off: ++toll.cut_off; break;
  }
}

class examination {
public:
  examination(const outcome& said, const ledger& books, const std::vector<std::string>& sources, bool exact)
      : said_(said),
        books_(books),
        sources_(sources),
        exact_(exact),
        complete_(said.whole && !said.interrupted && !said.failure) {}

  void readings(std::uint64_t stored);
  void restarts();
  void shutdown();
  audit found;

private:
  template <class... Values>
  void expect(bool right, fmt::format_string<Values...> sentence, Values&&... values) {
    if (!right)
      found.complaints.push_back(fmt::format(sentence, std::forward<Values>(values)...));
  }

  const outcome& said_;
  const ledger& books_;
  const std::vector<std::string>& sources_;
  const bool exact_;
  const bool complete_; ///< it ran to its planned end
};

void examination::readings(std::uint64_t stored) {
  found.readings = books_.all();
  found.by_source = books_.by_source();
  const auto deaths = books_.deaths();
  for (const auto& one : books_.losses()) {
    const auto explained = explain(one, deaths, exact_);
    expect(explained.has_value(), "reading {} of {} #{} was lost on its way, at the stage {}, and no death explains it",
           one.what.sequence, one.what.source, one.what.incarnation, static_cast<int>(one.where));
    if (!explained)
      continue;
    count(found.lost, explained->why);
    count(found.by_death[{explained->who, explained->incarnation}], explained->why);
  }
  const auto& all = found.readings;
  expect(all.emitted == all.stored + all.lost, "{} readings were emitted, but {} stored and {} lost", all.emitted,
         all.stored, all.lost);
  expect(all.stored == stored, "{} readings were handed to the store, which has {}", all.stored, stored);
  expect(found.lost.cut_off == 0 || !complete_, "{} readings were held for an actor that was never restarted",
         found.lost.cut_off);
  const auto refused = said_.stats.messages_refused;
  const auto full = books_.refused_or_late().when_full;
  expect(refused <= full || !complete_, "{} messages were refused, but only {} when as many were held as may be",
         refused, full);
}

void examination::restarts() {
  const auto& r = found.restarts = said_.log->counts();
  std::uint64_t seen = 0;
  for (const auto& [name, deaths] : books_.deaths()) {
    std::uint64_t violent = 0;
    for (const auto& d : deaths)
      if (d.violent) {
        ++violent;
        found.why[{name, d.incarnation}] = d.why;
      }
    const auto of = [&, &who = name](const auto& map) { return map.contains(who) ? map.at(who) : 0; };
    const bool is_sensor = (std::ranges::find(sources_, name) != sources_.end());
    const auto stops = (is_sensor ? r.supervisors_ended : of(r.stops)) + 1; // and the shutdown
    const auto known = of(r.failures);
    expect(violent >= known && violent - known <= stops,
           "{} died {} times, of which its supervisor knows {}; it was stopped {} times", name, violent, known, stops);
    found.kills += violent;
    seen += known;
  }
  found.unseen = found.kills - std::min(found.kills, seen);
  expect(r.unexplained == 0 || said_.failure, "{} children were stopped although none before them had failed",
         r.unexplained);
  expect(r.failed - seen == r.gave_up || !complete_, "{} supervisors failed, but {} gave up", r.failed - seen,
         r.gave_up);
  expect(r.failed + r.companions == r.restarted + r.superseded + r.not_restarted,
         "{} children failed and {} were stopped with them; but {} were restarted, {} with their supervisor, {} not",
         r.failed, r.companions, r.restarted, r.superseded, r.not_restarted);
  expect(r.restarted == said_.stats.actors_restarted, "the hook saw {} restarts, the statistics count {}", r.restarted,
         said_.stats.actors_restarted);
  expect(r.not_restarted == 0 || !complete_, "{} children were down at the end", r.not_restarted);
  expect(said_.whole || said_.interrupted || said_.failure, "the tree was not whole at the end");
}

void examination::shutdown() {
  // The order of start; each must have ended before those in front of it.
  std::vector<std::string> order{"store", "writer", "aggregator", "sensors"};
  order.insert(order.end(), sources_.begin(), sources_.end());
  std::map<std::string, std::size_t> ended;
  const auto notes = books_.notes();
  for (std::size_t i = 0; i < notes.size(); ++i) {
    const auto name = notes[i].substr(1);
    if (notes[i].front() == '-')
      ended[name] = i;
    else
      ended.erase(name);
  }
  std::vector<std::pair<std::size_t, std::string>> last;
  for (const auto& [name, when] : ended)
    last.emplace_back(when, name);
  std::ranges::sort(last);
  for (const auto& [when, name] : last)
    found.shutdown.push_back(name);
  auto expected = order;
  std::ranges::reverse(expected);
  if (!complete_) // some may have been down when it was stopped
    std::erase_if(expected, [&](const std::string& name) { return !ended.contains(name); });
  expect(found.shutdown == expected, "it was shut down in the order {}, not {}", fmt::join(found.shutdown, " "),
         fmt::join(expected, " "));
}

} // namespace

audit examine(const outcome& said, const ledger& books, const std::vector<std::string>& sources, std::uint64_t stored,
              bool exact) {
  examination e{said, books, sources, exact};
  e.readings(stored);
  e.restarts();
  e.shutdown();
  return std::move(e.found);
}

} // namespace telemetry
