/// The decisions of a resource pool, without threads: small cases one by one, and long random sequences of everything
/// that can happen, checked after every step against a model that counts for itself.
#include "pool_machine.hpp"

#include "../catch.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using muster::duration;
using muster::pool_command;
using muster::pool_commands;
using muster::pool_machine;
using muster::pool_stats;
using muster::retired_for;
using muster::time_point;
using kind = pool_command::kind;
using gave_up_for = pool_machine::gave_up_for;
using rules = pool_machine::rules;

namespace {

constexpr time_point start{1h};

/// "create 1, grant 1 to 2": the commands as text.
std::string text(const pool_commands& commands) {
  static constexpr const char* why[] = {"closed", "reset",     "resized",   "outlived",
                                        "idle",   "unhealthy", "discarded", "reclaimed"};
  std::string all;
  for (const auto& c : commands) {
    all += all.empty() ? "" : ", ";
    switch (c.what) {
      case kind::create: all += "create " + std::to_string(c.item); break;
      case kind::check: all += "check " + std::to_string(c.item); break;
      case kind::grant: all += "grant " + std::to_string(c.item) + " to " + std::to_string(c.whom); break;
      case kind::refuse: all += (c.failed ? "fail " : "refuse ") + std::to_string(c.whom); break;
      case kind::destroy:
        all += "destroy " + std::to_string(c.item) + " (" + why[static_cast<std::size_t>(c.why)] + ")";
        break;
      case kind::arm: all += "arm " + std::to_string((c.at - start) / 1s); break;
      case kind::end: all += "end"; break;
    }
  }
  return all;
}

} // namespace

TEST_CASE("a pool makes a resource when somebody wants one and none before", "[pool_machine]") {
  pool_machine m{{.max = 2}};
  CHECK(text(m.start(start)).empty());
  CHECK(text(m.acquire(1, start)) == "create 1");
  CHECK(text(m.created(1, start)) == "grant 1 to 1");
  CHECK(text(m.given_back(1, start)).empty());
  CHECK(text(m.acquire(2, start)) == "grant 1 to 2");
}

TEST_CASE("callers beyond max wait and are served in order", "[pool_machine]") {
  pool_machine m{{.max = 1}};
  CHECK(text(m.acquire(1, start)) == "create 1");
  CHECK(text(m.acquire(2, start)).empty());
  CHECK(text(m.acquire(3, start)).empty());
  CHECK(text(m.created(1, start)) == "grant 1 to 1");
  CHECK(text(m.given_back(1, start + 1s)) == "grant 1 to 2");
  CHECK(text(m.given_back(1, start + 3s)) == "grant 1 to 3");
  CHECK(m.stats().wait_time == 4s);
  CHECK(m.stats().longest_wait == 3s);
}

TEST_CASE("a resource that comes back goes to the first in line though another is being made for it",
          "[pool_machine]") {
  pool_machine m{{.max = 2}};
  CHECK(text(m.acquire(1, start)) == "create 1");
  CHECK(text(m.created(1, start)) == "grant 1 to 1");
  CHECK(text(m.acquire(2, start)) == "create 2");
  CHECK(text(m.acquire(3, start)).empty());
  CHECK(text(m.given_back(1, start)) == "grant 1 to 2");
  CHECK(text(m.created(2, start)) == "grant 2 to 3");
}

TEST_CASE("a failed create fails one caller and the next has an attempt of its own", "[pool_machine]") {
  pool_machine m{{.max = 1}};
  CHECK(text(m.acquire(1, start)) == "create 1");
  CHECK(text(m.acquire(2, start)).empty());
  CHECK(text(m.create_failed(1, start)) == "fail 1, create 2");
  CHECK(text(m.create_failed(2, start)) == "fail 2");
  CHECK(m.size() == 0);
  CHECK(m.stats().create_failures == 2);
}

TEST_CASE("a waiter that gives up swallows nothing", "[pool_machine]") {
  pool_machine m{{.max = 1}};
  CHECK(text(m.acquire(1, start)) == "create 1");
  CHECK(text(m.acquire(2, start)).empty());
  CHECK(m.gave_up(1, gave_up_for::cancel));
  CHECK(text(m.created(1, start)) == "grant 1 to 2");
  CHECK_FALSE(m.gave_up(2, gave_up_for::timeout));
  CHECK(m.stats().cancelled == 1);
  CHECK(m.stats().timeouts == 0);
}

