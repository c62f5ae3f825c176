/// The restart machine against a supervisor that blocks, as OTP's does, when everything is obeyed at once. And what it
/// costs.
#include "restart_support.hpp"
#include "schedule.hpp"

#include <algorithm>
#include <vector>

using namespace muster_test;
using enum muster::child_kind;
using enum muster::restart_strategy;
using muster::runtime::random_source;

namespace {

/// A supervisor that does one thing after the other and hears of nothing meanwhile. Writes down what it does.
class blocking_supervisor {
public:
  struct child {
    char who;
    child_kind kind;
    bool significant;
    bool up = true;
    int which = 1;
  };
  using starter = bool (*)(char who, int which); ///< whether that start succeeds

  blocking_supervisor(const muster::restart& policy, starter starts) : policy_{policy}, starts_{starts} {}

  void add(char who, child_kind kind, bool significant) { children_.push_back({who, kind, significant}); }

  void exit(char who, bool abnormal, muster::time_point now) {
    const auto it = find(who);
    if (over || it == children_.end() || !it->up)
      return;
    it->up = false;
    if (it->kind == permanent || (it->kind == transient && abnormal))
      return restart(who, now);
    const bool significant = it->significant;
    if (it->kind == temporary)
      forget(who);
    const bool any = std::any_of(children_.begin(), children_.end(), [](auto& c) { return c.significant && c.up; });
    if (significant &&
        (policy_.ends == auto_shutdown::any_significant || (policy_.ends == auto_shutdown::all_significant && !any)))
      finish("end");
  }
  void stop_by_hand(char who) {
    const auto it = find(who);
    if (!over && it != children_.end() && it->up)
      stop(it - children_.begin());
  }
  void restart_by_hand(char who) {
    const auto it = find(who);
    if (!over && it != children_.end() && !it->up)
      start(*it);
  }
  void remove_by_hand(char who) {
    const auto it = find(who);
    if (!over && it != children_.end() && !it->up)
      forget(who);
  }

  std::string log;
  bool over = false;

private:
  std::vector<child>::iterator find(char who) {
    return std::find_if(children_.begin(), children_.end(), [&](auto& c) { return c.who == who; });
  }
  void say(const std::string& what) { log += (log.empty() ? "" : ", ") + what; }
  void forget(char who) {
    say(std::string{"forget "} + who);
    children_.erase(find(who));
  }
  void stop(std::ptrdiff_t index) {
    child& c = children_[static_cast<std::size_t>(index)];
    say(std::string{"stop "} + c.who + std::to_string(c.which));
    c.up = false;
    if (c.kind == temporary)
      forget(c.who);
  }
  void stop_from(std::ptrdiff_t first) {
    for (auto i = std::ssize(children_); i-- > first;)
      if (children_[static_cast<std::size_t>(i)].up)
        stop(i);
  }
  bool start(child& c) {
    say(std::string{"start "} + c.who + std::to_string(++c.which));
    return c.up = starts_(c.who, c.which);
  }
  void finish(const char* how) {
    stop_from(0);
    say(how);
    over = true;
  }
  void restart(char who, muster::time_point now) {
    for (;;) {
      std::erase_if(window_, [&](auto t) { return t < now - policy_.within; });
      window_.push_back(now);
      if (window_.size() > policy_.max_restarts)
        return finish("give up");
      if (policy_.strategy == one_for_one) {
        if (start(*find(who)))
          return;
        continue;
      }
      auto i = policy_.strategy == one_for_all ? 0 : find(who) - children_.begin();
      for (stop_from(i); i < std::ssize(children_); ++i)
        if (!start(children_[static_cast<std::size_t>(i)]))
          break;
      if (i == std::ssize(children_))
        return;
      who = children_[static_cast<std::size_t>(i)].who;
    }
  }

  const muster::restart policy_;
  const starter starts_;
  std::vector<child> children_;
  std::vector<muster::time_point> window_;
};

bool starts_mostly(char who, int which) {
  return random_source{static_cast<std::uint64_t>(who) * 1000 + static_cast<std::uint64_t>(which)}.below(5) != 0;
}

/// The machine's answers, all obeyed at once, with the same luck.
std::string obeyed_with_luck(crew& c) {
  std::string all;
  while (true) {
    const std::string said = c.one();
    if (said.empty())
      return all;
    all += (all.empty() ? "" : ", ") + said;
    if (said.starts_with("stop"))
      c.ends(said[5]);
    else if (said.starts_with("start"))
      starts_mostly(said[6], std::stoi(said.substr(7))) ? c.ready(said[6]) : c.not_ready(said[6]);
  }
}

muster::restart drawn_policy(random_source& random) {
  return {.strategy = static_cast<restart_strategy>(random.below(3)),
          .max_restarts = static_cast<unsigned>(random.below(8)),
          .within = std::chrono::seconds{1 + random.below(20)},
          .ends = static_cast<auto_shutdown>(random.below(3))};
}

} // namespace

