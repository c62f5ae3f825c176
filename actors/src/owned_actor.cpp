/// The stopping of one owned thing, and the watch over how long it takes.
#include "owned_actor.hpp"

#include "supervisor.hpp"

namespace muster {

owned_actor::owned_actor(supervisor& scope, std::string name, duration limit, node_kind kind)
    : control_actor(scope.shared_engine()),
      scope_(&scope),
      name_(std::move(name)),
      limit_(limit),
      kind_(kind),
      created_(scope.engine().now()) {}

std::string owned_actor::path() const { return scope_->place().text(&name_); }

void owned_actor::stop() noexcept {
  const auto now = engine().now();
  asked_at_ = now;
  if (limit_ != duration::max())
    engine().due().arm(*this, saturating_add(now, limit_));
  if (kind_ != node_kind::actor) // an actor tells of its incarnations itself
    last_event_ = engine().record(event_kind::release_started, id(), scope_->last_event(), limit_.count());
  begin_stop();
}

void owned_actor::stopped(const std::optional<error>& failure, bool released) noexcept {
  if (gone_.exchange(true))
    return;
  engine().due().disarm(*this);
  const auto took = (engine().now() - asked_at_.load()).count();
  if (failure)
    last_event_ = engine().record(event_kind::release_failed, id(), last_event_.load(), took,
                                  std::string_view{failure->message()});
  else if (kind_ != node_kind::actor)
    last_event_ = engine().record(event_kind::release_ended, id(), last_event_.load(), took);
  seen_gone(kind_ == node_kind::actor ? 0 : last_event_.load());
  announce_end({});
  scope_->owned_ended(*this, failure, released);
}

bool owned_actor::left() noexcept {
  if (!scope_->owned_left(*this))
    return false;
  gone_ = true;
  seen_gone(0);
  announce_end({});
  return true;
}

void owned_actor::on_due(time_point now) noexcept {
  if (gone_.load())
    return;
  const auto late = now - asked_at_.load();
  last_event_ = engine().record(kind_ == node_kind::actor ? event_kind::unresponsive : event_kind::release_overdue,
                                id(), last_event_.load(), (late - limit_).count());
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(late).count();
  const error report =
    error{errc::unresponsive, "stopping it has taken " + std::to_string(ms) + " ms so far, and is still awaited" +
                                   held_up_by()}
      .with_path(path());
  engine().log(log_kind::unresponsive, path(), report.message());
  if (!std::exchange(reported_, true))
    scope_->owned_overdue(*this, report);
  overdue();
  engine().due().arm(*this, saturating_add(now, std::max<duration>(limit_, std::chrono::milliseconds{1})));
}

tree_node owned_actor::draw(time_point now) const {
  tree_node node;
  node.kind = kind_;
  node.name = name_;
  node.age = now - created_;
  const auto asked = asked_at_.load();
  node.state = asked == time_point{} ? (kind_ == node_kind::actor ? "running" : "held")
                                     : (kind_ == node_kind::actor ? "stopping" : "releasing");
  if (asked != time_point{})
    node.age = now - asked;
  return node;
}

} // namespace muster
