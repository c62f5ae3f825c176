/// What happens after a failed attempt: the schedule decides, the context sleeps, the trace is told.
#include <muster/retry.hpp>

#include "context_access.hpp"
#include "duration_text.hpp"
#include "retry_schedule.hpp"
#include "scope_actor.hpp"
#include "task_actor.hpp"

#include <fmt/format.h>

#include <utility>

namespace muster::detail {

namespace {

/// Differs from task to task and from moment to moment; with a manual clock it is the same in every run.
std::uint64_t seed_of(const task_actor& task, time_point now) noexcept {
  return static_cast<std::uint64_t>(now.time_since_epoch().count()) ^ (task.id() * 0x9E3779B97F4A7C15U);
}

std::string in_words(retry_end why, const retry_policy& policy) {
  switch (why) {
  case retry_end::attempts: return "no attempts are left";
  case retry_end::elapsed:
    return "the next would begin after the " + muster::in_words(policy.most_elapsed) + " allowed";
  case retry_end::deadline: return "the deadline comes before the next";
  case retry_end::budget: return "the retry budget is spent";
  }
  return {};
}

} // namespace

retrying::retrying(context& ctx, const retry_policy& policy)
    : ctx_(ctx),
      policy_(policy),
      schedule_(make_owned<retry_schedule>(policy, seed_of(context_access::task(ctx), ctx.now()), ctx.now())) {}

retrying::~retrying() = default;

std::size_t retrying::attempt() const noexcept { return schedule_->attempt(); }

std::optional<error> retrying::failed(error why) {
  auto delay = next(why);
  if (!delay)
    return std::move(delay).error();
  auto slept = ctx_.sleep_for(*delay);
  if (slept)
    return std::nullopt;
  return cut_short(std::move(slept).error(), std::move(why));
}

std::expected<duration, error> retrying::next(const error& why) {
  if (why.code() == std::errc::operation_canceled || ctx_.cancelled() || (policy_.retry_if && !policy_.retry_if(why)))
    return std::unexpected{why};
  auto& task = context_access::task(ctx_);
  auto& engine = task.scope().engine();
  const auto cause = last_event_ ? last_event_ : task.last_event();
  const auto made = attempt();
  const auto step = schedule_->next(ctx_.now(), ctx_.deadline(), retry_after(why).value_or(duration{}));
  if (!step.delay) {
    const auto text =
      fmt::format("gave up after {} attempt{}: {}", made, made == 1 ? "" : "s", in_words(step.why, policy_));
    engine.record(event_kind::retry_gave_up, task.id(), cause, static_cast<std::int64_t>(made), std::string_view{text});
    return std::unexpected{error{why, text}};
  }
  last_event_ =
    engine.record(event_kind::retry_scheduled, task.id(), cause, step.delay->count(), std::string_view{why.message()});
  return *step.delay;
}

error retrying::cut_short(error asked, error why) {
  // A failure elsewhere that led to the request to stop stays the cause.
  return asked.cause() ? asked.with_later({std::move(why)}) : asked.with_cause(std::move(why));
}

} // namespace muster::detail
