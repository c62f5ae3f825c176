/// The public handle of a scope.
#include <muster/assert.hpp>
#include <muster/scope.hpp>

#include "dependency_graph.hpp"
#include "duty.hpp"
#include "manager_actor.hpp"
#include "resource_actor.hpp"
#include "scope_actor.hpp"
#include "seeds.hpp"
#include "tree_of.hpp"

namespace muster {

namespace {

result<void> as_result(std::optional<error> why) {
  if (why)
    return std::unexpected{std::move(*why)};
  return {};
}

} // namespace

scope::~scope() {
  if (!actor_ || actor_->ended())
    return;
  MUSTER_ASSERT(!works_under(*actor_), "a scope was destroyed by a body, release or callback that runs under it: that "
                                       "would wait for itself; let its owner destroy it");
  actor_->cancel(
      {cancel_kind::user, actor_->path(), "the scope was destroyed before it had ended", actor_->engine().now()},
      event_of_this_body());
  actor_->join_for_ever();
}

detail::ref<task_actor> scope::spawn(task_options&& options, detail::job_maker maker) {
  runtime::conductor::pause_here(runtime::pause::call);
  return actor_->spawn(std::move(options), maker);
}

detail::ref<task_actor> scope::spawn(std::string_view name, detail::job_maker maker) {
  runtime::conductor::pause_here(runtime::pause::call);
  return actor_->spawn(task_options{.name = std::string{name}}, maker);
}

std::optional<error> scope::adopt(resource_options options, std::shared_ptr<detail::resource_holder> holder) {
  return resource_actor::register_with(*actor_, std::move(options), std::move(holder));
}

scope scope::create_scope(std::string name, scope_options options) {
  const auto most = options.max_parallel;
  auto made = scope_actor::make(seed_of(*actor_, std::move(name), std::move(options)), most);
  return scope{detail::ref<scope_actor>::share(made.get())};
}

result<plan_run> scope::execute(plan steps) {
  std::vector<graph_step> graph;
  graph.reserve(steps.steps_.size());
  for (const auto& s : steps.steps_)
    graph.push_back({s.options.name, s.options.after.names()});
  auto order = start_order(graph);
  if (!order)
    return std::unexpected{error{errc::invalid_plan, std::move(order).error()}.with_path(path())};
  plan_run run;
  run.tasks_.resize(graph.size());
  for (auto& step : graph)
    run.names_.push_back(step.name);
  for (const auto index : *order) {
    auto& step = steps.steps_[index];
    task_options options{.name = std::move(step.options.name), .timeout = step.options.timeout};
    for (const auto dependency : graph[index].resolved)
      options.after.add(handle_access::make<void>(run.tasks_[dependency]));
    options.priority = step.options.priority;
    options.blocking = step.options.blocking;
    options.grace = step.options.grace;
    run.tasks_[index] = actor_->spawn(std::move(options), step.body->maker());
  }
  return run;
}

result<void> scope::wait() { return as_result(actor_->wait(never)); }
result<void> scope::wait_for(duration d) { return as_result(actor_->wait(saturating_add(actor_->engine().now(), d))); }

void scope::close() {
  runtime::conductor::pause_here(runtime::pause::call);
  actor_->close();
}

void scope::cancel(std::string text) {
  runtime::conductor::pause_here(runtime::pause::call);
  actor_->cancel({cancel_kind::user, actor_->path(), std::move(text), actor_->engine().now()}, event_of_this_body());
}

bool scope::cancelled() const noexcept {
  runtime::conductor::pause_here(runtime::pause::look);
  return actor_->cancelled();
}

cancel_reason scope::reason() const { return actor_->reason_in_force(); }

bool scope::ended() const noexcept {
  runtime::conductor::pause_here(runtime::pause::look);
  return actor_->ended();
}

time_point scope::deadline() const noexcept { return actor_->deadline(); }

duration scope::time_left() const noexcept {
  const auto until = actor_->deadline();
  return until == never ? duration::max() : std::max(duration{}, duration{until - actor_->engine().now()});
}

std::stop_token scope::stop_token() { return actor_->stop_token(); }
result<void> scope::supervise(child_options options, scope_options below, std::function<result<void>(scope&)> setup) {
  MUSTER_ASSERT(setup, "scope::supervise was given an empty function to set the supervisor up");
  return as_result(actor_->supervise(std::move(options), std::move(below), std::move(setup)));
}

result<void> scope::restart_child(std::string_view name) { return as_result(actor_->restart_child(name)); }
result<void> scope::stop_child(std::string_view name) { return as_result(actor_->stop_child(name)); }
result<void> scope::remove_child(std::string_view name) { return as_result(actor_->remove_child(name)); }

const std::string& scope::name() const noexcept { return actor_->label(); }
std::string scope::path() const { return actor_->path(); }

std::vector<tree_node> scope::children() const {
  runtime::conductor::pause_here(runtime::pause::look);
  return children_of(*actor_);
}

supervision_tree scope::tree() const {
  runtime::conductor::pause_here(runtime::pause::look);
  return tree_of(*actor_);
}

statistics scope::stats() const {
  runtime::conductor::pause_here(runtime::pause::look);
  auto sum = actor_->stats();
  sum.events_dropped = actor_->engine().trace().dropped();
  return sum;
}

void detail::used_after_release() {
  assertion_failed(
      "resource used after its release",
      "a resource handle was used after its scope had released the object: keep no handle beyond the scope",
      "muster/resource.hpp", 0);
}

// -- a body that runs in a scope on its caller's thread --------------------------------------------------------------

bool detail::enter_body(scope_actor& crew) { return crew.enter_body(); }

error detail::body_refused(scope_actor& crew) {
  auto why = crew.wait(never);
  return why ? std::move(*why)
             : error{errc::scope_closed, "the scope was over before its body could begin"}.with_path(crew.path());
}

std::optional<error> detail::leave_body(scope_actor& crew, std::optional<error> why) {
  return crew.finish_body(std::move(why));
}

error detail::caught_in(const scope_actor& crew) noexcept {
  return error::from_exception(std::current_exception(), crew.path());
}

} // namespace muster
