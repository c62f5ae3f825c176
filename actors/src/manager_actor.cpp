/// The errors and the shutdown of a manager.
#include "manager_actor.hpp"

#include "duty.hpp"
#include "waiting.hpp"

namespace muster {

actor_ref<manager_actor> manager_actor::make(supervisor_seed seed, error_options errors, bool owns_engine) {
  auto* system = seed.engine->system_if_running();
  auto made = actor_ref<manager_actor>::adopt(runtime::light_storage<manager_actor>::make(
    system, 0, alignof(std::max_align_t), std::move(seed), std::move(errors), owns_engine));
  made->enter();
  return made;
}

manager_actor::manager_actor(supervisor_seed seed, error_options errors, bool owns_engine)
    : supervisor(node_kind::manager, std::move(seed)), owns_engine_(owns_engine), most_errors_(errors.most) {
  if (errors.hook)
    hook_ = std::make_shared<const std::function<void(const error&)>>(std::move(errors.hook));
}

void manager_actor::report(const error& what) {
  if (!detail::claim_report(what))
    return;
  for (supervisor* s = this; s; s = s->above())
    if (auto* manager = &s->foreman(); static_cast<supervisor*>(manager) == s)
      manager->list(what);
}

void manager_actor::list(const error& what) {
  std::optional<error> dropped;
  std::shared_ptr<const std::function<void(const error&)>> hook;
  {
    std::lock_guard guard{errors_mutex_};
    errors_.push_back(what);
    if (errors_.size() > most_errors_) {
      dropped = std::move(errors_.front());
      errors_.pop_front();
      ++dropped_;
    }
    hook = hook_;
  }
  if (dropped) // with its exception, whose destructor is the user's
    engine().serve({}, [dropped = std::move(dropped)] {});
  if (hook)
    engine().serve(path(), [hook = std::move(hook), what] { (*hook)(what); });
}

error_report manager_actor::errors() const {
  std::lock_guard guard{errors_mutex_};
  return {{errors_.begin(), errors_.end()}, dropped_};
}

std::uint64_t manager_actor::errors_dropped() const {
  std::lock_guard guard{errors_mutex_};
  return dropped_;
}

void manager_actor::at_end() noexcept {
  std::shared_ptr<const std::function<void(const error&)>> hook;
  {
    std::lock_guard guard{errors_mutex_};
    hook.swap(hook_);
  }
  if (hook) // its captures are the user's
    engine().serve(path(), [hook = std::move(hook)] {});
}

void manager_actor::on_due(time_point now) noexcept {
  cancel({cancel_kind::shutdown, path(), "the time for draining is up", now});
}

error manager_actor::still_here() {
  constexpr std::size_t most = 64;
  std::string whom;
  const auto left = survivors(most);
  for (const auto& who : left)
    whom += "\n  " + who;
  if (left.size() == most)
    whom += "\n  (and perhaps more)";
  return error{errc::survivors, "still here after the shutdown:" + (whom.empty() ? "\n  a release" : whom)}.with_path(
    path());
}

std::optional<error> manager_actor::shutdown(duration drain) {
  const auto until = saturating_add(engine().now(), std::max(drain, duration{}));
  last_event_ = engine().record(event_kind::manager_shutdown_began, id(), event_of_this_body(), drain.count());
  close();
  if (works_under(*this)) {
    set_alarm(until);
    return would_deadlock(path());
  }
  const auto over = [&](time_point limit) {
    return wait_for({.address = ended_address(),
                     .ready = [this] { return ended(); },
                     .engine = &engine(),
                     .until = limit,
                     .what = "shutdown of " + path(),
                     .scope = this,
                     .gives_up = false}) == waited::done;
  };
  if (over(until))
    return std::nullopt;
  cancel({cancel_kind::shutdown, path(), "the time for draining is up", engine().now()});
  if (over(saturating_add(until, grace())))
    return std::nullopt;
  const auto left = still_here();
  engine().record(event_kind::manager_shutdown_stalled, id(), last_event_.load(), 0, std::string_view{left.message()});
  engine().log(log_kind::shutdown_stalled, path(), left.message());
  engine().keep_trace(runtime::engine::keep_for::stalled_shutdown, path());
  return left;
}

} // namespace muster
