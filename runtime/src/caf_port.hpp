/// Everything that depends on CAF's version, and so the only file that tests it: the base of Muster's own actors, their
/// allocation, counting, exit messages and errors.
///
/// What each version spells its own way is in a half of this file, caf_port_0_17.hpp or caf_port_1.hpp, and included
/// here alone; the two offer the same names. What engines alone need of it (settings, scheduler and clock of a
/// simulation) is behind MUSTER_CAF_SYSTEM, which each half defines and caf_system.cpp includes.
///
/// Muster's actors are real CAF actors (address, links, monitors, exit messages) on CAF's lowest base; they have no CAF
/// mailbox, no behaviour and no place in CAF's scheduler. They send with a null host, so that whoever receives is
/// scheduled by its own system and never on a thread of ours.
#pragma once

#include "block_store.hpp"

#include <caf/abstract_actor.hpp>
#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/actor_system.hpp>
#include <caf/config.hpp>
#include <caf/error.hpp>
#include <caf/exit_reason.hpp>
#include <caf/local_actor.hpp>
#include <caf/logger.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/message.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/sec.hpp>
#include <caf/send.hpp>
#include <caf/system_messages.hpp>
#include <caf/timestamp.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <utility>

#if defined(CAF_VERSION_MAJOR) && CAF_VERSION_MAJOR == 1 && CAF_VERSION_MINOR >= 1
#  include "caf_port_1.hpp" // whose CAF_VERSION is no number to compare with
#elif !defined(CAF_VERSION_MAJOR) && CAF_VERSION >= 1706 && CAF_VERSION < 1800
#  include "caf_port_0_17.hpp"
#else
#  error "Muster knows CAF 0.17.6 (Debian 12) and CAF 1.1; see caf_port.hpp"
#endif

namespace muster::runtime {

/// The base of every actor of ours. Threads: `enqueue` is called from any thread, possibly while CAF holds this actor's
/// own lock (an actor that links to one that has ended): overrides of `on_mail` take no lock that is held while CAF is
/// called, and leave the work to another thread.
class light_actor : public actor_base {
public:
  light_actor() : actor_base(caf::actor_config{}) {}

  /// As CAF's own, without a call into its library: this is asked for with every event.
  [[nodiscard]] caf::actor_id id() const noexcept { return caf::actor_control_block::from(this)->id(); }

  /// Tells everybody who is linked to this actor or monitors it that it has ended. Once; later calls do nothing.
  void announce_end(caf::error reason) { cleanup(std::move(reason), nullptr); }

