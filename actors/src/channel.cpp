/// Channels: the machine under a lock, and the waits of plain and coroutine bodies around it.
///
/// Owner: the handles, and the waits under way. Threads: any. Invariant: of a party whose wait has ended nothing is
/// touched any more: what is needed to wake it is taken before it is told.
#include "channel_machine.hpp"
#include "context_access.hpp"
#include "duty.hpp"
#include "mutex.hpp"
#include "parking.hpp"
#include "scope_actor.hpp"
#include "task_actor.hpp"
#include "waiting.hpp"

#include <muster/assert.hpp>
#include <muster/channel.hpp>

namespace muster {

class channel_core {
public:
  using party = detail::channel_party;
  using passage = detail::passage;

  channel_core(std::size_t capacity, std::string name) : name_(std::move(name)), machine_(capacity) {}

  [[nodiscard]] passage begin(party& who, bool sends, bool may_wait) {
    waking rest;
    std::lock_guard guard{mutex_};
    const auto step = sends ? machine_.send(who, may_wait) : machine_.receive(who, may_wait);
    if (step.served)
      rest = tell(*step.served, passage::done);
    return step.how;
  }
  /// False: its wait had ended already, and that counts.
  [[nodiscard]] bool gave_up(party& who) {
    std::lock_guard guard{mutex_};
    return machine_.gave_up(who);
  }
  void close() {
    std::lock_guard guard{mutex_};
    for (auto* each = machine_.close(); each;) {
      auto* const next = each->next;
      const auto woken = tell(*each, passage::closed);
      each = next;
    }
  }
  template <class Get>
  [[nodiscard]] auto look(Get get) {
    std::lock_guard guard{mutex_};
    return get(machine_);
  }

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return machine_.capacity(); }
  [[nodiscard]] std::string waits_for(bool sends) const {
    return (sends ? "room in channel" : "a value of channel") + (name_.empty() ? std::string{} : " " + name_);
  }
  [[nodiscard]] error is_closed() const {
    return error{errc::channel_closed, "channel" + (name_.empty() ? std::string{} : " '" + name_ + "'") + " is closed"};
  }
  [[nodiscard]] error none_in_time(bool sends) const {
    return error{errc::timed_out, "there was not " + waits_for(sends) + " in the time given"};
  }

private:
  /// Wakes when it goes; without the lock, where that can be had.
  struct waking {
    const void* address = nullptr;
    detail::waker coroutine{};
    waking() = default;
    waking(const void* thread, detail::waker&& task) noexcept : address(thread), coroutine(std::move(task)) {}
    waking(waking&&) = delete;
    waking& operator=(waking&& other) noexcept {
      std::swap(address, other.address);
      std::swap(coroutine, other.coroutine);
      return *this;
    }
    ~waking() {
      if (address)
        runtime::unpark_all(address);
      coroutine.wake();
    }
  };
  /// Under the lock, so that one that has left its line has been told.
  [[nodiscard]] static waking tell(party& who, passage how) noexcept {
    const void* const address = who.wake_address;
    auto coroutine = std::move(who.coroutine);
    who.how.store(how, std::memory_order_release); // from here on it may be gone
    return {address, std::move(coroutine)};
  }

  const std::string name_;
  runtime::mutex mutex_;
  channel_machine machine_;
};

// -- plain bodies -----------------------------------------------------------------------------------------------------

namespace {

/// The whole of a blocking send or receive; when it returns nobody refers to `who` any more.
result<void> pass(channel_core& channel, context& ctx, detail::channel_party& who, bool sends,
                  std::optional<duration> limit) {
  auto& task = context_access::task(ctx);
  auto* shield = context_access::shield(ctx);
  const duty* d = current_duty();
  MUSTER_ASSERT(
      d && d->body && d->task == &task,
      "a channel was used with a context outside its own body: a task that is started from a body has a context of "
      "its own, its parameter");
  const auto fail = [&](error why) {
    return std::unexpected{why.path().empty() ? why.with_path(ctx.path()) : std::move(why)};
  };
  if (ctx.cancelled())
    return fail(ctx.reason().to_error(ctx.path()));

  who.wake_address = task.wake_address(shield);
  auto how = channel.begin(who, sends, true);
  if (how == detail::passage::waits) {
    const auto told = [&] { return who.how.load(std::memory_order_acquire) != detail::passage::waits; };
    const auto until = limit ? saturating_add(ctx.now(), *limit) : never;
    const auto woken = task.sleep_until_done(channel.waits_for(sends), until, shield, told, true);
    if (!told() && channel.gave_up(who)) {
      if (ctx.cancelled())
        return fail(ctx.reason().to_error(ctx.path()));
      if (woken == waited::called_off)
        return fail(called_off(channel.waits_for(sends)));
      if (woken == waited::timed_out)
        return fail(channel.none_in_time(sends));
      return fail(error{errc::no_threads, "nobody could end the wait for " + channel.waits_for(sends) +
                                              " while this thread waits: the system gives no more threads"});
    }
    how = who.how.load(std::memory_order_acquire);
  }
  if (how == detail::passage::closed)
    return fail(channel.is_closed());
  return {};
}

} // namespace