TEST_CASE("a create that fails when its caller has gone fails the one who has inherited it", "[pool_machine]") {
  pool_machine m{{.max = 1}};
  CHECK(text(m.acquire(1, start)) == "create 1");
  CHECK(m.gave_up(1, gave_up_for::timeout));
  CHECK(text(m.create_failed(1, start)).empty());
  CHECK(text(m.acquire(2, start)) == "create 2");
}

TEST_CASE("a create that fails fails nobody for whom another is on its way", "[pool_machine]") {
  pool_machine m{{.max = 2}};
  CHECK(text(m.acquire(1, start)) == "create 1");
  CHECK(text(m.acquire(2, start)) == "create 2");
  CHECK(m.gave_up(1, gave_up_for::cancel));
  CHECK(text(m.create_failed(1, start)).empty());
  CHECK(text(m.created(2, start)) == "grant 2 to 2");
}

TEST_CASE("a used resource is checked before it is lent again and a fresh one is not", "[pool_machine]") {
  pool_machine m{{.max = 2, .checks = true}};
  CHECK(text(m.acquire(1, start)) == "create 1");
  CHECK(text(m.created(1, start)) == "grant 1 to 1");
  CHECK(text(m.given_back(1, start)).empty());
  CHECK(text(m.acquire(2, start)) == "check 1");
  CHECK(text(m.checked(1, true, start)) == "grant 1 to 2");
  CHECK(text(m.given_back(1, start)).empty());
  CHECK(text(m.acquire(3, start)) == "check 1");
  CHECK(text(m.checked(1, false, start)) == "destroy 1 (unhealthy), create 2");
  CHECK(text(m.created(2, start)) == "grant 2 to 3");
  CHECK(m.stats().check_failures == 1);
}

TEST_CASE("a resource that is being destroyed still has its place", "[pool_machine]") {
  pool_machine m{{.max = 1}};
  CHECK(text(m.acquire(1, start)) == "create 1");
  CHECK(text(m.created(1, start)) == "grant 1 to 1");
  CHECK(text(m.acquire(2, start)).empty());
  CHECK(text(m.reclaimed(1, start)) == "destroy 1 (reclaimed)");
  CHECK(m.size() == 1);
  CHECK(text(m.destroyed(1, start)) == "create 2");
  CHECK(m.stats().reclaimed == 1);
}

TEST_CASE("a discarded resource is destroyed and replaced only when somebody wants one", "[pool_machine]") {
  pool_machine m{{.max = 1}};
  CHECK(text(m.acquire(1, start)) == "create 1");
  CHECK(text(m.created(1, start)) == "grant 1 to 1");
  CHECK(text(m.discarded(1, start)) == "destroy 1 (discarded)");
  CHECK(text(m.destroyed(1, start)).empty());
  CHECK(m.stats().discarded == 1);
}

TEST_CASE("an old resource goes when it is free and never while it is lent", "[pool_machine]") {
  pool_machine m{{.max = 1, .max_lifetime = 10s}};
  CHECK(text(m.acquire(1, start)) == "create 1");
  CHECK(text(m.created(1, start)) == "grant 1 to 1");
  CHECK(text(m.tick(start + 20s)).empty());
  CHECK(text(m.given_back(1, start + 20s)) == "destroy 1 (outlived)");
  CHECK(text(m.destroyed(1, start + 20s)).empty());
  CHECK(text(m.acquire(2, start + 20s)) == "create 2");
  CHECK(text(m.created(2, start + 20s)) == "grant 2 to 2");
  CHECK(text(m.given_back(2, start + 21s)) == "arm 30");
  CHECK(text(m.tick(start + 30s)) == "destroy 2 (outlived)");
  CHECK(m.stats().outlived == 2);
}

TEST_CASE("those that are not used are evicted but for the ones to be kept ready", "[pool_machine]") {
  pool_machine m{{.max = 3, .min_idle = 1, .idle_timeout = 10s}};
  CHECK(text(m.start(start)) == "create 1");
  CHECK(text(m.created(1, start)) == "arm 10");
  CHECK(text(m.acquire(1, start)) == "grant 1 to 1, create 2");
  CHECK(text(m.created(2, start)).empty());
  CHECK(text(m.given_back(1, start + 5s)).empty());
  CHECK(text(m.tick(start + 10s)) == "destroy 2 (idle)");
  CHECK(text(m.tick(start + 100s)).empty());
  CHECK(m.stats().idle == 1);
  CHECK(m.stats().evicted == 1);
}

