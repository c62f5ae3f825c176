// Resource pools, circuit breakers and retries, explored: what they promise while callers time out, are cancelled, leak
// what they hold, and the pool is resized, reset and closed around them, under a thousand schedules each.
#include "explored.hpp"

#include "manager_actor.hpp"
#include "scope_actor.hpp"

#include <muster/circuit_breaker.hpp>
#include <muster/resource_pool.hpp>
#include <muster/retry.hpp>

#include <algorithm>
#include <deque>
#include <random>

using namespace support;
using muster::breaker_options;
using muster::breaker_permit;
using muster::breaker_state;
using muster::circuit_breaker;
using muster::consecutive_failures;
using muster::pool_options;
using muster::resource_pool;

namespace {

/// What the test draws for itself: the seed decides it, as it decides the schedule.
class dice {
public:
  explicit dice(const simulation& site) : numbers_{site.seed() * 2 + 1} {}
  /// From 0 to `most`.
  [[nodiscard]] int up_to(int most) {
    return static_cast<int>(numbers_() % static_cast<std::uint64_t>(most + 1));
  }
  [[nodiscard]] bool one_in(int n) { return up_to(n - 1) == 0; }
  [[nodiscard]] muster::duration moments(int most) { return up_to(most) * 1ms; }

private:
  std::mt19937_64 numbers_;
};

/// These runs are longer than those of two rivals.
[[nodiscard]] explore_options some_by_priority() { return {.seeds = seeds / 5, .priority_changes = 2}; }

/// What has become of the things that a factory made.
struct goods {
  int made = 0;
  int gone = 0;
  int failed = 0;
};

/// A resource that is counted, and may be used by one task at a time.
class thing {
public:
  explicit thing(goods& kept) : kept_{kept} { ++kept.made; }
  thing(const thing&) = delete;
  thing& operator=(const thing&) = delete;
  ~thing() { ++kept_.gone; }
  int users = 0;

private:
  goods& kept_;
};
using lease = muster::lease<thing>;

/// A factory of which one call in so many fails (0: none).
[[nodiscard]] auto maker(goods& kept, dice& drawn, int one_fails_in = 0) {
  return [&kept, &drawn, one_fails_in]() -> muster::result<std::unique_ptr<thing>> {
    if (one_fails_in == 0 || !drawn.one_in(one_fails_in))
      return std::make_unique<thing>(kept);
    ++kept.failed;
    return std::unexpected{muster::error{std::errc::connection_refused, "nobody there"}};
  };
}

[[nodiscard]] bool balanced(const muster::pool_stats& s) {
  return s.size == s.idle + s.in_use + s.creating + s.checking + s.retiring &&
         s.acquired == s.returned + s.discarded + s.reclaimed + s.in_use &&
         s.created == s.destroyed + s.idle + s.in_use + s.checking + s.retiring;
}

/// Never more than there may be: as many as the last `resize` said, or, if those were too many then, fewer and fewer.
class ceiling {
public:
  ceiling(const resource_pool<thing>& pool, std::size_t max) : pool_{pool}, top_{max}, asked_{max} {}
  [[nodiscard]] std::size_t before_resize(std::size_t max) {
    asked_ = max;
    top_ = std::max(top_, max);
    ++changes_;
    return max;
  }
  void look() {
    const auto before = changes_;
    const auto s = pool_.stats();
    ok_ = ok_ && balanced(s);
    if (before != changes_) // somebody else came in between: this is no longer now
      return;
    ok_ = ok_ && s.size <= top_;
    if (const auto now = std::max(s.max, asked_); s.size <= now && now != top_) {
      top_ = now;
      ++changes_;
    }
  }
  [[nodiscard]] bool ok() const noexcept { return ok_; }

private:
  const resource_pool<thing>& pool_;
  std::size_t top_;
  std::size_t asked_;
  int changes_ = 0;
  bool ok_ = true;
};

/// Whether those who waited for the pool were answered in the order in which they came, as the trace has it: only who
/// gave up, or was refused with all others, left out of turn.
[[nodiscard]] bool first_come_first_served(simulation& site) {
  using kind = muster::event_kind;
  std::uint64_t pool = 0;
  std::deque<std::uint64_t> line; // tasks
  for (const auto& e : site.actor()->engine().trace().snapshot()) {
    if (e.kind == kind::pool_created)
      pool = e.subject;
    const auto leave = [&](std::uint64_t who) { return std::erase(line, who) > 0; };
    if (e.kind == kind::wait_began && pool != 0 && static_cast<std::uint64_t>(e.value) == pool)
      line.push_back(e.subject);
    if (e.kind == kind::lease_granted) {
      const auto who = static_cast<std::uint64_t>(e.value);
      if (!line.empty() && line.front() != who)
        return false;
      leave(who);
    }
    if (e.kind == kind::wait_ended && std::ranges::find(line, e.subject) != line.end()) {
      // A factory that failed is the answer to the first.
      if (e.value == static_cast<int>(errc::start_failed) && line.front() != e.subject)
        return false;
      leave(e.subject);
    }
  }
  return line.empty();
}

/// How an acquire ended, in a word.
[[nodiscard]] std::string ending_of(const muster::result<lease>& got) {
  if (got)
    return "granted";
  const auto code = got.error().code();
  return code == errc::cancelled      ? "cancelled"
         : code == errc::timed_out    ? "timed out"
         : code == errc::start_failed ? "not made"
         : code == errc::pool_closed  ? "closed"
                                      : "otherwise: " + got.error().message();
}

/// At the end of everything: what was lent has come back, what was made is gone, and the numbers say the same.
void books_agree(promised& p, const muster::pool_stats& s, const goods& kept) {
  p.that(balanced(s), "the numbers of the pool agree with each other")
      .that(s.in_use == 0 && s.waiting == 0 && s.size == 0, "nothing is lent, waited for, or there")
      .that(kept.made == kept.gone, "everything that was made is gone")
      .that(s.created == static_cast<std::uint64_t>(kept.made), "what was made is counted as created")
      .that(s.destroyed == s.created, "and all of it as destroyed")
      .that(s.create_failures == static_cast<std::uint64_t>(kept.failed), "each failure of the factory is counted");
}

} // namespace

