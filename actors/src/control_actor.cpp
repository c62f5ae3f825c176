/// The mailbox, the links and the turn of a control actor.
#include "control_actor.hpp"

#include "actor_ref.hpp"

namespace muster {

bool control_actor::raise(std::uint32_t flags) noexcept {
  if (flags_.fetch_or(flags | posted, std::memory_order_acq_rel) & posted)
    return false;
  runtime::retain_actor(*this);
  return true;
}

void control_actor::signal(std::uint32_t flags) noexcept {
  engine_->control().post_if(*this, [&] { return raise(flags); });
}

void control_actor::signal_here(std::uint32_t flags) noexcept {
  engine_->control().run_or_post(*this, [&] { return raise(flags); });
}

void control_actor::keep_mail(caf::mailbox_element_ptr what) noexcept {
  std::lock_guard guard{mail_mutex_};
  mail_.push_back(std::move(what));
}

void control_actor::on_mail(caf::mailbox_element_ptr what, runtime::mail_host*) noexcept {
  keep_mail(std::move(what));
  signal(mail);
}

void control_actor::read_here(caf::mailbox_element_ptr what) noexcept {
  keep_mail(std::move(what));
  signal_here(mail);
}

// -- links ------------------------------------------------------------------------------------------------------------

bool control_actor::add_backlink(caf::abstract_actor* who) {
  if (getf(is_terminated_flag))
    return light_actor::add_backlink(who); // which tells it so at once
  const bool made = links_.add(*who);
  if (made)
    on_link(*who, true);
  return made;
}

bool control_actor::remove_backlink(caf::abstract_actor* who) {
  if (!links_.remove(*who))
    return light_actor::remove_backlink(who);
  on_link(*who, false);
  return true;
}

void control_actor::note_exit(const caf::exit_msg& exit) {
  if (runtime::has_ended(exit.source))
    exclusive_critical_section([&] { links_.remove(exit.source); });
}

void control_actor::announce_end(caf::error reason) {
  light_actor::announce_end(reason);
  // From here on nobody is added.
  auto linked = exclusive_critical_section([&] { return std::exchange(links_, {}); });
  linked.each([&](caf::abstract_actor& who) { runtime::send_exit(*this, who, reason); });
}

std::size_t control_actor::count_links() {
  return exclusive_critical_section([&] { return links_.size(); });
}

void control_actor::on_link(const caf::abstract_actor& other, bool made) noexcept {
  engine_->record(made ? event_kind::linked : event_kind::unlinked, id(), 0, static_cast<std::int64_t>(other.id()));
}

// -- the turn ---------------------------------------------------------------------------------------------------------

void control_actor::read_mail() noexcept {
  std::vector<caf::mailbox_element_ptr> received;
  {
    std::lock_guard guard{mail_mutex_};
    received.swap(mail_);
  }
  std::vector<caf::mailbox_element_ptr> others;
  for (auto& m : received) {
    const auto* exit = runtime::as_exit(*m);
    const auto* down = exit ? nullptr : runtime::as_down(*m);
    if (exit) {
      note_exit(*exit);
      on_exit(*exit);
    } else if (down) {
      on_down(*down);
    }
    if (!(exit && !exit->reason) && !(down && !down->reason))
      others.push_back(std::move(m));
  }
  // What a message or a reason is made of is the user's, and is not destroyed here.
  if (!others.empty())
    engine_->serve({}, [self = actor_ref<control_actor>{this}, others = std::move(others)]() mutable {
      for (auto& m : others)
        if (!runtime::as_exit(*m) && !runtime::as_down(*m))
          self->refuse_mail(m, caf::make_error(caf::sec::unexpected_message));
    });
}

void control_actor::run_control() noexcept {
  // `posted` stays set during the turn, so that signals raised meanwhile neither post again nor get lost.
  const std::uint32_t seen = flags_.fetch_and(posted, std::memory_order_acq_rel) & ~posted;
  if (seen & mail)
    read_mail();
  if (seen & ~mail)
    on_signal(seen & ~mail);
  std::uint32_t nothing_new = posted;
  if (flags_.compare_exchange_strong(nothing_new, 0, std::memory_order_acq_rel))
    runtime::release_actor(*this);
  else
    engine_->control().post(*this); // others get their turn between two of ours
}

} // namespace muster
