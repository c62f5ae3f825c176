/// How an actor system is made, and how one of the application's is watched.
#include "caf_system.hpp"

#include "caf_port.hpp"
#include MUSTER_CAF_SYSTEM // which holds `own_system::parts`

#include <muster/assert.hpp>
#include <muster/caf_types.hpp>

namespace muster::runtime {

own_system::own_system(unsigned threads, conductor* by) {
  init_caf_types();
  parts_ = std::make_unique<parts>(threads, by);
}

own_system::~own_system() = default;

caf::actor_system& own_system::system() noexcept { return parts_->system; }

void own_system::settle() {
  if (parts_->jobs)
    parts_->jobs->settle();
}

/// Something that only the actor system refers to, and that so ends with it.
class system_watch::mark final : public light_actor {
public:
  ~mark() override {
    MUSTER_ASSERT(over, "an actor system was destroyed while a manager lives in it: destroy the manager first");
  }
  bool over = false;

private:
  void on_mail(caf::mailbox_element_ptr, mail_host*) noexcept override {}
};

system_watch::system_watch(caf::actor_system* system) : system_(system) {
  if (!system_)
    return;
  MUSTER_ASSERT(types_known(),
                "a manager was to live in an actor system that does not know Muster's messages: call "
                "muster::init_caf_types() before the first caf::actor_system");
  mark_ = light_storage<mark>::make(system_, 0, alignof(std::max_align_t));
  leave_with(*system_, handle_of(*mark_));
  release_actor(*mark_);
}

system_watch::~system_watch() { end(); }

void system_watch::end() noexcept {
  auto* it = std::exchange(mark_, nullptr);
  if (!it)
    return;
  it->over = true;
  take_from(*system_, it->id());
}

} // namespace muster::runtime