TEST_CASE("what is free is the caller's at once when nobody waits", "[pool_machine]") {
  pool_machine m{{.max = 2}};
  CHECK_FALSE(m.take_free(start)); // there is none yet
  static_cast<void>(m.acquire(1, start));
  static_cast<void>(m.created(1, start));
  CHECK_FALSE(m.take_free(start)); // it is lent
  static_cast<void>(m.given_back(1, start));
  CHECK(m.take_free(start) == 1U);
  CHECK(m.stats().in_use == 1);
  CHECK(m.stats().acquired == 2);
  CHECK(m.stats().idle == 0);
}

TEST_CASE("what is free is nobody's at once when something else would follow from that", "[pool_machine]") {
  const auto with_one_free = [](const rules& r) {
    pool_machine m{r};
    if (r.min_idle == 0)
      static_cast<void>(m.acquire(1, start));
    else
      static_cast<void>(m.start(start));
    static_cast<void>(m.created(1, start));
    if (r.min_idle == 0)
      static_cast<void>(m.given_back(1, start));
    return m;
  };
  SECTION("it must be checked first") {
    auto m = with_one_free({.max = 2, .checks = true});
    CHECK_FALSE(m.take_free(start));
    CHECK(text(m.acquire(2, start)) == "check 1");
  }
  SECTION("it is too old") {
    auto m = with_one_free({.max = 2, .max_lifetime = 10s});
    CHECK(m.take_free(start + 9s) == 1U);
    static_cast<void>(m.given_back(1, start + 9s));
    CHECK_FALSE(m.take_free(start + 10s));
  }
  SECTION("another one has to be made in its place") {
    auto m = with_one_free({.max = 2, .min_idle = 1});
    CHECK_FALSE(m.take_free(start));
    CHECK(text(m.acquire(2, start)) == "grant 1 to 2, create 2");
  }
  SECTION("the pool is closed") {
    auto m = with_one_free({.max = 2});
    static_cast<void>(m.close(start));
    CHECK_FALSE(m.take_free(start));
  }
}

TEST_CASE("the one used last is used next", "[pool_machine]") {
  pool_machine m{{.max = 2}};
  for (pool_machine::ticket t : {1U, 2U}) {
    static_cast<void>(m.acquire(t, start));
    static_cast<void>(m.created(t, start));
  }
  CHECK(text(m.given_back(2, start)).empty());
  CHECK(text(m.given_back(1, start)).empty());
  CHECK(text(m.acquire(3, start)) == "grant 1 to 3");
}

TEST_CASE("a create for those to be kept ready is not repeated at once when it fails", "[pool_machine]") {
  pool_machine m{{.max = 3, .min_idle = 1}};
  CHECK(text(m.start(start)) == "create 1");
  CHECK(text(m.create_failed(1, start)) == "arm 1");
  CHECK(text(m.tick(start + 1s)) == "create 2");
  CHECK(text(m.create_failed(2, start + 1s)) == "arm 3");
  CHECK(text(m.tick(start + 3s)) == "create 3");
  CHECK(text(m.created(3, start + 3s)).empty());
  CHECK(text(m.acquire(1, start + 3s)) == "grant 3 to 1, create 4");
}

TEST_CASE("a smaller max destroys the surplus when it is free", "[pool_machine]") {
  pool_machine m{{.max = 3}};
  for (pool_machine::ticket t : {1U, 2U, 3U}) {
    static_cast<void>(m.acquire(t, start));
    static_cast<void>(m.created(t, start));
  }
  CHECK(text(m.given_back(1, start)).empty());
  CHECK(text(m.resize(1, start)) == "destroy 1 (resized)");
  CHECK(text(m.given_back(2, start)) == "destroy 2 (resized)");
  CHECK(text(m.given_back(3, start)).empty());
  CHECK(m.stats().idle == 1);
}

TEST_CASE("a larger max serves those who wait", "[pool_machine]") {
  pool_machine m{{.max = 1}};
  CHECK(text(m.acquire(1, start)) == "create 1");
  CHECK(text(m.acquire(2, start)).empty());
  CHECK(text(m.acquire(3, start)).empty());
  CHECK(text(m.resize(3, start)) == "create 2, create 3");
}