// -- pools ------------------------------------------------------------------------------------------------------------

TEST_CASE("explored: a pool stays within its size and serves in order whatever its callers and its owner do") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    dice drawn{site};
    goods kept;
    std::deque<lease> leaked;
    std::map<std::string, std::uint64_t> ended;
    bool alone = true;
    const auto max = static_cast<std::size_t>(1 + drawn.up_to(2));
    resource_pool<thing> pool{
        site,
        pool_options<thing>{.max = max,
                            .min_idle = static_cast<std::size_t>(drawn.up_to(1)),
                            .healthy = [&](thing& t) { return t.users == 0 && !drawn.one_in(6); },
                            .max_lifetime = drawn.one_in(3) ? 3ms : muster::no_timeout,
                            .idle_timeout = drawn.one_in(3) ? 2ms : muster::no_timeout},
        maker(kept, drawn, 5)};
    ceiling top{pool, max};
    auto crew = site.create_scope("crew", {.on_failure = muster::isolate});

    const auto worker = [&](context& ctx) -> muster::result<void> {
      for (int turn = 0; turn < 2; ++turn) {
        const auto limit = drawn.one_in(3) ? drawn.moments(2) : muster::no_timeout;
        auto got = pool.acquire(ctx, limit);
        top.look();
        ++ended[ending_of(got)];
        if (!got)
          continue;
        alone = alone && ++(*got)->users == 1;
        static_cast<void>(ctx.sleep_for(drawn.moments(2)));
        top.look();
        --(*got)->users;
        switch (drawn.up_to(4)) {
        case 0: std::move(*got).discard(); break;
        case 1: leaked.push_back(std::move(*got)); return {}; // and its task ends with it
        case 2: std::move(*got).give_back(); break;
        default: break; // its destructor does
        }
      }
      return {};
    };
    std::vector<muster::task<void>> workers;
    for (int i = 0; i < 4; ++i) {
      const auto timeout = drawn.one_in(4) ? 2ms : muster::no_timeout;
      workers.push_back(crew.execute({.name = "worker", .timeout = timeout}, worker));
    }
    crew.execute("owner", [&](context& ctx) {
      for (int turn = 0; turn < 3; ++turn) {
        static_cast<void>(ctx.sleep_for(drawn.moments(1)));
        switch (drawn.up_to(3)) {
        case 0: pool.reset(); break;
        case 1: workers[static_cast<std::size_t>(drawn.up_to(3))].cancel(); break;
        default: static_cast<void>(pool.resize(top.before_resize(static_cast<std::size_t>(1 + drawn.up_to(3)))));
        }
        top.look();
      }
    });
    static_cast<void>(crew.wait());
    const auto closed = pool.close();
    const auto s = pool.stats();
    for (const auto& [how, times] : ended)
      seen.saw(how);
    for (const auto& [what, times] : {std::pair{"reclaimed", s.reclaimed}, {"discarded", s.discarded},
                                      {"too old", s.outlived}, {"evicted", s.evicted}, {"sick", s.check_failures}})
      if (times > 0)
        seen.saw(what);
    promised p;
    p.that(closed.has_value(), "the pool can be closed when its tasks have ended")
        .that(top.ok(), "at every moment that was looked at there are no more than may be, and the numbers agree")
        .that(alone, "nothing is lent to two at the same time")
        .that(first_come_first_served(site), "those who wait are served in the order in which they came")
        .that(s.acquired == ended["granted"], "each lease that was given was got by somebody")
        .that(s.reclaimed == leaked.size(), "what was leaked is taken back")
        .that(std::ranges::none_of(leaked, &lease::valid), "and can no longer be used")
        .that(s.timeouts + s.cancelled <= ended["timed out"] + ended["cancelled"], "nobody is counted who stayed")
        .that(s.refused == ended["closed"] && ended["not made"] <= s.create_failures, "nor refused without a reason");
    books_agree(p, s, kept);
    return p;
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"granted", "cancelled", "timed out", "not made", "reclaimed", "discarded", "too old", "evicted",
                      "sick"}) == lines{});
  CHECK(explore(some_by_priority(), race));
}

