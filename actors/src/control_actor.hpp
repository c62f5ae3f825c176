/// The base of supervisors and of what they own: an actor that lives on the engine's control loop.
///
/// Owner: counted, by CAF's control block. Threads: `signal` and CAF's `enqueue` from any thread; everything called
/// `on_…` on a control thread, or on one that signalled it (or an actor before it) and runs the turn at once; one call
/// at a time for each actor. Invariants: signals coalesce (a flag that is raised twice before it is seen is seen once),
/// so telling an actor something allocates nothing and cannot fail; an actor is kept alive while it is posted.
#pragma once

#include "caf_port.hpp"
#include "engine.hpp"
#include "link_index.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace muster {

class control_actor : public runtime::light_actor, public runtime::control_item {
public:
  explicit control_actor(std::shared_ptr<runtime::engine> engine) noexcept
      : engine_(std::move(engine)), id_(light_actor::id()) {}

  /// A copy: who asks for it all the time does not go to where its references are counted all the time.
  [[nodiscard]] caf::actor_id id() const noexcept { return id_; }
  [[nodiscard]] runtime::engine& engine() const noexcept { return *engine_; }
  [[nodiscard]] const std::shared_ptr<runtime::engine>& shared_engine() const noexcept { return engine_; }

  /// Raises `flags`; `on_signal` will see them. Not under a lock that `on_signal` takes, once the engine has stopped.
  void signal(std::uint32_t flags) noexcept;

  /// The same, and on return `on_signal` has seen them, unless this actor has its turn elsewhere or this thread runs
  /// such a turn already: for a thread that has no lock, CAF's included, and would otherwise have to wake another.
  void signal_here(std::uint32_t flags) noexcept;

  /// Tells everybody who is linked to this actor or monitors it that it has ended. Once; later calls do nothing.
  void announce_end(caf::error reason);
  /// How many are linked to it, as far as it knows.
  [[nodiscard]] std::size_t count_links();

protected:
  virtual void on_signal(std::uint32_t flags) noexcept = 0;
  /// An exit message of somebody who is linked to this actor. Default: nothing.
  virtual void on_exit(const caf::exit_msg&) noexcept {}
  /// Into the mailbox.
  void on_mail(caf::mailbox_element_ptr what, runtime::mail_host* host) noexcept override;
  /// The same, and it is read on this thread, as in `signal_here`.
  void read_here(caf::mailbox_element_ptr what) noexcept;
  /// The end of somebody whom this actor monitors. Default: nothing.
  virtual void on_down(const caf::down_msg&) noexcept {}
  /// Into the trace.
  void on_link(const caf::abstract_actor& other, bool made) noexcept override;

private:
  static constexpr std::uint32_t posted = 1U << 31U;
  static constexpr std::uint32_t mail = 1U << 30U;

  bool add_backlink(caf::abstract_actor* who) override;
  bool remove_backlink(caf::abstract_actor* who) override;
  /// Whoever sent it is no longer linked, if it has ended.
  void note_exit(const caf::exit_msg& exit);

  /// True if its turn is not on its way yet: then it keeps itself alive for it.
  bool raise(std::uint32_t flags) noexcept;
  void run_control() noexcept final;
  void keep_mail(caf::mailbox_element_ptr what) noexcept;
  void read_mail() noexcept;

  const std::shared_ptr<runtime::engine> engine_;
  const caf::actor_id id_;
  std::atomic<std::uint32_t> flags_ = 0;
  std::mutex mail_mutex_; ///< a leaf: nothing is called while it is held
  std::vector<caf::mailbox_element_ptr> mail_;
  link_index links_; ///< guarded by CAF's lock on this actor; empty once the end has been announced
};

} // namespace muster
