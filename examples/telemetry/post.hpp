/// What all actors of the system have in common: they report their birth and death, end in order, and obey chaos.
///
/// Owner: the actor's behaviour. Threads: the actor's.
#pragma once

#include "messages.hpp"
#include "wiring.hpp"

#include <caf/event_based_actor.hpp>

#include <functional>

namespace telemetry {

class post {
public:
  /// `self` takes up the post called `name`. When it is asked to end, it does so behind everything that is in its
  /// mailbox by then: it gets a `finish_atom`, which it answers with `leave`. `at_death` is called when it has died,
  /// however.
  post(caf::event_based_actor* self, wiring& around, std::string name, std::function<void()> at_death = {});

  [[nodiscard]] std::uint32_t incarnation() const noexcept { return incarnation_; }
  /// Does what chaos wants; does not return if that is at once.
  void obey(order what);
  /// It has work in hand: throws if chaos wanted it to break then.
  void works() const;
  /// It ends as it was asked to.
  void leave();

private:
  caf::event_based_actor* const self_;
  wiring& around_;
  const std::string name_;
  const std::uint32_t incarnation_;
  bool breaks_ = false;
};

} // namespace telemetry
