/// Watching and stopping an application's actor.
#include "actor_child.hpp"

#include "scope_actor.hpp"

namespace muster {

actor_child::actor_child(scope_actor& scope, std::string name, duration limit, caf::actor actor, bool daemon)
    : owned_actor(scope, std::move(name), limit, node_kind::actor), actor_(std::move(actor)), daemon_(daemon) {}

void actor_child::watch() { runtime::watch_actor(*this, actor_); }

void actor_child::on_signal(std::uint32_t) noexcept {
  if (down_)
    stopped(std::nullopt, false);
  else
    runtime::stop_actor(actor_);
}

void actor_child::on_down(const caf::down_msg& down) noexcept {
  if (std::exchange(down_, true))
    return;
  const auto text = down.reason ? runtime::text_of(down.reason) : std::string{};
  // Its state is the application's, and is not destroyed here.
  engine().serve(path(), [last = std::move(actor_)] {});
  actor_ = {};
  if (stopping()) {
    stopped(std::nullopt, false);
    return;
  }
  engine().record(event_kind::actor_ended, id(), 0, down.reason ? down.reason.code() : 0, std::string_view{text});
  std::optional<error> failure;
  if (down.reason)
    failure = error{errc::actor_exited, "the actor ended: " + text}.with_path(path());
  announce_end({});
  static_cast<scope_actor&>(scope()).actor_left(*this, daemon_, failure);
}

} // namespace muster
