/// The untyped handle of a resource pool.
#include <muster/assert.hpp>
#include <muster/resource_pool.hpp>

#include "manager_actor.hpp"
#include "pool_actor.hpp"
#include "scope_actor.hpp"

namespace muster::detail {

namespace {

ref<pool_actor> make(supervisor& of, pool_settings&& s, owned<pool_work> work) {
  MUSTER_ASSERT(s.max > 0, "a resource_pool was made with max 0: nobody could ever acquire anything");
  MUSTER_ASSERT(s.min_idle <= s.max, "a resource_pool was made with min_idle above max");
  MUSTER_ASSERT(s.max_lifetime > duration{}, "a resource_pool was made with a max_lifetime that is not above zero");
  MUSTER_ASSERT(s.idle_timeout > duration{}, "a resource_pool was made with an idle_timeout that is not above zero");
  MUSTER_ASSERT(s.acquire_timeout >= duration{}, "a resource_pool was made with a negative acquire_timeout");
  if (s.name.empty())
    s.name = "pool";
  return ref<pool_actor>::share(pool_actor::make(of, std::move(s), std::move(work)).get());
}

result<void> as_result(std::optional<error> why) {
  if (why)
    return std::unexpected{std::move(*why)};
  return {};
}

} // namespace

pool_base::pool_base(manager& site, pool_settings settings, owned<pool_work> work)
    : actor_(make(*site.actor(), std::move(settings), std::move(work))) {}
pool_base::pool_base(scope& crew, pool_settings settings, owned<pool_work> work)
    : actor_(make(*crew.actor(), std::move(settings), std::move(work))) {}
pool_base::~pool_base() { actor_->close_for_ever(); }

result<granted_lease> pool_base::acquire(context& ctx, std::optional<duration> limit) {
  return actor_->acquire(ctx, limit);
}
result<void> pool_base::resize(std::size_t max) { return as_result(actor_->resize(max)); }
void pool_base::reset() { actor_->reset(); }

result<void> pool_base::close(duration limit) {
  return as_result(actor_->close(saturating_add(actor_->engine().now(), limit)));
}

bool pool_base::closed() const noexcept { return actor_->closed(); }
pool_stats pool_base::stats() const { return actor_->stats(); }
const std::string& pool_base::name() const noexcept { return actor_->label(); }
std::string pool_base::path() const { return actor_->path(); }

void lease_misused(bool empty) noexcept {
  assertion_failed("lease used when there is none",
                   empty
                       ? "a lease was used that is empty: it was given back, or moved from"
                       : "a lease was used that is revoked or given back: the task that acquired it has ended (a lease "
                         "does not outlive its task), or another thread has given it back",
                   "muster/resource_pool.hpp", 0);
}

} // namespace muster::detail
