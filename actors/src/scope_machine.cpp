/// The decisions of scope_machine.hpp.
#include "scope_machine.hpp"

namespace muster {

scope_machine::admission scope_machine::admit(member who) {
  const auto answer = reason_                  ? admission::cancelled
                      : phase_ != phase::open  ? admission::over
                      : sealed_                ? admission::closed
                                               : admission::accepted;
  if (answer == admission::cancelled && phase_ < phase::releasing)
    cancelled_in_time_ = true;
  if (answer == admission::accepted || (who == member::nested && phase_ == phase::open)) {
    ever_joined_ = true;
    ++members_[static_cast<std::size_t>(who)];
    return answer;
  }
  return phase_ == phase::open ? answer : admission::over;
}

void scope_machine::left(member who) noexcept { --members_[static_cast<std::size_t>(who)]; }

bool scope_machine::cancel(cancel_reason reason) {
  if (reason_ || phase_ >= phase::releasing)
    return false;
  reason_ = std::move(reason);
  failures_before_cancel_ = failures_.size();
  // A body that runs on its caller's thread is no child: what it gives stands, unless a child was hit.
  const bool children = count(member::task) + count(member::nested) + count(member::actor) > 0;
  cancelled_in_time_ = cancelled_in_time_ || children || !ever_joined_;
  return true;
}

void scope_machine::list(const error& what) {
  if (origins_.insert(detail::origin_of(what)).second)
    failures_.push_back(what);
}

bool scope_machine::failed(const error& what) {
  list(what);
  flawed_ = true;
  return policy_.what == failure_policy::kind::cancel_siblings && !reason_;
}

scope_machine::command scope_machine::next(std::size_t owned, bool releasing) noexcept {
  if (phase_ == phase::open && (sealed_ || draining_ || waiters_ > 0) && count(member::task) == 0 &&
      count(member::body) == 0 && (count(member::actor) == 0 || reason_)) {
    if (count(member::nested) > 0)
      return command::drain_nested;
    phase_ = phase::stopping;
  }
  if (phase_ == phase::stopping) {
    if (count(member::daemon) > 0)
      return std::exchange(daemons_asked_, true) ? command::none : command::stop_daemons;
    phase_ = phase::releasing;
  }
  if (phase_ == phase::releasing && !releasing) {
    if (owned > 0)
      return command::release_next;
    phase_ = phase::ended;
    return command::end;
  }
  return command::none;
}

std::vector<error> scope_machine::failures(const std::string& path) const {
  std::vector<error> all = failures_;
  // A cancellation that a failure brought about, or that somebody asked for beside real failures, is none of its own.
  const bool by_failure = reason_ && reason_.cause() && origins_.contains(detail::origin_of(*reason_.cause()));
  const bool beside_failures = flawed_ && reason_.root_kind() != cancel_kind::timeout;
  if (cancelled_in_time_ && !by_failure && !beside_failures)
    all.insert(all.begin() + static_cast<std::ptrdiff_t>(failures_before_cancel_), reason_.to_error(path));
  return all;
}

std::optional<error> scope_machine::verdict(const std::string& path) const {
  if (!flawed())
    return std::nullopt;
  auto all = failures(path);
  error first = std::move(all.front());
  all.erase(all.begin());
  return all.empty() ? first : first.with_later(std::move(all));
}

} // namespace muster
