/// What a body is given.
#include <muster/assert.hpp>
#include <muster/context.hpp>

#include "callback_entry.hpp"
#include "duty.hpp"
#include "resource_actor.hpp"
#include "scope_actor.hpp"
#include "seeds.hpp"
#include "task_actor.hpp"

#include <algorithm>

namespace muster {

namespace {

/// A context belongs to its body, on the body's thread and while it runs.
void check_owner([[maybe_unused]] const task_actor& task) {
#ifndef NDEBUG
  const duty* d = current_duty();
  MUSTER_ASSERT(
      d && d->body && d->task == &task,
      "a context was used outside its own body: a task started from a body has a context of its own, its parameter");
#endif
}

} // namespace

supervisor_seed seed_in_body(task_actor& task, scope_actor* shield, std::string name, scope_options&& options) {
  if (shield)
    return seed_of(*shield, std::move(name), std::move(options));
  auto seed = seed_of(task.scope(), std::move(name), std::move(options));
  seed.owner = detail::ref<task_actor>::share(&task);
  return seed;
}

bool context::cancelled() const noexcept {
  runtime::conductor::pause_here(runtime::pause::look);
  if (shield_)
    return shield_->cancelled();
  return task_.asked_or_about_to_be();
}

cancel_reason context::reason() const {
  if (shield_)
    return shield_->reason_in_force();
  auto mine = task_.reason();
  return mine ? mine : task_.scope().reason_in_force();
}

result<void> context::checkpoint(std::source_location where) {
  task_.checked_in(where);
  if (cancelled())
    return std::unexpected{reason().to_error(path())};
  return {};
}

void context::throw_if_cancelled(std::source_location where) {
  if (auto ok = checkpoint(where); !ok)
    throw cancelled_error{std::move(ok).error()};
}

std::stop_token context::stop_token() { return shield_ ? shield_->stop_token() : task_.stop_token(); }

cancel_registration context::on_cancel(std::move_only_function<void()> fn) {
  check_owner(task_);
  return cancel_registration{task_.on_cancel(std::move(fn), shield_)};
}

time_point context::deadline() const noexcept { return shield_ ? shield_->deadline() : task_.deadline(); }

duration context::time_left() const noexcept {
  const auto until = deadline();
  return until == never ? duration::max() : std::max(duration{}, duration{until - now()});
}

time_point context::now() const noexcept {
  runtime::conductor::pause_here(runtime::pause::look);
  return task_.scope().engine().now();
}

result<void> context::sleep_for(duration d) { return sleep_until(saturating_add(now(), d)); }

result<void> context::sleep_until(time_point t) {
  check_owner(task_);
  if (!cancelled())
    task_.sleep(t, shield_);
  return checkpoint();
}

cancel_reason context::wait_until_cancelled() {
  check_owner(task_);
  if (!cancelled())
    task_.sleep(never, shield_);
  return reason();
}

scope context::create_scope(std::string name, scope_options options) {
  check_owner(task_);
  const auto most = options.max_parallel;
  auto made = scope_actor::make(seed_in_body(task_, shield_, std::move(name), std::move(options)), most);
  return scope{detail::ref<scope_actor>::share(made.get())};
}

std::optional<error> context::adopt(resource_options options, std::shared_ptr<detail::resource_holder> holder) {
  return resource_actor::register_with(task_.scope(), std::move(options), std::move(holder));
}

const std::string& context::name() const noexcept { return task_.label(); }
std::string context::path() const { return task_.path(); }

void context::note(std::string text) {
  runtime::conductor::pause_here(runtime::pause::call);
  task_.note(std::move(text));
}

void context::progress(std::uint64_t done, std::uint64_t total) {
  runtime::conductor::pause_here(runtime::pause::call);
  task_.progress(done, total);
}

const context_values& context::values() const noexcept { return task_.scope().values(); }

detail::job& context::dependency(std::string_view name, const void* type) const {
  auto* task = task_.dependency(name);
  MUSTER_ASSERT(task, "context::value_of was asked for a task that this one does not come after");
  MUSTER_ASSERT(task->job().value_type() == type,
                "context::value_of was asked for another type than that task's body gives");
  return task->job();
}

error detail::caught_in(const context& ctx) noexcept {
  return error::from_exception(std::current_exception(), ctx.path());
}

// -- shield ----------------------------------------------------------------------------------------------------------

detail::shielded::shielded(context& outer, duration d)
    : crew_([&] {
        auto seed = seed_in_body(outer.task_, outer.shield_, "shield", scope_options{.timeout = d});
        seed.shielded = true;
        return scope{detail::ref<scope_actor>::share(scope_actor::make(std::move(seed), 0).get())};
      }()),
      inner_(outer.task_, crew_.actor()) {}

detail::shielded::~shielded() {
  // Scopes opened inside have been joined by their own handles; what is left is to take the shield off the tree.
  static_cast<void>(crew_.wait());
}

// -- registrations ---------------------------------------------------------------------------------------------------

cancel_registration& cancel_registration::operator=(cancel_registration&& other) noexcept {
  if (this != &other) {
    if (entry_)
      entry_->take_back();
    entry_ = std::move(other.entry_);
  }
  return *this;
}

cancel_registration::~cancel_registration() {
  if (entry_)
    entry_->take_back();
}

} // namespace muster
