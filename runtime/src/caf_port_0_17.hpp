/// The half of caf_port.hpp for CAF 0.17.6, Debian 12's; included by it alone.
#pragma once

#include <caf/actor_config.hpp>
#include <caf/actor_registry.hpp>
#include <caf/atom.hpp>
#include <caf/default_attachable.hpp>
#include <caf/execution_unit.hpp>
#include <caf/make_message.hpp>
#include <caf/monitorable_actor.hpp>

/// What an engine needs besides.
#define MUSTER_CAF_SYSTEM "caf_system_0_17.hpp"

namespace muster::runtime {

/// What runs the sender of a message.
using mail_host = caf::execution_unit;

/// What light_actor is made of.
class actor_base : public caf::monitorable_actor {
public:
  void enqueue(caf::mailbox_element_ptr mail, mail_host* host) final { on_mail(std::move(mail), host); }

protected:
  explicit actor_base(caf::actor_config config) : caf::monitorable_actor(config) {}
  /// A message for this actor. `host`: what runs the sender, for those who pass the message on; may be null.
  virtual void on_mail(caf::mailbox_element_ptr mail, mail_host* host) noexcept = 0;
  /// Answers a request that this actor does not understand, or can no longer answer.
  void refuse_mail(caf::mailbox_element_ptr& mail, const caf::error& why) { bounce(mail, why); }
};

inline void before_destruction(caf::abstract_actor& actor) { actor.on_destroy(); }

/// A message on its way.
template <class T>
caf::mailbox_element_ptr letter(caf::strong_actor_ptr from, caf::message_id id, T&& what) {
  return caf::make_mailbox_element(std::move(from), id, {}, std::forward<T>(what));
}
inline caf::message take_content(caf::mailbox_element& mail) { return mail.move_content_to_message(); }

/// The exit of one that failed, or was cancelled, with its text, as links and monitors of other actors see it.
inline caf::error exit_with(caf::exit_reason reason, std::string text) {
  return caf::error{static_cast<uint8_t>(reason), caf::atom("exit"), caf::make_message(std::move(text))};
}
inline caf::error failed_exit(std::string text) {
  return exit_with(caf::exit_reason::unhandled_exception, std::move(text));
}
inline caf::error cancelled_exit(std::string text) {
  return exit_with(caf::exit_reason::user_shutdown, std::move(text));
}
/// Whether an error, which there is, is this exit.
inline bool is_exit(const caf::error& error, caf::exit_reason reason) {
  return error.category() == caf::atom("exit") && error.code() == static_cast<uint8_t>(reason);
}

/// Sends a down message to `observer` when `observed` has ended (at once if it has).
inline void watch_actor(const caf::abstract_actor& observer, const caf::actor& observed) {
  auto* target = caf::actor_cast<caf::abstract_actor*>(observed);
  target->attach(caf::default_attachable::make_monitor(target->address(), observer.address()));
}

// Types of messages have no numbers here, and need none.
inline bool types_known() noexcept { return true; }
inline bool type_known(std::uint16_t) noexcept { return true; }
inline bool any_system_lives() noexcept { return false; }
inline void make_types_known() noexcept {}

/// Has the system keep `actor` until it is taken back, or the system is destroyed.
inline void leave_with(caf::actor_system& system, const caf::actor& actor) {
  system.registry().put(actor.id(), actor);
}
inline void take_from(caf::actor_system& system, caf::actor_id id) { system.registry().erase(id); }

/// How much a line for CAF's logger matters.
enum class log_rank : unsigned {
  error = CAF_LOG_LEVEL_ERROR,
  warning = CAF_LOG_LEVEL_WARNING,
  info = CAF_LOG_LEVEL_INFO,
};
/// Writes to the logger of `system` as component "muster", unless that wants no such line.
inline void write_log(caf::actor_system& system, log_rank rank, std::string text) {
  const auto level = static_cast<unsigned>(rank);
  constexpr auto component = caf::atom("muster");
  if (auto& log = system.logger(); log.accepts(level, component))
    log.log({level, __LINE__, component, "muster", "muster", "muster", std::move(text), std::this_thread::get_id(),
             caf::invalid_actor_id, caf::make_timestamp()});
}

} // namespace muster::runtime