TEST_CASE("explored: a give-back at the moment of a waiter's timeout goes to that waiter or to the next") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    dice drawn{site};
    goods kept;
    std::string first;
    std::string second;
    resource_pool<thing> pool{site, 1, maker(kept, drawn)};
    auto crew = site.create_scope("crew");
    crew.execute("holder", [&](context& ctx) {
      const auto mine = pool.acquire(ctx).value();
      static_cast<void>(ctx.sleep_for(2ms));
    });
    crew.execute("first", [&](context& ctx) {
      static_cast<void>(ctx.sleep_for(1ms));
      const auto got = pool.acquire(ctx, 1ms);
      first = ending_of(got);
    });
    crew.execute("second", [&](context& ctx) {
      static_cast<void>(ctx.sleep_for(1ms));
      const auto got = pool.acquire(ctx);
      second = ending_of(got);
    });
    const auto whole = crew.wait();
    const auto closed = pool.close();
    const auto s = pool.stats();
    seen.saw(first);
    promised p;
    p.that(whole && closed, "nobody has failed")
        .that(first == "granted" || first == "timed out", "the first gets it, or its time is over")
        .that(second == "granted", "the one who waits for as long as it takes gets it in any case")
        .that(s.timeouts == (first == "timed out" ? 1U : 0U), "a wait that was granted is not counted as over")
        .that(s.acquired == (first == "granted" ? 3U : 2U), "each lease is counted once")
        .that(kept.made == 1, "there never was another");
    books_agree(p, s, kept);
    return p;
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"granted", "timed out"}) == lines{});
  CHECK(explore(some_by_priority(), race));
}

