/// Where each message to a child goes.
#include "child_mail.hpp"

namespace muster {

bool child_mail::take(caf::mailbox_element_ptr& what, runtime::mail_host* host) noexcept {
  caf::actor to;
  {
    const std::scoped_lock lock{mutex_};
    to = target_;
    // One that has ended, though the scope has not heard of it yet, would drop the message.
    if (to && keeps_ && !closed_ && runtime::has_ended(to))
      to = {};
    if (!to && keeps_ && !closed_ && kept_.size() < most_ && !runtime::as_exit(*what)) {
      kept_.push_back(std::move(what));
      return true;
    }
  }
  if (to) {
    runtime::pass_on(to, std::move(what), host);
    return true;
  }
  refused_.fetch_add(1, std::memory_order_relaxed);
  return false;
}

void child_mail::route_to(caf::actor actor) noexcept {
  // What was kept goes first, and what comes meanwhile behind it.
  for (;;) {
    letters batch;
    {
      const std::scoped_lock lock{mutex_};
      if (!actor || kept_.empty()) {
        std::swap(target_, actor); // the last one may be let go of only without the lock
        return;
      }
      batch.swap(kept_);
    }
    for (auto& each : batch)
      runtime::pass_on(actor, std::move(each), nullptr);
  }
}

caf::actor child_mail::present() const {
  const std::scoped_lock lock{mutex_};
  return target_;
}

void child_mail::keep(bool keeps) noexcept {
  const std::scoped_lock lock{mutex_};
  keeps_ = keeps;
  if (!keeps)
    drop_kept();
}

void child_mail::close() noexcept {
  const std::scoped_lock lock{mutex_};
  closed_ = true;
  drop_kept();
}

child_mail::letters child_mail::take_unwanted() noexcept {
  letters all;
  const std::scoped_lock lock{mutex_};
  all.swap(unwanted_);
  return all;
}

void child_mail::drop_kept() noexcept {
  refused_.fetch_add(kept_.size(), std::memory_order_relaxed);
  for (auto& each : kept_)
    unwanted_.push_back(std::move(each));
  kept_.clear();
}

} // namespace muster
