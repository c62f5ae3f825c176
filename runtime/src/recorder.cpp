/// The recorder: which thread writes into which segment, and reading all of them together.
///
/// A thread keeps its places (one for each recorder it has used) in thread-local storage, found by the recorder's
/// number, never by its address: numbers are not reused, so the place of a dead recorder is never mistaken for one of
/// a new recorder at the same address.
#include "recorder_impl.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <mutex>
#include <utility>

namespace muster {

using runtime::event_segment;
using runtime::living_table;
using trace_format::shared;

namespace {

/// What a thread has on one recorder.
template <class Impl>
struct place {
  std::uint64_t number = 0;
  std::weak_ptr<Impl> owner;
  event_segment* segment = nullptr; ///< held; null if there was none to be had
  std::uint16_t slot = 0;
  living_table::kept_place running = 0;

  explicit place(const std::shared_ptr<Impl>& impl) : number{impl->number}, owner{impl} {
    const std::lock_guard guard{impl->threads_mutex};
    if (!impl->free_slots.empty()) {
      slot = impl->free_slots.back();
      impl->free_slots.pop_back();
    } else if (impl->slots_made < UINT16_MAX) {
      impl->free_slots.reserve(impl->slots_made + std::size_t{1});
      slot = ++impl->slots_made;
    }
    while (segment == nullptr && !impl->parked.empty()) {
      // Somebody short of segments may have taken it meanwhile.
      if (impl->ring.take_parked(*impl->parked.back()))
        segment = impl->parked.back();
      impl->parked.pop_back();
    }
  }
  place(const place&) = delete;
  place& operator=(const place&) = delete;

  ~place() {
    const auto impl = owner.lock();
    if (impl == nullptr)
      return;
    const std::lock_guard guard{impl->threads_mutex};
    if (slot != 0)
      impl->free_slots.push_back(slot);
    if (segment == nullptr)
      return;
    if (segment->full() || impl->parked.size() == impl->parked.capacity()) {
      impl->ring.give_back(*segment);
      return;
    }
    impl->parked.push_back(segment);
    impl->ring.park(*segment);
  }
};

/// The place used last. Trivial, so that reaching it needs no check for initialisation and it can be read even while
/// the thread's other storage is being destroyed.
struct {
  std::uint64_t number = 0;
  void* place = nullptr;
} constinit thread_local last_used;
constinit thread_local bool thread_ending = false;

/// Texts that this thread has put into a table lately: tasks that are started in a row mostly have the same name, and
/// an id stays valid for as long as its table.
struct known_text {
  std::uint64_t number = 0; ///< the recorder's; 0: none
  std::uint32_t id = 0;
  std::uint32_t size = 0;
  char bytes[96] = {};
};
struct {
  known_text last[4];
  unsigned next = 0;
} constinit thread_local known_texts;

template <class Impl>
struct thread_places {
  std::vector<std::unique_ptr<place<Impl>>> all;