TEST_CASE("explored: a waiter that is cancelled while something is made for it swallows neither that nor its failure") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    dice drawn{site};
    goods kept;
    std::string first;
    std::string second;
    resource_pool<thing> pool{site, 1, maker(kept, drawn, 2)};
    auto crew = site.create_scope("crew");
    auto one = crew.execute("first", [&](context& ctx) {
      const auto got = pool.acquire(ctx);
      first = ending_of(got);
    });
    auto other = crew.execute("second", [&](context& ctx) {
      const auto got = pool.acquire(ctx);
      second = ending_of(got);
    });
    one.cancel();
    const auto whole = crew.wait();
    const auto closed = pool.close();
    const auto s = pool.stats();
    seen.saw("first " + (first.empty() ? "never ran" : first));
    seen.saw("second " + second);
    promised p;
    p.that(whole && closed, "nobody has failed")
        .that(second == "granted" || second == "not made", "the second is answered")
        .that(s.acquired == (first == "granted" ? 1U : 0U) + (second == "granted" ? 1U : 0U), "each lease is got")
        .that(s.cancelled <= (first == "cancelled" ? 1U : 0U), "who was answered has not left");
    books_agree(p, s, kept);
    return p;
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"first never ran", "first granted", "first cancelled", "first not made", "second granted",
                      "second not made"}) == lines{});
  CHECK(explore(some_by_priority(), race));
}

TEST_CASE("explored: closing a pool refuses who waits, waits for who holds, and names them at its limit") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    dice drawn{site};
    goods kept;
    std::deque<lease> leaked;
    std::map<std::string, std::uint64_t> ended;
    bool after_close = false;
    bool too_late = false;
    resource_pool<thing> pool{site, static_cast<std::size_t>(1 + drawn.up_to(1)), maker(kept, drawn, 5)};
    auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
    for (int i = 0; i < 4; ++i)
      crew.execute("worker", [&](context& ctx) {
        static_cast<void>(ctx.sleep_for(drawn.moments(2)));
        const bool late = after_close;
        auto got = pool.acquire(ctx);
        too_late = too_late || (late && got);
        ++ended[ending_of(got)];
        if (!got)
          return;
        static_cast<void>(ctx.sleep_for(drawn.moments(3)));
        if (drawn.one_in(3))
          leaked.push_back(std::move(*got));
      });
    bool named = true;
    bool all_back = false;
    crew.execute("closer", [&](context& ctx) {
      static_cast<void>(ctx.sleep_for(drawn.moments(2)));
      const auto limited = pool.close(drawn.moments(2));
      after_close = true;
      if (!limited) {
        seen.saw("survivors");
        named = limited.error().code() == errc::survivors &&
                (contains(limited.error().message(), "site/crew/worker holds one since") ||
                 contains(limited.error().message(), "being made, checked or destroyed"));
      }
      const auto whole = pool.close();
      all_back = whole.has_value() && kept.made == kept.gone;
    });
    const auto closed = crew.wait();
    const auto s = pool.stats();
    for (const auto& [how, times] : ended)
      seen.saw(how);
    if (s.reclaimed > 0)
      seen.saw("reclaimed");
    promised p;
    p.that(closed && pool.closed(), "nobody has failed")
        .that(named, "what is still there at the limit is named")
        .that(all_back, "when close says that all is back, all is back and gone")
        .that(!too_late, "nothing is lent after that")
        .that(s.acquired == ended["granted"] && s.refused == ended["closed"], "all are counted as they were answered")
        .that(s.reclaimed == leaked.size(), "what was leaked is taken back");
    books_agree(p, s, kept);
    return p;
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"granted", "closed", "not made", "survivors", "reclaimed"}) == lines{});
  CHECK(explore(some_by_priority(), race));
}

