/// The world of restart_world.hpp, and the tests that let it live.
#include "restart_world.hpp"

#include <utility>

namespace muster_test {

namespace {

bool is_group(const muster::restart& policy) { return policy.strategy != restart_strategy::one_for_one; }

muster::restart drawn(muster::runtime::random_source& random) {
  return {.strategy = static_cast<restart_strategy>(random.below(3)),
          .max_restarts = static_cast<unsigned>(random.below(4) == 0 ? random.below(4) : 5 + random.below(40)),
          .within = std::chrono::milliseconds{random.below(3000)},
          .delay = {.first = std::chrono::milliseconds{random.below(2) * random.below(200)},
                    .cap = 1s,
                    .jitter = static_cast<double>(random.below(3)) / 2,
                    .seed = random.next()},
          .ends = static_cast<auto_shutdown>(random.below(3))};
}

} // namespace

restart_world::tally& restart_world::tally::operator+=(const tally& other) {
  starts += other.starts, stops += other.stops, forgotten += other.forgotten, failed_starts += other.failed_starts;
  gave_up += other.gave_up, ended += other.ended, shut_down += other.shut_down, settled += other.settled;
  return *this;
}

restart_world::restart_world(std::uint64_t seed) : random_{seed}, policy_{drawn(random_)}, m_{policy_} {}

std::string restart_world::story() const {
  std::string all = "strategy " + std::to_string(static_cast<int>(policy_.strategy)) + "\n";
  for (const auto& line : story_)
    all += line + "\n";
  return all;
}

// -- what happens ----------------------------------------------------------------------------------------------------

void restart_world::live() {
  for (auto n = random_.below(7); n-- > 0;)
    add();
  for (int i = 0; i < 150 && wrong_.empty(); ++i) {
    if (chance(15))
      lend_a_hand();
    else if (chance(1) && chance(50))
      shut_down();
    else
      (void)pass_time();
    if (chance(90)) // else something else happens before anybody asks what follows
      pump();
  }
  calm_ = true;
  pump();
  for (int i = 0; i < 1000 && wrong_.empty() && pass_time(); ++i)
    pump();
  settle();
}

/// To the next event or the time that the machine named. False: there is neither.
bool restart_world::pass_time() {
  const auto due = m_.due();
  if (due && (events_.empty() || *due <= events_.begin()->first.first)) {
    now_ = std::max(now_, *due);
    return true;
  }
  if (events_.empty())
    return false;
  const auto [when, e] = *events_.begin();
  events_.erase(events_.begin());
  now_ = std::max(now_, when.first);
  deliver(e);
  return true;
}

void restart_world::add() {
  const kid k{.kind = static_cast<child_kind>(random_.below(3)), .significant = chance(30)};
  if (k.kind == child_kind::permanent && k.significant)
    return;
  note("add " + std::to_string(next_) + " of kind " + std::to_string(static_cast<int>(k.kind)));
  kids_.emplace(next_, k);
  m_.added(next_, k.kind, k.significant);
  if (chance(70))
    later(chance(70) ? what::failed : what::ended, next_, 1, 3000);
  ++next_;
}

void restart_world::shut_down() {
  note("shut down");
  counts_.shut_down += shut_ ? 0 : 1;
  shut_ = true;
  m_.shut_down();
  must(!m_.operating() && !m_.due(), "shut down and still at it");
}

void restart_world::lend_a_hand() {
  if (kids_.empty() || chance(20))
    return over() ? void() : add();
  const auto it = std::next(kids_.begin(), static_cast<std::ptrdiff_t>(random_.below(kids_.size())));
  auto& [who, k] = *it;
  const auto verb = random_.below(3);
  const auto said = verb == 0 ? m_.stop_child(who) : verb == 1 ? m_.restart_child(who, now_) : m_.remove_child(who);
  note("by hand " + std::to_string(verb) + " to " + std::to_string(who) + ": " +
       std::to_string(static_cast<int>(said)));
  const bool ending = over() || m_.gave_up() || must_end_;
  must(said == answer::unknown || (said == answer::ending) == ending, "ending or not ending");
  must(said == answer::unknown ? k.removed || (k.kind == child_kind::temporary && !k.up) : true, "unknown");
  if (said == answer::busy && !is_group(policy_))
    must(verb != 0 && ((k.up && (k.asked || k.hand_stops)) || (!k.up && (k.hand_starts || !k.may_be_down))),
         "not busy");
  must(said != answer::running || (k.up && !k.asked), "it does not run");
  if (said != answer::ok)
    return;
  must(verb == 0 || (!k.up && (k.may_be_down || is_group(policy_))), "it is not stopped");
  if (verb == 0) {
    k.hand_stops = k.up && !k.asked;
    k.hand_starts = false;
    k.may_be_down = true;
  }
  k.hand_starts = k.hand_starts || verb == 1;
  k.removed = verb == 2;
}

void restart_world::deliver(const event& e) {
  const auto it = kids_.find(e.who);
  const auto counted_before = m_.counted();
  const bool news = it != kids_.end() && it->second.up && it->second.which == e.which;
  note(std::to_string((now_ - muster::time_point{1h}) / 1ms) + " ms: event " +
       std::to_string(static_cast<int>(e.kind)) + " of " + std::to_string(e.who) + "/" + std::to_string(e.which) +
       (news ? "" : ", stale"));
  if (news && e.kind != what::started)
    return goes_down(e, it->second);
  if (e.kind == what::started)
    m_.started(e.who, e.which, now_);
  else
    m_.ended(e.who, e.which, e.kind == what::failed, "late", now_);
  must(m_.counted() == counted_before, "a stale event was counted");
  if (!news)
    return;
  it->second.ready = true;
  must(m_.state(e.who) == (it->second.asked || it->second.hand_stops ? child_state::stopping : child_state::running) ||
           shut_,
       "it is ready");
  must(!shut_ || it->second.asked || m_.state(e.who) == child_state::running, "its owner must see that it runs");
}

void restart_world::goes_down(const event& e, kid& k) {
  const auto counted_before = m_.counted();
  // Whatever its group does, it was not part of it: what follows is certain.
  const bool was_stopped = k.asked || k.hand_stops || over() || m_.gave_up() || must_end_;
  const bool exact = was_stopped || !m_.operating() || !is_group(policy_) ||
                     (policy_.strategy == restart_strategy::rest_for_one && e.who < lowest_);
  const bool calm_before = !m_.operating();
  k.up = false;
  if (e.kind == what::no_start)
    m_.start_failed(e.who, e.which, "no luck", now_);
  else
    m_.ended(e.who, e.which, e.kind == what::failed, "", now_);
  counts_.failed_starts += k.ready ? 0 : 1;

  const bool again =
      k.ready ? k.kind == child_kind::permanent || (k.kind == child_kind::transient && e.kind == what::failed)
              : !k.started_by_hand;
  if (exact)
    must(m_.counted() == counted_before + (again && !was_stopped ? 1 : 0), "counted or not counted");
  if (m_.counted() != counted_before)
    return counted(e.who);
  if (was_stopped)
    return;
  if (exact ? !again : m_.state(e.who) == child_state::stopped)
    k.may_be_down = true;
  if (k.ready && k.significant && policy_.ends != auto_shutdown::none)
    significant_has_ended(e.who, exact, calm_before);
}

void restart_world::significant_has_ended(id who, bool exact, bool calm_before) {
  const bool none_left = none([&](id other, const kid& o) {
    const bool gone = o.up ? o.may_be_down : o.kind == child_kind::temporary || (o.may_be_down && !o.hand_starts);
    return other != who && o.significant && !gone;
  });
  const bool any = policy_.ends == auto_shutdown::any_significant;
  if (exact && (any || calm_before))
    must(m_.ending() == (any || none_left), "significant children have ended, or have not");
  must_end_ = m_.ending();
  must(!must_end_ || (m_.operating() && !m_.gave_up()), "it ends");
}

/// The machine has counted a failure of this child.
void restart_world::counted(id who) {
  note("counted");
  counted_at_.push_back(now_);
  const auto recent =
      std::count_if(counted_at_.begin(), counted_at_.end(), [&](auto t) { return t >= now_ - policy_.within; });
  must(m_.gave_up() == (recent > static_cast<std::ptrdiff_t>(policy_.max_restarts)),
       "too many restarts, or not too many");
  must(m_.window().size() == static_cast<std::size_t>(recent), "the window");
  const auto until = now_ + m_.window().back().delay;
  must(m_.window().back().delay <= policy_.delay.cap && m_.window().back().who == who, "the record");
  last_started_ = 0;
  lowest_ = std::min(lowest_, who);
  group_not_before_ = until;
  for (auto& [other, k] : kids_) {
    const bool in_group = is_group(policy_) && (policy_.strategy == restart_strategy::one_for_all || other >= who);
    if (other != who && !in_group)
      continue;
    k.not_before = until;
    k.may_be_down = false;
    k.hand_starts = false;
  }
}

// -- what the machine wants ------------------------------------------------------------------------------------------

void restart_world::pump() {
  for (int i = 0; wrong_.empty(); ++i) {
    const auto c = m_.next(now_);
    if (!m_.operating()) {
      lowest_ = ~id{0};
      last_started_ = 0;
    }
    if (!c)
      break;
    obey(*c);
    must(i < 1000, "there is no end to it");
  }
  must(!m_.due() || *m_.due() > now_, "it has nothing to say, and is due");
}

void restart_world::obey(const command& c) {
  static constexpr const char* verbs[] = {"start ", "stop ", "forget ", "give up", "end"};
  note(std::string{"  "} + verbs[static_cast<int>(c.what)] + std::to_string(c.who) + "/" + std::to_string(c.which));
  must(!over() || c.what == command::kind::forget, "it is over");
  if (c.what == command::kind::give_up || c.what == command::kind::end) {
    const bool gives_up = c.what == command::kind::give_up;
    must(none([](id, const kid& k) { return k.up; }), "somebody is still there");
    must(gives_up == m_.gave_up() && gives_up != must_end_, "it ends for another reason");
    finished_ = true;
    ++(gives_up ? counts_.gave_up : counts_.ended);
    return;
  }
  const auto it = kids_.find(c.who);
  if (it == kids_.end())
    return must(false, "nobody knows that child");
  kid& k = it->second;
  if (c.what == command::kind::start)
    return obey_start(c, k);
  if (c.what == command::kind::stop)
    return obey_stop(c, k);
  must(!k.up && (k.kind == child_kind::temporary || k.removed) && !m_.knows(c.who), "it must be kept");
  ++counts_.forgotten;
  kids_.erase(it);
}

void restart_world::obey_start(const command& c, kid& k) {
  must(!k.up, "two incarnations of one child");
  must(c.which == k.which + 1, "an incarnation must be new");
  must(k.kind != child_kind::temporary && !k.removed, "it is gone for good");
  must(k.hand_starts || !k.may_be_down, "nobody wanted it to start");
  must(!m_.gave_up() && !must_end_, "it is ending");
  if (!k.hand_starts) {
    must(now_ >= k.not_before, "before its backoff is over");
    if (is_group(policy_)) {
      must(m_.operating() && now_ >= group_not_before_, "there is no group restart, or not yet");
      const id first = policy_.strategy == restart_strategy::one_for_all ? 0 : lowest_;
      must(none([&](id who, const kid& o) { return o.up && who >= first && (!o.ready || o.asked); }),
           "one start at a time, when all stops are done");
      must(c.who > last_started_, "starts go forward");
      last_started_ = c.who;
    }
  }
  ++counts_.starts;
  k = {
      .kind = k.kind, .significant = k.significant, .which = c.which, .ready = false, .started_by_hand = k.hand_starts};
  const auto luck = calm_ ? 99 : random_.below(100);
  if (luck < 12)
    return later(what::no_start, c.who, c.which, 100);
  if (luck < 20)
    return later(chance(50) ? what::failed : what::ended, c.who, c.which, 100);
  later(what::started, c.who, c.which, luck < 30 ? 600 : 100);
  if (luck < 85)
    later(chance(80) ? what::failed : what::ended, c.who, c.which, 3000); // possibly before it is ready
}

void restart_world::obey_stop(const command& c, kid& k) {
  must(k.up && c.which == k.which && !k.asked, "there is nothing to stop");
  if (!k.hand_stops) {
    must(m_.operating(), "nobody asked for that");
    must(is_group(policy_) || m_.gave_up() || must_end_, "others do not matter");
    must(none([&](id who, const kid& o) { return o.up && who > c.who; }), "stops go backward, each awaited");
    must(none([&](id, const kid& o) { return o.up && o.asked && !o.asked_by_hand; }), "one stop at a time");
    must(m_.gave_up() || must_end_ || policy_.strategy == restart_strategy::one_for_all || c.who >= lowest_,
         "not of that group");
  }
  ++counts_.stops;
  k.asked_by_hand = std::exchange(k.hand_stops, false);
  k.asked = true;
  later(chance(30) ? what::failed : what::ended, c.who, c.which, 200);
  if (!k.ready && chance(30))
    later(what::no_start, c.who, c.which, 200);
}

/// Nothing is under way and nothing is due: then all must be as it has to be.
void restart_world::settle() {
  must(events_.empty() && !m_.due(), "it never comes to rest");
  if (!wrong_.empty())
    return;
  for (const auto& [who, k] : kids_) {
    const std::string name = "child " + std::to_string(who) + " at the end: ";
    must(k.up || (k.kind != child_kind::temporary && !k.removed), name + "it was never forgotten");
    must(m_.knows(who), name + "it was forgotten");
    if (shut_)
      continue; // its owner stops it
    must(!k.up || !finished_, name + "it is still there");
    must(k.up || finished_ || k.may_be_down, name + "it was never brought back");
    must(k.up ? k.ready && !k.asked && m_.state(who) == child_state::running : m_.state(who) == child_state::stopped,
         name + "its state");
  }
  must(m_.size() == kids_.size(), "as many children as there are");
  must(!m_.operating(), "it is stuck");
  must(shut_ || finished_ == (m_.gave_up() || must_end_), "it has not said that it is over");
  counts_.settled += over() ? 0 : 1;
}

} // namespace muster_test

TEST_CASE("whatever happens in whichever order, what must hold holds", "[restart_machine]") {
  muster_test::restart_world::tally all;
  for (std::uint64_t seed = 1; seed <= 4000; ++seed) {
    muster_test::restart_world world{seed};
    world.live();
    if (!world.wrong().empty())
      FAIL("seed " << seed << ": " << world.wrong() << "\n" << world.story());
    all += world.counts();
  }
  CAPTURE(all.starts, all.stops, all.forgotten, all.failed_starts, all.gave_up, all.ended, all.shut_down, all.settled);
  // The world is worth watching: all of it happens, often.
  CHECK(all.starts > 10'000);
  CHECK(all.stops > 10'000);
  CHECK(all.forgotten > 1000);
  CHECK(all.failed_starts > 1000);
  CHECK(all.gave_up > 300);
  CHECK(all.ended > 100);
  CHECK(all.shut_down > 300);
  CHECK(all.settled > 1000);
}
