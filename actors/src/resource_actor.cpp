/// The release of a resource.
#include "resource_actor.hpp"

#include "duty.hpp"
#include "manager_actor.hpp"
#include "scope_actor.hpp"

namespace muster {

resource_actor::resource_actor(scope_actor& scope, std::string name, duration limit,
                               std::shared_ptr<detail::resource_holder> holder)
    : owned_actor(scope, std::move(name), limit, node_kind::resource), holder_(std::move(holder)) {
  urgency = priority::high;
}

void resource_actor::begin_stop() noexcept {
  runtime::retain_actor(*this);
  engine().service().push(*this);
}

void resource_actor::run_on_lane() noexcept {
  const auto self = actor_ref<resource_actor>::adopt(this);
  std::optional<error> failure;
  {
    duty_mark mark{{.scope = &scope()}};
    failure = give_back(std::move(holder_), label(), path());
  }
  stopped(failure, !failure);
}

std::optional<error> resource_actor::give_back(std::shared_ptr<detail::resource_holder> holder, const std::string& name,
                                               const std::string& path) noexcept {
  std::optional<error> cause;
  try {
    if (auto done = holder->release(); !done)
      cause = std::move(done).error();
  } catch (...) {
    cause = error::from_exception(std::current_exception(), path);
  }
  holder.reset();
  if (!cause)
    return std::nullopt;
  return error{errc::release_failed, "releasing '" + name + "' failed"}.with_path(path).with_cause(std::move(*cause));
}

std::optional<error> resource_actor::register_with(scope_actor& scope, resource_options options,
                                                   std::shared_ptr<detail::resource_holder> holder) {
  if (options.name.empty())
    options.name = "resource";
  const auto limit = options.timeout.value_or(scope.release_timeout());
  auto actor = actor_ref<resource_actor>::adopt(runtime::light_storage<resource_actor>::make(
    scope.engine().system_if_running(), 0, alignof(std::max_align_t), scope, options.name, limit, holder));
  if (scope.adopt(actor_ref<owned_actor>{actor.get()}))
    return std::nullopt;
  const std::string path = scope.path() + "/" + options.name;
  error refused =
    error{errc::scope_closed, "the scope has ended; '" + options.name + "' was released at once"}.with_path(path);
  if (auto failed = give_back(std::move(holder), options.name, path)) {
    scope.foreman().report(*failed);
    refused = refused.with_later({std::move(*failed)});
  }
  return refused;
}

} // namespace muster
