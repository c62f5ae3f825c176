/// See ledger.hpp.
#include "ledger.hpp"

#include <utility>

namespace telemetry {

namespace {

thread_local int sends = 0;

} // namespace

std::string_view to_string(cause why) noexcept {
  switch (why) {
  case cause::not_taken: return "not taken";
  case cause::mailbox: return "in a mailbox";
  case cause::hand: return "in hand";
  case cause::cut_off: return "cut off";
  }
  return "?";
}

sending::sending() noexcept { ++sends; }
sending::~sending() { --sends; }
bool sending::now() noexcept { return sends > 0; }

const std::string& receiver_of(stage where) {
  static const std::string aggregator = "aggregator";
  static const std::string writer = "writer";
  return where == stage::to_aggregator || where == stage::in_aggregator ? aggregator : writer;
}

// -- tickets and letters ----------------------------------------------------------------------------------------------

ticket::ticket(ledger& books, reading what) : books_(books), what_(std::move(what)) {
  const std::scoped_lock lock{books_.mutex_};
  ++books_.sources_[what_.source].emitted;
}

ticket::~ticket() { books_.settle(*this); }

letter::letter(ledger& books, bool to_writer, std::vector<parcel> contents)
    : books_(books),
      to_writer_(to_writer),
      contents_(std::move(contents)) {
  const std::scoped_lock lock{books_.mutex_};
  ++books_.under_way_[to_writer_];
}

letter::~letter() {
  if (sending::now())
    for (const auto& each : contents_) // noted on each, for the sender may have shares of them still
      each->sent_back();
  books_.letter_gone(to_writer_);
}

void ledger::letter_gone(bool to_writer) {
  const std::scoped_lock lock{mutex_};
  const auto before = --under_way_[to_writer];
  if (sending::now()) {
    ++not_taken_.messages;
    not_taken_.when_full += before >= held_messages_ ? 1 : 0;
  }
}

void ledger::settle(const ticket& t) {
  const std::scoped_lock lock{mutex_};
  auto& of = sources_[t.what_.source];
  if (t.where_ == stage::stored) {
    ++of.stored;
    return;
  }
  ++of.lost;
  const auto& receiver = lives_[receiver_of(t.where_)];
  losses_.push_back({t.what_, t.where_, t.not_taken_, t.holder_, receiver.deaths.size(),
                     receiver.births > receiver.deaths.size(), receiver.born_at, time_->now()});
}

// -- births and deaths ------------------------------------------------------------------------------------------------

ledger::ledger(std::shared_ptr<muster::clock> time, std::size_t held_messages)
    : time_(std::move(time)),
      held_messages_(held_messages) {}

std::uint32_t ledger::born(const std::string& name) {
  const std::scoped_lock lock{mutex_};
  notes_.push_back("+" + name);
  lives_[name].born_at = time_->now();
  return ++lives_[name].births;
}

void ledger::died(const std::string& name, std::uint32_t incarnation, bool violent, std::string why) {
  const std::scoped_lock lock{mutex_};
  if (violent)
    notes_.push_back("x" + name);
  lives_[name].deaths.push_back({incarnation, violent, time_->now(), std::move(why)});
}

void ledger::note(std::string line) {
  const std::scoped_lock lock{mutex_};
  notes_.push_back(std::move(line));
}

// -- looking ----------------------------------------------------------------------------------------------------------

ledger::totals ledger::all() const {
  totals sum;
  for (const auto& [name, of] : by_source()) {
    sum.emitted += of.emitted;
    sum.stored += of.stored;
    sum.lost += of.lost;
  }
  return sum;
}

std::map<std::string, ledger::totals> ledger::by_source() const {
  const std::scoped_lock lock{mutex_};
  return sources_;
}

std::vector<loss> ledger::losses() const {
  const std::scoped_lock lock{mutex_};
  return losses_;
}

std::map<std::string, std::vector<death>> ledger::deaths() const {
  const std::scoped_lock lock{mutex_};
  std::map<std::string, std::vector<death>> all;
  for (const auto& [name, of] : lives_)
    all.emplace(name, of.deaths);
  return all;
}

ledger::not_taken ledger::refused_or_late() const {
  const std::scoped_lock lock{mutex_};
  return not_taken_;
}

std::vector<std::string> ledger::notes() const {
  const std::scoped_lock lock{mutex_};
  return notes_;
}

std::optional<explained_loss> explain(const loss& one, const std::map<std::string, std::vector<death>>& deaths,
                                      bool exact) {
  const auto& who = receiver_of(one.where);
  const auto found = deaths.find(who);
  if (found == deaths.end())
    return std::nullopt;
  const auto& of = found->second;
  const auto because = [&](cause why, const death& d) -> std::optional<explained_loss> {
    if (!d.violent)
      return std::nullopt;
    return explained_loss{why, who, d.incarnation};
  };
  if (one.where == stage::in_aggregator || one.where == stage::in_writer) {
    for (const auto& d : of)
      if (d.incarnation == one.holder && (!exact || d.at == one.at))
        return because(cause::hand, d);
    return std::nullopt;
  }
  const auto last = one.deaths_before; // the next death is the one under way
  if (one.not_taken) {
    // An actor closes its mailbox just before it reports its death; in the simulation nothing comes in between.
    if (one.receiver_alive && !exact && last < of.size())
      return because(cause::not_taken, of[last]);
    // And a new incarnation lives a moment before mail goes to it: what comes then still finds as many held as may be.
    const bool just_born = one.at == one.receiver_born;
    return last > 0 && (!exact || !one.receiver_alive || just_born) ? because(cause::not_taken, of[last - 1])
                                                                    : std::nullopt;
  }
  if (last < of.size() && (!exact || of[last].at == one.at))
    return because(cause::mailbox, of[last]);
  if (last == of.size() && last > 0 && !one.receiver_alive)
    return because(cause::cut_off, of[last - 1]);
  return std::nullopt;
}

} // namespace telemetry
