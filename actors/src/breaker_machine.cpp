/// The decisions of breaker_machine.hpp.
#include "breaker_machine.hpp"

#include "duration_text.hpp"

#include <muster/assert.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace muster {

namespace {

bool is_rate(double r) noexcept { return r > 0 && r <= 1; }

const breaker_options& checked(const breaker_options& o) {
  MUSTER_ASSERT(o.open_for > duration{}, "a circuit breaker's open_for is a time greater than zero");
  MUSTER_ASSERT(o.open_growth >= 1, "a circuit breaker's open_growth is a factor of 1 or more");
  MUSTER_ASSERT(o.open_most >= o.open_for, "a circuit breaker's open_most is not less than its open_for");
  MUSTER_ASSERT(o.probes > 0, "a circuit breaker needs at least one probe, or it could never close again");
  MUSTER_ASSERT(o.successes > 0, "a circuit breaker closes after at least one success");
  MUSTER_ASSERT(o.slow_after > duration{}, "a circuit breaker's slow_after is a time greater than zero");
  MUSTER_ASSERT(o.overdue_after > duration{}, "a circuit breaker's overdue_after is a time greater than zero");
  return o;
}

template <class Window>
void check_window(const Window& w) {
  MUSTER_ASSERT(w.minimum > 0, "a window of a circuit breaker decides about at least one call");
  MUSTER_ASSERT(is_rate(w.failure_rate), "a circuit breaker's failure_rate is above 0 and at most 1");
  MUSTER_ASSERT(is_rate(w.slow_rate), "a circuit breaker's slow_rate is above 0 and at most 1");
}

/// Whether `part` of `whole` is at least `rate`. A product such as 0.07 · 100 may come out a little above 7, and the
/// seventh of a hundred shall count.
bool reaches(std::size_t part, std::size_t whole, double rate) noexcept {
  const double wanted = rate * static_cast<double>(whole);
  return static_cast<double>(part) >= wanted - 1e-9 * static_cast<double>(whole);
}

std::string some(std::size_t n, const char* one, const char* more) {
  return fmt::format("{} {}", n, n == 1 ? one : more);
}

} // namespace

std::string_view to_string(breaker_state state) noexcept {
  switch (state) {
  case breaker_state::closed: return "closed";
  case breaker_state::open: return "open";
  case breaker_state::half_open: return "half-open";
  }
  return "unknown";
}

breaker_machine::breaker_machine(const breaker_options& options)
    : open_for_(checked(options).open_for),
      open_growth_(options.open_growth),
      open_most_(options.open_most),
      probes_(options.probes),
      successes_(options.successes),
      slow_after_(options.slow_after),
      overdue_after_(options.overdue_after) {
  if (const auto* row = std::get_if<consecutive_failures>(&options.opens_on)) {
    MUSTER_ASSERT(row->failures > 0, "a circuit breaker opens after at least one failure");
    most_in_a_row_ = row->failures;
  } else if (const auto* last = std::get_if<count_window>(&options.opens_on)) {
    check_window(*last);
    MUSTER_ASSERT(last->minimum <= last->calls, "a count window holds at least its minimum, or it would never decide");
    minimum_ = last->minimum;
    failure_rate_ = last->failure_rate;
    slow_rate_ = last->slow_rate;
    window_ = call_window{last->calls};
  } else {
    const auto& recent = std::get<time_window>(options.opens_on);
    check_window(recent);
    MUSTER_ASSERT(recent.span > duration{}, "a circuit breaker's time window spans more than zero");
    minimum_ = recent.minimum;
    failure_rate_ = recent.failure_rate;
    slow_rate_ = recent.slow_rate;
    span_ = recent.span;
    window_ = call_window{recent.span};
  }
}

// -- calls ------------------------------------------------------------------------------------------------------------

std::expected<breaker_machine::ticket, breaker_machine::refusal> breaker_machine::acquire(time_point now) {
  tick(now);
  if (state_ == breaker_state::open)
    return std::unexpected{refusal{state_, open_until_}};
  if (state_ == breaker_state::half_open) {
    if (probes_out_ == probes_)
      return std::unexpected{refusal{state_, never}};
    ++probes_out_;
  }
  ticket given{.generation = generation_, .number = 0, .started = now};
  if (watched()) {
    given.number = ++last_number_;
    on_their_way_.emplace_hint(on_their_way_.end(), given.number, now);
  }
  return given;
}

