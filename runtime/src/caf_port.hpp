/// Everything that depends on CAF's version, and so the only file that tests it: the base of Muster's own actors, their
/// allocation, counting, exit messages and errors.
///
/// Muster's actors are real CAF actors (address, links, monitors, exit messages) on CAF's lowest base; they have no CAF
/// mailbox, no behaviour and no place in CAF's scheduler. They send with a null host, so that whoever receives is
/// scheduled by its own system and never on a thread of ours.
#pragma once

#include <caf/abstract_actor.hpp>
#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_config.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/actor_system.hpp>
#include <caf/config.hpp>
#include <caf/default_attachable.hpp>
#include <caf/error.hpp>
#include <caf/exit_reason.hpp>
#include <caf/logger.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/make_message.hpp>
#include <caf/monitorable_actor.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/sec.hpp>
#include <caf/send.hpp>
#include <caf/system_messages.hpp>
#include <caf/timestamp.hpp>

#include <cstddef>
#include <cstdlib>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <utility>

#if CAF_VERSION < 1706 || CAF_VERSION >= 1800
#  error "Muster has been ported to CAF 0.17.6 (Debian 12); see caf_port.hpp"
#endif

namespace muster::runtime {

/// The base of every actor of ours. Threads: `enqueue` is called from any thread, possibly while CAF holds this actor's
/// own lock (an actor that links to one that has ended): overrides of `on_mail` take no lock that is held while CAF is
/// called, and leave the work to another thread.
class light_actor : public caf::monitorable_actor {
public:
  light_actor() : light_actor(caf::actor_config{}) {}

  void enqueue(caf::mailbox_element_ptr mail, caf::execution_unit* host) final { on_mail(std::move(mail), host); }

  /// Tells everybody who is linked to this actor or monitors it that it has ended. Once; later calls do nothing.
  void announce_end(caf::error reason) { cleanup(std::move(reason), nullptr); }

  // Somebody links to this actor, or takes that back. False: it has ended, or nothing has changed.
  bool add_backlink(caf::abstract_actor* other) override {
    const bool made = caf::monitorable_actor::add_backlink(other);
    if (made)
      on_link(*other, true);
    return made;
  }
  bool remove_backlink(caf::abstract_actor* other) override {
    const bool undone = caf::monitorable_actor::remove_backlink(other);
    if (undone)
      on_link(*other, false);
    return undone;
  }

protected:
  /// A link of somebody else's making, made or undone. CAF holds both actors' locks: it neither sends nor waits.
  /// Default: nothing.
  virtual void on_link(const caf::abstract_actor& /*other*/, bool /*made*/) noexcept {}
  /// A message for this actor. `host`: what runs the sender, for those who pass the message on; may be null.
  virtual void on_mail(caf::mailbox_element_ptr mail, caf::execution_unit* host) noexcept = 0;
  /// Answers a request that this actor does not understand, or can no longer answer.
  void refuse_mail(caf::mailbox_element_ptr& mail, const caf::error& why) { bounce(mail, why); }

private:
  explicit light_actor(caf::actor_config config) : caf::monitorable_actor(config) {}
};

/// Allocates a control block, a `T` and `extra` bytes behind it (aligned for any object up to `alignment`) in one
/// piece. Returns the actor with a strong count of one. `T` finds the extra bytes through `extra_of`.
template <class T>
class light_storage {
public:
  template <class... Args>
  /// `system` null: for an actor that is made when its system has gone, and of which only the memory is wanted.
  static T* make(caf::actor_system* system, std::size_t extra, std::size_t alignment, Args&&... args) {
    static_assert(sizeof(caf::actor_control_block) <= CAF_CACHE_LINE_SIZE && alignof(T) <= alignof(std::max_align_t));
    const std::size_t slack = alignment > alignof(std::max_align_t) ? alignment : 0;
    void* memory = std::malloc(extra_offset + extra + slack);
    if (memory == nullptr)
      throw std::bad_alloc{};
    auto node = system ? system->node() : caf::node_id{};
    const auto id = system ? system->next_actor_id() : caf::invalid_actor_id;
    auto* block = ::new (memory) caf::actor_control_block(id, node, system, destroy_actor, free_block);
    try {
      return ::new (static_cast<void*>(block->get())) T(std::forward<Args>(args)...);
    } catch (...) {
      block->~actor_control_block();
      std::free(memory);
      throw;
    }
  }

