/// Handing the baton round.
#include "conductor.hpp"

#include "real_time_watch.hpp"
#include "strand.hpp"
#include "thread_name.hpp"

#include <muster/assert.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace muster::runtime {

namespace {

/// Where a simulation begins: not the clock's zero, which some libraries take for "not set".
constexpr time_point first_moment{std::chrono::hours{1}};

/// After so many looks for each that is ready, with nothing else happening, those who look wait for time to pass.
constexpr std::uint64_t patience = 64;

/// Strands that no simulation has at present.
struct strand_store {
  std::mutex mutex;
  std::vector<strand*> idle;
};
strand_store& store() {
  static auto& the_store = *new strand_store; // its threads wait in it until the process ends
  return the_store;
}

} // namespace

constinit thread_local strand* conductor::here_ = nullptr;

conductor::conductor(const conductor_options& options)
    : schedule_{options.schedule}, max_steps_{options.max_steps}, steps_limit_{options.max_steps}, now_{first_moment} {}

conductor::~conductor() { end(); }

// -- the simulation's own thread --------------------------------------------------------------------------------------

void conductor::begin() {
  MUSTER_ASSERT(here_ == nullptr,
                "a thread is inside one simulation at a time: end the first before beginning another");
  own_ = std::make_unique<strand>();
  own_->home = this;
  own_->own = true;
  own_->probe = thread_probe::of_this_thread();
  own_->priority = schedule_.new_priority();
  here_ = own_.get();
  running_.store(own_.get());
  real_time_watch::enter(*this);
}

void conductor::end() noexcept {
  if (!own_)
    return;
  MUSTER_ASSERT(here_ == own_.get(), "a simulation must be destroyed by the thread that made it");
  MUSTER_ASSERT(waiting_first_ == nullptr, "a simulation was ended while a body of it still waits");
  real_time_watch::leave(*this);
  here_ = nullptr;
  {
    const std::scoped_lock lock{store().mutex};
    for (strand* s : free_)
      store().idle.push_back(s);
  }
  free_.clear();
  own_.reset();
}

void conductor::rest(time_point until) {
  expect_here();
  MUSTER_ASSERT(here_->own, "only the simulation's own thread can let time pass: a body uses ctx.sleep_until");
  resting_ = true;
  rest_until_ = until;
  strand& self = *here_;
  yield_to(self, choose());
}

// -- with the baton ---------------------------------------------------------------------------------------------------

bool conductor::here() const noexcept { return here_ != nullptr && here_->home == this; }

void conductor::expect_here() const {
  MUSTER_ASSERT(here() || !own_,
                "a thread that does not belong to the simulation has called a manager, scope or task of it: inside "
                "a simulation only its own thread and its bodies run; start a task with scope.execute instead of "
                "a thread");
}

void conductor::add(time_source& source) { sources_.push_back(&source); }

void conductor::remove(time_source& source) noexcept { std::erase(sources_, &source); }

void conductor::offer(step_source& source) {
  expect_here();
  schedule_.add({.who = &source, .paused = false, .priority = schedule_.new_priority()});
}

void conductor::make_ready(strand& s) { schedule_.add({.who = &s, .paused = true, .priority = s.priority}); }

bool conductor::block(const void* address, function_ref<bool()> ready, function_ref<std::string()> what,
                      bool gives_up) {
  expect_here();
  strand& self = *here_;
  if (ready())
    return true;
  self.address = address;
  self.what = &what;
  self.gives_up = gives_up;
  self.called_off = self.ready_again = false;
  self.next = nullptr;
  self.prev = waiting_last_;
  (waiting_last_ != nullptr ? waiting_last_->next : waiting_first_) = &self;
  waiting_last_ = &self;
  do {
    yield_to(self, choose());
    self.ready_again = false;
  } while (!ready() && !self.called_off);
  idle_looks_ = 0;
  if (!self.called_off && !report_)
    stage_ = 0;
  (self.prev != nullptr ? self.prev->next : waiting_first_) = self.next;
  (self.next != nullptr ? self.next->prev : waiting_last_) = self.prev;
  return !self.called_off || ready();
}

void conductor::wake(const void* address) {
  for (strand* s = waiting_first_; s != nullptr; s = s->next)
    if (s->address == address && !std::exchange(s->ready_again, true))
      make_ready(*s);
}

void conductor::fell_quiet(quiet_waiter& who) noexcept {
  who.next_quiet_ = nullptr;
  who.prev_quiet_ = quiet_last_;
  (quiet_last_ != nullptr ? quiet_last_->next_quiet_ : quiet_first_) = &who;
  quiet_last_ = &who;
}

void conductor::heard_from(quiet_waiter& who) noexcept {
  (who.prev_quiet_ != nullptr ? who.prev_quiet_->next_quiet_ : quiet_first_) = who.next_quiet_;
  (who.next_quiet_ != nullptr ? who.next_quiet_->prev_quiet_ : quiet_last_) = who.prev_quiet_;
}

// -- pausing ----------------------------------------------------------------------------------------------------------

void conductor::pause_strand(strand& self, pause why) {
  if (self.undivided != 0)
    return;
  conductor& c = *self.home;
  if (why == pause::look)
    ++c.idle_looks_;
  else if (why == pause::call)
    c.idle_looks_ = 0;
  if (!c.schedule_.interrupts(why, self.priority) && !(why == pause::look && c.looks_in_vain()))
    return;
  c.make_ready(self);
  c.yield_to(self, c.choose());
}

