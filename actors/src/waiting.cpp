/// The one way in which a thread waits.
#include "waiting.hpp"

#include "duty.hpp"
#include "fork_mark.hpp"
#include "parking.hpp"
#include "scope_actor.hpp"
#include "task_actor.hpp"

#include <muster/assert.hpp>

namespace muster {

void expect_no_forked_child() {
  MUSTER_ASSERT(!runtime::is_forked_child(), "a manager was used in a child of fork(): its threads are the parent's, "
                                             "and the child may only exec or _exit");
}

namespace {

/// How many bodies may stand on top of each other on one stack because there was no thread for them.
constexpr int most_helped = 64;
thread_local int helped_here = 0;

std::string in_ms(duration d) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(d).count()) + " ms";
}

bool hangs_below(const task_actor& task, const wait_request& wanted) {
  if (&task == wanted.task)
    return true;
  for (const supervisor* s = &task.scope(); s; s = s->above()) {
    if (wanted.scope && s == wanted.scope)
      return true;
    if (wanted.task && s->owner() == wanted.task)
      return true;
  }
  return false;
}

/// Runs one queued task that the wait is for, on this stack. Never unrelated work: that may need what this stack holds.
bool help(const wait_request& wanted) {
  if ((!wanted.scope && !wanted.task) || helped_here >= most_helped)
    return false;
  // The work lane holds tasks and nothing else.
  auto* item = wanted.engine->work().take_if(
    [&](const runtime::lane_item& i) { return hangs_below(static_cast<const task_actor&>(i), wanted); });
  if (!item)
    return false;
  ++helped_here;
  runtime::lane::run_here(*item);
  --helped_here;
  return true;
}

/// What kind of thread waits, for a report of a deadlock.
std::string who_waits_here() {
  const duty* d = current_duty();
  if (!d)
    return "the simulation's own thread";
  if (d->task)
    return (d->body ? "" : "a callback of ") + d->task->path();
  return d->scope ? "a release or callback of " + d->scope->path() : std::string{"a callback"};
}

std::string what_for(const wait_request& wanted, const std::string& what) {
  if (!what.empty())
    return what;
  if (wanted.task)
    return "task " + wanted.task->path();
  return wanted.scope ? std::string{to_string(wanted.scope->kind())} + " " + wanted.scope->path()
                      : std::string{"something"};
}

/// A wait as the trace tells of it: by whose body (0: a thread from outside), for whom or what.
class recorded_wait {
public:
  recorded_wait(const wait_request& wanted, const task_actor* body) : wanted_{wanted}, who_{body ? body->id() : 0} {
    if (!wanted.recorded || (!body && current_duty()))
      return;
    const auto whom = wanted.task ? wanted.task->id() : wanted.scope ? wanted.scope->id() : 0;
    // The name of a node is known by its id.
    const std::string_view what = wanted.remind_every != duration::max() ? std::string_view{"its destructor"}
                                  : whom != 0                            ? std::string_view{}
                                                                         : std::string_view{wanted.what};
    began_ = wanted.engine->record(event_kind::wait_began, who_, body ? body->last_event() : 0,
                                   static_cast<std::int64_t>(whom), what);
  }
  /// Returns the event, if what was waited for has not ended well; else 0.
  std::uint64_t ended(waited how) const {
    if (began_ == 0)
      return 0;
    const auto code = how == waited::done         ? 0
                      : how == waited::timed_out  ? static_cast<int>(errc::not_ready)
                      : how == waited::no_threads ? static_cast<int>(errc::no_threads)
                                                  : static_cast<int>(errc::would_deadlock);
    const auto event = wanted_.engine->record(event_kind::wait_ended, who_, began_, code);
    const bool bad = how == waited::done && ((wanted_.task && !wanted_.task->job().out->ok()) ||
                                             (!wanted_.task && wanted_.scope && wanted_.scope->flawed()));
    return bad ? event : 0;
  }

private:
  const wait_request& wanted_;
  const std::uint64_t who_;
  std::uint64_t began_ = 0;
};

waited block(const wait_request& wanted, const std::string& what) {
  const std::string who = wanted.engine->simulated() ? who_waits_here() : std::string{};
  const auto since = wanted.engine->now();
  const auto who_for_what = [&] {
    return who + " waits for " + what_for(wanted, what) + ", for " + in_ms(wanted.engine->now() - since);
  };
  expect_no_forked_child();
  const runtime::wait_label label{who_for_what, wanted.gives_up};
  runtime::wait_region region;
  while (!wanted.ready()) {
    if (!region.replaced()) {
      if (help(wanted))
        continue;
      if (wanted.gives_up)
        return waited::no_threads;
    }
    if (wanted.remind_every != duration::max()) {
      const auto next = saturating_add(wanted.engine->now(), wanted.remind_every);
      if (runtime::park_until(wanted.address, wanted.engine->due(), next, wanted.ready, label))
        return waited::done;
      wanted.remind();
      continue;
    }
    if (wanted.until == never)
      return runtime::park(wanted.address, wanted.ready, label) ? waited::done : waited::called_off;
    if (runtime::park_until(wanted.address, wanted.engine->due(), wanted.until, wanted.ready, label))
      return waited::done;
    return wanted.engine->now() < wanted.until ? waited::called_off : waited::timed_out;
  }
  return waited::done;
}

} // namespace

waited wait_for(wait_request request) {
  if (request.ready())
    return waited::done;
  if (request.until != never && request.until <= request.engine->now())
    return waited::timed_out;
  MUSTER_ASSERT(
      runtime::conductor::this_strand() == nullptr || request.engine->simulated(),
      "a thread inside a simulation waits for a manager outside it, which lives in real time: give that manager the "
      "simulation's clock, or use it before and after the simulation");
  runtime::conductor::pause_here(runtime::pause::call);
  const duty* d = current_duty();
  task_actor* body = d && d->body ? d->task : nullptr;
  const recorded_wait record{request, body};
  if (!body) {
    const auto how = block(request, request.what);
    record.ended(how);
    return how;
  }
  wait_note note{.what = std::move(request.what), .since = request.engine->now(), .task = request.task};
  body->enter_wait(note);
  if (request.lends_permit)
    body->lend_permit();
  // The note is up already: of those that close a circle the last one sees it.
  const auto how =
      request.task && waits_for_me(*request.task, *body) ? waited::would_deadlock : block(request, note.what);
  if (request.lends_permit)
    body->reclaim_permit();
  body->leave_wait(note, record.ended(how));
  return how;
}

bool waits_for_me(task_actor& at, const task_actor& me) {
  // Follows who waits for whom, one lock at a time.
  constexpr int longest = 10'000;
  actor_ref<task_actor> next{&at};
  for (int step = 0; next && step < longest; ++step) {
    next = next->waits_for();
    if (next.get() == &me)
      return true;
  }
  return false;
}

error would_deadlock(const std::string& path) {
  const duty* d = current_duty();
  const std::string who = d && d->task ? d->task->path() : d && d->scope ? d->scope->path() : std::string{};
  return error{errc::would_deadlock,
               "waiting here for " + path + " would wait for ever: " + who + " runs under it, or is what it waits for"}
    .with_path(who);
}

error called_off(const std::string& path) {
  return error{errc::would_deadlock,
               "the wait for " + path + " was called off: nobody was left who could have ended it"}
      .with_path(path);
}

} // namespace muster
