/// Reasons as shared immutable values.
///
/// Owner: the reasons that share a value. Threads: any; nothing is written after it was made. Invariant: the error of a
/// reason is made together with it, so that all errors made of it later are one originating failure.
#include "error_node.hpp"
#include "immortal.hpp"

#include <muster/cancel.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace muster {

std::string_view to_string(cancel_kind kind) noexcept {
  switch (kind) {
  case cancel_kind::user: return "user";
  case cancel_kind::timeout: return "timeout";
  case cancel_kind::sibling_failed: return "sibling failed";
  case cancel_kind::parent_cancelled: return "parent cancelled";
  case cancel_kind::shutdown: return "shutdown";
  }
  return "unknown";
}

namespace {

std::string join(std::string_view a, std::string_view b) {
  std::string out{a};
  if (!a.empty() && !b.empty())
    out += ": ";
  return out += b;
}

/// Where it began and what was said; a failure speaks for itself if nobody else did.
std::string circumstances(const std::string& origin, const std::string& text, const error* cause) {
  return join(origin, text.empty() && cause != nullptr ? detail::words_of_chain(*cause) : text);
}

const std::string& nothing() {
  static const runtime::immortal<std::string> text;
  return text.value;
}

} // namespace

struct cancel_reason::data {
  data(cancel_kind how, cancel_kind at_first, std::string where, std::string what, time_point when, error as)
      : kind{how},
        root_kind{at_first},
        origin{std::move(where)},
        text{std::move(what)},
        since{when},
        as_error{std::move(as)} {}

  cancel_kind kind;
  cancel_kind root_kind;
  std::string origin;
  std::string text;
  time_point since;
  error as_error; // without a path; its cause is the cause of the reason

  /// As `to_string(cancel_reason)`.
  std::string description() const {
    std::string out{to_string(kind)};
    if (kind != root_kind)
      out = join(out, to_string(root_kind));
    return join(out, circumstances(origin, text, as_error.cause()));
  }
};

cancel_reason::cancel_reason(cancel_kind kind, std::string origin, std::string text, time_point since)
    : cancel_reason{kind, std::move(origin), std::move(text), since, nullptr} {}

cancel_reason::cancel_reason(cancel_kind kind, std::string origin, std::string text, time_point since, error cause)
    : cancel_reason{kind, std::move(origin), std::move(text), since, &cause} {}

cancel_reason::cancel_reason(cancel_kind kind, std::string origin, std::string text, time_point since,
                             const error* cause) {
  const std::string about = circumstances(origin, text, cause);
  const error as = kind == cancel_kind::timeout
                       ? error{errc::timed_out, join("timed out", about)}
                       : error{errc::cancelled, join("cancelled", join(to_string(kind), about))};
  data_ = std::make_shared<const data>(kind, kind, std::move(origin), std::move(text), since,
                                       cause != nullptr ? detail::error_access::as_effect(as, *cause) : as);
}

cancel_kind cancel_reason::kind() const noexcept { return data_ ? data_->kind : cancel_kind::user; }
cancel_kind cancel_reason::root_kind() const noexcept { return data_ ? data_->root_kind : cancel_kind::user; }
const std::string& cancel_reason::origin() const noexcept { return data_ ? data_->origin : nothing(); }
const std::string& cancel_reason::text() const noexcept { return data_ ? data_->text : nothing(); }
const error* cancel_reason::cause() const noexcept { return data_ ? data_->as_error.cause() : nullptr; }
time_point cancel_reason::since() const noexcept { return data_ ? data_->since : time_point{}; }

cancel_reason cancel_reason::inherited() const {
  if (!data_ || data_->kind == cancel_kind::parent_cancelled)
    return *this;
  cancel_reason below;
  auto copy = std::make_shared<data>(*data_);
  copy->kind = cancel_kind::parent_cancelled;
  copy->as_error =
      detail::error_access::restated(data_->as_error, errc::cancelled, join("cancelled", copy->description()));
  below.data_ = std::move(copy);
  return below;
}

error cancel_reason::to_error(std::string path) const {
  return (data_ ? data_->as_error : error{errc::cancelled}).with_path(std::move(path));
}

bool cancel_reason::is_mentioned_by(const error& e) const {
  return data_ && detail::mentions_origin(e, detail::origin_of(data_->as_error));
}

std::string to_string(const cancel_reason& reason) { return reason ? reason.data_->description() : "not cancelled"; }

} // namespace muster
