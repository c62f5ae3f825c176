/// What the waits of coroutine bodies wait for.
#include <muster/assert.hpp>
#include <muster/async_context.hpp>

#include "context_access.hpp"
#include "duty.hpp"
#include "parking.hpp"
#include "scope_actor.hpp"
#include "seeds.hpp"
#include "suspension.hpp"
#include "task_actor.hpp"
#include "waiting.hpp"

#include <expected>

namespace muster::detail {

// -- frames -----------------------------------------------------------------------------------------------------------

void destroy_unstarted(std::coroutine_handle<> frame) noexcept {
  thread_local std::vector<std::coroutine_handle<>>* waiting = nullptr;
  if (waiting) {
    waiting->push_back(frame);
    return;
  }
  std::vector<std::coroutine_handle<>> mine{frame};
  waiting = &mine;
  while (!mine.empty()) {
    const auto next = mine.back();
    mine.pop_back();
    next.destroy();
  }
  waiting = nullptr;
}

void throw_error(const error& why) {
  if (why.code() == errc::cancelled || why.code() == errc::timed_out || why.code() == std::errc::operation_canceled)
    throw cancelled_error{why};
  throw std::bad_expected_access<error>{why};
}

// -- wait points ------------------------------------------------------------------------------------------------------

namespace {

task_actor& task_of(async_context& ctx) noexcept { return context_access::task(async_context_access::plain(ctx)); }

void check_own(bool own) noexcept {
  MUSTER_ASSERT(own, "an async_context was used outside its own body: a task started from a body has a context of "
                     "its own, its parameter");
}

} // namespace

task_actor& wait_point::task() const noexcept { return task_of(*ctx_); }
scope_actor* wait_point::shield() const noexcept { return context_access::shield(async_context_access::plain(*ctx_)); }

void wait_point::attach(std::coroutine_handle<> frame, course& of) {
  if (!ctx_)
    ctx_ = of.ctx;
  check_own(ctx_ == of.ctx || &task() == &task_of(*of.ctx));
  MUSTER_ASSERT(!frame_,
                "this was awaited before: what the functions of an async_context return is awaited once; call the "
                "function again");
  frame_ = frame;
  begin();
  of.waiting = this; // not if `begin` has thrown
}

bool wait_point::asked() const noexcept {
  const auto* instead = shield();
  return instead ? instead->cancelled() : task().asked_or_about_to_be();
}

cancel_reason wait_point::why_asked() const { return async_context_access::plain(*ctx_).reason(); }

error wait_point::why() const {
  return async_context_access::plain(*ctx_).reason().to_error(task().path());
}

void waker::wake() const noexcept {
  if (task_)
    task_->wake_suspended();
}

// -- sleeping ---------------------------------------------------------------------------------------------------------

result<void> sleep_wait::await_resume() const {
  if (ended() == ending::cancelled)
    return std::unexpected{why()};
  return {};
}

result<void> yield_wait::await_resume() const {
  if (ended() == ending::cancelled)
    return std::unexpected{why()};
  return {};
}

cancel_reason cancelled_wait::await_resume() const {
  return why_asked();
}

// -- tasks ------------------------------------------------------------------------------------------------------------

task_wait::task_wait(ref<task_actor> awaited) noexcept : awaited_(std::move(awaited)) { lend_permit(); }

void task_wait::begin() {
  if (!awaited_->ended() && works_under(*awaited_))
    ends_with(ending::would_deadlock);
}

bool task_wait::ready() noexcept {
  // Announced first, so that whoever publishes the end knows that somebody is to be woken.
  return awaited_->watch() == task_state::ended;
}

std::string task_wait::what() const { return "task " + awaited_->path(); }
const void* task_wait::address() const noexcept { return awaited_->end_address(); }
task_actor* task_wait::awaited_task() const noexcept { return awaited_.get(); }
std::uint64_t task_wait::awaited_id() const noexcept { return awaited_->id(); }
bool task_wait::ended_badly() const noexcept { return !awaited_->job().out->ok(); }
job& task_wait::awaited_job() const noexcept { return awaited_->job(); }

std::optional<task_wait::refusal> task_wait::refused() const {
  switch (ended()) {
    case ending::cancelled: {
      return refusal{why(), outcome_kind::cancelled, why_asked()};
    }
    case ending::would_deadlock:
      return refusal{would_deadlock(awaited_->path()), outcome_kind::failed, {}};
    default:
      return std::nullopt;
  }
}

std::shared_ptr<void>& task_wait::place_for(const void* type) const {
  return task().suspended_part()->refusal_of(type);
}

// -- scopes -----------------------------------------------------------------------------------------------------------

scope_wait::scope_wait(ref<scope_actor> crew, duration limit) noexcept : crew_(std::move(crew)), limit_(limit) {
  ignore_cancellation();
  is_always_recorded(); // so that the trace tells whom somebody has joined, and whom nobody
}

void scope_wait::begin() {
  if (crew_->ended())
    return;
  if (works_under(*crew_))
    return ends_with(ending::would_deadlock);
  auto& engine = crew_->engine();
  if (limit_ <= duration{})
    return ends_with(ending::timed_out);
  wait_until(saturating_add(engine.now(), limit_));
  expect_no_forked_child();
  was_body_ = crew_->body_steps_out(&task());
  joins_ = true;
  crew_->begin_join();
}

bool scope_wait::ready() noexcept { return crew_->ended(); }
std::string scope_wait::what() const { return "scope " + crew_->path(); }
const void* scope_wait::address() const noexcept { return crew_->ended_address(); }
std::uint64_t scope_wait::awaited_id() const noexcept { return crew_->id(); }
bool scope_wait::ended_badly() const noexcept { return crew_->flawed(); }

result<void> scope_wait::await_resume() {
  if (ended() == ending::would_deadlock)
    return std::unexpected{would_deadlock(crew_->path())};
  if (ended() == ending::timed_out) {
    if (joins_)
      crew_->give_up_waiting();
    if (was_body_)
      crew_->body_returns(&task());
    return std::unexpected{error{errc::not_ready, "it had not ended in the time given"}.with_path(crew_->path())};
  }
  if (auto failed = crew_->verdict())
    return std::unexpected{std::move(*failed)};
  return {};
}

// -- bodies that run in a scope, and shields --------------------------------------------------------------------------

bool enter_async_body(scope_actor& crew) {
  const duty* d = current_duty();
  return crew.enter_body(*d->task);
}

void leave_async_body(scope_actor& crew, std::optional<error>& why) {
  const duty* d = current_duty();
  crew.fail_body(why);
  crew.body_steps_out(d->task);
}

std::optional<error> after_body(scope_actor& crew, std::optional<error> why, result<void> joined) {
  if (why)
    return crew.with_failures(std::move(*why));
  if (!joined)
    return std::move(joined).error();
  return std::nullopt;
}

ref<scope_actor> make_shield(async_context& outer, duration d) {
  auto& plain = async_context_access::plain(outer);
  const duty* here = current_duty();
  check_own(here && here->task == &context_access::task(plain));
  auto seed =
      seed_in_body(context_access::task(plain), context_access::shield(plain), "shield", scope_options{.timeout = d});
  seed.shielded = true;
  return ref<scope_actor>::share(scope_actor::make(std::move(seed), 0).get());
}

} // namespace muster::detail

namespace muster {

async_scope::~async_scope() {
  auto* actor = crew_.actor();
  if (!actor || actor->ended())
    return;
  actor->cancel(
      {cancel_kind::user, actor->path(), "the scope was destroyed before it had ended", actor->engine().now()});
  actor->begin_join();
  crew_.actor_ = {}; // the task waits for it; this thread does not
}

async_scope async_context::create_scope(std::string name, scope_options options) {
  return async_scope{plain().create_scope(std::move(name), std::move(options))};
}

} // namespace muster
