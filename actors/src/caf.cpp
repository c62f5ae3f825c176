/// The free functions of muster/caf.hpp.
#include <muster/assert.hpp>
#include <muster/caf.hpp>

#include "actor_child.hpp"
#include "context_access.hpp"
#include "duty.hpp"
#include "manager_access.hpp"
#include "manager_actor.hpp"
#include "parking.hpp"
#include "scope_actor.hpp"
#include "task_actor.hpp"
#include "waiting.hpp"

namespace muster {

caf::actor actor_of(const task_handle& task) {
  MUSTER_ASSERT(task.valid(), "this task handle is empty: it was default-constructed or moved from");
  return runtime::handle_of(*handle_access::ref(task));
}

caf::actor actor_of(const scope& s) { return runtime::handle_of(*s.actor()); }
caf::actor actor_of(const manager& m) { return runtime::handle_of(*m.actor()); }

manager in_system(caf::actor_system& system, manager_options options) {
  return manager_access::make(manager_access::root(std::move(options), &system));
}

caf::actor_system& system_of(const manager& m) { return m.actor()->engine().system(); }

// -- actors as children -------------------------------------------------------------------------------------------------

result<caf::actor> spawn_actor(scope& s, child_options options, actor_factory factory) {
  scope_actor& scope = *s.actor();
  if (options.name.empty())
    options.name = "actor";
  const std::string path = scope.path() + "/" + options.name;
  struct start {
    caf::actor made;
    std::optional<error> failure;
    std::atomic<bool> done = false;
  };
  auto starting = std::make_shared<start>();
  auto& engine = scope.engine();
  if (!engine.system_if_running())
    return std::unexpected{error{errc::scope_closed, "the scope's manager is gone"}.with_path(path)};
  engine.serve(path, [starting, path, under = actor_ref<scope_actor>{&scope}, factory = std::move(factory)]() mutable {
    auto& system = under->engine().system();
    duty_mark mark{{.scope = under.get()}};
    try {
      starting->made = factory(system);
      if (!starting->made)
        starting->failure = error{errc::start_failed, "the factory gave no actor"}.with_path(path);
    } catch (...) {
      starting->failure = error{errc::start_failed, "the factory threw"}.with_path(path).with_cause(
        error::from_exception(std::current_exception(), path));
    }
    factory = nullptr;
    starting->done = true;
    runtime::unpark_all(&starting->done);
  });
  static_cast<void>(wait_for({.address = &starting->done,
                              .ready = [&] { return starting->done.load(); },
                              .engine = &engine,
                              .what = "the start of actor " + path,
                              .gives_up = false}));
  if (starting->failure)
    return std::unexpected{std::move(*starting->failure)};
  const auto limit = options.stop_timeout.value_or(scope.release_timeout());
  auto child = actor_ref<actor_child>::adopt(runtime::light_storage<actor_child>::make(
    engine.system_if_running(), 0, alignof(std::max_align_t), scope, std::move(options.name), limit, starting->made, options.daemon));
  if (auto refused = scope.adopt_actor(actor_ref<owned_actor>{child.get()}, options.daemon)) {
    runtime::stop_actor(starting->made);
    return std::unexpected{std::move(*refused)};
  }
  child->watch();
  return starting->made;
}

// -- asking actors ------------------------------------------------------------------------------------------------------

namespace {

/// Receives one answer for a body that waits for it.
class asker final : public runtime::light_actor {
public:
  asker(task_actor& task, supervisor* shield) : task_(&task), shield_(shield) {}

  std::atomic<bool> done = false;
  std::pair<caf::message, caf::error> answer; ///< written before `done`

private:
  void on_mail(caf::mailbox_element_ptr mail) noexcept override {
    if (taken_.exchange(true))
      return;
    answer = runtime::take_answer(*mail);
    done.store(true, std::memory_order_release);
    task_->wake(shield_.get());
  }

  const actor_ref<task_actor> task_;
  const actor_ref<supervisor> shield_;
  std::atomic<bool> taken_ = false;
};

} // namespace

result<caf::message> detail::ask_actor(context& ctx, const caf::actor& whom, duration timeout, caf::message question) {
  MUSTER_ASSERT(whom, "muster::request was given an empty actor handle");
  if (auto asked = ctx.checkpoint(); !asked)
    return std::unexpected{std::move(asked).error()};
  auto& task = context_access::task(ctx);
  auto* shield = context_access::shield(ctx);
  auto reply = actor_ref<asker>::adopt(runtime::light_storage<asker>::make(
    task.scope().engine().system_if_running(), 0, alignof(std::max_align_t), task, static_cast<supervisor*>(shield)));
  runtime::send_request(*reply, whom, std::move(question));
  task.sleep_until_done("an answer of actor " + std::to_string(whom.id()), saturating_add(ctx.now(), timeout), shield,
                        [&] { return reply->done.load(std::memory_order_acquire); });
  if (!reply->done.load(std::memory_order_acquire)) {
    if (auto asked = ctx.checkpoint(); !asked)
      return std::unexpected{std::move(asked).error()};
    return std::unexpected{
      error{errc::timed_out, "actor " + std::to_string(whom.id()) + " has not answered in time"}.with_path(ctx.path())};
  }
  if (reply->answer.second)
    return std::unexpected{error{errc::actor_exited, "actor " + std::to_string(whom.id()) + " answered with an error: " +
                                                       runtime::text_of(reply->answer.second)}
                             .with_path(ctx.path())};
  return std::move(reply->answer.first);
}

error detail::unexpected_answer(const caf::message& answer) {
  return error{errc::bad_argument, "the answer has another type than was asked for: " + caf::to_string(answer)};
}

} // namespace muster
