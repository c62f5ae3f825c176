/// What the error codes say, and which standard conditions they compare equal to.
///
/// Owner: the library; one category object. Threads: any. Invariant: the category is there before the first code and
/// after the last.
#include "immortal.hpp"

#include <muster/error.hpp>

#include <string>
#include <system_error>

namespace muster {

namespace {

class category final : public std::error_category {
public:
  const char* name() const noexcept override { return "muster"; }

  std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
    case errc::cancelled: return "cancelled";
    case errc::timed_out: return "timed out";
    case errc::skipped: return "skipped";
    case errc::not_ready: return "not ready";
    case errc::would_deadlock: return "would deadlock";
    case errc::scope_closed: return "scope closed";
    case errc::unresponsive: return "unresponsive";
    case errc::no_threads: return "no threads";
    case errc::invalid_plan: return "invalid plan";
    case errc::exception: return "exception";
    case errc::release_failed: return "release failed";
    case errc::breaker_open: return "breaker open";
    case errc::pool_closed: return "pool closed";
    case errc::shut_down: return "shut down";
    case errc::survivors: return "survivors";
    case errc::bad_argument: return "bad argument";
    case errc::start_failed: return "start failed";
    case errc::gave_up: return "gave up";
    case errc::actor_exited: return "actor exited";
    case errc::no_such_name: return "no such name";
    case errc::too_many_children: return "too many children";
    case errc::child_is_running: return "child is running";
    case errc::child_is_busy: return "child is busy";
    case errc::channel_closed: return "channel closed";
    }
    return "unknown code " + std::to_string(value);
  }

  std::error_condition default_error_condition(int value) const noexcept override {
    switch (static_cast<errc>(value)) {
    case errc::cancelled: return std::errc::operation_canceled;
    case errc::timed_out: return std::errc::timed_out;
    case errc::no_threads:
    case errc::breaker_open: return std::errc::resource_unavailable_try_again;
    case errc::would_deadlock: return std::errc::resource_deadlock_would_occur;
    case errc::invalid_plan:
    case errc::bad_argument: return std::errc::invalid_argument;
    default: return {value, *this};
    }
  }
};

} // namespace

const std::error_category& muster_category() noexcept {
  static const runtime::immortal<category> only;
  return only.value;
}

std::error_code make_error_code(errc code) noexcept { return {static_cast<int>(code), muster_category()}; }

} // namespace muster
