/// How a supervisor comes to its end, and how that is waited for.
#include "supervisor.hpp"

#include "duty.hpp"
#include "manager_actor.hpp"
#include "owned_actor.hpp"
#include "parking.hpp"
#include "scope_actor.hpp"
#include "task_actor.hpp"
#include "waiting.hpp"

#include <algorithm>

namespace muster {

bool supervisor::attentive() const noexcept {
  return machine_.sealed() || machine_.draining() || machine_.waited_for() ||
         machine_.at() != scope_machine::phase::open;
}

void supervisor::close() {
  {
    std::lock_guard guard{mutex_};
    if (machine_.sealed() || ended())
      return;
    machine_.close();
    engine().record(event_kind::scope_closed, id(), last_event_.load());
  }
  signal(advance_flag);
}

void supervisor::drain() {
  {
    std::lock_guard guard{mutex_};
    machine_.drain();
  }
  signal(advance_flag);
}

void supervisor::on_signal(std::uint32_t flags) noexcept {
  if (flags & propagate_flag)
    propagate();
  if (flags & advance_flag)
    advance();
}

void supervisor::propagate() noexcept {
  // In slices, so that a scope with a million children does not keep the others waiting; and a slice in steps, so that
  // those who have been woken need not wait for this lock for long.
  constexpr std::size_t steps = 64;
  for (std::size_t step = 0; step != steps; ++step) {
    std::lock_guard guard{mutex_};
    const auto& mine = machine_.reason();
    if (!mine)
      return;
    std::size_t budget = asked_in_a_step;
    if (!nested_.empty()) {
      const auto inherited = mine.inherited();
      for (; budget > 0 && !nested_.empty(); --budget) {
        supervisor& below = nested_.front();
        intrusive_list<supervisor, nested_link>::remove(below);
        nested_asked_.push_back(below);
        if (!below.shielded_)
          below.cancel(inherited);
      }
    }
    if (!ask_members(budget, mine) && nested_.empty())
      return;
  }
  signal(propagate_flag);
}

void supervisor::advance() noexcept {
  for (;;) {
    std::unique_lock guard{mutex_};
    if (!entered_ || (unsettled() && !cancelled_here()) || somebody_leaves())
      return;
    const auto before = machine_.at();
    const bool last_ones = owned_.empty() && (!overdue_.empty() || untold());
    const auto what = machine_.next(owned_.size() + overdue_.size(), releasing_ || last_ones);
    if (before == scope_machine::phase::open && machine_.at() != before)
      last_event_ = engine().record(event_kind::scope_joined, id(), last_event_.load());
    switch (what) {
      case scope_machine::command::none:
        return;
      case scope_machine::command::drain_nested:
        if (!std::exchange(drained_nested_, true)) {
          // One that comes later may still be used by those that are draining: it is told when one of them has left.
          newborn_ = false;
          nested_.each([](supervisor& below) { below.drain(); });
          nested_asked_.each([](supervisor& below) { below.drain(); });
        }
        return;
      case scope_machine::command::stop_daemons:
        ask_daemons();
        break;
      case scope_machine::command::release_next:
        guard.unlock();
        release_next();
        break;
      case scope_machine::command::end:
        finish(std::move(guard));
        return;
    }
  }
}

void supervisor::finish(std::unique_lock<runtime::mutex> lock) noexcept {
  const bool flawed = machine_.flawed();
  const std::string headline = flawed ? machine_.headline() : std::string{};
  // What the user gave is destroyed where user code may run.
  struct leftovers {
    context_values values;
    std::shared_ptr<const progress_hook> progress;
    std::optional<std::stop_source> source;
  };
  auto left = std::make_shared<leftovers>(leftovers{std::move(values_), std::move(progress_), std::move(stop_source_)});
  values_ = {};
  progress_ = {};
  stop_source_.reset();
  const bool user_things = !left->values.empty() || left->progress;
  lock.unlock();

  outside_callback_.reset();
  engine().due().disarm(*this);
  if (user_things)
    engine().serve(path(), [left = std::move(left)] {});
  const auto because = flawed && flaw_event_.load() != 0 ? flaw_event_.load() : last_event_.load();
  last_event_ = engine().record(kind_ == node_kind::manager ? event_kind::manager_ended : event_kind::scope_ended, id(),
                                because, flawed ? 1 : 0, std::string_view{headline});
  engine().trace().died(living_, last_event_.load());
  announce_end(!flawed            ? caf::error{}
               : cancelled_here() ? runtime::cancelled_exit(headline)
                                  : runtime::failed_exit(headline));
  at_end();
  // Whoever sees that it has ended finds it gone from the tree; and the one above ends after it.
  actor_ref<supervisor> self{this};
  const bool was_listed = above_ && above_->unlist(*this);
  ended_.store(true, std::memory_order_release);
  runtime::unpark_all(&ended_);
  if (was_listed)
    above_->nested_left(*this);
}

std::optional<error> supervisor::verdict() const {
  std::lock_guard guard{mutex_};
  if (!machine_.flawed())
    return std::nullopt;
  return machine_.verdict(path());
}

supervisor::flaws_found supervisor::flaws() const {
  std::lock_guard guard{mutex_};
  return {machine_.listed(), machine_.failed_itself()};
}

bool supervisor::unlist(supervisor& who) noexcept {
  bool further_up = false;
  bool was_listed = false;
  statistics sum;
  {
    std::lock_guard guard{mutex_};
    sum = who.hand_up();
    folded_ += sum;
    further_up = handed_up_;
    was_listed = who.list_link::linked(); // else it came too late to become one
    if (was_listed)
      who.list_link::unlink();
  }
  // What ends below one that has ended itself is counted further up.
  if (further_up && above_)
    above_->fold(sum);
  return was_listed;
}

void supervisor::nested_left(supervisor& who) noexcept {
  if (who.owner_) {
    who.owner_->open_scopes_.fetch_sub(1, std::memory_order_acq_rel);
    runtime::unpark_all(&who.owner_->open_scopes_);
    who.owner_->wake_suspended();
  } else {
    notice_cancellation();
    bool look = false;
    {
      std::lock_guard guard{mutex_};
      machine_.left(scope_machine::member::nested);
      if (newborn_)
        drained_nested_ = false;
      look = attentive();
    }
    if (look)
      signal(advance_flag);
  }
  runtime::release_actor(who);
}

void supervisor::fold(const statistics& sum) noexcept {
  for (supervisor* s = this; s; s = s->above_.get()) {
    std::lock_guard guard{s->mutex_};
    s->folded_ += sum;
    if (!s->handed_up_)
      return;
  }
}

// -- joining ----------------------------------------------------------------------------------------------------------

void supervisor::tell_joined(std::string_view by) {
  const duty* d = current_duty();
  const auto who = d && d->body ? d->task->id() : 0;
  const auto began =
      engine().record(event_kind::wait_began, who, event_of_this_body(), static_cast<std::int64_t>(id()), by);
  const auto over = engine().record(event_kind::wait_ended, who, began);
  if (who == 0 || !flawed())
    return;
  std::lock_guard guard{d->task->scope_->mutex_};
  d->task->more().failed_wait = over;
}

std::optional<error> supervisor::join(time_point until) {
  if (ended()) {
    tell_joined({});
    return std::nullopt;
  }
  expect_no_forked_child();
  if (works_under(*this))
    return would_deadlock(path());
  const auto too_early = [&] { return error{errc::not_ready, "it had not ended in the time given"}.with_path(path()); };
  if (until <= engine().now())
    return too_early();
  begin_join();
  if (ended()) {
    tell_joined({});
    return std::nullopt;
  }
  const auto how = wait_for({.address = &ended_,
                             .ready = [this] { return ended(); },
                             .engine = &engine(),
                             .until = until,
                             .what = current_duty() ? std::string{to_string(kind_)} + " " + path() : std::string{},
                             .scope = this});
  if (how == waited::done)
    return std::nullopt;
  give_up_waiting();
  if (how == waited::called_off)
    return called_off(path());
  if (how == waited::no_threads)
    return error{errc::no_threads, "nothing below could run while this thread waits: the system gives no more threads"}
      .with_path(path());
  return too_early();
}

void supervisor::begin_join() {
  bool many = false;
  {
    std::lock_guard guard{mutex_};
    machine_.waiter_came();
    many = !nested_.empty() || !nested_asked_.empty();
  }
  if (many) // who waits for some time only shall not have to tell a crowd first
    signal(advance_flag);
  else
    signal_here(advance_flag);
}

void supervisor::say_who_is_left() {
  std::string whom;
  for (const auto& who : survivors(8))
    whom += (whom.empty() ? "" : ", ") + who;
  engine().log(log_kind::end_held_up, path(), "its end is held up by: " + (whom.empty() ? "a release" : whom));
  engine().keep_trace(runtime::engine::keep_for::stalled_shutdown, path());
}

void supervisor::give_up_waiting() {
  std::vector<actor_ref<supervisor>> undrained;
  const auto look_below = [&](supervisor& s) {
    if (s.attentive())
      return; // it is on its way to its end for another reason
    s.drained_nested_ = false;
    const auto keep = [&](supervisor& below) { undrained.emplace_back(&below); };
    s.nested_.each(keep);
    s.nested_asked_.each(keep);
  };
  {
    std::lock_guard guard{mutex_};
    machine_.waiter_gave_up();
    look_below(*this);
  }
  while (!undrained.empty()) {
    const auto one = std::move(undrained.back());
    undrained.pop_back();
    std::lock_guard guard{one->mutex_};
    one->machine_.undrain();
    look_below(*one);
  }
}

void supervisor::join_for_ever() noexcept {
  if (ended())
    return;
  expect_no_forked_child();
  begin_join();
  if (ended()) {
    tell_joined("its destructor");
    return;
  }
  const auto say_who = [this] { say_who_is_left(); };
  static_cast<void>(wait_for({.address = &ended_,
                              .ready = [this] { return ended(); },
                              .engine = &engine(),
                              .what = current_duty() ? std::string{to_string(kind_)} + " " + path() : std::string{},
                              .scope = this,
                              .gives_up = false,
                              .remind_every = std::max<duration>(grace_, std::chrono::milliseconds{1}),
                              .remind = say_who}));
}

} // namespace muster
