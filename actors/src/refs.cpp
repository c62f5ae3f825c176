/// Counting for the references that public handles hold.
#include "manager_actor.hpp"
#include "pool_actor.hpp"
#include "resource_actor.hpp"
#include "scope_actor.hpp"
#include "task_actor.hpp"

namespace muster::detail {

void retain(task_actor* a) noexcept { runtime::retain_actor(*a); }
void retain(scope_actor* a) noexcept { runtime::retain_actor(*a); }
void retain(manager_actor* a) noexcept { runtime::retain_actor(*a); }
void retain(resource_actor* a) noexcept { runtime::retain_actor(*a); }
void retain(pool_actor* a) noexcept { runtime::retain_actor(*a); }
void release(task_actor* a) noexcept { runtime::release_actor(*a); }
void release(scope_actor* a) noexcept { runtime::release_actor(*a); }
void release(manager_actor* a) noexcept { runtime::release_actor(*a); }
void release(resource_actor* a) noexcept { runtime::release_actor(*a); }
void release(pool_actor* a) noexcept { runtime::release_actor(*a); }

} // namespace muster::detail
