/// A resource pool's actor: carries out what its machine decides, and is owned by a scope or manager like a resource.
///
/// Owner: the supervisor it belongs to, until it has ended; its handle; leases that are out. Threads: public functions
/// from any thread, user code on service workers, timers on a control thread, `begin_stop` in its scope's turn. Lock
/// order: a supervisor's lock or a task's lock for its holdings before the pool's; under the pool's own only timers,
/// parking and the recorder. Invariants: what runs on a worker for an item owns that item until it reports back; once
/// it is `finished_` there is no item, no waiter, no lease that counts and none of the user's functions.
#pragma once

#include "mutex.hpp"
#include "actor_ref.hpp"
#include "holding.hpp"
#include "owned_actor.hpp"
#include "path.hpp"
#include "pool_machine.hpp"

#include <muster/detail/pool_support.hpp>

#include <mutex>

namespace muster {

class pool_lease;
class task_actor;

class pool_actor final : public owned_actor {
public:
  /// `of`: the scope or manager that it belongs to. If that has ended the pool is born closed.
  [[nodiscard]] static actor_ref<pool_actor> make(supervisor& of, detail::pool_settings settings,
                                                  detail::owned<detail::pool_work> work);
  pool_actor(supervisor& of, detail::pool_settings settings, duration limit, detail::owned<detail::pool_work> work);
  ~pool_actor() override;

  [[nodiscard]] result<detail::granted_lease> acquire(context& ctx, std::optional<duration> limit);
  // The steps of it, for those who do not block. `who` stays where it is until it has left the line or been answered.
  struct waiter;
  [[nodiscard]] time_point until_for(std::optional<duration> limit, time_point now) const;
  /// When it did.
  time_point line_up(waiter& who);
  /// False: it has been answered meanwhile.
  [[nodiscard]] bool left_line(waiter& who, pool_machine::gave_up_for why, const error& reason);
  /// On the task's own worker, when it has been granted one.
  [[nodiscard]] detail::granted_lease take(waiter& who);
  [[nodiscard]] error none_in_time() const;
  [[nodiscard]] std::optional<error> resize(std::size_t max);
  void reset();
  /// See resource_pool::close.
  [[nodiscard]] std::optional<error> close(time_point until);
  /// For the destructor of the handle.
  void close_for_ever() noexcept;
  [[nodiscard]] bool closed() const;
  [[nodiscard]] pool_stats stats() const;
  [[nodiscard]] tree_node draw(time_point now) const override;

  // -- from leases ----------------------------------------------------------------------------------------------------

  void take_back(pool_lease& from, bool discard) noexcept;
  /// Its task has ended.
  void revoke(pool_lease& from) noexcept;

private:
  using item_id = pool_machine::item_id;
  struct item {
    detail::owned<detail::pooled> object; ///< null while a worker has it
    pool_lease* lease = nullptr;            ///< who holds it
    std::uint64_t last_event = 0;
  };
  /// Work for the service lane, pushed when the lock has been let go of.
  struct errand {
    enum class kind : std::uint8_t { create, check, destroy, end } what;
    item_id which = 0;
    detail::owned<detail::pooled> object{};
    std::uint64_t cause = 0;
    retired_for why = retired_for::closed;
  };
  /// Holds the lock; its end sends off what has been decided meanwhile.
  class turn {
  public:
    explicit turn(pool_actor& pool) : pool_(pool), lock_(pool.mutex_) {}
    ~turn();
    turn(const turn&) = delete;
    turn& operator=(const turn&) = delete;
    void carry_out(const pool_commands& commands, const error* failure = nullptr, std::uint64_t cause = 0);

  private:
    pool_actor& pool_;
    std::unique_lock<runtime::mutex> lock_;
    std::vector<errand> errands_;
  };

  class idle_timer final : public runtime::timer {
  public:
    explicit idle_timer(pool_actor& pool) noexcept : pool_(pool) {}

  private:
    void on_due(time_point now) noexcept override { pool_.tick(now); }
    void retain() noexcept override { runtime::retain_actor(pool_); }
    void release() noexcept override { runtime::release_actor(pool_); }
    pool_actor& pool_;
  };

  // Service workers.
  void create(item_id which) noexcept;
  void check(item_id which, detail::owned<detail::pooled> object) noexcept;
  void destroy(item_id which, detail::owned<detail::pooled> object, std::uint64_t cause,
               retired_for why) noexcept;
  void finish() noexcept;

  // Control threads.
  void begin_stop() noexcept override;
  [[nodiscard]] std::string held_up_by() const override;
  void tick(time_point now) noexcept;

  void begin_close();
  [[nodiscard]] bool may_not_wait() const;
  /// A line for each lease that is out, and one for what is neither lent nor free; empty if nothing is left.
  [[nodiscard]] std::string held_by(time_point now) const;
  [[nodiscard]] error still_held(const std::string& held) const;
  [[nodiscard]] error refusal(const error* failure) const;
  /// With the lock held. `wait`: the event that tells of the wait for it; 0: there was none.
  void hand_over(item_id which, pool_lease& to, std::uint64_t wait, time_point now);

  const duration acquire_timeout_;
  detail::owned<detail::pool_work> work_; ///< constant until `finish`
  idle_timer due_{*this};
  std::atomic<bool> over_ = false;

  mutable runtime::mutex mutex_; ///< guards what follows
  pool_machine machine_;
  std::unordered_map<item_id, item> items_;
  std::map<pool_machine::ticket, waiter*> waiters_;
  pool_machine::ticket last_ticket_ = 0;
  bool stop_asked_ = false;             ///< by the supervisor
  bool finished_ = false;               ///< nothing is left, `failure_` stands
  std::optional<error> failure_;        ///< of the releases at the end
  std::uint64_t release_failures_ = 0;
  std::vector<error> last_failures_; ///< of releases while it was being closed
  std::uint64_t close_event_ = 0;
};

/// One lease, shared by the user's handle and (while it counts) the task's list of holdings.
class pool_lease final : public detail::lease_core, public holding, public std::enable_shared_from_this<pool_lease> {
public:
  pool_lease(pool_actor& pool, task_actor& holder);
  ~pool_lease() override;

  void end(bool discard) noexcept override;
  void holder_gone() noexcept override;
  /// It has been granted: lists it with the task. On the task's own thread.
  void take_effect();

  [[nodiscard]] const task_actor* holder() const noexcept { return holder_.get(); }
  [[nodiscard]] std::string holder_path() const;

private:
  friend class pool_actor;
  actor_ref<pool_actor> pool_;   ///< dropped, like the holder, by whoever makes `live` false
  actor_ref<task_actor> holder_;
  std::shared_ptr<pool_lease> listed_; ///< keeps it alive while the task lists it
  // Guarded by the pool's lock.
  std::uint64_t item_ = 0;
  detail::pooled* object_ = nullptr;
  time_point since_{};
};

} // namespace muster
