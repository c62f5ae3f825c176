/// Walking back, and saying what was found.
#include "causes.hpp"

#include "text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace muster::trace_viewer {

namespace {

using kind = event_kind;

/// muster::cancel_kind, as words.
[[nodiscard]] std::string_view reason_word(std::int64_t reason) noexcept {
  switch (reason) {
    case 0:
      return "a call of cancel";
    case 1:
      return "its time was up";
    case 2:
      return "a sibling failed";
    case 3:
      return "what is above it was cancelled";
    case 4:
      return "the manager shuts down";
    default:
      return "an unknown reason";
  }
}

/// What was waited for, if that ended badly before this wait did.
[[nodiscard]] event_index bad_end_behind(const trace_model& model, const event& wait_ended) noexcept {
  const auto* w = model.wait_at(model.find_event(wait_ended.cause));
  if (w == nullptr || w->target == none_found)
    return none_found;
  const auto& target = model.at(w->target);
  if (target.end_event == none_found || target.last == state::ok || target.last == state::skipped ||
      model.event_at(target.end_event).sequence >= wait_ended.sequence)
    return none_found;
  return target.end_event;
}

} // namespace

bool is_trouble(const trace_model& model, event_index index) noexcept {
  const auto& e = model.event_at(index);
  switch (e.kind) {
    case kind::task_ended:
    case kind::scope_ended:
    case kind::manager_ended:
    case kind::wait_ended:
      return e.value != 0 || (e.kind == kind::wait_ended && bad_end_behind(model, e) != none_found);
    case kind::actor_ended:
      return e.value != 0 || e.text != 0;
    case kind::manager_shutdown_began:
    case kind::manager_shutdown_stalled:
    case kind::task_skipped:
    case kind::actor_start_failed:
    case kind::actor_stop_asked:
    case kind::release_failed:
    case kind::release_overdue:
    case kind::exit_sent:
    case kind::exit_received:
    case kind::cancel_asked:
    case kind::cancel_observed:
    case kind::timeout:
    case kind::failure:
    case kind::unresponsive:
    case kind::spawn_refused:
    case kind::lane_saturated:
    case kind::restart_decided:
    case kind::restart_backoff:
    case kind::restart_done:
    case kind::restart_abandoned:
    case kind::intensity_exceeded:
    case kind::pool_create_failed:
    case kind::pool_check_failed:
    case kind::lease_reclaimed:
    case kind::breaker_opened:
    case kind::breaker_refused:
    case kind::breaker_permit_reclaimed:
    case kind::retry_scheduled:
    case kind::retry_gave_up:
      return true;
    default:
      return false;
  }
}

event_index trouble_of(const trace_model& model, node_index n) noexcept {
  const auto& it = model.at(n);
  if (has_ended(it.last) && it.last != state::ok && it.end_event != none_found)
    return it.end_event;
  const auto own = model.events_of(n);
  for (auto at = own.rbegin(); at != own.rend(); ++at)
    if (is_trouble(model, *at))
      return *at;
  return none_found;
}

cause_chain chain_to(const trace_model& model, event_index last) {
  cause_chain chain;
  for (auto at = last; at != none_found;) {
    chain.events.push_back(at);
    const auto& e = model.event_at(at);
    if (e.kind == kind::wait_ended)
      if (const auto behind = bad_end_behind(model, e); behind != none_found) {
        at = behind;
        continue;
      }
    if (e.cause == 0)
      break;
    // A cause has a smaller number than its effect; a damaged trace that says otherwise must not lead in a circle.
    at = e.cause < e.sequence ? model.find_event(e.cause) : none_found;
    if (at == none_found)
      chain.missing_sequence = e.cause;
  }
  std::ranges::reverse(chain.events);
  const auto first = std::ranges::find_if(chain.events, [&](event_index e) { return is_trouble(model, e); });
  chain.first_trouble = static_cast<std::size_t>(first - chain.events.begin());
  return chain;
}

