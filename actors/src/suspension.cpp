/// The loop that runs a coroutine body, puts it to sleep and takes it up again.
#include "suspension.hpp"

#include "duty.hpp"
#include "scope_actor.hpp"
#include "task_actor.hpp"
#include "waiting.hpp"

#include <muster/async_context.hpp>
#include <muster/assert.hpp>

#include <algorithm>

namespace muster {

namespace {

template <class Ending>
std::int64_t code_of(Ending how) noexcept {
  using ending = Ending;
  switch (how) {
    case ending::timed_out:
      return static_cast<std::int64_t>(errc::timed_out);
    case ending::cancelled:
      return static_cast<std::int64_t>(errc::cancelled);
    case ending::would_deadlock:
      return static_cast<std::int64_t>(errc::would_deadlock);
    default:
      return 0;
  }
}

} // namespace

// -- waking -----------------------------------------------------------------------------------------------------------

void suspension::wake() noexcept {
  if (rouse())
    go();
}

void suspension::go() noexcept { task_.scope().engine().work().push(task_); }

void suspension::retain() noexcept { runtime::retain_actor(task_); }
void suspension::release() noexcept { runtime::release_actor(task_); }

std::string suspension::who_waits() const {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(task_.scope().engine().now() - since_).count();
  return task_.path() + " waits for " + what() + ", for " +
         std::to_string(ms) + " ms, suspended";
}

// -- running ----------------------------------------------------------------------------------------------------------

bool suspension::go_on() noexcept {
  const bool first = !begun();
  if (!first)
    word_.resume();
  begin_segment();
  {
    duty_mark mark{{.task = &task_, .scope = &task_.scope(), .body = true}};
    if (first) {
      begun_ = true;
      task_.job().run(*task_.make_context());
    }
    if (!run() || !joined_leaked())
      return false;
    task_.job().collect(task_.the_context());
  }
  word_.end();
  task_.settle_run(segment_began_, cpu_);
  return true;
}

bool suspension::run() noexcept {
  for (;;) {
    auto& at = course();
    while (auto frame = std::exchange(at.next, {}))
      frame.resume();
    if (!at.waiting)
      return true;
    if (!wait_is_over())
      return false;
    at.next = std::exchange(at.waiting, nullptr)->frame_;
  }
}

bool suspension::wait_is_over() noexcept {
  auto& at = *course().waiting;
  for (;;) {
    switch (stage_) {
      case stage::none:
        begin_wait(at);
        if (stage_ == stage::none)
          return true;
        if (stage_ == stage::again || stage_ == stage::blocking) {
          requeue();
          return false;
        }
        break; // once more, now that whoever makes it ready would be heard
      case stage::waiting:
        if (const auto how = look(at)) {
          at.ending_ = *how;
          stage_ = stage::reclaiming;
          break;
        }
        if (sleep())
          return false;
        break;
      case stage::reclaiming:
        if (at.lends_ && !permit_is_back()) {
          if (sleep())
            return false;
          break;
        }
        end_wait();
        return true;
      case stage::blocking:
        if (asked(at)) {
          at.ending_ = ending::cancelled;
          task_.blocking = blocking_before_;
          task_.leave_quick_wait();
          stage_ = stage::none;
          return true;
        }
        task_.leave_quick_wait();
        at.call(async_context_access::plain(*at.ctx_));
        at.ending_ = ending::done;
        // The rest does not block any more: it goes on as what it was.
        task_.blocking = blocking_before_;
        task_.enter_quick_wait();
        stage_ = stage::again;
        requeue();
        return false;
      case stage::again:
        task_.leave_quick_wait();
        if (at.ending_ == ending::none)
          at.ending_ = asked(at) ? ending::cancelled : ending::done;
        stage_ = stage::none;
        return true;
      case stage::joining:
        return true;
    }
  }
}

void suspension::begin_wait(detail::wait_point& on) noexcept {
  runtime::conductor::pause_here(runtime::pause::call);
  called_off_ = false;
  if (on.ending_ != ending::none)
    return;
  if (on.manner_ != manner::wait) {
    if (asked(on)) {
      on.ending_ = ending::cancelled;
      return;
    }
    task_.enter_quick_wait();
    blocking_before_ = task_.blocking;
    task_.blocking = task_.blocking || on.manner_ == manner::blocking;
    stage_ = on.manner_ == manner::blocking ? stage::blocking : stage::again;
    return;
  }
  // A wait that is over already costs neither a lock nor the permit.
  if (const auto how = look(on)) {
    on.ending_ = *how;
    if (on.recorded_ == detail::wait_point::recording::always) {
      wait_event_ = tell_began(on);
      note_bad_end(tell_ended(on));
    }
    return;
  }
  auto& engine = task_.scope().engine();
  {
    std::lock_guard guard{task_.scope().mutex_};
    shown_ = &on;
    since_ = engine.now();
    task_.in_waits_.fetch_add(1, std::memory_order_relaxed);
  }
  auto* awaited = on.awaited_task();
  if (on.recorded_ != detail::wait_point::recording::elsewhere)
    wait_event_ = tell_began(on);
  stage_ = stage::waiting;
  // It is shown already: of those that close a circle the last one sees it.
  if (awaited && waits_for_me(*awaited, task_)) {
    on.ending_ = ending::would_deadlock;
    stage_ = stage::reclaiming;
  }
  if (on.lends_)
    task_.lend_permit();
  if (const void* address = on.address())
    runtime::lie_down(address, *this);
  if (on.until_ != never) {
    armed_ = true;
    engine.due().arm(*this, on.until_);
  }
}

std::optional<suspension::ending> suspension::look(detail::wait_point& at) noexcept {
  if (at.ready())
    return ending::done;
  if (at.follows_ && !called_off_ && asked(at)) {
    if (at.call_off())
      return ending::cancelled;
    called_off_ = true;
    if (at.ready())
      return ending::done;
  }
  if (at.until_ != never && task_.scope().engine().now() >= at.until_)
    return ending::timed_out;
  return std::nullopt;
}

bool suspension::asked(const detail::wait_point& at) const noexcept {
  return at.asked();
}

bool suspension::permit_is_back() noexcept { return task_.scope().permit_is_back(task_, *this); }

void suspension::end_wait() noexcept {
  auto& at = *course().waiting;
  stage_ = stage::none;
  if (at.address())
    runtime::get_up(*this);
  auto& engine = task_.scope().engine();
  if (std::exchange(armed_, false))
    engine.due().disarm(*this);
  if (at.recorded_ != detail::wait_point::recording::elsewhere)
    note_bad_end(tell_ended(at));
  std::lock_guard guard{task_.scope().mutex_};
  shown_ = nullptr;
  task_.free_since_ = engine.now();
  task_.in_waits_.fetch_sub(1, std::memory_order_relaxed);
}

std::uint64_t suspension::tell_began(const detail::wait_point& on) noexcept {
  const auto whom = static_cast<std::int64_t>(on.awaited_id());
  auto& engine = task_.scope().engine();
  const auto cause = task_.last_event_.load(std::memory_order_relaxed);
  if (whom != 0) // its name is known by its id
    return engine.record(event_kind::wait_began, task_.id(), cause, whom, std::string_view{});
  return engine.record(event_kind::wait_began, task_.id(), cause, 0, std::string_view{on.what()});
}

std::uint64_t suspension::tell_ended(const detail::wait_point& on) noexcept {
  const auto over =
    task_.scope().engine().record(event_kind::wait_ended, task_.id(), wait_event_, code_of(on.ending_));
  return on.ending_ == ending::done && on.ended_badly() ? over : 0;
}

void suspension::note_bad_end(std::uint64_t event) noexcept {
  if (event == 0)
    return;
  std::lock_guard guard{task_.scope().mutex_};
  task_.more().failed_wait = event;
}

// -- on and off the worker --------------------------------------------------------------------------------------------

void suspension::begin_segment() noexcept {
  auto& engine = task_.scope().engine();
  if (std::exchange(quiet_, false))
    engine.control().time()->conductor()->heard_from(*rare_);
  segment_began_ = engine.now();
  if (begun())
    task_.resumed_on_this_thread();
  else
    task_.started_on_this_thread();
}

void suspension::end_segment() noexcept {
  cpu_ += task_.cpu_since(segment_began_);
  task_.left_this_thread();
}

bool suspension::sleep() noexcept {
  auto& engine = task_.scope().engine();
  runtime::conductor::pause_here(runtime::pause::inside);
  end_segment();
  if (engine.simulated()) {
    quiet_ = true;
    engine.control().time()->conductor()->fell_quiet(rare());
  }
  if (word_.suspend())
    return true;
  begin_segment();
  return false;
}

void suspension::requeue() noexcept {
  end_segment();
  word_.requeue();
  go();
}

// -- what the body left open ------------------------------------------------------------------------------------------

bool suspension::joined_leaked() noexcept {
  auto& engine = task_.scope().engine();
  if (stage_ != stage::joining) {
    if (task_.open_scopes_.load(std::memory_order_acquire) == 0)
      return true;
    task_.enter_quick_wait();
    {
      std::lock_guard guard{task_.scope().mutex_};
      leaves_ = true;
      since_ = engine.now();
    }
    stage_ = stage::joining;
    for (auto& below : task_.cancel_open_scopes()) {
      rare().left.push_back(engine.record(event_kind::wait_began, task_.id(),
                                          task_.last_event_.load(std::memory_order_relaxed),
                                          static_cast<std::int64_t>(below->id()), std::string_view{"its destructor"}));
      below->begin_join();
    }
  }
  while (task_.open_scopes_.load(std::memory_order_acquire) != 0) {
    const auto every = std::max<duration>(task_.scope().grace(), std::chrono::milliseconds{1});
    if (const auto now = engine.now(); !armed_ || now >= due()) {
      if (std::exchange(armed_, true))
        task_.say_what_is_open();
      engine.due().arm(*this, saturating_add(now, every));
    }
    if (sleep())
      return false;
  }
  if (std::exchange(armed_, false))
    engine.due().disarm(*this);
  for (const auto began : rare().left)
    engine.record(event_kind::wait_ended, task_.id(), began);
  {
    std::lock_guard guard{task_.scope().mutex_};
    leaves_ = false;
  }
  task_.leave_quick_wait();
  stage_ = stage::none;
  return true;
}

std::shared_ptr<void>& suspension::refusal_of(const void* type) {
  auto& all = rare().refusals;
  for (auto& [what, place] : all)
    if (what == type)
      return place;
  return all.emplace_back(type, nullptr).second;
}

suspension::rarely& suspension::rare() {
  if (!rare_)
    rare_ = std::make_unique<rarely>(*this);
  return *rare_;
}

detail::course& suspension::course() const noexcept { return *task_.job().coroutine(); }

} // namespace muster
