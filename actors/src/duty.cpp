/// The duties of the present thread, and the question whether something is above it.
#include "duty.hpp"

#include "scope_actor.hpp"
#include "task_actor.hpp"

namespace muster {

namespace {
thread_local const duty* current = nullptr;
}

const duty* current_duty() noexcept { return current; }

duty_mark::duty_mark(duty d) noexcept : mine_(d) {
  mine_.below = current;
  current = &mine_;
}

duty_mark::~duty_mark() { current = mine_.below; }

std::uint64_t event_of_this_body() noexcept {
  const duty* d = current_duty();
  return d && d->body ? d->task->last_event() : 0;
}

bool works_under(const supervisor& who) noexcept {
  for (const duty* d = current; d; d = d->below)
    for (const supervisor* s = d->scope; s; s = s->above())
      if (s == &who)
        return true;
  return false;
}

bool works_for_child(const void* who) noexcept {
  for (const duty* d = current; d; d = d->below)
    if (d->child == who)
      return true;
  return false;
}

bool works_under(const task_actor& who) noexcept {
  for (const duty* d = current; d; d = d->below) {
    if (d->task == &who)
      return true;
    for (const supervisor* s = d->scope; s; s = s->above())
      if (s->owner() == &who)
        return true;
  }
  return false;
}

} // namespace muster
