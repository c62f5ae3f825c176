/// The one way in which a thread waits.
#include "waiting.hpp"

#include "duty.hpp"
#include "parking.hpp"
#include "scope_actor.hpp"
#include "task_actor.hpp"

namespace muster {

namespace {

/// How many bodies may stand on top of each other on one stack because there was no thread for them.
constexpr int most_helped = 64;
thread_local int helped_here = 0;

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

/// Follows who waits for whom from `at` on, one lock at a time.
bool waits_for_me(task_actor& at, const task_actor& me) {
  constexpr int longest = 10'000;
  actor_ref<task_actor> next{&at};
  for (int step = 0; next && step < longest; ++step) {
    next = next->waits_for();
    if (next.get() == &me)
      return true;
  }
  return false;
}

waited block(const wait_request& wanted) {
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
      if (runtime::park_until(wanted.address, wanted.engine->due(), next, wanted.ready))
        return waited::done;
      wanted.remind();
      continue;
    }
    if (wanted.until == never) {
      runtime::park(wanted.address, wanted.ready);
      return waited::done;
    }
    return runtime::park_until(wanted.address, wanted.engine->due(), wanted.until, wanted.ready) ? waited::done
                                                                                                : waited::timed_out;
  }
  return waited::done;
}

} // namespace

waited wait_for(wait_request request) {
  if (request.ready())
    return waited::done;
  if (request.until != never && request.until <= request.engine->now())
    return waited::timed_out;
  const duty* d = current_duty();
  task_actor* body = d && d->body ? d->task : nullptr;
  if (!body)
    return block(request);
  wait_note note{.what = std::move(request.what), .since = request.engine->now(), .task = request.task};
  body->enter_wait(note);
  if (request.lends_permit)
    body->lend_permit();
  // The note is up already: of those that close a circle the last one sees it.
  const auto how = request.task && waits_for_me(*request.task, *body) ? waited::would_deadlock : block(request);
  if (request.lends_permit)
    body->reclaim_permit();
  body->leave_wait(note);
  return how;
}

error would_deadlock(const std::string& path) {
  const duty* d = current_duty();
  const std::string who = d && d->task ? d->task->path() : d && d->scope ? d->scope->path() : std::string{};
  return error{errc::would_deadlock,
               "waiting here for " + path + " would wait for ever: " + who + " runs under it, or is what it waits for"}
    .with_path(who);
}

} // namespace muster
