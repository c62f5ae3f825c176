// What a channel decides, without threads: against a model that is a list of what was sent.
#include "../catch.hpp"

#include "channel_machine.hpp"

#include <deque>
#include <memory>
#include <random>
#include <vector>

namespace {

using muster::channel_machine;
using muster::detail::channel_party;
using muster::detail::envelope_of;
using passage = muster::detail::passage;

std::unique_ptr<channel_party> bringing(int value) {
  auto who = std::make_unique<channel_party>();
  who->holds = muster::detail::make_owned<envelope_of<int>>(value);
  return who;
}
int held(const channel_party& who) { return static_cast<const envelope_of<int>&>(*who.holds).value; }

/// The plainest channel there can be: what it says is what the machine has to say.
struct model {
  std::size_t capacity;
  std::deque<int> buffered;
  std::deque<std::pair<channel_party*, int>> senders;
  std::deque<channel_party*> receivers;
  bool closed = false;
};

template <class Line, class Is>
bool taken_out(Line& line, Is is) {
  for (auto at = line.begin(); at != line.end(); ++at)
    if (is(*at)) {
      line.erase(at);
      return true;
    }
  return false;
}

} // namespace

TEST_CASE("a channel passes values in the order in which they were sent") {
  channel_machine m{2};
  for (int value : {1, 2}) {
    auto from = bringing(value);
    CHECK(m.send(*from, false).how == passage::done);
    CHECK_FALSE(from->holds);
  }
  auto third = bringing(3);
  CHECK(m.send(*third, false).how == passage::waits);
  CHECK_FALSE(m.somebody_waits());
  CHECK(held(*third) == 3);
  CHECK(m.send(*third, true).how == passage::waits);
  channel_party to;
  for (int value : {1, 2, 3}) {
    const auto step = m.receive(to, false);
    CHECK(step.how == passage::done);
    CHECK(step.served == (value == 1 ? third.get() : nullptr));
    CHECK(held(to) == value);
  }
  CHECK(m.receive(to, false).how == passage::waits);
}

TEST_CASE("a channel without a buffer passes a value only from hand to hand") {
  channel_machine m{0};
  auto from = bringing(7);
  CHECK(m.send(*from, false).how == passage::waits);
  channel_party to;
  CHECK(m.receive(to, true).how == passage::waits);
  const auto step = m.send(*from, false);
  CHECK(step.how == passage::done);
  CHECK(step.served == &to);
  CHECK(held(to) == 7);
  CHECK(m.size() == 0);

  auto waiting = bringing(8);
  CHECK(m.send(*waiting, true).how == passage::waits);
  channel_party next;
  CHECK(m.receive(next, false).served == waiting.get());
  CHECK(held(next) == 8);
}

TEST_CASE("a closed channel refuses those who wait, in order, and is emptied by those who receive") {
  channel_machine m{1};
  auto one = bringing(1);
  auto two = bringing(2);
  auto three = bringing(3);
  CHECK(m.send(*one, true).how == passage::done);
  CHECK(m.send(*two, true).how == passage::waits);
  CHECK(m.send(*three, true).how == passage::waits);
  auto* told = m.close();
  CHECK(told == two.get());
  CHECK(told->next == three.get());
  CHECK(three->next == nullptr);
  CHECK(m.close() == nullptr);
  CHECK_FALSE(m.gave_up(*two));
  CHECK_FALSE(m.gave_up(*three));
  CHECK(m.send(*two, true).how == passage::closed);
  channel_party to;
  CHECK(m.receive(to, true).how == passage::done);
  CHECK(held(to) == 1);
  CHECK(m.receive(to, true).how == passage::closed);
}

TEST_CASE("a channel does what its model does, whatever is asked of it") {
  for (std::uint32_t seed = 0; seed != 400; ++seed) {
    std::mt19937 draw{seed};
    const std::size_t capacity = seed % 4;
    channel_machine m{capacity};
    model is{.capacity = capacity, .buffered = {}, .senders = {}, .receivers = {}};
    std::vector<std::unique_ptr<channel_party>> parties; // all of them, for ever
    int next_value = 0;
    for (int step = 0; step != 120; ++step) {
      const bool may_wait = draw() % 2 == 0;
      const auto what = draw() % 100;
      if (what < 40) {
        auto& who = *parties.emplace_back(bringing(++next_value));
        const auto did = m.send(who, may_wait);
        if (is.closed) {
          REQUIRE(did.how == passage::closed);
          REQUIRE(held(who) == next_value);
        } else if (!is.receivers.empty()) {
          REQUIRE(did.how == passage::done);
          REQUIRE(did.served == is.receivers.front());
          REQUIRE(held(*did.served) == next_value);
          is.receivers.pop_front();
        } else if (is.buffered.size() < capacity) {
          REQUIRE((did.how == passage::done && !did.served));
          is.buffered.push_back(next_value);
        } else {
          REQUIRE(did.how == passage::waits);
          REQUIRE(held(who) == next_value);
          if (may_wait)
            is.senders.emplace_back(&who, next_value);
        }
      } else if (what < 80) {
        auto& who = *parties.emplace_back(std::make_unique<channel_party>());
        const auto did = m.receive(who, may_wait);
        if (!is.buffered.empty() || !is.senders.empty()) {
          REQUIRE(did.how == passage::done);
          if (is.senders.empty()) {
            REQUIRE_FALSE(did.served);
          } else {
            REQUIRE(did.served == is.senders.front().first);
            is.buffered.push_back(is.senders.front().second);
            is.senders.pop_front();
          }
          REQUIRE(held(who) == is.buffered.front());
          is.buffered.pop_front();
        } else if (is.closed) {
          REQUIRE(did.how == passage::closed);
        } else {
          REQUIRE(did.how == passage::waits);
          if (may_wait)
            is.receivers.push_back(&who);
        }
      } else if (what < 98) {
        if (parties.empty())
          continue;
        auto& who = *parties[draw() % parties.size()];
        const bool waited = taken_out(is.senders, [&](const auto& s) { return s.first == &who; }) ||
                            taken_out(is.receivers, [&](const auto* r) { return r == &who; });
        REQUIRE(m.gave_up(who) == waited);
      } else {
        auto* told = m.close();
        for (const auto& [who, value] : std::exchange(is.senders, {})) {
          REQUIRE(told == who);
          REQUIRE(held(*told) == value);
          told = told->next;
        }
        for (auto* who : std::exchange(is.receivers, {})) {
          REQUIRE(told == who);
          told = told->next;
        }
        REQUIRE_FALSE(told);
        is.closed = true;
      }
      REQUIRE(m.size() == is.buffered.size());
      REQUIRE(m.closed() == is.closed);
      REQUIRE(m.somebody_waits() == !(is.senders.empty() && is.receivers.empty()));
    }
    while (auto* rest = m.close())
      static_cast<void>(rest);
  }
}
