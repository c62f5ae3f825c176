/// A function registered with `context::on_cancel`.
///
/// Owner: the registration and the task share it; the service lane keeps it while it is queued. Threads: the function
/// runs on the service lane. States: armed ─▶ queued ─▶ running ─▶ done, or armed ─▶ done; the one atomic decides
/// between "called" and "taken back". One that has been triggered is called, whoever takes it back meanwhile.
#pragma once

#include "actor_ref.hpp"
#include "engine.hpp"

#include <muster/context.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>

namespace muster {
class supervisor;
}

namespace muster::detail {

class callback_entry final : public runtime::lane_item, public std::enable_shared_from_this<callback_entry> {
public:
  callback_entry(ref<task_actor> task, std::move_only_function<void()> fn) noexcept;
  ~callback_entry();

  /// Sends it to the service lane, unless it has been sent or taken back.
  void trigger() noexcept;
  /// Triggers it when `token` is asked to stop (at once if it has been).
  void trigger_with(const std::stop_token& token);
  /// On return the function neither runs nor will run; on its own thread it does not wait for itself.
  void take_back() noexcept;

private:
  enum class state : std::uint8_t { armed, queued, running, done };
  void run_on_lane() noexcept override;

  const ref<task_actor> task_;
  std::move_only_function<void()> fn_;
  std::atomic<state> state_ = state::armed;
  std::shared_ptr<callback_entry> queued_self_;
  std::optional<std::stop_callback<std::function<void()>>> by_token_;
};

} // namespace muster::detail