TEST_CASE("explored: a lease that another task gives back while its own ends comes back exactly once") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    dice drawn{site};
    goods kept;
    std::optional<lease> away;
    resource_pool<thing> pool{site, 1, maker(kept, drawn)};
    auto crew = site.create_scope("crew");
    crew.execute("holder", [&](context& ctx) {
      away.emplace(pool.acquire(ctx).value());
      static_cast<void>(ctx.sleep_for(1ms));
    });
    crew.execute("helper", [&](context& ctx) {
      static_cast<void>(ctx.sleep_for(1ms));
      if (away)
        std::move(*away).give_back();
    });
    std::string next;
    crew.execute("next", [&](context& ctx) {
      static_cast<void>(ctx.sleep_for(1ms));
      next = ending_of(pool.acquire(ctx));
    });
    const auto whole = crew.wait();
    const auto closed = pool.close();
    const auto s = pool.stats();
    seen.saw(s.reclaimed > 0 ? "taken back" : "given back");
    promised p;
    p.that(whole && closed && next == "granted", "nobody has failed, and the next one has it")
        .that(s.acquired == 2 && s.returned + s.reclaimed == 2, "each lease ends in one way");
    books_agree(p, s, kept);
    return p;
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"taken back", "given back"}) == lines{});
  CHECK(explore(some_by_priority(), race));
}

TEST_CASE("explored: the end of a scope takes its pool in its turn, from whoever waits or holds") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    dice drawn{site};
    goods kept;
    int before = -1;
    int after = -1;
    std::map<std::string, std::uint64_t> ended;
    muster::pool_stats s;
    muster::result<void> whole;
    bool closed = false;
    {
      auto crew = site.create_scope("crew");
      auto outside = site.create_scope("outside", {.on_failure = muster::isolate});
      static_cast<void>(crew.register_resource("earlier", 0, [&](int&) { after = kept.made - kept.gone; }));
      resource_pool<thing> pool{crew, static_cast<std::size_t>(1 + drawn.up_to(1)), maker(kept, drawn, 6)};
      static_cast<void>(crew.register_resource("later", 0, [&](int&) { before = pool.closed() ? 1 : 0; }));
      const auto worker = [&](context& ctx) {
        static_cast<void>(ctx.sleep_for(drawn.moments(1)));
        const auto got = pool.acquire(ctx);
        ++ended[ending_of(got)];
        static_cast<void>(ctx.sleep_for(drawn.moments(2)));
      };
      for (int i = 0; i < 3; ++i)
        crew.execute("worker", worker);
      for (int i = 0; i < 2; ++i)
        outside.execute("worker", worker);
      if (drawn.one_in(2)) {
        site.run_for(drawn.moments(2));
        crew.cancel();
      }
      whole = crew.wait();
      closed = pool.closed();
      s = pool.stats();
      static_cast<void>(outside.wait());
    }
    for (const auto& [how, times] : ended)
      seen.saw(how);
    seen.saw(whole ? "ended" : "cut off");
    promised p;
    p.that(closed && before == 0 && after == 0, "it ends after what came later and before what came earlier")
        .that(whole || is(whole, errc::cancelled), "only a cancel makes it fail")
        .that(s.acquired == ended["granted"], "each lease that was given was got by somebody");
    books_agree(p, s, kept);
    return p;
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"granted", "cancelled", "not made", "closed", "ended", "cut off"}) == lines{});
  CHECK(explore(some_by_priority(), race));
}

// -- breakers ---------------------------------------------------------------------------------------------------------

namespace {

muster::result<void> refused_there() {
  return std::unexpected{muster::error{std::errc::connection_refused, "nobody there"}};
}

} // namespace

