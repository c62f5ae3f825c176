/// How the library looks through a context to its task.
#pragma once

#include <muster/context.hpp>

namespace muster {

struct context_access {
  static task_actor& task(context& ctx) noexcept { return ctx.task_; }
  static scope_actor* shield(context& ctx) noexcept { return ctx.shield_; }
};

} // namespace muster