  /// The extra bytes behind `actor`, for an object of this alignment.
  static void* extra_of(T& actor, std::size_t alignment) noexcept {
    auto at = reinterpret_cast<std::uintptr_t>(actor.ctrl()) + extra_offset;
    return reinterpret_cast<void*>((at + alignment - 1) / alignment * alignment);
  }

private:
  static constexpr std::size_t align_up(std::size_t n) noexcept {
    constexpr auto unit = alignof(std::max_align_t);
    return (n + unit - 1) / unit * unit;
  }
  static constexpr std::size_t extra_offset = CAF_CACHE_LINE_SIZE + align_up(sizeof(T));

  static void destroy_actor(caf::abstract_actor* actor) {
    if constexpr (requires(T& t) { t.postpone_destruction(); }) {
      // The memory is kept by a weak reference until `destroy_postponed`.
      intrusive_ptr_add_weak_ref(actor->ctrl());
      if (static_cast<T*>(actor)->postpone_destruction())
        return;
      intrusive_ptr_release_weak(actor->ctrl());
    }
    actor->on_destroy();
    static_cast<T*>(actor)->~T();
  }
  static void free_block(caf::actor_control_block* block) {
    block->~actor_control_block();
    std::free(block);
  }
};

/// Destroys an actor whose `postpone_destruction` had said that it would be, and lets go of its memory.
template <class T>
void destroy_postponed(T& actor) noexcept {
  auto* block = actor.ctrl();
  actor.on_destroy();
  actor.~T();
  intrusive_ptr_release_weak(block);
}

inline void retain_actor(const caf::abstract_actor& actor) noexcept { intrusive_ptr_add_ref(actor.ctrl()); }
inline void release_actor(const caf::abstract_actor& actor) noexcept { intrusive_ptr_release(actor.ctrl()); }

/// A handle that counts one more reference.
inline caf::actor handle_of(const caf::abstract_actor& actor) {
  return caf::actor_cast<caf::actor>(caf::strong_actor_ptr{actor.ctrl()});
}

/// An abnormal exit with its text, as links and monitors of other actors see it.
inline caf::error exit_error(caf::exit_reason reason, std::string text) {
  return caf::error{static_cast<uint8_t>(reason), caf::atom("exit"), caf::make_message(std::move(text))};
}

/// The text inside a CAF error, or CAF's own rendering of it.
inline std::string text_of(const caf::error& error) { return caf::to_string(error); }

/// Makes an exception that escapes `actor` its exit reason, with its text.
inline void keep_exception_text(caf::scheduled_actor& actor) {
  actor.set_exception_handler([](caf::scheduled_actor*, std::exception_ptr& escaped) {
    try {
      std::rethrow_exception(escaped);
    } catch (const std::exception& e) {
      return exit_error(caf::exit_reason::unhandled_exception, e.what());
    } catch (...) {
      return exit_error(caf::exit_reason::unhandled_exception, "an exception that is no std::exception");
    }
  });
}

/// Sends `from`'s exit to `to`.
inline void send_exit(const caf::abstract_actor& from, caf::abstract_actor& to, caf::error reason) {
  to.enqueue(caf::make_mailbox_element(nullptr, caf::make_message_id(), {},
                                       caf::exit_msg{from.address(), std::move(reason)}),
             nullptr);
}

/// Sends a down message to `observer` when `observed` ends (at once if it has).
inline void watch_actor(const caf::abstract_actor& observer, const caf::actor& observed) {
  auto* target = caf::actor_cast<caf::abstract_actor*>(observed);
  target->attach(caf::default_attachable::make_monitor(target->address(), observer.address()));
}

/// Asks an application's actor to stop.
inline void stop_actor(const caf::actor& actor) { caf::anon_send_exit(actor, caf::exit_reason::user_shutdown); }
/// The same in a way that its exit handler does not see.
inline void kill_actor(const caf::actor& actor) { caf::anon_send_exit(actor, caf::exit_reason::kill); }

/// True if an actor that was asked to stop, or killed, ends with this reason when nothing else went wrong.
inline bool is_what_was_asked(const caf::error& reason) {
  return !reason || (reason.category() == caf::atom("exit") &&
                     (reason.code() == static_cast<uint8_t>(caf::exit_reason::user_shutdown) ||
                      reason.code() == static_cast<uint8_t>(caf::exit_reason::kill)));
}

/// True if `actor` has ended.
inline bool has_ended(const caf::actor& actor) {
  return caf::actor_cast<caf::abstract_actor*>(actor)->getf(caf::abstract_actor::is_terminated_flag);
}

/// The same of one that may be gone altogether.
inline bool has_ended(const caf::actor_addr& actor) {
  const auto there = caf::actor_cast<caf::strong_actor_ptr>(actor);
  return !there || there->get()->getf(caf::abstract_actor::is_terminated_flag);
}

/// Gives a message to another actor as it came, so that its sender gets the answer.
inline void pass_on(const caf::actor& to, caf::mailbox_element_ptr mail, caf::execution_unit* host) {
  caf::actor_cast<caf::abstract_actor*>(to)->enqueue(std::move(mail), host);
}

/// Sends `content` to `to` as a request of `from`, whose answer comes back to it as mail (with an error inside if `to`
/// does not understand, or is gone).
inline void send_request(const caf::abstract_actor& from, const caf::actor& to, caf::message content) {
  auto* target = caf::actor_cast<caf::abstract_actor*>(to);
  target->enqueue(caf::make_mailbox_element(caf::strong_actor_ptr{from.ctrl()}, caf::make_message_id(1), {},
                                            std::move(content)),
                  nullptr);
}

/// The content of an answer, or the error that it is.
inline std::pair<caf::message, caf::error> take_answer(caf::mailbox_element& mail) {
  auto content = mail.move_content_to_message();
  if (content.size() == 1 && content.match_element<caf::error>(0))
    return {caf::message{}, content.get_as<caf::error>(0)};
  return {std::move(content), caf::error{}};
}

/// The id of whoever's exit it is; 0: nobody's (an anonymous one names its receiver).
inline caf::actor_id sender_of(const caf::exit_msg& exit, const caf::abstract_actor& receiver) noexcept {
  return exit.source && exit.source.id() != receiver.id() ? exit.source.id() : caf::invalid_actor_id;
}

/// The exit or down message inside `mail`, or null.
inline const caf::exit_msg* as_exit(const caf::mailbox_element& mail) {
  const auto& content = mail.content();
  return content.size() == 1 && content.match_element<caf::exit_msg>(0) ? &content.get_as<caf::exit_msg>(0) : nullptr;
}
inline const caf::down_msg* as_down(const caf::mailbox_element& mail) {
  const auto& content = mail.content();
  return content.size() == 1 && content.match_element<caf::down_msg>(0) ? &content.get_as<caf::down_msg>(0) : nullptr;
}

/// Writes to the logger of `system` as component "muster", unless that wants no such line.
enum class log_rank : unsigned {
  error = CAF_LOG_LEVEL_ERROR,
  warning = CAF_LOG_LEVEL_WARNING,
  info = CAF_LOG_LEVEL_INFO,
};
inline void write_log(caf::actor_system& system, log_rank rank, std::string text) {
  const auto level = static_cast<unsigned>(rank);
  constexpr auto component = caf::atom("muster");
  if (auto& log = system.logger(); log.accepts(level, component))
    log.log({level, __LINE__, component, "muster", "muster", "muster", std::move(text), std::this_thread::get_id(),
             caf::invalid_actor_id, caf::make_timestamp()});
}

} // namespace muster::runtime
