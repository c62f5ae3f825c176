/// The names of the kinds of events. A switch without a default, so that the compiler finds a kind left out.
#include <muster/event_kind.hpp>

namespace muster {

std::string_view to_string(event_kind kind) noexcept {
  switch (kind) {
    using enum event_kind;
  case none: return "none";
  case manager_created: return "manager_created";
  case manager_shutdown_began: return "manager_shutdown_began";
  case manager_shutdown_stalled: return "manager_shutdown_stalled";
  case manager_ended: return "manager_ended";
  case scope_created: return "scope_created";
  case scope_closed: return "scope_closed";
  case scope_joined: return "scope_joined";
  case scope_ended: return "scope_ended";
  case task_created: return "task_created";
  case task_ready: return "task_ready";
  case task_started: return "task_started";
  case task_suspended: return "task_suspended";
  case task_resumed: return "task_resumed";
  case task_ended: return "task_ended";
  case task_skipped: return "task_skipped";
  case task_held: return "task_held";
  case actor_started: return "actor_started";
  case actor_start_failed: return "actor_start_failed";
  case actor_stop_asked: return "actor_stop_asked";
  case actor_ended: return "actor_ended";
  case resource_registered: return "resource_registered";
  case release_started: return "release_started";
  case release_ended: return "release_ended";
  case release_failed: return "release_failed";
  case release_overdue: return "release_overdue";
  case linked: return "linked";
  case unlinked: return "unlinked";
  case dependency: return "dependency";
  case wait_began: return "wait_began";
  case wait_ended: return "wait_ended";
  case exit_sent: return "exit_sent";
  case exit_received: return "exit_received";
  case cancel_asked: return "cancel_asked";
  case cancel_observed: return "cancel_observed";
  case timeout: return "timeout";
  case failure: return "failure";
  case unresponsive: return "unresponsive";
  case spawn_refused: return "spawn_refused";
  case lane_grown: return "lane_grown";
  case lane_shrunk: return "lane_shrunk";
  case lane_saturated: return "lane_saturated";
  case note: return "note";
  case progress: return "progress";
  case restart_decided: return "restart_decided";
  case restart_backoff: return "restart_backoff";
  case restart_done: return "restart_done";
  case restart_abandoned: return "restart_abandoned";
  case intensity_exceeded: return "intensity_exceeded";
  case pool_created: return "pool_created";
  case pool_resized: return "pool_resized";
  case pool_reset: return "pool_reset";
  case pool_closed: return "pool_closed";
  case pool_ended: return "pool_ended";
  case pool_item_created: return "pool_item_created";
  case pool_create_failed: return "pool_create_failed";
  case pool_check_failed: return "pool_check_failed";
  case pool_item_destroyed: return "pool_item_destroyed";
  case lease_granted: return "lease_granted";
  case lease_returned: return "lease_returned";
  case lease_reclaimed: return "lease_reclaimed";
  case breaker_created: return "breaker_created";
  case breaker_opened: return "breaker_opened";
  case breaker_half_opened: return "breaker_half_opened";
  case breaker_closed: return "breaker_closed";
  case breaker_reset: return "breaker_reset";
  case breaker_refused: return "breaker_refused";
  case breaker_permit_reclaimed: return "breaker_permit_reclaimed";
  case breaker_ended: return "breaker_ended";
  case retry_scheduled: return "retry_scheduled";
  case retry_gave_up: return "retry_gave_up";
  case events_dropped: return "events_dropped";
  case strings_dropped: return "strings_dropped";
  }
  return "unknown";
}

} // namespace muster