TEST_CASE("obeyed at once, the machine does what a supervisor that blocks does", "[restart_machine]") {
  std::size_t ended = 0;
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    random_source random{seed};
    const muster::restart policy = drawn_policy(random);
    crew machine{policy};
    blocking_supervisor model{policy, starts_mostly};
    char next = 'a';
    const auto add = [&] {
      const auto kind = static_cast<child_kind>(random.below(3));
      const bool significant = kind != permanent && random.below(2) == 0;
      machine.add(std::string(1, next), kind, significant);
      model.add(next++, kind, significant);
    };
    for (auto n = random.below(6); n-- > 0;)
      add();
    std::string said;
    for (int i = 0; i < 60 && !model.over; ++i) {
      machine.now += std::chrono::milliseconds{500 * random.below(8)};
      const auto who = static_cast<char>('a' + random.below(static_cast<std::uint64_t>(next - 'a') + 1));
      const auto what = random.below(12);
      const bool abnormal = random.below(2) == 0;
      if (what < 7) {
        abnormal ? machine.fails(who) : machine.ends(who);
        model.exit(who, abnormal, machine.now);
      } else if (what == 7) {
        (void)machine.stop(who);
        model.stop_by_hand(who);
      } else if (what == 8) {
        (void)machine.remove(who);
        model.remove_by_hand(who);
      } else if (what < 11) {
        (void)machine.restart(who);
        model.restart_by_hand(who);
      } else if (next < 'z') {
        add();
      }
      const std::string more = obeyed_with_luck(machine);
      said += (said.empty() || more.empty() ? "" : ", ") + more;
      if (said != model.log)
        break;
    }
    INFO("seed " << seed);
    REQUIRE(said == model.log);
    ended += model.over ? 1 : 0;
  }
  CHECK(ended > 1000); // neither all nor none
  CHECK(ended < 3000);
}

TEST_CASE("a child among a hundred thousand costs as little as one among a thousand", "[restart_machine]") {
  const auto looks = [](std::uint64_t children) {
    restart_machine m{{.max_restarts = 4'000'000'000U, .within = 1h, .delay = {.first = 1s}}};
    muster::time_point now{1h};
    for (std::uint64_t who = 1; who <= children; ++who)
      m.added(who, who % 3 == 0 ? temporary : permanent, false);
    for (std::uint64_t who = children; who > 0; --who) {
      m.ended(who, 1, true, "", now);
      while (const auto c = m.next(now))
        REQUIRE(c->what == command::kind::forget);
    }
    now += 1s;
    std::uint64_t started = 0;
    while (const auto c = m.next(now)) {
      m.started(c->who, c->which, now);
      ++started;
    }
    REQUIRE(started == children - children / 3);
    for (std::uint64_t who = 1; who <= children; ++who) {
      if (m.stop_child(who) == answer::unknown)
        continue;
      REQUIRE(m.next(now)->what == command::kind::stop);
      m.ended(who, 2, false, "", now);
      REQUIRE(m.remove_child(who) == answer::ok);
      REQUIRE(m.next(now)->what == command::kind::forget);
    }
    REQUIRE(m.size() == 0);
    return m.looked_at() / children;
  };
  CHECK(looks(1000) < 40);
  CHECK(looks(100'000) == looks(1000));
}

TEST_CASE("a group restart and giving up look at each child a few times", "[restart_machine]") {
  for (const std::uint64_t children : {1000U, 100'000U}) {
    restart_machine m{{.strategy = one_for_all, .max_restarts = 1, .within = 1h}};
    const muster::time_point now{1h};
    for (std::uint64_t who = 1; who <= children; ++who)
      m.added(who, permanent, false);
    const auto obey = [&] {
      std::uint64_t n = 0;
      for (; const auto c = m.next(now); ++n)
        c->what == command::kind::stop ? m.ended(c->who, c->which, false, "", now) : m.started(c->who, c->which, now);
      return n;
    };
    m.ended(1, 1, true, "", now);
    CHECK(obey() == 2 * children - 1);
    m.ended(children, 2, true, "", now);
    CHECK(obey() == children);
    CHECK(m.gave_up());
    CHECK(m.looked_at() < 40 * children);
  }
}