namespace detail {

channel_base::channel_base(std::size_t capacity, std::string name)
    : core_(std::make_shared<channel_core>(capacity, std::move(name))) {}

result<void> channel_base::send(context& ctx, owned<envelope> what, std::optional<duration> limit) const {
  channel_party me;
  me.holds = std::move(what);
  return pass(*core_, ctx, me, true, limit);
}

result<owned<envelope>> channel_base::receive(context& ctx, std::optional<duration> limit) const {
  channel_party me;
  if (auto passed = pass(*core_, ctx, me, false, limit); !passed)
    return std::unexpected{std::move(passed).error()};
  return std::move(me.holds);
}

result<void> channel_base::try_send(owned<envelope>& what) const {
  channel_party me;
  me.holds = std::move(what);
  const auto how = core_->begin(me, true, false);
  what = std::move(me.holds);
  if (how == passage::closed)
    return std::unexpected{core_->is_closed()};
  if (how == passage::waits)
    return std::unexpected{error{errc::not_ready, "there is not " + core_->waits_for(true) + " now"}};
  return {};
}

result<owned<envelope>> channel_base::try_receive() const {
  channel_party me;
  const auto how = core_->begin(me, false, false);
  if (how == passage::closed)
    return std::unexpected{core_->is_closed()};
  if (how == passage::waits)
    return std::unexpected{error{errc::not_ready, "there is not " + core_->waits_for(false) + " now"}};
  return std::move(me.holds);
}

void channel_base::close() const { core_->close(); }
bool channel_base::closed() const {
  return core_->look([](const channel_machine& m) { return m.closed(); });
}
std::size_t channel_base::size() const {
  return core_->look([](const channel_machine& m) { return m.size(); });
}
std::size_t channel_base::capacity() const noexcept { return core_->capacity(); }
const std::string& channel_base::name() const noexcept { return core_->name(); }

// -- coroutines -------------------------------------------------------------------------------------------------------

channel_wait::channel_wait(async_context& ctx, std::shared_ptr<channel_core> with, owned<envelope> brings,
                           bool sends, std::optional<duration> limit)
    : wait_point(ctx),
      core_(std::move(with)),
      limit_(limit),
      sends_(sends) {
  party_.holds = std::move(brings);
  lend_permit();
}

channel_wait::channel_wait(channel_wait&& other) noexcept
    : wait_point(other),
      core_(std::move(other.core_)),
      limit_(other.limit_),
      sends_(other.sends_) {
  party_.holds = std::move(other.party_.holds);
}

channel_wait::~channel_wait() = default;

void channel_wait::begin() {
  if (asked())
    return ends_with(ending::cancelled);
  if (limit_)
    wait_until(saturating_add(task().scope().engine().now(), *limit_));
  party_.coroutine = make_waker();
  begun_ = true;
  if (const auto how = core_->begin(party_, sends_, true); how != passage::waits)
    party_.how.store(how, std::memory_order_relaxed);
}

std::string channel_wait::what() const { return core_->waits_for(sends_); }

std::optional<error> channel_wait::failure() {
  const auto told = [&] { return party_.how.load(std::memory_order_acquire) != passage::waits; };
  // One that was asked to stop before it began stands in no line, and was not taken out of one either.
  if (!told() && (!begun_ || core_->gave_up(party_)))
    return ended() == ending::cancelled ? why() : core_->none_in_time(sends_).with_path(task().path());
  if (party_.how.load(std::memory_order_acquire) == passage::closed)
    return core_->is_closed().with_path(task().path());
  return std::nullopt;
}

result<void> send_wait::await_resume() {
  if (auto why = failure())
    return std::unexpected{std::move(*why)};
  return {};
}

} // namespace detail

} // namespace muster