TEST_CASE("a reset replaces free ones now and lent ones and those being made when they come", "[pool_machine]") {
  pool_machine m{{.max = 3}};
  for (pool_machine::ticket t : {1U, 2U}) {
    static_cast<void>(m.acquire(t, start));
    static_cast<void>(m.created(t, start));
  }
  CHECK(text(m.acquire(3, start)) == "create 3");
  CHECK(text(m.given_back(1, start)) == "grant 1 to 3");
  CHECK(text(m.created(3, start)).empty());
  CHECK(text(m.acquire(4, start)) == "grant 3 to 4");
  CHECK(text(m.given_back(1, start)).empty());
  CHECK(text(m.reset(start)) == "destroy 1 (reset)");
  CHECK(text(m.given_back(2, start)) == "destroy 2 (reset)");
  CHECK(text(m.destroyed(1, start)).empty());
  CHECK(text(m.acquire(5, start)) == "create 4");
  CHECK(text(m.reset(start)).empty());
  CHECK(text(m.created(4, start)) == "destroy 4 (reset)");
  CHECK(text(m.destroyed(2, start)) == "create 5");
  CHECK(text(m.created(5, start)) == "grant 5 to 5");
}

TEST_CASE("close refuses those who wait and ends when everything has come back and is destroyed", "[pool_machine]") {
  pool_machine m{{.max = 2}};
  for (pool_machine::ticket t : {1U, 2U}) {
    static_cast<void>(m.acquire(t, start));
    static_cast<void>(m.created(t, start));
  }
  CHECK(text(m.given_back(2, start)).empty());
  CHECK(text(m.acquire(3, start)) == "grant 2 to 3");
  CHECK(text(m.acquire(4, start)).empty());
  CHECK(text(m.given_back(2, start)) == "grant 2 to 4");
  CHECK(text(m.acquire(5, start)).empty());
  CHECK(text(m.close(start)) == "refuse 5");
  CHECK(text(m.acquire(6, start)) == "refuse 6");
  CHECK(text(m.given_back(1, start)) == "destroy 1 (closed)");
  CHECK(text(m.reclaimed(2, start)) == "destroy 2 (reclaimed)");
  CHECK(text(m.destroyed(2, start)).empty());
  CHECK(text(m.destroyed(1, start)) == "end");
  CHECK(text(m.close(start)).empty());
}

TEST_CASE("an unused pool that is closed ends at once", "[pool_machine]") {
  pool_machine m{{.max = 2}};
  CHECK(text(m.close(start)) == "end");
}

TEST_CASE("what is being made or checked when the pool is closed is destroyed when it comes", "[pool_machine]") {
  pool_machine m{{.max = 2, .checks = true}};
  CHECK(text(m.acquire(1, start)) == "create 1");
  CHECK(text(m.created(1, start)) == "grant 1 to 1");
  CHECK(text(m.given_back(1, start)).empty());
  CHECK(text(m.acquire(2, start)) == "check 1");
  CHECK(text(m.acquire(3, start)) == "create 2");
  CHECK(text(m.close(start)) == "refuse 2, refuse 3");
  CHECK(text(m.checked(1, true, start)) == "destroy 1 (closed)");
  CHECK(text(m.destroyed(1, start)).empty());
  CHECK(text(m.create_failed(2, start)) == "end");
}

// -- the model -------------------------------------------------------------------------------------------------------

namespace {

/// A world around a pool machine: it does what it is told, in any order and with any result, and keeps books of its
/// own.
class world {
public:
  world(std::uint64_t seed, rules r) : random_(seed), rules_(r), machine_(r), largest_max_(r.max) {
    expected_.max = r.max;
    follow(machine_.start(now_));
  }