TEST_CASE("explored: probes that fail, are cancelled, leaked or dropped never leave a breaker half-open for ever") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    dice drawn{site};
    const auto permits = static_cast<std::size_t>(1 + drawn.up_to(1));
    std::vector<breaker_state> told;
    circuit_breaker b{site, breaker_options{.opens_on = consecutive_failures{2},
                                            .open_for = 2ms,
                                            .probes = permits,
                                            .successes = static_cast<std::size_t>(1 + drawn.up_to(1)),
                                            .on_state_change = [&](const muster::breaker_change& c) {
                                              told.push_back(c.to);
                                            }}};
    for (int i = 0; i < 2; ++i)
      static_cast<void>(b.execute(refused_there));
    auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
    std::deque<breaker_permit> leaked;
    int inside = 0;
    std::map<std::string, std::uint64_t> ended;
    const auto by_call = [&](context& ctx) {
      const auto got = b.execute(ctx, [&]() -> muster::result<void> {
        ++inside;
        const auto slept = ctx.sleep_for(drawn.moments(2));
        --inside;
        if (!slept)
          return slept;
        return drawn.one_in(3) ? refused_there() : muster::result<void>{};
      });
      ++ended[got                                   ? "answered"
              : got.error().is(errc::breaker_open)  ? "refused"
              : got.error().is(errc::cancelled)     ? "cancelled"
              : got.error().is(errc::timed_out)     ? "timed out"
                                                    : "failed"];
    };
    const auto by_hand = [&](context& ctx) {
      auto permit = b.try_acquire(ctx);
      if (!permit) {
        ++ended["refused"];
        return;
      }
      ++inside;
      static_cast<void>(ctx.sleep_for(drawn.moments(2)));
      --inside;
      switch (drawn.up_to(3)) {
      case 0: permit->success(); break;
      case 1: permit->failure(refused_there().error()); break;
      case 2: leaked.push_back(std::move(*permit)); break;
      default: ++ended["dropped"];
      }
    };
    std::vector<muster::task<void>> callers;
    for (int i = 0; i < 6; ++i)
      callers.push_back(crew.execute({.name = "caller", .timeout = drawn.one_in(4) ? 3ms : muster::no_timeout},
                                     [&](context& ctx) {
                                       static_cast<void>(ctx.sleep_for(1ms + drawn.moments(3)));
                                       drawn.one_in(2) ? by_call(ctx) : by_hand(ctx);
                                     }));
    crew.execute("canceller", [&](context& ctx) {
      for (int i = 0; i < 2; ++i) {
        static_cast<void>(ctx.sleep_for(drawn.moments(3)));
        callers[static_cast<std::size_t>(drawn.up_to(5))].cancel();
      }
    });
    static_cast<void>(crew.wait());
    const auto s = b.stats();

    // Whatever was left behind: after its time it can be used, and successes close it.
    site.run_for(2ms);
    bool usable = true;
    for (int i = 0; i < 2 && b.state() != breaker_state::closed; ++i)
      usable = usable && b.execute([] { return 1; }).has_value();
    const bool closes = b.state() == breaker_state::closed;
    site.run_for(0ms); // what is still to be told
    for (const auto& [how, times] : ended)
      seen.saw(how);
    if (s.reclaimed > 0)
      seen.saw("reclaimed");
    if (s.late > 0)
      seen.saw("late");
    if (s.opened > 1)
      seen.saw("opened again");
    seen.saw(to_string(s.state));
    bool in_order = true;
    for (std::size_t i = 1; i < told.size(); ++i)
      in_order = in_order && told[i] != told[i - 1];
    return promised{}
        .that(usable && closes, "it is not stuck: after its time it lets probes through, and they close it")
        .that(s.reclaimed == leaked.size(), "permits that were leaked are taken back")
        .that(s.refused == ended["refused"], "each refusal is counted once")
        .that(in_order && !told.empty() && told.front() == breaker_state::open, "the changes are told in order")
        .that(inside == 0, "all have left");
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"answered", "refused", "cancelled", "failed", "dropped", "reclaimed", "late", "opened again",
                      "open", "half-open", "closed"}) == lines{});
  CHECK(explore(some_by_priority(), race));
}