bool breaker_machine::report(const ticket& call, verdict what, time_point now) {
  tick(now);
  if (call.generation != generation_ || (watched() && on_their_way_.erase(call.number) == 0))
    return false;
  if (state_ == breaker_state::half_open)
    --probes_out_;
  if (what != verdict::ignored)
    count(what == verdict::failure, is_slow(call, now), now);
  return true;
}

void breaker_machine::count(bool failed, bool slow, time_point now) {
  if (state_ == breaker_state::half_open) {
    if (failed || slow)
      open(now, next_open_time(), failed ? "a probe failed" : "a probe was slow");
    else if (++successes_so_far_ == successes_)
      close(now, some(successes_so_far_, "probe", "probes") + " succeeded");
    return;
  }
  // Only a closed breaker comes here: an open one has admitted nobody in its generation.
  if (most_in_a_row_ > 0)
    streak_ = failed || slow ? streak_ + 1 : 0;
  else
    window_.add(failed, slow, now);
  if (auto why = reason_to_open(now); !why.empty())
    open(now, next_open_time(), std::move(why));
}

std::string breaker_machine::reason_to_open(time_point now) {
  if (most_in_a_row_ > 0)
    return streak_ < most_in_a_row_ ? std::string{} : some(streak_, "failure", "failures in a row");
  const auto& seen = window_.at(now);
  if (seen.calls < minimum_)
    return {};
  const auto which = [&](std::size_t part, const char* what) {
    const auto calls = some(seen.calls, "call", "calls");
    return span_ > duration{} ? fmt::format("{} of {} in the last {} {}", part, calls, in_words(span_), what)
                              : fmt::format("{} of the last {} {}", part, calls, what);
  };
  if (reaches(seen.failed, seen.calls, failure_rate_))
    return which(seen.failed, "failed");
  if (slow_after_ != no_timeout && reaches(seen.slow, seen.calls, slow_rate_))
    return which(seen.slow, "were slow");
  return {};
}

// -- time -------------------------------------------------------------------------------------------------------------

void breaker_machine::tick(time_point now) {
  while (!on_their_way_.empty() && saturating_add(on_their_way_.begin()->second, overdue_after_) <= now) {
    on_their_way_.erase(on_their_way_.begin());
    ++overdue_;
    count(true, slow_after_ <= overdue_after_, now); // may open it, and then nobody is on the way any more
  }
  if (state_ == breaker_state::open && now >= open_until_ && open_until_ != never)
    half_open(now);
}

time_point breaker_machine::next_due() const noexcept {
  const auto first = on_their_way_.empty() ? never : saturating_add(on_their_way_.begin()->second, overdue_after_);
  return state_ == breaker_state::open ? std::min(first, open_until_) : first;
}

// -- states -----------------------------------------------------------------------------------------------------------

void breaker_machine::force_open(time_point now) {
  tick(now);
  if (state_ == breaker_state::open)
    open_until_ = never;
  else
    open(now, duration::max(), "it was forced open");
}

void breaker_machine::reset(time_point now) {
  tick(now);
  close(now, "it was reset");
}

duration breaker_machine::next_open_time() noexcept {
  if (last_open_time_ == duration{})
    return last_open_time_ = open_for_;
  const double longer = static_cast<double>(last_open_time_.count()) * open_growth_;
  // As a floating number duration::max() is rounded up, hence >=.
  last_open_time_ =
    longer >= static_cast<double>(open_most_.count()) ? open_most_ : duration{static_cast<duration::rep>(longer)};
  return last_open_time_;
}

void breaker_machine::open(time_point now, duration how_long, std::string why) {
  open_until_ = saturating_add(now, how_long);
  enter(breaker_state::open, now, std::move(why));
}

void breaker_machine::half_open(time_point now) { enter(breaker_state::half_open, now, "its open time is over"); }

void breaker_machine::close(time_point now, std::string why) {
  last_open_time_ = {};
  enter(breaker_state::closed, now, std::move(why));
}

void breaker_machine::enter(breaker_state next, time_point now, std::string why) {
  ++generation_;
  streak_ = 0;
  window_.clear();
  probes_out_ = 0;
  successes_so_far_ = 0;
  on_their_way_.clear();
  const auto from = std::exchange(state_, next);
  if (from != next)
    changes_.push_back({from, next, now, next == breaker_state::open ? open_until_ : time_point{}, std::move(why)});
}

} // namespace muster
