/// The public handle of a manager, and how an engine is made for it.
#include <muster/assert.hpp>
#include <muster/manager.hpp>

#include "duty.hpp"
#include "manager_access.hpp"
#include "manager_actor.hpp"
#include "scope_actor.hpp"
#include "seeds.hpp"
#include "tree_of.hpp"

namespace muster {

namespace {

manager_actor::error_options errors_of(manager_options& options) {
  return {options.max_errors, std::move(options.on_error)};
}

void lay_over(supervisor_seed& seed, manager_options& options) {
  seed.grace = options.grace;
  seed.release_timeout = options.grace;
  seed.values = context_values::layered(seed.values, options.values);
  seed.parent = std::move(options.parent);
  if (options.on_progress)
    seed.progress = std::make_shared<const progress_hook>(std::move(options.on_progress));
}

} // namespace

detail::ref<manager_actor> manager_access::root(manager_options options, caf::actor_system* system) {
  supervisor_seed seed{.engine = std::make_shared<runtime::engine>(
                         runtime::engine_options{.control_threads = std::max(1U, options.control_threads),
                                                 .workers = options.workers,
                                                 .max_workers = std::max(1U, options.max_workers),
                                                 .max_threads = options.max_threads,
                                                 .time = options.clock,
                                                 .trace = options.trace,
                                                 .log = std::move(options.log)},
                         system),
                       .name = options.name.empty() ? std::string{"muster"} : std::move(options.name)};
  lay_over(seed, options);
  return detail::ref<manager_actor>::share(manager_actor::make(std::move(seed), errors_of(options), true).get());
}

manager::manager(detail::ref<manager_actor> actor) noexcept : actor_(std::move(actor)) {}

manager::manager(manager_options options) : actor_(manager_access::root(std::move(options), nullptr)) {}

manager::manager(manager& site, std::string name, manager_options options) {
  auto seed = site.actor_->seed_below(name.empty() ? std::string{"manager"} : std::move(name));
  const auto inherited = seed.grace;
  lay_over(seed, options);
  if (options.grace == manager_options{}.grace)
    seed.grace = seed.release_timeout = inherited;
  actor_ = detail::ref<manager_actor>::share(manager_actor::make(std::move(seed), errors_of(options), false).get());
}

manager::~manager() {
  if (!actor_)
    return;
  MUSTER_ASSERT(!works_under(*actor_),
                "a manager was destroyed by a body, release or callback that runs under it: that "
                "would wait for itself; let its owner destroy it");
  if (!actor_->ended())
    actor_->cancel({cancel_kind::shutdown, actor_->path(), "the manager was destroyed", actor_->engine().now()});
  actor_->join_for_ever();
  if (actor_->owns_engine())
    actor_->engine().stop();
}

scope manager::create_scope(std::string name, scope_options options) {
  const auto most = options.max_parallel;
  auto made = scope_actor::make(seed_of(*actor_, std::move(name), std::move(options)), most);
  return scope{detail::ref<scope_actor>::share(made.get())};
}

void manager::cancel(std::string text) {
  runtime::conductor::pause_here(runtime::pause::call);
  actor_->cancel({cancel_kind::user, actor_->path(), std::move(text), actor_->engine().now()});
}

bool manager::cancelled() const noexcept {
  runtime::conductor::pause_here(runtime::pause::look);
  return actor_->cancelled();
}

result<void> manager::shutdown(duration drain) {
  if (auto why = actor_->shutdown(drain))
    return std::unexpected{std::move(*why)};
  return {};
}

statistics manager::stats() const {
  runtime::conductor::pause_here(runtime::pause::look);
  auto sum = actor_->stats();
  sum.errors_dropped = actor_->errors_dropped();
  sum.events_dropped = actor_->engine().trace().dropped();
  sum.trace_mapped = actor_->engine().trace().mapped();
  return sum;
}

lane_stats manager::lane() const { return actor_->engine().work().stats(); }

error_report manager::errors() const {
  runtime::conductor::pause_here(runtime::pause::look);
  return actor_->errors();
}

supervision_tree manager::tree() const {
  runtime::conductor::pause_here(runtime::pause::look);
  return tree_of(*actor_);
}

const std::string& manager::name() const noexcept { return actor_->label(); }
time_point manager::now() const noexcept { return actor_->engine().now(); }
std::error_code manager::write_trace(const std::string& file) const { return actor_->engine().trace().write(file); }

} // namespace muster