  void step() {
    now_ += duration{random_() % 3 == 0 ? static_cast<std::int64_t>(random_() % 3'000'000'000) : 0};
    if (alarm_ <= now_ && random_() % 2 == 0) {
      alarm_ = muster::never;
      follow(machine_.tick(now_));
      return;
    }
    switch (random_() % 16) {
      case 0:
      case 1:
      case 2:
        return acquire();
      case 3:
      case 4:
      case 5:
        return with(held_, [&](auto item) {
          ++expected_.returned;
          held_.erase(item);
          returning_ = item;
          follow(machine_.given_back(item, now_));
        });
      case 6:
      case 7:
        return with(creating_, [&](auto item) {
          creating_.erase(item);
          if (random_() % 4 == 0) {
            ++expected_.create_failures;
            fails_now_ = true;
            follow(machine_.create_failed(item, now_));
          } else {
            ++expected_.created;
            made_at_[item] = now_;
            returning_ = item;
            follow(machine_.created(item, now_));
          }
        });
      case 8:
      case 9:
        return with(checking_, [&](auto item) {
          checking_.erase(item);
          const bool healthy = random_() % 4 != 0;
          expected_.check_failures += healthy ? 0U : 1U;
          returning_ = item;
          follow(machine_.checked(item, healthy, now_));
        });
      case 10:
      case 11:
        return with(destroying_, [&](auto item) {
          destroying_.erase(item);
          ++expected_.destroyed;
          follow(machine_.destroyed(item, now_));
        });
      case 12:
        return give_up();
      case 13:
        return with(held_, [&](auto item) {
          held_.erase(item);
          returning_ = item;
          const bool died = random_() % 2 == 0;
          ++(died ? expected_.reclaimed : expected_.discarded);
          follow(died ? machine_.reclaimed(item, now_) : machine_.discarded(item, now_));
        });
      case 14:
        if (random_() % 4 == 0)
          return resize(1 + random_() % 5);
        return;
      default:
        if (random_() % 16 == 0) {
          ++resets_;
          follow(machine_.reset(now_));
        }
        return;
    }
  }

  /// Closes the pool and lets everything come to its end.
  void wind_up() {
    closed_ = true;
    follow(machine_.close(now_));
    acquire();
    while (!(held_.empty() && creating_.empty() && checking_.empty() && destroying_.empty()))
      step();
    REQUIRE(ends_ == 1);
    REQUIRE(expected_.created == expected_.destroyed);
    REQUIRE(machine_.size() == 0);
  }

private:
  template <class F>
  void with(std::set<std::uint64_t>& of, F f) {
    if (of.empty())
      return;
    auto it = of.begin();
    std::advance(it, static_cast<std::ptrdiff_t>(random_() % of.size()));
    f(*it);
  }

  void acquire() {
    if (random_() % 2 == 0) {
      if (const auto item = machine_.take_free(now_)) {
        REQUIRE_FALSE(closed_);
        REQUIRE(waiting_.empty()); // nobody is overtaken
        REQUIRE(made_for_.at(*item) == resets_);
        REQUIRE(now_ - made_at_.at(*item) < rules_.max_lifetime);
        take_idle(*item);
        REQUIRE(held_.insert(*item).second);
        ++expected_.acquired;
        ++last_ticket_;
        check();
        return;
      }
    }
    waiting_.push_back({++last_ticket_, now_});
    follow(machine_.acquire(last_ticket_, now_));
  }

  void give_up() {
    if (waiting_.empty()) {
      REQUIRE_FALSE(machine_.gave_up(last_ticket_, gave_up_for::cancel));
      return;
    }
    const auto it = waiting_.begin() + static_cast<std::ptrdiff_t>(random_() % waiting_.size());
    const bool timeout = random_() % 2 == 0;
    ++(timeout ? expected_.timeouts : expected_.cancelled);
    REQUIRE(machine_.gave_up(it->ticket, timeout ? gave_up_for::timeout : gave_up_for::cancel));
    waiting_.erase(it);
    check();
  }

  void resize(std::size_t max) {
    expected_.max = rules_.max = max;
    largest_max_ = std::max(largest_max_, max);
    follow(machine_.resize(max, now_));
  }

  void follow(const pool_commands& commands) {
    for (const auto& c : commands) {
      switch (c.what) {
        case kind::create:
          REQUIRE_FALSE(closed_);
          REQUIRE(creating_.insert(c.item).second);
          // It never grows beyond max, whatever is still being destroyed.
          REQUIRE(all() <= rules_.max);
          made_for_[c.item] = resets_;
          break;
        case kind::check:
          REQUIRE(rules_.checks);
          take_idle(c.item);
          checking_.insert(c.item);
          break;
        case kind::grant:
          REQUIRE_FALSE(closed_);
          REQUIRE_FALSE(waiting_.empty());
          REQUIRE(waiting_.front().ticket == c.whom); // FIFO
          REQUIRE(made_for_.at(c.item) == resets_);   // never one of an earlier generation
          REQUIRE(now_ - made_at_.at(c.item) < rules_.max_lifetime);
          take_idle(c.item);
          REQUIRE(held_.insert(c.item).second);
          ++expected_.acquired;
          expected_.wait_time += now_ - waiting_.front().since;
          expected_.longest_wait = std::max(expected_.longest_wait, duration{now_ - waiting_.front().since});
          waiting_.pop_front();
          break;
        case kind::refuse:
          REQUIRE_FALSE(waiting_.empty());
          REQUIRE(waiting_.front().ticket == c.whom);
          REQUIRE(c.failed == !closed_);
          if (c.failed) {
            REQUIRE(std::exchange(fails_now_, false)); // one failure, one refusal
            REQUIRE(waiting_.size() > creating_.size() + checking_.size()); // nobody for whom another is on its way
            ++failed_callers_;
          } else
            ++expected_.refused;
          waiting_.pop_front();
          break;
        case kind::destroy:
          take_idle(c.item);
          REQUIRE(destroying_.insert(c.item).second);
          expected_.outlived += c.why == retired_for::outlived ? 1U : 0U;
          expected_.evicted += c.why == retired_for::idle ? 1U : 0U;
          break;
        case kind::arm:
          REQUIRE(c.at < alarm_);
          alarm_ = c.at;
          break;
        case kind::end:
          ++ends_;
          break;
      }
    }
    // What was handed over and is nowhere else is idle now.
    if (returning_ && !destroying_.contains(*returning_) && !held_.contains(*returning_) &&
        !checking_.contains(*returning_))
      idle_.insert(*returning_);
    returning_.reset();
    fails_now_ = false;
    check();
  }

  void take_idle(std::uint64_t item) {
    if (returning_ != item)
      REQUIRE(idle_.erase(item) == 1);
  }
  [[nodiscard]] std::size_t all() const {
    return idle_.size() + held_.size() + creating_.size() + checking_.size() + destroying_.size() +
           (returning_ ? 1 : 0) -
           (returning_ && (held_.contains(*returning_) || destroying_.contains(*returning_) ||
                           checking_.contains(*returning_))
                ? 1
                : 0);
  }

  void check() {
    expected_.size = all();
    expected_.idle = idle_.size();
    expected_.in_use = held_.size();
    expected_.creating = creating_.size();
    expected_.checking = checking_.size();
    expected_.retiring = destroying_.size();
    expected_.waiting = waiting_.size();
    const auto said = machine_.stats();
    REQUIRE(said == expected_);
    REQUIRE(said.size <= largest_max_);
    REQUIRE(said.acquired == said.returned + said.discarded + said.reclaimed + said.in_use);
    REQUIRE(said.created == said.destroyed + said.idle + said.in_use + said.checking + said.retiring);
    REQUIRE(last_ticket_ ==
            said.acquired + said.timeouts + said.cancelled + said.refused + failed_callers_ + said.waiting);
    if (!waiting_.empty()) {
      // No swallowed wake-up.
      REQUIRE((idle_.empty() || checking_.size() >= waiting_.size()));
      REQUIRE((all() >= rules_.max || creating_.size() + checking_.size() >= waiting_.size()));
    }
    if (closed_)
      REQUIRE((waiting_.empty() && idle_.empty()));
    if (rules_.max_lifetime == duration::max() && rules_.idle_timeout == duration::max() && rules_.min_idle == 0)
      REQUIRE(alarm_ == muster::never);
    else if (!idle_.empty() && rules_.max_lifetime != duration::max())
      REQUIRE(alarm_ != muster::never); // somebody will look at their age
  }
  struct waiter {
    std::uint64_t ticket;
    time_point since;
  };
  std::mt19937_64 random_;
  rules rules_;
  pool_machine machine_;
  time_point now_ = start;
  time_point alarm_ = muster::never;
  std::size_t largest_max_;
  std::uint64_t resets_ = 0;
  std::uint64_t last_ticket_ = 0;
  std::uint64_t failed_callers_ = 0;
  int ends_ = 0;
  bool closed_ = false;
  bool fails_now_ = false;
  std::optional<std::uint64_t> returning_;
  std::deque<waiter> waiting_;
  std::set<std::uint64_t> idle_, held_, creating_, checking_, destroying_;
  std::map<std::uint64_t, time_point> made_at_;
  std::map<std::uint64_t, std::uint64_t> made_for_;
  pool_stats expected_;
};

} // namespace

TEST_CASE("whatever happens in whatever order nothing is lost and nobody is forgotten", "[pool_machine]") {
  std::mt19937_64 shape{4};
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    rules r{.max = 1 + shape() % 5};
    r.min_idle = shape() % 3 == 0 ? shape() % (r.max + 1) : 0;
    r.checks = shape() % 2 == 0;
    if (shape() % 2 == 0)
      r.max_lifetime = duration{5s} + duration{static_cast<std::int64_t>(shape() % 20'000'000'000)};
    if (shape() % 2 == 0)
      r.idle_timeout = duration{1s} + duration{static_cast<std::int64_t>(shape() % 20'000'000'000)};
    INFO("seed " << seed << ", max " << r.max << ", min_idle " << r.min_idle << ", checks " << r.checks);
    world w{seed, r};
    for (int i = 0; i < 1'000; ++i)
      w.step();
    w.wind_up();
  }
}

TEST_CASE("every order of two callers and one resource serves both", "[pool_machine]") {
  // Every way to choose among what can happen next, eight steps deep.
  struct explorer {
    std::size_t leaves = 0;
    void go(pool_machine m, int depth, std::vector<std::uint64_t> creating, std::vector<std::uint64_t> held,
            std::vector<std::uint64_t> destroying, std::deque<std::uint64_t> waiting, std::uint64_t tickets) {
      if (depth == 0) {
        ++leaves;
        return;
      }
      const auto follow = [&](pool_machine next, const pool_commands& commands, auto c, auto h, auto d, auto w,
                              auto t) {
        for (const auto& one : commands) {
          if (one.what == kind::create)
            c.push_back(one.item);
          else if (one.what == kind::grant || one.what == kind::refuse) {
            REQUIRE(w.front() == one.whom);
            w.pop_front();
            if (one.what == kind::grant)
              h.push_back(one.item);
          } else if (one.what == kind::destroy)
            d.push_back(one.item);
        }
        const auto s = next.stats();
        REQUIRE(s.size <= 1);
        REQUIRE((s.waiting == 0 || (s.idle == 0 && s.size == 1)));
        REQUIRE(s.waiting == w.size());
        go(std::move(next), depth - 1, c, h, d, w, t);
      };
      const auto without = [](auto all, std::size_t i) {
        all.erase(all.begin() + static_cast<std::ptrdiff_t>(i));
        return all;
      };
      if (waiting.size() < 2) {
        auto next = m;
        const auto out = next.acquire(tickets + 1, start);
        auto more = waiting;
        more.push_back(tickets + 1);
        follow(next, out, creating, held, destroying, more, tickets + 1);
      }
      for (std::size_t i = 0; i < creating.size(); ++i) {
        auto next = m;
        auto out = next.created(creating[i], start);
        follow(next, out, without(creating, i), held, destroying, waiting, tickets);
        next = m;
        out = next.create_failed(creating[i], start);
        follow(next, out, without(creating, i), held, destroying, waiting, tickets);
      }
      for (std::size_t i = 0; i < held.size(); ++i) {
        auto next = m;
        auto out = next.given_back(held[i], start);
        follow(next, out, creating, without(held, i), destroying, waiting, tickets);
        next = m;
        out = next.reclaimed(held[i], start);
        follow(next, out, creating, without(held, i), destroying, waiting, tickets);
      }
      for (std::size_t i = 0; i < destroying.size(); ++i) {
        auto next = m;
        const auto out = next.destroyed(destroying[i], start);
        follow(next, out, creating, held, without(destroying, i), waiting, tickets);
      }
      for (std::size_t i = 0; i < waiting.size(); ++i) {
        auto next = m;
        REQUIRE(next.gave_up(waiting[i], gave_up_for::cancel));
        follow(next, {}, creating, held, destroying, without(waiting, i), tickets);
      }
    }
  };
  explorer all;
  all.go(pool_machine{{.max = 1}}, 8, {}, {}, {}, {}, 0);
  CHECK(all.leaves > 1'000);
}
