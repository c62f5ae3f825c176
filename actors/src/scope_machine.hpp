/// What a supervisor decides, without doing any of it: who may join, when it is over, what has gone wrong and in which
/// order. Pure: no lock, no clock, no actor; tested without threads.
///
///     open ──(last child ended, and somebody waits, or it was closed)──▶ stopping ──(daemons gone)──▶ releasing
///          ──(resources and actors gone)──▶ ended
///
/// Owner: a supervisor, which guards it with its lock, tells it what happened, and carries out what `next` answers.
/// Invariants: nobody joins after `open`; the first reason to cancel stays; no failure is listed twice; once the phase
/// is `ended` the verdict never changes.
#pragma once

#include <muster/cancel.hpp>
#include <muster/error.hpp>
#include <muster/options.hpp>

#include <cstddef>
#include <optional>
#include <unordered_set>
#include <vector>

namespace muster {

class scope_machine {
public:
  enum class phase : std::uint8_t { open, stopping, releasing, ended };
  /// `actor`: an application's actor that is no daemon. It holds the scope open like a task, until the scope is
  /// cancelled: then it is stopped in its turn, with the resources.
  enum class member : std::uint8_t { task, daemon, nested, body, actor };
  /// What is to be done now.
  enum class command : std::uint8_t {
    none,
    drain_nested,  ///< tell nested supervisors to end as soon as they are idle; nothing more until one of them has
    stop_daemons,  ///< ask the daemons to stop
    release_next,  ///< stop the last started resource or actor
    end,           ///< everything is gone: publish the verdict
  };
  /// How a newcomer is received. A nested supervisor becomes a member unless the scope is `over` (it is then cancelled
  /// at once, and joined like any other); all others only if they are `accepted`.
  enum class admission : std::uint8_t { accepted, cancelled, closed, over };

  explicit scope_machine(failure_policy policy) noexcept : policy_(policy) {}

  // -- who comes and goes -----------------------------------------------------------------------------------------

  [[nodiscard]] admission admit(member who);
  void left(member who) noexcept;
  /// A body that had stepped out to wait comes back before the end. False: the scope is being taken down already.
  bool body_returns() noexcept {
    if (phase_ != phase::open)
      return false;
    ++members_[static_cast<std::size_t>(member::body)];
    return true;
  }
  /// A member that had left is there again. False: the scope takes nobody any more.
  bool comes_back(member who) noexcept {
    if (phase_ != phase::open || reason_)
      return false;
    ++members_[static_cast<std::size_t>(who)];
    return true;
  }
  /// True while a resource or actor may still be handed over (its release is part of the ending).
  [[nodiscard]] bool takes_resources() const noexcept { return phase_ < phase::releasing; }

  // -- what is asked of it ----------------------------------------------------------------------------------------

  /// The first reason wins: true if this is it.
  bool cancel(cancel_reason reason);
  void close() noexcept { sealed_ = true; }
  void waiter_came() noexcept { ++waiters_; }
  void waiter_gave_up() noexcept { --waiters_; }
  [[nodiscard]] bool waited_for() const noexcept { return waiters_ > 0; }
  /// The supervisor above wants to end: end as soon as nothing runs here.
  void drain() noexcept { draining_ = true; }
  /// It does not want to any more.
  void undrain() noexcept { draining_ = false; }
  [[nodiscard]] bool draining() const noexcept { return draining_; }

  // -- what went wrong --------------------------------------------------------------------------------------------

  /// A child failed. Lists the failure; true if the siblings must now be cancelled (the caller then cancels).
  [[nodiscard]] bool failed(const error& what);
  /// A failure that fails the scope and cancels nobody: of a release.
  void release_failed(const error& what) {
    list(what);
    flawed_ = true;
  }
  /// What a child said that had been asked to stop already: listed behind a failure, and none by itself.
  void also_said(const error& what) { list(what); }
  /// A child does not answer, or was restarted too often: fails the scope whatever the policy; true if the siblings
  /// must now be cancelled.
  [[nodiscard]] bool unresponsive(const error& what) {
    list(what);
    flawed_ = true;
    return !reason_;
  }

  // -- what follows -----------------------------------------------------------------------------------------------

  /// To be asked after every event, and again after each command has been carried out, until it is `none` or
  /// `drain_nested`.
  /// `owned`: resources and actors not yet gone; `releasing`: one of them is being stopped at this moment.
  [[nodiscard]] command next(std::size_t owned, bool releasing) noexcept;

  [[nodiscard]] phase at() const noexcept { return phase_; }
  [[nodiscard]] bool sealed() const noexcept { return sealed_; }
  [[nodiscard]] const cancel_reason& reason() const noexcept { return reason_; }
  /// It was cancelled before its last child had ended: its verdict is a failure.
  [[nodiscard]] bool cancelled_in_time() const noexcept { return cancelled_in_time_; }
  [[nodiscard]] std::size_t count(member who) const noexcept { return members_[static_cast<std::size_t>(who)]; }
  /// True if the verdict is a failure.
  [[nodiscard]] bool flawed() const noexcept { return flawed_ || cancelled_in_time_; }
  /// All that was listed; `failed_itself` says whether any of it is a failure.
  [[nodiscard]] const std::vector<error>& listed() const noexcept { return failures_; }
  /// True if something has failed, whatever was cancelled.
  [[nodiscard]] bool failed_itself() const noexcept { return flawed_; }
  /// In a few words, without paths: what failed first, or why it was cancelled.
  [[nodiscard]] std::string headline() const {
    return failures_.empty() ? to_string(reason_) : failures_.front().message();
  }
  /// All that went wrong in the scope at `path`, in order, its own cancellation included where that is a failure.
  [[nodiscard]] std::vector<error> failures(const std::string& path) const;
  /// The result of the scope at `path`: nothing, or the first failure with the later ones behind it.
  [[nodiscard]] std::optional<error> verdict(const std::string& path) const;

private:
  void list(const error& what);

  // What every coming and going looks at and changes comes first.
  std::size_t members_[5] = {};
  std::size_t waiters_ = 0;
  cancel_reason reason_;
  phase phase_ = phase::open;
  bool sealed_ = false;
  bool draining_ = false;
  bool ever_joined_ = false; ///< anybody was ever accepted

  bool daemons_asked_ = false;
  bool cancelled_in_time_ = false; ///< before the last child had ended, or somebody was turned away for it
  bool flawed_ = false;            ///< something has failed, whatever was cancelled
  failure_policy policy_;
  std::size_t failures_before_cancel_ = 0;
  std::vector<error> failures_;
  std::unordered_set<const void*> origins_;
};

} // namespace muster