  ~thread_places() {
    thread_ending = true;
    last_used = {};
  }
};

/// This thread's place on `impl`, made if it is new. Null if there is no memory for it or the thread is ending.
template <class Impl>
[[gnu::noinline]] place<Impl>* find_place(const std::shared_ptr<Impl>& impl) noexcept {
  if (thread_ending)
    return nullptr;
  try {
    thread_local thread_places<Impl> places;
    auto& all = places.all;
    auto found = std::ranges::find(all, impl->number, [](const auto& p) { return p->number; });
    if (found == all.end()) {
      std::erase_if(all, [](const auto& p) { return p->owner.expired(); });
      all.push_back(std::make_unique<place<Impl>>(impl));
      found = all.end() - 1;
    }
    last_used = {impl->number, found->get()};
    return found->get();
  } catch (...) {
    return nullptr;
  }
}

template <class Impl>
[[nodiscard]] place<Impl>* place_here(const std::shared_ptr<Impl>& impl) noexcept {
  return last_used.number == impl->number ? static_cast<place<Impl>*>(last_used.place) : find_place(impl);
}

[[nodiscard]] std::uint64_t next(trace_format::word& sequence) noexcept {
  return shared(sequence).fetch_add(1, std::memory_order_release) + 1;
}

} // namespace

std::uint64_t recorder::record_enabled(event_kind kind, std::uint64_t subject, std::int64_t time_ns,
                                       std::uint64_t cause, std::int64_t value, std::uint32_t text) noexcept {
  auto& own = *impl_;
  auto* here = place_here(impl_);
  if (here != nullptr && (here->segment == nullptr || here->segment->full())) [[unlikely]] {
    if (here->segment != nullptr)
      own.ring.give_back(*here->segment);
    here->segment = own.ring.take();
    if (own.keeper)
      own.keeper->segment_begun();
  }
  if (here == nullptr || here->segment == nullptr) [[unlikely]]
    return next(own.sequence); // numbered but not held: so it counts as dropped
  auto& slot = here->segment->take_slot();
  const auto sequence = next(own.sequence);
  slot.finish({.sequence = sequence,
               .time_ns = time_ns,
               .subject = subject,
               .cause = cause,
               .value = value,
               .text = text,
               .kind = kind,
               .thread = here->slot});
  return sequence;
}

std::uint32_t recorder::intern(std::string_view text) noexcept {
  if (!enabled_ || text.empty())
    return 0;
  if (text.size() > sizeof(known_text::bytes))
    return impl_->strings.intern(text);
  for (const auto& known : known_texts.last)
    if (known.number == impl_->number && known.size == text.size() &&
        std::memcmp(known.bytes, text.data(), text.size()) == 0)
      return known.id;
  const auto id = impl_->strings.intern(text);
  if (id != 0) {
    auto& place = known_texts.last[known_texts.next++ % std::size(known_texts.last)];
    place = {.number = impl_->number, .id = id, .size = static_cast<std::uint32_t>(text.size()), .bytes = {}};
    std::memcpy(place.bytes, text.data(), text.size());
  }
  return id;
}

std::string recorder::text(std::uint32_t id) const { return enabled_ ? impl_->strings.text(id) : std::string{}; }

std::uint64_t recorder::strings_dropped() const noexcept { return enabled_ ? impl_->strings.dropped() : 0; }

std::uint64_t recorder::dropped() const noexcept {
  if (!enabled_)
    return 0;
  // In this order: a slot is taken before its number is, so every number seen here has its slot counted below.
  const auto given = shared(impl_->sequence).load(std::memory_order_acquire);
  std::uint64_t held = 0;
  impl_->ring.for_each([&](const event_segment& segment) { held += segment.held(); });
  return given > held ? given - held : 0;
}

std::vector<event> recorder::impl::events() const {
  std::vector<event> out;
  // An effect with a number up to this one took it after its cause had been written; acquiring the counter makes that
  // cause visible here, in whichever segment it lies.
  const auto limit = shared(sequence).load(std::memory_order_acquire);
  ring.for_each([&](const event_segment& segment) {
    for (const auto& slot : segment.slots())
      if (const auto e = slot.read(limit))
        out.push_back(*e);
  });
  std::ranges::sort(out, {}, &event::sequence);
  return out;
}

std::vector<event> recorder::snapshot() const {
  if (!enabled_)
    return {};
  auto out = impl_->events();
  for (auto& e : out)
    if (e.kind == event_kind::task_started || e.kind == event_kind::task_ended)
      e.value = trace_format::value_in(e.value);
  return out;
}

// -- who is alive -----------------------------------------------------------------------------------------------------

using trace_format::node;

recorder::living recorder::born(node kind, std::uint64_t id, std::uint64_t parent, std::int64_t since_ns,
                                std::uint32_t text, std::uint64_t created) noexcept {
  if (!enabled_)
    return 0;
  return impl_->directory.enter(
    {.id = id, .parent = parent, .since_ns = since_ns, .text = text, .kind = kind, .created = created});
}

void recorder::died(living& who, std::uint64_t ended) noexcept {
  // What has no event for its end is gone by the last event there is.
  if (enabled_ && who != 0)
    impl_->directory.leave(std::exchange(who, 0), ended != 0 ? ended : shared(impl_->sequence).load());
}

void recorder::restarted(living who, std::uint64_t times) noexcept {
  if (enabled_ && who != 0)
    impl_->directory.at(who)->set_restarts(static_cast<std::uint16_t>(std::min<std::uint64_t>(times, UINT16_MAX)));
}

namespace {

constexpr unsigned nowhere = 4; ///< no state of a task that is counted
constexpr std::uint8_t running = 3;
constexpr std::uint8_t suspended = trace_format::suspended_task;

} // namespace

void recorder::task_born(living_task& who, std::uint64_t id, std::uint64_t parent, std::int64_t now_ns) noexcept {
  if (!enabled_)
    return;
  who.state = nowhere;
  who.self = impl_->directory.enter({.id = id, .parent = parent, .since_ns = now_ns, .text = who.text,
                                     .kind = node::task, .created = who.created});
}

void recorder::task_came_to(std::uint8_t state, living_task& who, living scope, std::uint64_t id, std::uint64_t parent,
                            std::int64_t now_ns) noexcept {
  if (!enabled_)
    return;
  auto& directory = impl_->directory;
  if (auto* self = directory.at(who.self)) {
    self->set_state(state);
  } else if (state == running) {
    living_table::kept_place none = 0;
    auto* here = place_here(impl_);
    who.self = directory.enter_running({.id = id,
                                        .parent = parent,
                                        .since_ns = now_ns,
                                        .text = who.text,
                                        .kind = node::task,
                                        .created = who.created,
                                        .state = state},
                                       here != nullptr ? here->running : none);
  }
  if (auto* of = directory.at(scope))
    of->count(who.state, state);
  who.state = state;
}

void recorder::task_suspended(const living_task& who, bool is) noexcept {
  if (!enabled_)
    return;
  if (auto* self = impl_->directory.at(who.self))
    self->set_state(is ? suspended : running);
}

void recorder::task_died(living_task& who, living scope, std::uint64_t ended) noexcept {
  if (!enabled_)
    return;
  auto& directory = impl_->directory;
  if (const auto self = std::exchange(who.self, 0)) {
    if (auto* here = place_here(impl_))
      directory.leave(self, ended, here->running);
    else
      directory.leave(self, ended);
  }
  if (auto* of = directory.at(scope))
    of->count(who.state, nowhere);
}

} // namespace muster
