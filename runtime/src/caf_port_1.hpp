/// The half of caf_port.hpp for CAF 1.1; included by it alone.
#pragma once

#include <muster/caf_types.hpp>

#include <caf/actor_config.hpp>
#include <caf/actor_registry.hpp>
#include <caf/attachable.hpp>
#include <caf/default_enum_inspect.hpp>
#include <caf/detail/meta_object.hpp>
#include <caf/init_global_meta_objects.hpp>
#include <caf/is_error_code_enum.hpp>
#include <caf/ref_counted.hpp>
#include <caf/scheduler.hpp>
#include <caf/type_id.hpp>

#include <string_view>
#include <type_traits>

/// What an engine needs besides.
#define MUSTER_CAF_SYSTEM "caf_system_1.hpp"

namespace muster {

/// The category of exits that this version of CAF has no reason of its own for.
enum class exit_code : std::uint8_t {
  failed = 1, ///< by an error or an exception
};

inline std::string to_string(exit_code) { return "failed"; }
inline bool from_integer(std::uint8_t number, exit_code& code) {
  code = exit_code::failed;
  return number == 1;
}
inline bool from_string(std::string_view name, exit_code& code) {
  code = exit_code::failed;
  return name == "failed";
}
template <class Inspector>
bool inspect(Inspector& f, exit_code& code) {
  return caf::default_enum_inspect(f, code);
}

} // namespace muster

CAF_BEGIN_TYPE_ID_BLOCK(muster, ::muster::first_caf_type_id)
CAF_ADD_TYPE_ID(muster, (muster::exit_code))
CAF_END_TYPE_ID_BLOCK(muster)
CAF_ERROR_CODE_ENUM(muster::exit_code)

static_assert(caf::id_block::muster::end <= muster::last_caf_type_id + 1);

namespace muster::runtime {

/// What runs the sender of a message.
using mail_host = caf::scheduler;

/// A message on its way.
template <class T>
caf::mailbox_element_ptr letter(caf::strong_actor_ptr from, caf::message_id id, T&& what) {
  return caf::make_mailbox_element(std::move(from), id, std::forward<T>(what));
}

/// What light_actor is made of.
class actor_base : public caf::abstract_actor {
public:
  [[nodiscard]] const char* name() const override { return "muster"; }
  bool enqueue(caf::mailbox_element_ptr mail, mail_host* host) final {
    on_mail(std::move(mail), host);
    return true;
  }

protected:
  explicit actor_base(caf::actor_config config) : caf::abstract_actor(config) {}
  /// A message for this actor. `host`: what runs the sender, for those who pass the message on; may be null.
  virtual void on_mail(caf::mailbox_element_ptr mail, mail_host* host) noexcept = 0;
  /// Answers a request that this actor does not understand, or can no longer answer.
  void refuse_mail(caf::mailbox_element_ptr& mail, const caf::error& why) {
    if (mail->sender && mail->mid.is_request())
      mail->sender->enqueue(letter(caf::strong_actor_ptr{ctrl()}, mail->mid.response_id(), why), nullptr);
  }

private:
  void force_close_mailbox() override {} // there is none
};

inline void before_destruction(caf::abstract_actor&) {}

inline caf::message take_content(caf::mailbox_element& mail) { return std::move(mail.payload); }

/// The exit of one that failed, or was cancelled, with its text, as links and monitors of other actors see it.
inline caf::error failed_exit(std::string text) { return caf::error{exit_code::failed, std::move(text)}; }
inline caf::error cancelled_exit(std::string text) {
  return caf::error{caf::exit_reason::user_shutdown, std::move(text)};
}
/// Whether an error, which there is, is this exit.
inline bool is_exit(const caf::error& error, caf::exit_reason reason) { return error == reason; }

/// Sends a down message when the actor that it is attached to has ended and destroyed its state. CAF's own monitors
/// tell before that; but what is attached goes last of all.
class end_watch final : public caf::attachable {
public:
  end_watch(caf::actor_addr observer, caf::actor_addr observed)
      : observer_(std::move(observer)), observed_(std::move(observed)) {}
  ~end_watch() override {
    const auto observer = caf::actor_cast<caf::strong_actor_ptr>(observer_);
    if (observer && down_)
      observer->enqueue(std::move(down_), nullptr);
  }
  void actor_exited(const caf::error& reason, caf::scheduler*) override {
    down_ = letter(nullptr, caf::make_message_id(), caf::down_msg{observed_, reason});
  }

private:
  const caf::actor_addr observer_;
  const caf::actor_addr observed_;
  caf::mailbox_element_ptr down_;
};

/// Sends a down message to `observer` when `observed` has ended (at once if it has).
inline void watch_actor(const caf::abstract_actor& observer, const caf::actor& observed) {
  auto* target = caf::actor_cast<caf::abstract_actor*>(observed);
  target->attach(caf::attachable_ptr{new end_watch{observer.address(), target->address()}});
}

/// Whether CAF knows the types of our messages, or the one of this number.
inline bool type_known(std::uint16_t id) noexcept { return caf::detail::global_meta_object_or_null(id) != nullptr; }
inline bool types_known() noexcept { return type_known(first_caf_type_id); }
/// Whether there is an actor system, or a thread of one: it holds on to CAF's table, as CAF itself and we here do.
inline bool any_system_lives() noexcept {
  return caf::detail::global_meta_objects_guard()->get_reference_count() > 2;
}
inline void make_types_known() {
  caf::core::init_global_meta_objects();
  caf::init_global_meta_objects<caf::id_block::muster>();
}

inline std::string place_of(caf::actor_id id) { return "muster." + std::to_string(id); }
/// Has the system keep `actor` until it is taken back, or the system is destroyed. (Not by its number: CAF would call
/// itself under its lock when it lets go of one that has not ended.)
inline void leave_with(caf::actor_system& system, const caf::actor& actor) {
  system.registry().put(place_of(actor.id()), actor);
}
inline void take_from(caf::actor_system& system, caf::actor_id id) { system.registry().erase(place_of(id)); }

/// How much a line for CAF's logger matters.
enum class log_rank : unsigned {
  error = CAF_LOG_LEVEL_ERROR,
  warning = CAF_LOG_LEVEL_WARNING,
  info = CAF_LOG_LEVEL_INFO,
};
/// Writes to the logger of `system` as component "muster", unless that wants no such line.
inline void write_log(caf::actor_system& system, log_rank rank, std::string text) {
  auto* const before = caf::logger::current_logger();
  caf::logger::current_logger(&system); // a thread logs to whichever it was given last
  caf::logger::log(static_cast<unsigned>(rank), "muster", "{}", text);
  caf::logger::current_logger(before);
}

} // namespace muster::runtime