TEST_CASE("explored: half-open never has more probes on their way than it permits") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    dice drawn{site};
    const auto permits = static_cast<std::size_t>(1 + drawn.up_to(2));
    // So many successes are wanted that it stays half-open to the end: everything that passes is a probe.
    circuit_breaker b{site, breaker_options{.opens_on = consecutive_failures{1}, .open_for = 1ms, .probes = permits,
                                            .successes = 1'000}};
    static_cast<void>(b.execute(refused_there));
    site.run_for(1ms);
    std::size_t inside = 0;
    std::size_t most = 0;
    std::size_t passed = 0;
    std::deque<breaker_permit> leaked;
    auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
    std::vector<muster::task<void>> callers;
    for (int i = 0; i < 6; ++i)
      callers.push_back(crew.execute("caller", [&](context& ctx) {
        static_cast<void>(ctx.sleep_for(drawn.moments(2)));
        if (drawn.one_in(3)) {
          auto permit = b.try_acquire(ctx);
          if (!permit)
            return seen.saw("refused");
          ++passed;
          most = std::max(most, ++inside);
          static_cast<void>(ctx.sleep_for(drawn.moments(1)));
          --inside; // from here on it may be taken back at any time
          leaked.push_back(std::move(*permit));
          return;
        }
        const auto got = b.execute(ctx, [&]() -> muster::result<void> {
          ++passed;
          most = std::max(most, ++inside);
          auto slept = ctx.sleep_for(drawn.moments(1));
          --inside;
          return slept;
        });
        seen.saw(got ? "passed" : got.error().is(errc::breaker_open) ? "refused" : "cancelled");
      }));
    callers[static_cast<std::size_t>(drawn.up_to(5))].cancel();
    static_cast<void>(crew.wait());
    const auto s = b.stats();
    seen.saw(most == permits ? "all permits used" : "fewer");
    if (s.reclaimed > 0)
      seen.saw("reclaimed");
    int again = 0;
    for (std::size_t i = 0; i < permits; ++i)
      again += b.execute([] {}).has_value() ? 1 : 0;
    return promised{}
        .that(s.state == breaker_state::half_open && s.opened == 1, "it is half-open all the time")
        .that(most <= permits, "there are never more probes at the same time than permitted")
        .that(s.succeeded + s.ignored + s.reclaimed == passed, "each that passed is counted once")
        .that(s.reclaimed == leaked.size(), "permits that were leaked are taken back")
        .that(again == static_cast<int>(permits), "every place is free again at the end");
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"passed", "refused", "cancelled", "reclaimed", "all permits used"}) == lines{});
  CHECK(explore(some_by_priority(), race));
}

TEST_CASE("explored: a probe's report by another task while its own ends is counted once, and its place is free") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    circuit_breaker b{site, breaker_options{.opens_on = consecutive_failures{1}, .open_for = 1ms, .successes = 2}};
    static_cast<void>(b.execute(refused_there));
    site.run_for(1ms);
    std::optional<breaker_permit> away;
    auto crew = site.create_scope("crew");
    crew.execute("holder", [&](context& ctx) {
      away.emplace(b.try_acquire(ctx).value());
      static_cast<void>(ctx.sleep_for(1ms));
    });
    crew.execute("helper", [&](context& ctx) {
      static_cast<void>(ctx.sleep_for(1ms));
      if (away)
        away->success();
    });
    const auto whole = crew.wait();
    const auto s = b.stats();
    seen.saw(s.reclaimed > 0 ? "taken back" : "reported");
    const auto next = b.execute([] {});
    return promised{}
        .that(whole && next, "nobody has failed, and the next probe passes")
        .that(s.succeeded + s.reclaimed == 1, "the permit ends in one way")
        .that((b.state() == breaker_state::closed) == (s.succeeded == 1), "only what was reported counts");
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"taken back", "reported"}) == lines{});
  CHECK(explore(some_by_priority(), race));
}

// -- retry ------------------------------------------------------------------------------------------------------------