std::string sentence_of(const trace_model& model, const paths& where, event_index index, event_index before) {
  const auto& e = model.event_at(index);
  const auto who = model.find(e.subject);
  const auto subject = [&] { return who == none_found ? std::string{"the system"} : where.with_kind(who); };
  const auto other = [&] {
    const auto n = model.find(e.value);
    return n == none_found ? fmt::format("something with the id {}, of which nothing else was kept", e.value)
                           : where.with_kind(n);
  };
  const auto said = escaped(model.text(e.text));
  const auto because = said.empty() ? std::string{} : ": " + said;
  const auto caller = [&]() -> std::string {
    if (before == none_found)
      return {};
    const auto by = model.find(model.event_at(before).subject);
    if (by == none_found || by == who)
      return {};
    return ", made in " + where.with_kind(by);
  };
  const auto cause_subject = [&] {
    return before == none_found ? none_found : model.find(model.event_at(before).subject);
  };
  const auto comes_from_above = [&] {
    const auto by = cause_subject();
    return by != none_found && who != none_found && by == model.at(who).parent;
  };
  const auto workers = [&] {
    return counted(static_cast<std::uint64_t>(std::max<std::int64_t>(0, e.value)), "worker");
  };
  const auto application_actor = [&] {
    const auto n = model.find(e.value);
    return n != none_found ? where.with_kind(n) : fmt::format("the application's actor {}", e.value);
  };
  const auto sender = [&]() -> std::string {
    if (e.value == 0)
      return {};
    const bool linked = who != none_found && std::ranges::any_of(model.events_of(who), [&](event_index other_event) {
      const auto& o = model.event_at(other_event);
      return o.kind == kind::linked && o.value == e.value && o.sequence < e.sequence;
    });
    return " from " + application_actor() + (linked ? ", which had linked itself to it" : "");
  };
  switch (e.kind) {
    case kind::manager_created:
    case kind::scope_created:
      return subject() + " was opened";
    case kind::manager_shutdown_began:
      return fmt::format("the shutdown of {} began; {} were given for draining", subject(), duration_text(e.value));
    case kind::manager_shutdown_stalled:
      return fmt::format("the shutdown of {} stalled{}", subject(), because);
    case kind::manager_ended:
    case kind::scope_ended:
      return fmt::format("{} ended {}{}", subject(), e.value == 0 ? "ok" : "with an error", because);
    case kind::scope_closed:
      return subject() + " was closed";
    case kind::scope_joined:
      return fmt::format("the last child of {} had ended", subject());
    case kind::task_created:
      return subject() + " was created";
    case kind::task_ready:
      return subject() + " was admitted";
    case kind::task_started:
      return fmt::format("the body of {} began{}", subject(),
                         e.value != 0 ? fmt::format(" on thread {}", e.value) : "");
    case kind::task_held:
      return subject() + " was held back by max_parallel";
    case kind::task_suspended:
      return subject() + " left its thread, to wait";
    case kind::task_resumed:
      return fmt::format("{} went on{}", subject(), e.value != 0 ? fmt::format(" on thread {}", e.value) : "");
    case kind::task_ended: {
      static constexpr std::string_view how[] = {"ok", "failed", "timed out", "cancelled", "skipped"};
      return fmt::format("{} ended: {}{}", subject(), e.value >= 0 && e.value <= 4 ? how[e.value] : "in an unknown way",
                         because);
    }
    case kind::task_skipped:
      return fmt::format("{} was skipped, since {}, which it comes after, did not end ok", subject(), other());
    case kind::actor_started:
      return subject() + " came up";
    case kind::actor_start_failed:
      return fmt::format("{} could not be started{}", subject(), because);
    case kind::actor_stop_asked:
      return subject() + " was told to stop";
    case kind::actor_ended:
      return fmt::format("{} {}{}", subject(), e.value != 0 || e.text != 0 ? "broke down" : "ended", because);
    case kind::resource_registered:
      return subject() + " was registered";
    case kind::release_started:
      return fmt::format("the release of {} began", subject());
    case kind::release_ended:
      return fmt::format("{} was released", subject());
    case kind::release_failed:
      return fmt::format("the release of {} failed{}", subject(), because);
    case kind::release_overdue:
      return fmt::format("the release of {} was overdue by {}", subject(), duration_text(e.value));
    case kind::linked:
      return fmt::format("{} linked itself to {}", application_actor(), subject());
    case kind::unlinked:
      return fmt::format("{} took back its link to {}", application_actor(), subject());
    case kind::dependency:
      return fmt::format("{} comes after {}", subject(), other());
    case kind::wait_began:
      return fmt::format("{} waited for {}", who == none_found ? where.text(who) : subject(),
                         e.value != 0 ? other() : said);
    case kind::wait_ended: {
      const auto* w = model.wait_at(model.find_event(e.cause));
      const auto target = w == nullptr                ? std::string{"something"}
                          : w->target != none_found ? where.with_kind(w->target)
                                                      : escaped(model.text(model.event_at(w->began).text));
      return fmt::format("the wait of {} for {} ended{}", who == none_found ? where.text(who) : subject(), target,
                         e.value != 0 ? fmt::format(" with error {}", e.value) : "");
    }
    case kind::exit_sent:
      return fmt::format("{} sent an exit message to {}{}", subject(), other(), because);
    case kind::exit_received:
      return fmt::format("{} received an exit message{}{}", subject(), sender(), because);
    case kind::cancel_asked:
      if (e.value == 0 && comes_from_above())
        return fmt::format("{} was asked to stop, as all below {} were", subject(), where.with_kind(cause_subject()));
      if (e.value == 0)
        return fmt::format("{} was cancelled by a call of cancel{}", subject(), caller());
      if (e.value == 2 && who != none_found && model.at(who).kind != node_kind::task)
        return fmt::format("{} cancelled all below it, since {} failed", subject(),
                           said.empty() ? "one of them" : said);
      return fmt::format("{} was asked to stop: {}{}", subject(), reason_word(e.value),
                         said.empty() || e.value == 1 ? "" : " (it began with " + said + ")");
    case kind::cancel_observed:
      return fmt::format("{} saw that it was asked, {} after", subject(), duration_text(e.value));
    case kind::timeout:
      return fmt::format("the deadline of {} passed (limit {})", subject(), duration_text(e.value));
    case kind::failure:
      return fmt::format("{} failed{}", subject(), because);
    case kind::unresponsive:
      return fmt::format("{} was unresponsive: no answer for {}{}", subject(), duration_text(e.value),
                         said.empty() ? "" : "; it last checked in at " + said);
    case kind::spawn_refused:
      return fmt::format("{} was refused: {}", subject(), reason_word(e.value));
    case kind::restart_decided:
      return fmt::format("a restart was decided ({}); {} in the window", said.empty() ? "strategy unknown" : said,
                         counted(static_cast<std::uint64_t>(std::max<std::int64_t>(0, e.value)), "restart"));
    case kind::restart_backoff:
      return fmt::format("{} waits {} before it is started again{}", subject(), duration_text(e.value),
                         said.empty() ? "" : " (" + said + ")");
    case kind::restart_done:
      return fmt::format("{} was started again (restart {})", subject(), e.value);
    case kind::restart_abandoned:
      return fmt::format("{} was not started again: {}", subject(),
                         before != none_found && model.event_at(before).kind == kind::restart_decided
                             ? "there were too many restarts"
                             : "a stop came first");
    case kind::intensity_exceeded:
      return fmt::format("{} gave up after {}{}", subject(),
                         counted(static_cast<std::uint64_t>(std::max<std::int64_t>(0, e.value)), "restart"), because);
    case kind::pool_create_failed:
      return fmt::format("{} could not make a resource{}", subject(), because);
    case kind::pool_check_failed:
      return fmt::format("a resource of {} failed its health check{}", subject(), because);
    case kind::lease_granted:
      return fmt::format("{} lent a resource to {}", subject(), other());
    case kind::lease_returned:
      return fmt::format("a resource came back to {} from {}", subject(), other());
    case kind::lease_reclaimed:
      return fmt::format("{} took a resource back from {}, which had ended with it", subject(), other());
    case kind::breaker_opened:
      return fmt::format("{} opened for {}{}", subject(), e.value == INT64_MAX ? "good" : duration_text(e.value),
                         because);
    case kind::breaker_half_opened:
      return subject() + " let probes through";
    case kind::breaker_closed:
      return subject() + " closed";
    case kind::breaker_refused:
      return fmt::format("{} refused a call{}", subject(), e.value != 0 ? " of " + other() : "");
    case kind::retry_scheduled:
      return fmt::format("{} tries again in {}{}", subject(), duration_text(e.value), because);
    case kind::retry_gave_up:
      return fmt::format("{} gave up after {}{}", subject(),
                         counted(static_cast<std::uint64_t>(std::max<std::int64_t>(0, e.value)), "attempt"), because);
    case kind::lane_grown:
      return fmt::format("the lane grew to {}", workers());
    case kind::lane_shrunk:
      return fmt::format("the lane shrank to {}", workers());
    case kind::lane_saturated:
      return fmt::format("all workers were blocked, with {} ready",
                         counted(static_cast<std::uint64_t>(std::max<std::int64_t>(0, e.value)), "item"));
    case kind::note:
      return fmt::format("{} said: {}", subject(), said);
    default:
      return fmt::format("{} of {}{}", to_string(e.kind), subject(), because);
  }
}

} // namespace muster::trace_viewer
