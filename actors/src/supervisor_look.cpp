/// What can be seen of a supervisor from outside: its numbers, who is still there, its picture for a tree.
///
/// Threads: any; one supervisor is locked at a time, but for handing the numbers up (child inside parent).
#include "supervisor.hpp"

#include "owned_actor.hpp"
#include "task_actor.hpp"

namespace muster {

statistics& operator+=(statistics& sum, const statistics& more) noexcept {
  sum.scopes_created += more.scopes_created;
  sum.tasks_started += more.tasks_started;
  sum.tasks_completed += more.tasks_completed;
  sum.tasks_failed += more.tasks_failed;
  sum.tasks_timed_out += more.tasks_timed_out;
  sum.tasks_cancelled += more.tasks_cancelled;
  sum.tasks_skipped += more.tasks_skipped;
  sum.tasks_unresponsive += more.tasks_unresponsive;
  sum.tasks_live += more.tasks_live;
  sum.resources_released += more.resources_released;
  sum.actors_started += more.actors_started;
  sum.actors_restarted += more.actors_restarted;
  sum.actors_unresponsive += more.actors_unresponsive;
  sum.messages_refused += more.messages_refused;
  sum.wall_time += more.wall_time;
  sum.cpu_time += more.cpu_time;
  return sum;
}

statistics supervisor::own_numbers() const noexcept {
  statistics sum = own_;
  sum.tasks_live = crowd_.live;
  sum.tasks_started = crowd_.started;
  sum.tasks_completed = crowd_.completed;
  sum.wall_time = crowd_.wall_time;
  sum.cpu_time = crowd_.cpu_time;
  sum.messages_refused += refused_messages_.load(std::memory_order_relaxed);
  return sum;
}

statistics supervisor::stats() const {
  statistics sum;
  std::vector<actor_ref<supervisor>> below;
  auto add = [&](const supervisor& s) {
    std::lock_guard guard{s.mutex_};
    if (s.handed_up_ && &s != this)
      return; // it has just ended, and is counted above
    sum += s.own_numbers();
    sum += s.folded_;
    auto& self = const_cast<supervisor&>(s);
    auto keep = [&](supervisor& nested) { below.emplace_back(&nested); };
    self.nested_.each(keep);
    self.nested_asked_.each(keep);
    s.each_apart(keep);
    self.each_task([&](task_actor& task) {
      sum.tasks_started += task.began_.load(std::memory_order_relaxed) ? 1U : 0U;
      if (task.extras_)
        task.extras_->nested.each(keep);
    });
  };
  add(*this);
  while (!below.empty()) {
    const auto one = std::move(below.back());
    below.pop_back();
    add(*one);
  }
  return sum;
}

statistics supervisor::hand_up() noexcept {
  std::lock_guard guard{mutex_};
  handed_up_ = true;
  statistics sum = own_numbers();
  return sum += folded_;
}

void supervisor::count_refused() noexcept {
  for (supervisor* s = this; s; s = s->above_.get()) {
    std::lock_guard guard{s->mutex_};
    ++s->own_.tasks_cancelled;
    if (!s->handed_up_)
      return;
  }
}

std::vector<std::string> supervisor::survivors(std::size_t most) {
  std::vector<std::string> paths;
  std::vector<actor_ref<supervisor>> below{actor_ref<supervisor>{this}};
  while (!below.empty() && paths.size() < most) {
    const auto one = std::move(below.back());
    below.pop_back();
    std::lock_guard guard{one->mutex_};
    auto keep = [&](supervisor& nested) { below.emplace_back(&nested); };
    one->nested_.each(keep);
    one->nested_asked_.each(keep);
    one->each_apart(keep);
    const auto add = [&](std::string path) {
      if (paths.size() < most)
        paths.push_back(std::move(path));
    };
    one->each_task([&](task_actor& task) {
      if (task.extras_)
        task.extras_->nested.each(keep);
      add(task.path());
    });
    for (const auto* all : {&one->overdue_, &one->owned_})
      for (const auto& owned : *all)
        if (const auto word = paths.size() < most ? owned->presence() : std::string{}; !word.empty())
          add(owned->path() + " (" + word + ")");
    if (one->untold())
      add(one->path() + " (an on_child hook)");
  }
  return paths;
}

void supervisor::each_apart(runtime::function_ref<void(supervisor&)> f) const {
  for (const auto* all : {&owned_, &overdue_})
    for (const auto& one : *all)
      if (const auto below = one->as_supervisor())
        f(*below);
}

supervisor::picture supervisor::look() const {
  const auto now = engine().now();
  picture p;
  auto& self = const_cast<supervisor&>(*this);
  std::lock_guard guard{mutex_};
  p.node.kind = kind_;
  p.node.name = label();
  p.node.age = now - created_;
  if (deadline_ != never)
    p.node.time_left = deadline_ - now;
  static constexpr const char* phases[] = {"open", "stopping daemons", "releasing", "ended"};
  p.node.state = machine_.sealed() && machine_.at() == scope_machine::phase::open
                   ? "closed"
                   : phases[static_cast<std::size_t>(machine_.at())];
  if (machine_.reason())
    p.node.state += ", cancelled: " + to_string(machine_.reason());
  auto keep = [&](supervisor& nested) { p.nested.emplace_back(&nested); };
  self.nested_.each(keep);
  self.nested_asked_.each(keep);
  draw(p, now);
  return p;
}

} // namespace muster
