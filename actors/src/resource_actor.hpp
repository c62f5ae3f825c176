/// A resource: an actor that owns an object and gives it back when its scope ends.
///
/// Owner: the scope. Threads: the release runs on the service lane, under no lock. Invariant: the object is released
/// and destroyed exactly once.
#pragma once

#include "lane.hpp"
#include "owned_actor.hpp"

#include <muster/resource.hpp>

namespace muster {

class scope_actor;

class resource_actor final : public owned_actor, public runtime::lane_item {
public:
  resource_actor(scope_actor& scope, std::string name, duration limit, std::shared_ptr<detail::resource_holder> holder);

  /// Makes a resource of `scope`. On an ended scope: releases it at once, on this thread, and says so.
  [[nodiscard]] static std::optional<error> register_with(scope_actor& scope, resource_options options,
                                                          std::shared_ptr<detail::resource_holder> holder);
  /// Calls the release of `holder` and destroys it; what goes wrong comes back as errc::release_failed.
  [[nodiscard]] static std::optional<error> give_back(std::shared_ptr<detail::resource_holder> holder,
                                                      const std::string& name, const std::string& path) noexcept;

private:
  void begin_stop() noexcept override;
  void run_on_lane() noexcept override;

  std::shared_ptr<detail::resource_holder> holder_;
};

} // namespace muster
