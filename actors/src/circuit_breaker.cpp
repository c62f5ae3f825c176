/// The public handle of a circuit breaker, and its permits.
#include <muster/circuit_breaker.hpp>

#include "breaker_core.hpp"
#include "context_access.hpp"
#include "holding.hpp"
#include "manager_actor.hpp"
#include "scope_actor.hpp"
#include "task_actor.hpp"

#include <utility>

namespace muster {

using detail::breaker_core;
using verdict = breaker_core::verdict;

namespace {

detail::ref<breaker_core> make_core(supervisor& above, breaker_options options) {
  return detail::ref<breaker_core>::adopt(new breaker_core(above, std::move(options)));
}

breaker_options simple(std::size_t failures, duration open_for) {
  return {.opens_on = consecutive_failures{failures}, .open_for = open_for};
}

task_actor* task_of(context* ctx) noexcept { return ctx ? &context_access::task(*ctx) : nullptr; }

} // namespace

error detail::caught_by(const context* ctx) noexcept {
  return ctx ? caught_in(*ctx) : error::from_exception(std::current_exception());
}

// -- permits ----------------------------------------------------------------------------------------------------------

/// What a permit owns. The task lists it until there is a report; whoever takes it off the list decides how it ends.
class breaker_permit::held final : public holding {
public:
  held(detail::ref<breaker_core> core, task_actor& task, const detail::breaker_ticket& ticket)
      : core_(std::move(core)),
        task_(detail::ref<task_actor>::share(&task)),
        ticket_(ticket) {
    task_->hold(*this);
  }

  void report(verdict what, const error* why) noexcept {
    if (task_->let_go(*this))
      core_->leave(ticket_, what, why, task_.get());
  }

private:
  void holder_gone() noexcept override { core_->reclaim(ticket_, *task_); }

  const detail::ref<breaker_core> core_;
  const detail::ref<task_actor> task_;
  const detail::breaker_ticket ticket_;
};

breaker_permit::breaker_permit(detail::owned<held> mine) noexcept : held_(std::move(mine)) {}
breaker_permit::breaker_permit(breaker_permit&& other) noexcept = default;

breaker_permit& breaker_permit::operator=(breaker_permit&& other) noexcept {
  if (this != &other) {
    if (held_)
      ignore();
    held_ = std::move(other.held_);
  }
  return *this;
}

breaker_permit::~breaker_permit() {
  if (held_)
    ignore();
}

detail::owned<breaker_permit::held> breaker_permit::take() {
  MUSTER_ASSERT(held_, "a circuit breaker's permit reports once: this one has reported, or was moved from");
  return std::move(held_);
}

void breaker_permit::success() { take()->report(verdict::success, nullptr); }
void breaker_permit::failure(const error& why) { take()->report(verdict::failure, &why); }
void breaker_permit::ignore() { take()->report(verdict::ignored, nullptr); }

// -- the breaker ------------------------------------------------------------------------------------------------------

circuit_breaker::circuit_breaker(manager& site, std::size_t failures, duration open_for)
    : circuit_breaker(site, simple(failures, open_for)) {}
circuit_breaker::circuit_breaker(scope& crew, std::size_t failures, duration open_for)
    : circuit_breaker(crew, simple(failures, open_for)) {}
circuit_breaker::circuit_breaker(manager& site, breaker_options options)
    : core_(make_core(*site.actor(), std::move(options))),
      gate_(core_.get()) {}
circuit_breaker::circuit_breaker(scope& crew, breaker_options options)
    : core_(make_core(*crew.actor(), std::move(options))),
      gate_(core_.get()) {}

circuit_breaker::~circuit_breaker() { core_->retire(); }

result<detail::breaker_ticket> circuit_breaker::enter(breaker_core& core, context* ctx) {
  return core.enter(task_of(ctx));
}

result<breaker_permit> circuit_breaker::try_acquire(context& ctx) {
  auto ticket = enter(*core_, &ctx);
  if (!ticket)
    return std::unexpected{std::move(ticket).error()};
  call_guard guard{*gate_, *core_, &ctx, *ticket};
  breaker_permit permit{detail::make_owned<breaker_permit::held>(core_, context_access::task(ctx), *ticket)};
  guard.hand_over();
  return permit;
}

breaker_state circuit_breaker::state() const { return core_->state(); }
breaker_stats circuit_breaker::stats() const { return core_->stats(); }
void circuit_breaker::force_open() { core_->force_open(); }
void circuit_breaker::reset() { core_->reset(); }
const std::string& circuit_breaker::name() const noexcept { return core_->name(); }
std::string circuit_breaker::path() const { return core_->path(); }

void circuit_breaker::call_guard::abandon() noexcept {
  core_.leave(ticket_, verdict::ignored, nullptr, task_of(ctx_));
}

void circuit_breaker::call_guard::report_success() noexcept {
  core_.leave(ticket_, verdict::success, nullptr, nullptr);
}

void circuit_breaker::call_guard::failed(const error& why) noexcept {
  open_ = false;
  core_.leave(ticket_, core_.judge(why, ctx_), &why, task_of(ctx_));
}

} // namespace muster