void conductor::pause_before_lock(strand& self) {
  pause_strand(self, pause::inside);
  ++self.undivided;
}

void conductor::one_lock_less(strand& self) noexcept { --self.undivided; }

undivided::undivided() noexcept : self_{conductor::this_strand()} {
  if (self_ != nullptr)
    ++self_->undivided;
}

undivided::~undivided() {
  if (self_ != nullptr)
    --self_->undivided;
}

// -- who is next ------------------------------------------------------------------------------------------------------

bool conductor::looks_in_vain() const noexcept { return idle_looks_ > patience * (schedule_.ready() + 1); }

conductor::choice conductor::choose() {
  if (steps() > steps_limit_) {
    steps_limit_ += max_steps_;
    stuck(fmt::format("it has not come to an end in {} steps: somebody goes round in circles", max_steps_));
  }
  for (;;) {
    const auto due = next_due();
    if (schedule_.ready() != 0 && !looks_in_vain())
      break;
    if (resting_ && (!due || *due > rest_until_)) {
      jump(std::max(now(), rest_until_));
      resting_ = false;
      return {.who = own_.get()};
    }
    if (due) {
      idle_looks_ = 0;
      jump(std::max(now(), *due));
    } else if (schedule_.ready() != 0) {
      break;
    } else {
      stuck("nobody can go on and nothing is due");
    }
  }
  const auto e = schedule_.next();
  if (e.paused)
    return {.who = static_cast<strand*>(e.who), .priority = e.priority};
  return {.what = static_cast<step_source*>(e.who), .priority = e.priority};
}

void conductor::jump(time_point to) {
  now_.store(to, std::memory_order_release);
  for (time_source* each : sources_)
    each->time_came(to);
}

std::optional<time_point> conductor::next_due() {
  std::optional<time_point> first;
  for (time_source* each : sources_)
    if (const auto due = each->next_due(); due && (!first || *due < *first))
      first = due;
  return first;
}

void conductor::stuck(const std::string& why) {
  const undivided whole;
  const std::string report =
      fmt::format("{} at {} ms (after {} steps)", why,
                  std::chrono::duration<double, std::milli>(now() - first_moment).count(), steps()) +
      who_waits();
  if (!report_)
    report_ = report;
  switch (stage_++) {
  case 0:
    if (stuck_hook_)
      stuck_hook_(report);
    return;
  case 1:
    for (strand* s = waiting_first_; s != nullptr; s = s->next)
      if (s->gives_up) {
        s->called_off = true;
        if (!std::exchange(s->ready_again, true))
          make_ready(*s);
      }
    if (schedule_.ready() != 0)
      return;
    [[fallthrough]];
  default:
    detail::assertion_failed("the simulation can go on", ("a simulation cannot end: " + *report_).c_str(), __FILE__,
                             __LINE__);
  }
}

std::string conductor::who_waits() const {
  std::string text;
  for (const strand* s = waiting_first_; s != nullptr; s = s->next)
    text += "\n  " + (*s->what)();
  for (const quiet_waiter* q = quiet_first_; q != nullptr; q = q->next_quiet_)
    text += "\n  " + q->who_waits();
  return text.empty() ? "; nobody waits" : ":" + text;
}

// -- handing over -----------------------------------------------------------------------------------------------------

void conductor::yield_to(strand& self, choice next) {
  if (next.who == &self)
    return;
  hand_over(next);
  self.await_baton();
  took_over(self);
}

void conductor::hand_over(choice next) {
  if (next.who == nullptr) {
    next.who = &free_strand();
    next.who->assigned = next.what;
    next.who->priority = next.priority;
  }
  next.who->give_baton();
}

void conductor::took_over(strand& self) noexcept {
  running_.store(&self, std::memory_order_release);
  stretch_.fetch_add(1, std::memory_order_relaxed);
}

strand& conductor::free_strand() {
  if (free_.empty()) {
    const std::scoped_lock lock{store().mutex};
    if (!store().idle.empty()) {
      free_.push_back(store().idle.back());
      store().idle.pop_back();
    } else {
      auto* s = new strand;
      s->thread = std::thread{[s] { thread_main(*s); }};
      free_.push_back(s);
    }
  }
  strand& s = *free_.back();
  free_.pop_back();
  s.home = this;
  return s;
}

void conductor::thread_main(strand& self) noexcept {
  name_this_thread("muster/sim", 0);
  self.probe = thread_probe::of_this_thread();
  here_ = &self;
  for (;;) {
    self.await_baton();
    self.home->took_over(self);
    self.home->work(self);
  }
}

void conductor::work(strand& self) {
  for (;;) {
    idle_looks_ = 0;
    self.undivided = 0;
    std::exchange(self.assigned, nullptr)->step();
    if (tidy_ != nullptr)
      tidy_();
    const auto next = choose();
    if (next.who != nullptr) {
      free_.push_back(&self);
      hand_over(next);
      return;
    }
    self.assigned = next.what;
    self.priority = next.priority;
    stretch_.fetch_add(1, std::memory_order_relaxed);
  }
}

} // namespace muster::runtime