  // Somebody links to this actor, or takes that back. False: it has ended, or nothing has changed.
  bool add_backlink(caf::abstract_actor* other) override {
    const bool made = actor_base::add_backlink(other);
    if (made)
      on_link(*other, true);
    return made;
  }
  bool remove_backlink(caf::abstract_actor* other) override {
    const bool undone = actor_base::remove_backlink(other);
    if (undone)
      on_link(*other, false);
    return undone;
  }

protected:
  /// A link of somebody else's making, made or undone. CAF holds both actors' locks: it neither sends nor waits.
  /// Default: nothing.
  virtual void on_link(const caf::abstract_actor& /*other*/, bool /*made*/) noexcept {}
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
    static_assert(block_store::alignment >= alignof(std::max_align_t));
    const std::size_t slack = alignment > alignof(std::max_align_t) ? alignment : 0;
    void* memory = take_block(extra_offset + extra + slack);
    if (memory == nullptr)
      throw std::bad_alloc{};
    auto node = system ? system->node() : caf::node_id{};
    const auto id = system ? system->next_actor_id() : caf::invalid_actor_id;
    auto* block = ::new (memory) caf::actor_control_block(id, node, system, destroy_actor, free_block);
    try {
      return ::new (static_cast<void*>(block->get())) T(std::forward<Args>(args)...);
    } catch (...) {
      block->~actor_control_block();
      give_block(memory);
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
    before_destruction(*actor);
    static_cast<T*>(actor)->~T();
  }
  static void free_block(caf::actor_control_block* block) {
    block->~actor_control_block();
    give_block(block);
  }
};

/// Destroys an actor whose `postpone_destruction` had said that it would be, and lets go of its memory.
template <class T>
void destroy_postponed(T& actor) noexcept {
  auto* block = actor.ctrl();
  before_destruction(actor);
  actor.~T();
  intrusive_ptr_release_weak(block);
}

inline void retain_actor(const caf::abstract_actor& actor) noexcept { intrusive_ptr_add_ref(actor.ctrl()); }
inline void release_actor(const caf::abstract_actor& actor) noexcept { intrusive_ptr_release(actor.ctrl()); }

/// A handle that counts one more reference.
inline caf::actor handle_of(const caf::abstract_actor& actor) {
  return caf::actor_cast<caf::actor>(caf::strong_actor_ptr{actor.ctrl()});
}

/// The text inside a CAF error, or CAF's own rendering of it.
inline std::string text_of(const caf::error& error) { return caf::to_string(error); }

/// Makes an exception that escapes `actor` its exit reason, with its text.
inline void keep_exception_text(caf::scheduled_actor& actor) {
  actor.set_exception_handler([](caf::scheduled_actor*, std::exception_ptr& escaped) {
    try {
      std::rethrow_exception(escaped);
    } catch (const std::exception& e) {
      return failed_exit(e.what());
    } catch (...) {
      return failed_exit("an exception that is no std::exception");
    }
  });
}

/// Sends `from`'s exit to `to`.
inline void send_exit(const caf::abstract_actor& from, caf::abstract_actor& to, caf::error reason) {
  to.enqueue(letter(nullptr, caf::make_message_id(), caf::exit_msg{from.address(), std::move(reason)}), nullptr);
}

/// Asks an application's actor to stop.
inline void stop_actor(const caf::actor& actor) { caf::anon_send_exit(actor, caf::exit_reason::user_shutdown); }
/// The same in a way that its exit handler does not see.
inline void kill_actor(const caf::actor& actor) { caf::anon_send_exit(actor, caf::exit_reason::kill); }

/// True if an actor that was asked to stop, or killed, ends with this reason when nothing else went wrong.
inline bool is_what_was_asked(const caf::error& reason) {
  return !reason || is_exit(reason, caf::exit_reason::user_shutdown) || is_exit(reason, caf::exit_reason::kill);
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

/// True if it is there and one of an application's own in this process: it runs in CAF's scheduler or on a thread of
/// its own, and tells of its end there, where neither it nor CAF has a lock.
inline bool is_applications_own(const caf::actor_addr& actor) {
  const auto there = caf::actor_cast<caf::strong_actor_ptr>(actor);
  return there && dynamic_cast<const caf::local_actor*>(there->get()) != nullptr;
}

/// Gives a message to another actor as it came, so that its sender gets the answer.
inline void pass_on(const caf::actor& to, caf::mailbox_element_ptr mail, mail_host* host) {
  caf::actor_cast<caf::abstract_actor*>(to)->enqueue(std::move(mail), host);
}

/// Sends `content` to `to` as a request of `from`, whose answer comes back to it as mail (with an error inside if `to`
/// does not understand, or is gone).
inline void send_request(const caf::abstract_actor& from, const caf::actor& to, caf::message content) {
  auto* target = caf::actor_cast<caf::abstract_actor*>(to);
  target->enqueue(letter(caf::strong_actor_ptr{from.ctrl()}, caf::make_message_id(1), std::move(content)), nullptr);
}

/// The content of an answer, or the error that it is.
inline std::pair<caf::message, caf::error> take_answer(caf::mailbox_element& mail) {
  auto content = take_content(mail);
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

} // namespace muster::runtime
