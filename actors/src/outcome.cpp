/// The untyped part of outcomes, and the names of what tasks can be.
#include <muster/assert.hpp>
#include <muster/outcome.hpp>
#include <muster/task.hpp>

#include <cstdlib>

namespace muster {

std::string_view to_string(outcome_kind kind) noexcept {
  switch (kind) {
    case outcome_kind::ok:
      return "ok";
    case outcome_kind::failed:
      return "failed";
    case outcome_kind::timed_out:
      return "timed_out";
    case outcome_kind::cancelled:
      return "cancelled";
    case outcome_kind::skipped:
      return "skipped";
  }
  return "unknown";
}

std::string_view to_string(task_state state) noexcept {
  switch (state) {
    case task_state::waiting:
      return "waiting";
    case task_state::held:
      return "held";
    case task_state::ready:
      return "ready";
    case task_state::running:
      return "running";
    case task_state::ending:
      return "ending";
    case task_state::ended:
      return "ended";
  }
  return "unknown";
}

const error& outcome_base::error() const {
  if (!error_)
    misuse("outcome::error() was asked of an outcome that is ok; look at kind() first");
  return *error_;
}

void outcome_base::misuse(const char* sentence) {
  detail::assertion_failed("outcome used against its kind", sentence, "muster/outcome.hpp", 0);
}

} // namespace muster
