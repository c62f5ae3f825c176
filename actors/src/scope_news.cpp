/// What a scope that restarts tells its on_child hook: one event after the other, in the order in which things
/// happened.
#include "child_supervision.hpp"
#include "duty.hpp"

namespace muster {

void scope_actor::tell(child_event what) {
  if (!children_ || !children_->on_child)
    return;
  children_->news.push_back(std::move(what));
  if (!std::exchange(children_->telling, true))
    engine().serve(path(), [self = actor_ref<scope_actor>{this}] { self->deliver_news(); });
}

void scope_actor::tell(const actor_child& child, child_transition what, std::uint64_t which, std::string text,
                       bool for_good) {
  if (children_ && children_->on_child)
    tell(child_event{child.path(), what, which, std::move(text), for_good});
}

bool scope_actor::untold() const noexcept { return children_ && children_->telling; }

void scope_actor::about_overdue(owned_actor& which, const error& report) {
  if (which.kind() == node_kind::actor)
    tell({.path = which.path(), .what = child_transition::unresponsive, .text = report.message()});
}

void scope_actor::deliver_news() noexcept {
  const duty_mark mark{{.scope = this}};
  for (;;) {
    child_event event;
    std::shared_ptr<const child_hook> hook;
    {
      std::lock_guard guard{mutex_};
      if (children_->news.empty()) {
        children_->telling = false;
        break;
      }
      event = std::move(children_->news.front());
      children_->news.pop_front();
      hook = children_->on_child;
    }
    try {
      (*hook)(event);
    } catch (const std::exception& e) {
      engine().log(log_kind::callback_threw, path(), std::string{"an on_child hook threw: "} + e.what());
    } catch (...) {
      engine().log(log_kind::callback_threw, path(), "an on_child hook threw something that is no std::exception");
    }
  }
  signal(advance_flag); // the end may have waited for this
}

} // namespace muster
