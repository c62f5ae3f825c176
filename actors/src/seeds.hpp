/// From the options that a user gives to what a supervisor is made of.
#pragma once

#include "supervisor.hpp"

#include <muster/options.hpp>

namespace muster {

/// A scope below `above`, in whose values, grace and hooks the options are laid.
[[nodiscard]] inline supervisor_seed seed_of(supervisor& above, std::string name, scope_options&& options) {
  auto seed = above.seed_below(name.empty() ? std::string{"scope"} : std::move(name));
  seed.policy = options.on_failure;
  seed.timeout = options.timeout;
  if (options.grace) {
    seed.grace = *options.grace;
    seed.release_timeout = *options.grace;
  }
  if (options.release_timeout)
    seed.release_timeout = *options.release_timeout;
  seed.values = context_values::layered(seed.values, options.values);
  seed.parent = std::move(options.parent);
  seed.on_child = std::move(options.on_child);
  if (options.on_progress)
    seed.progress = std::make_shared<const progress_hook>(std::move(options.on_progress));
  return seed;
}

/// One that the body of `task` opens, under `shield` if that is not null.
[[nodiscard]] supervisor_seed seed_in_body(task_actor& task, scope_actor* shield, std::string name,
                                           scope_options&& options);

} // namespace muster
