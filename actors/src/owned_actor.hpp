/// Something that a scope owns and stops at its end, in reverse order of start: a resource, a pool (which may be a
/// manager's), or an application's actor.
///
/// Owner: the stack of that scope. Threads: `stop` in a turn of that scope, once. Invariant: after `stop` the scope is
/// told `owned_ended` exactly once, however long it takes; what is overdue is reported, and awaited all the same.
#pragma once

#include "actor_ref.hpp"
#include "control_actor.hpp"

#include <muster/error.hpp>
#include <muster/tree.hpp>

#include <atomic>
#include <list>
#include <memory>
#include <optional>
#include <string>

namespace muster {

class supervisor;

class owned_actor : public control_actor, private runtime::timer {
public:
  owned_actor(supervisor& scope, std::string name, duration limit, node_kind kind);

  [[nodiscard]] const std::string& label() const noexcept { return name_; }
  [[nodiscard]] std::string path() const;
  /// Begins the end.
  void stop() noexcept;
  /// With the scope's lock held.
  [[nodiscard]] virtual tree_node draw(time_point now) const;
  /// The supervisor that it is, if it is one that hangs below its scope in this way only.
  [[nodiscard]] virtual actor_ref<supervisor> as_supervisor() const { return {}; }
  /// What of it is there and will not go without more, in a few words, for a list of survivors; empty: nothing. With
  /// the scope's lock held.
  [[nodiscard]] virtual std::string presence() const { return stopping() ? "resource, releasing" : ""; }
  [[nodiscard]] node_kind kind() const noexcept { return kind_; }
  [[nodiscard]] duration limit() const noexcept { return limit_; }
  /// Enters it among the living of the trace, unless it has been; by whoever makes it known.
  void seen_alive(trace_format::node as, std::uint64_t parent, std::uint64_t created) noexcept {
    if (living_ == 0)
      living_ = engine().born(as, id(), parent, name_, created);
  }
  void seen_restarted(std::uint64_t times) noexcept { engine().trace().restarted(living_, times); }
  /// It is gone, by the event `ended`; 0: by none of its own. Harmless if it is not there.
  void seen_gone(std::uint64_t ended) noexcept { engine().trace().died(living_, ended); }
  /// The last event of its life, as a cause for others.
  [[nodiscard]] std::uint64_t last_event() const noexcept { return last_event_.load(); }

  /// Where it is in the scope's list; guarded by the scope.
  std::list<actor_ref<owned_actor>>::iterator place{};
  bool listed = false;
  bool is_overdue = false;

protected:
  /// Does what ends it; `stopped` follows.
  virtual void begin_stop() noexcept = 0;
  /// It has ended: with `failure`, if there was one.
  void stopped(const std::optional<error>& failure, bool released) noexcept;
  /// It has ended by itself. If its scope is just stopping it, `begin_stop` follows or has come, and `stopped` has to
  /// be called there: then false.
  bool left() noexcept;
  /// The stopping has taken too long, for the first time or again.
  virtual void overdue() noexcept {}
  /// Who holds up the end, for the report that it is overdue; empty: nobody in particular.
  [[nodiscard]] virtual std::string held_up_by() const { return {}; }
  void on_signal(std::uint32_t) noexcept override {}
  [[nodiscard]] bool stopping() const noexcept { return asked_at_.load() != time_point{}; }
  [[nodiscard]] supervisor& scope() const noexcept { return *scope_; }

  std::atomic<std::uint64_t> last_event_ = 0;

private:
  void on_due(time_point now) noexcept override;
  void retain() noexcept override { runtime::retain_actor(*this); }
  void release() noexcept override { runtime::release_actor(*this); }

  const actor_ref<supervisor> scope_;
  const std::string name_;
  const duration limit_;
  const node_kind kind_;
  const time_point created_;
  std::atomic<time_point> asked_at_{time_point{}};
  std::atomic<bool> gone_ = false;
  bool reported_ = false; ///< control thread only
  recorder::living living_ = 0; ///< by whoever takes the next step of its life
};

} // namespace muster
