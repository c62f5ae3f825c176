/// The two endings of a registered callback: called, or taken back.
#include "callback_entry.hpp"

#include "duty.hpp"
#include "parking.hpp"
#include "scope_actor.hpp"
#include "task_actor.hpp"
#include "waiting.hpp"

namespace muster::detail {

callback_entry::callback_entry(ref<task_actor> task, std::move_only_function<void()> fn) noexcept
    : task_(std::move(task)), fn_(std::move(fn)) {}

callback_entry::~callback_entry() = default;

void callback_entry::trigger() noexcept {
  auto expected = state::armed;
  if (!state_.compare_exchange_strong(expected, state::queued))
    return;
  queued_self_ = shared_from_this();
  task_->scope().engine().service().push(*this);
}

void callback_entry::trigger_with(const std::stop_token& token) {
  std::weak_ptr<callback_entry> weak = weak_from_this();
  by_token_.emplace(token, [weak] {
    if (auto self = weak.lock())
      self->trigger();
  });
}

void callback_entry::run_on_lane() noexcept {
  const auto self = std::move(queued_self_);
  auto expected = state::queued;
  if (!state_.compare_exchange_strong(expected, state::running))
    return;
  {
    duty_mark mark{{.task = task_.get(), .scope = &task_->scope(), .callback = this}};
    try {
      fn_();
    } catch (const std::exception& e) {
      task_->scope().engine().log(log_kind::callback_threw, task_->path(),
                                  std::string{"an on_cancel callback threw: "} + e.what());
    } catch (...) {
      task_->scope().engine().log(log_kind::callback_threw, task_->path(),
                                  "an on_cancel callback threw something that is no std::exception");
    }
  }
  state_.store(state::done);
  runtime::unpark_all(&state_);
}

void callback_entry::take_back() noexcept {
  by_token_.reset();
  task_->forget(*this);
  auto expected = state::armed;
  if (state_.compare_exchange_strong(expected, state::done)) {
    fn_ = nullptr;
    return;
  }
  // Once the task has been asked to stop the function is called, and waited for.
  for (const duty* d = current_duty(); d; d = d->below)
    if (d->callback == this)
      return;
  static_cast<void>(wait_for({.address = &state_,
                              .ready = [this] { return state_.load() == state::done; },
                              .engine = &task_->scope().engine(),
                              .what = current_duty() ? "a callback of " + task_->path() : std::string{},
                              .gives_up = false}));
}

} // namespace muster::detail
