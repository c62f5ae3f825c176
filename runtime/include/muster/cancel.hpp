/// Why something was asked to stop: one reason, the same for everybody it reaches.
///
/// Owner: whoever holds one; all copies share one immutable value. Threads: any; different objects may be used from
/// different threads at once, one object only for reading. Invariants: a reason never changes; passing it on keeps
/// where it began, what was said, and what caused it.
#pragma once

#include <muster/api.hpp>
#include <muster/clock.hpp>
#include <muster/error.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

MUSTER_API_BEGIN

namespace muster {

/// What kind of event asked.
enum class cancel_kind : std::uint8_t {
  user,             ///< somebody called cancel
  timeout,          ///< a deadline passed
  sibling_failed,   ///< another child of the same scope failed
  parent_cancelled, ///< the scope or task above was cancelled, or a token given from outside asks
  shutdown,         ///< the manager shuts down or is destroyed
};

/// "user", "timeout", "sibling failed", "parent cancelled", "shutdown"; "unknown" for any other number.
[[nodiscard]] std::string_view to_string(cancel_kind kind) noexcept;

/// A reason, or none. Copies cost one atomic increment and never throw; what makes a new one may throw std::bad_alloc.
class cancel_reason {
public:
  /// None: nobody has asked. False as a condition. Also what a moved-from reason is.
  cancel_reason() noexcept = default;
  /// `origin`: path of the scope or task where it began (of the sibling that failed, of the scope whose deadline
  /// passed). `text`: more about it, may be empty. `since`: when.
  cancel_reason(cancel_kind kind, std::string origin, std::string text, time_point since);
  /// The same with the failure that led to it. If `text` is empty the failure speaks for itself.
  cancel_reason(cancel_kind kind, std::string origin, std::string text, time_point since, error cause);

  /// True if there is a reason.
  explicit operator bool() const noexcept { return data_ != nullptr; }

  /// How it reached the one who asks. `user` if there is none.
  [[nodiscard]] cancel_kind kind() const noexcept;
  /// The kind it began with; differs from `kind()` only in an inherited one.
  [[nodiscard]] cancel_kind root_kind() const noexcept;
  /// Path where it began; empty if there is none. The references are valid as long as a copy of this reason lives.
  [[nodiscard]] const std::string& origin() const noexcept;
  /// What was said about it; may be empty.
  [[nodiscard]] const std::string& text() const noexcept;
  /// The failure that led to it, or null.
  [[nodiscard]] const error* cause() const noexcept;
  /// When it began; `time_point{}` if there is none.
  [[nodiscard]] time_point since() const noexcept;

  /// The same reason for those below: `parent_cancelled`, everything else unchanged. None gives none; an inherited one
  /// gives itself, so that passing it down costs nothing from the second level on.
  [[nodiscard]] cancel_reason inherited() const;

  /// As the error of a task or scope at `path`: `errc::timed_out` if `kind()` is timeout, else `errc::cancelled`. The
  /// message is "cancelled: " and `to_string(*this)`, or "timed out: ", where and what; the cause is that of the
  /// reason. All errors made of one reason, inherited or not, are one originating failure (`same_origin`), and that of
  /// the cause if it has one: to be cancelled for a sibling's failure is not a second failure. None gives a bare
  /// `errc::cancelled`.
  [[nodiscard]] error to_error(std::string path = {}) const;
  /// True if `e` mentions this reason: was made by its `to_error`, or has such an error among what it consists of (see
  /// `muster::mentions`). May throw std::bad_alloc.
  [[nodiscard]] bool is_mentioned_by(const error& e) const;

private:
  struct MUSTER_INSIDE data;
  friend std::string to_string(const cancel_reason& reason);
  cancel_reason(cancel_kind kind, std::string origin, std::string text, time_point since, const error* cause);

  std::shared_ptr<const data> data_;
};

/// In one line: "sibling failed: site/checkout/charge: card declined"; an inherited one: "parent cancelled: timeout:
/// site/checkout: 8s passed"; "not cancelled" if there is none.
[[nodiscard]] std::string to_string(const cancel_reason& reason);

} // namespace muster

MUSTER_API_END
