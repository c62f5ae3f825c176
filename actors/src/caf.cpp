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
  return handle_access::ref(task)->shown_to_caf();
}

caf::actor actor_of(const scope& s) { return runtime::handle_of(*s.actor()); }
caf::actor actor_of(const manager& m) { return runtime::handle_of(*m.actor()); }

manager in_system(caf::actor_system& system, manager_options options) {
  return manager_access::make(manager_access::root(std::move(options), &system));
}

caf::actor_system& system_of(const manager& m) { return m.actor()->engine().system(); }

// -- actors as children ----------------------------------------------------------------------------------------------

void start_report::ready() const { state_->report(std::nullopt); }
void start_report::failed(std::string why) const { state_->report(error{errc::start_failed, std::move(why)}); }

void keep_exception_text(caf::scheduled_actor* self) { runtime::keep_exception_text(*self); }

namespace {

result<caf::actor> start_child(scope& s, child_options&& options, actor_child::launcher how, bool reports) {
  auto& home = *s.actor();
  if (options.name.empty())
    options.name = home.restarts() ? home.next_child_name() : std::string{"actor"};
  auto started = home.start_child(std::move(options), std::move(how), reports);
  if (!started)
    return std::unexpected{std::move(started).error()};
  auto& child = **started;
  if (home.restarts() && child.options().kind != child_kind::temporary)
    return runtime::handle_of(child);
  auto actor = child.mail().present();
  if (!actor) // it was up, and has ended already
    return runtime::handle_of(child);
  return actor;
}

} // namespace

result<caf::actor> spawn_actor(scope& s, child_options options, actor_factory factory) {
  return start_child(
    s, std::move(options),
    [factory = std::move(factory)](caf::actor_system& system, const std::shared_ptr<start_state>&) {
      return actor_child::launched{.actor = factory(system)};
    },
    false);
}

result<caf::actor> spawn_actor(scope& s, child_options options, reporting_factory factory) {
  return start_child(
    s, std::move(options),
    [factory = std::move(factory)](caf::actor_system& system, const std::shared_ptr<start_state>& start) {
      return actor_child::launched{.actor = factory(system, start_report{start})};
    },
    true);
}

// -- asking actors ---------------------------------------------------------------------------------------------------

namespace {

/// Receives one answer for a body that waits for it, whatever comes of the body meanwhile.
class asker : public runtime::light_actor {
public:
  std::atomic<bool> done = false;
  std::pair<caf::message, caf::error> answer; ///< written before `done`

  /// Once it is done.
  [[nodiscard]] result<caf::message> take(const caf::actor& whom, const std::string& path) {
    if (answer.second)
      return std::unexpected{
          error{errc::actor_exited,
                "actor " + std::to_string(whom.id()) + " answered with an error: " + runtime::text_of(answer.second)}
              .with_path(path)};
    return std::move(answer.first);
  }

private:
  virtual void wake() noexcept = 0;
  void on_mail(caf::mailbox_element_ptr mail, runtime::mail_host*) noexcept override {
    if (taken_.exchange(true))
      return;
    answer = runtime::take_answer(*mail);
    done.store(true, std::memory_order_release);
    wake();
  }

  std::atomic<bool> taken_ = false;
};

class blocking_asker final : public asker {
public:
  blocking_asker(task_actor& task, supervisor* shield) : task_(&task), shield_(shield) {}

private:
  void wake() noexcept override { task_->wake(shield_.get()); }
  const actor_ref<task_actor> task_;
  const actor_ref<supervisor> shield_;
};

class suspended_asker final : public asker {
public:
  explicit suspended_asker(detail::waker who) noexcept : who_(std::move(who)) {}

private:
  void wake() noexcept override { who_.wake(); }
  const detail::waker who_;
};

template <class Asker, class... Args>
actor_ref<Asker> make_asker(task_actor& task, Args&&... args) {
  return actor_ref<Asker>::adopt(runtime::light_storage<Asker>::make(
    task.scope().engine().system_if_running(), 0, alignof(std::max_align_t), std::forward<Args>(args)...));
}

std::string an_answer_of(const caf::actor& whom) { return "an answer of actor " + std::to_string(whom.id()); }
error none_in_time(const caf::actor& whom, std::string path) {
  return error{errc::timed_out, "actor " + std::to_string(whom.id()) + " has not answered in time"}.with_path(
      std::move(path));
}

} // namespace

result<caf::message> detail::ask_actor(context& ctx, const caf::actor& whom, duration timeout, caf::message question) {
  MUSTER_ASSERT(whom, "muster::request was given an empty actor handle");
  if (auto asked = ctx.checkpoint(); !asked)
    return std::unexpected{std::move(asked).error()};
  auto& task = context_access::task(ctx);
  auto* shield = context_access::shield(ctx);
  auto reply = make_asker<blocking_asker>(task, task, static_cast<supervisor*>(shield));
  runtime::send_request(*reply, whom, std::move(question));
  task.sleep_until_done(an_answer_of(whom), saturating_add(ctx.now(), timeout), shield,
                        [&] { return reply->done.load(std::memory_order_acquire); });
  if (!reply->done.load(std::memory_order_acquire)) {
    if (auto asked = ctx.checkpoint(); !asked)
      return std::unexpected{std::move(asked).error()};
    return std::unexpected{none_in_time(whom, ctx.path())};
  }
  return reply->take(whom, ctx.path());
}

// -- asking actors from coroutines ------------------------------------------------------------------------------------

namespace {
asker& asker_in(const caf::actor& handle) noexcept {
  return static_cast<asker&>(*caf::actor_cast<caf::abstract_actor*>(handle));
}
} // namespace

detail::answer_wait::answer_wait(async_context& ctx, caf::actor whom, duration timeout, caf::message question)
    : wait_point(ctx), whom_(std::move(whom)), question_(std::move(question)), timeout_(timeout) {
  MUSTER_ASSERT(whom_, "muster::request was given an empty actor handle");
}

detail::answer_wait::~answer_wait() = default;

void detail::answer_wait::begin() {
  if (asked())
    return ends_with(ending::cancelled);
  wait_until(saturating_add(task().scope().engine().now(), timeout_));
  auto reply = make_asker<suspended_asker>(task(), make_waker());
  asker_ = runtime::handle_of(*reply);
  runtime::send_request(*reply, whom_, std::move(question_));
}

bool detail::answer_wait::ready() noexcept { return asker_in(asker_).done.load(std::memory_order_acquire); }
std::string detail::answer_wait::what() const { return an_answer_of(whom_); }

result<caf::message> detail::answer_wait::finish() {
  // An answer of the last moment counts.
  if (asker_ && asker_in(asker_).done.load(std::memory_order_acquire))
    return asker_in(asker_).take(whom_, task().path());
  if (ended() == ending::cancelled)
    return std::unexpected{why()};
  return std::unexpected{none_in_time(whom_, task().path())};
}

error detail::unexpected_answer(const caf::message& answer) {
  return error{errc::bad_argument, "the answer has another type than was asked for: " + caf::to_string(answer)};
}

} // namespace muster