TEST_CASE("explored: a retry under cancels and deadlines makes no attempt too many and none too late") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    dice drawn{site};
    const int works_at = 1 + drawn.up_to(4);
    const muster::retry_policy policy{.attempts = 4, .first_delay = 1ms, .factor = 1, .spread = muster::jitter::none,
                                      .seed = site.seed()};
    auto crew = site.create_scope("crew");
    int attempts = 0;
    bool began = false;
    bool asked = false; // at the end of the attempt before
    bool after_stop = false;
    muster::time_point last{};
    muster::time_point deadline{};
    const auto timeout = drawn.one_in(2) ? 1ms + drawn.moments(2) : muster::no_timeout;
    auto task = crew.execute({.name = "caller", .timeout = timeout}, [&](context& ctx) {
      began = true;
      deadline = ctx.deadline();
      return muster::retry(ctx, policy, [&]() -> muster::result<int> {
        ++attempts;
        last = ctx.now();
        after_stop = after_stop || asked;
        asked = ctx.cancelled();
        if (attempts >= works_at)
          return attempts;
        return std::unexpected{muster::error{std::errc::connection_refused, "nobody there"}};
      });
    });
    const bool cancels = drawn.one_in(3);
    if (cancels) {
      if (const auto later = drawn.moments(3); later > 0ms)
        site.run_for(later);
      task.cancel();
    }
    const auto whole = crew.wait();
    const auto& end = task.get();
    const bool gave_up = end.failed() && contains(end.error().message(), "gave up after");
    seen.saw(end.ok()          ? "succeeded"
             : gave_up         ? (contains(end.error().message(), "deadline") ? "gave up for the deadline" : "gave up")
             : end.cancelled() ? (attempts > 0 ? "cancelled" : "cancelled before it began")
             : end.timed_out() ? "timed out"
                               : "failed");
    return promised{}
        .that(attempts <= 4, "never more attempts than allowed")
        .that(end.ok() == (attempts >= works_at && attempts > 0), "it succeeds exactly if an attempt did")
        .that(!end.ok() || end.value() == works_at, "and gives what that gave")
        .that(attempts == 0 || last < deadline || attempts == 1, "no further attempt begins at the deadline")
        .that(!after_stop, "nor after the task was asked to stop")
        .that(end.ok() || gave_up || end.cancelled() || end.timed_out(), "otherwise it says why not")
        .that(cancels || !end.cancelled(), "it is cancelled only if somebody did that")
        .that(end.ok() || attempts == 0 || end.error().is(std::errc::connection_refused),
              "the last error is kept behind it")
        .that(site.elapsed() <= 4ms, "it takes no longer than its delays")
        .books(site, 1, began ? 1 : 0);
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"succeeded", "gave up", "gave up for the deadline", "cancelled", "cancelled before it began"}) ==
        lines{});
  CHECK(explore(some_by_priority(), race));
}

TEST_CASE("explored: retries behind a breaker wait for it, and it closes, or they give up with its error") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    dice drawn{site};
    const auto back_at = site.now() + drawn.moments(6);
    circuit_breaker b{site, 2, 2ms};
    int inside_while_open = 0;
    auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
    std::vector<muster::task<void>> callers;
    std::size_t ok = 0;
    for (int i = 0; i < 3; ++i)
      callers.push_back(crew.execute({.name = "caller", .timeout = drawn.one_in(4) ? 3ms : muster::no_timeout},
                                     [&](context& ctx) -> muster::result<void> {
                                       const muster::retry_policy policy{.attempts = 5, .first_delay = 1ms};
                                       auto got = muster::retry(ctx, policy, [&] {
                                         return b.execute(ctx, [&]() -> muster::result<void> {
                                           inside_while_open += b.state() == breaker_state::open ? 1 : 0;
                                           return ctx.now() < back_at ? refused_there() : muster::result<void>{};
                                         });
                                       });
                                       ok += got ? 1 : 0;
                                       return got;
                                     }));
    if (drawn.one_in(2)) {
      site.run_for(drawn.moments(4));
      callers[0].cancel();
    }
    static_cast<void>(crew.wait());
    const auto s = b.stats();
    bool told = true;
    for (const auto& each : callers) {
      const auto& end = each.get();
      seen.saw(to_string(end.kind()));
      if (!end.ok() && end.error().is(errc::breaker_open))
        seen.saw("gave up on an open breaker");
      told = told && (end.ok() || !end.error().message().empty());
    }
    if (s.opened > 0 && s.state == breaker_state::closed)
      seen.saw("closed again");
    site.run_for(2ms);
    const auto next = b.execute([] {});
    return promised{}
        .that(told, "who did not succeed says why")
        .that(s.succeeded == ok, "each success is counted once")
        .that(s.late == 0 || s.opened > 0, "only a breaker that changed calls anything late")
        .that(next && b.state() == breaker_state::closed, "after its time it can be used");
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"ok", "failed", "cancelled", "gave up on an open breaker", "closed again"}) == lines{});
  CHECK(explore(some_by_priority(), race));
}
