/// Chunks, slots, and who sorts what in. See block_store.hpp.
#include "block_store.hpp"

#include "block_sweeper.hpp"
#include "immortal.hpp"

#include <muster/assert.hpp>

#include <sys/mman.h>

#include <cstdlib>
#include <new>
#include <utility>

// The sanitizers' own, in a program that has one.
extern "C" {
[[gnu::weak]] void __asan_init();
[[gnu::weak]] void __lsan_init();
[[gnu::weak]] void __tsan_init();
[[gnu::weak]] void __msan_init();
}

namespace muster::runtime {

namespace {

/// Before every block: the chunk that it is a slot of, or null if it is from malloc.
constexpr std::size_t word = sizeof(void*);

constexpr std::size_t round_up(std::size_t n, std::size_t unit) noexcept { return (n + unit - 1) / unit * unit; }

/// `bytes` fresh bytes, aligned to as many if that is more than a page; null if there are none.
void* map(std::size_t bytes, bool huge) noexcept {
  const std::size_t slack = huge ? bytes : 0;
  void* const got = ::mmap(nullptr, bytes + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (got == MAP_FAILED)
    return nullptr;
  if (!huge)
    return got;
  auto* const raw = static_cast<std::byte*>(got);
  const auto where = reinterpret_cast<std::uintptr_t>(raw);
  auto* const first = raw + (round_up(where, bytes) - where);
  if (first != raw)
    ::munmap(raw, static_cast<std::size_t>(first - raw));
  if (const auto behind = static_cast<std::size_t>(raw + bytes + slack - (first + bytes)); behind != 0)
    ::munmap(first + bytes, behind);
  static_cast<void>(::madvise(first, bytes, MADV_HUGEPAGE)); // a kernel without them gives small pages
  return first;
}

} // namespace

struct block_store::chunk {
  shard* home;
  std::size_t which; ///< rank
  std::size_t bytes;
  std::size_t capacity; ///< slots
  std::size_t carved = 0;  ///< slots that have ever been taken; those behind have never been touched
  std::size_t used = 0;    ///< slots
  free_block* free = nullptr;
  chunk* before = nullptr;
  chunk* after = nullptr;
  bool listed = false;
  std::uint32_t empty_since = 0; ///< how many sweeps there had been when its last used slot came back

  [[nodiscard]] std::size_t slot() const noexcept { return (which + 1) * step; }
  [[nodiscard]] bool full() const noexcept { return free == nullptr && carved == capacity; }
};

block_store::~block_store() {
  users_ = 1;
  user_left();
  MUSTER_ASSERT(held() == 0, "a store of blocks is destroyed while blocks of it are in use");
}

block_store::shard& block_store::shard_here() noexcept {
  static constinit std::atomic<std::size_t> threads{0};
  thread_local const std::size_t mine = threads.fetch_add(1, std::memory_order_relaxed) % shards;
  return shards_[mine];
}

void* block_store::take(std::size_t size) noexcept {
  if (size <= largest) {
    const std::size_t which = (size + word - 1) / step;
    shard& home = shard_here();
    auto lock = lock_soon(home.mutex);
    if (chunk* const from = open_chunk(home, which)) {
      if (from->used++ == 0)
        spare_.fetch_sub(from->bytes, std::memory_order_relaxed);
      void* block = from->free;
      if (block != nullptr) {
        from->free = from->free->next;
      } else {
        auto* const slot = reinterpret_cast<std::byte*>(from) + round_up(sizeof(chunk), alignment) + alignment - word +
                           from->carved++ * from->slot();
        ::new (static_cast<void*>(slot)) chunk*(from);
        block = slot + word;
      }
      if (from->full())
        unlink(*from);
      lock.unlock();
      call_sweeper_if_owed(); // what others gave back has been sorted in
      return block;
    }
  }
  auto* const raw = static_cast<std::byte*>(std::malloc(size + alignment));
  if (raw == nullptr)
    return nullptr;
  ::new (static_cast<void*>(raw + alignment - word)) chunk*(nullptr);
  return raw + alignment;
}

void block_store::give(void* block) noexcept {
  if (block == nullptr)
    return;
  auto* const at = static_cast<std::byte*>(block);
  chunk* const of = *std::launder(reinterpret_cast<chunk**>(at - word));
  if (of == nullptr)
    return std::free(at - alignment);
  shard& home = *of->home;
  auto* const free = ::new (block) free_block{nullptr};
  std::unique_lock lock{home.mutex, std::try_to_lock};
  if (!lock && (&home == &shard_here() || !has_users()))
    lock = lock_soon(home.mutex);
  if (lock) {
    sort_in(*of, *free);
    sort_strays_in(home);
    lock.unlock();
    call_sweeper_if_owed();
    return;
  }
  free->next = home.strays.load(std::memory_order_relaxed);
  while (!home.strays.compare_exchange_weak(free->next, free, std::memory_order_seq_cst, std::memory_order_relaxed))
    continue;
  // Nobody may take there, or give back, for a long time; and the last user may just have left, and seen nothing of
  // this one.
  if (home.stray_count.fetch_add(1, std::memory_order_relaxed) + 1 >= most_strays || !has_users()) {
    lock = lock_soon(home.mutex);
    sort_strays_in(home);
    lock.unlock();
    call_sweeper_if_owed();
  }
}

void block_store::user_left() noexcept {
  if (users_.fetch_sub(1, std::memory_order_seq_cst) != 1)
    return;
  block_sweeper* done = nullptr;
  {
    const std::lock_guard guard{sweeper_mutex_};
    if (!has_users()) {
      done = std::exchange(sweeper_, nullptr);
      sweeping_ = sweeping::no;
    }
  }
  delete done;
  {
    // A last sweep of the one that has gone may have promised to see to what is empty; and somebody may have come
    // meanwhile who counts on that.
    const std::lock_guard guard{sweeper_mutex_};
    if (sweeper_ == nullptr)
      sweeping_ = has_users() ? sweeping::owed : sweeping::no;
  }
  if (!has_users())
    return drop_empty_chunks(going::all);
  call_sweeper_if_owed();
}

void block_store::call_sweeper() noexcept {
  auto owed = sweeping::owed;
  if (!sweeping_.compare_exchange_strong(owed, sweeping::yes))
    return; // somebody else does it
  try {
    const std::lock_guard guard{sweeper_mutex_};
    if (!has_users()) { // whoever was the last drops all of them
      sweeping_ = sweeping::no;
      return;
    }
    if (sweeper_ == nullptr)
      sweeper_ = new block_sweeper{*this, linger_};
    sweeper_->wake();
    return;
  } catch (...) {
    // No thread: then nothing lingers.
  }
  sweeping_ = sweeping::no;
  drop_empty_chunks(going::all);
}

bool block_store::sweep() noexcept {
  drop_empty_chunks(going::old);
  sweeps_.fetch_add(1);
  if (spare_ > keep_)
    return true;
  sweeping_ = sweeping::no;
  // A chunk may have become empty just before that, and have found that it is seen to.
  auto no = sweeping::no;
  return spare_ > keep_ && sweeping_.compare_exchange_strong(no, sweeping::yes);
}

void block_store::drop_empty_chunks(going which) noexcept {
  const auto now = sweeps_.load();
  for (shard& each : shards_) {
    chunk* gone = nullptr;
    {
      const auto lock = lock_soon(each.mutex);
      sort_strays_in(each);
      for (rank& r : each.all)
        for (chunk *one = r.open, *next = nullptr; one != nullptr; one = next) {
          next = one->after;
          if (one->used != 0 || (which == going::old && one->empty_since == now) || (has_users() && spare_ <= keep_))
            continue;
          forget(*one);
          one->after = std::exchange(gone, one);
        }
    }
    // Without the lock: this takes the system a while.
    while (gone != nullptr) {
      chunk& one = *std::exchange(gone, gone->after);
      ::munmap(&one, one.bytes);
    }
  }
}

block_store::chunk* block_store::open_chunk(shard& home, std::size_t which) noexcept {
  rank& r = home.all[which];
  sort_strays_in(home);
  if (r.open != nullptr)
    return r.open;
  const bool huge = r.chunks >= few_chunks;
  const std::size_t bytes = huge ? huge_chunk : small_chunk;
  void* const memory = map(bytes, huge);
  if (memory == nullptr)
    return nullptr;
  const std::size_t before_slots = round_up(sizeof(chunk), alignment) + alignment - word;
  auto* const made = ::new (memory) chunk{
    .home = &home, .which = which, .bytes = bytes, .capacity = (bytes - before_slots) / ((which + 1) * step)};
  held_.fetch_add(bytes, std::memory_order_relaxed);
  spare_.fetch_add(bytes, std::memory_order_relaxed);
  ++r.chunks;
  link(*made);
  return made;
}

void block_store::sort_in(chunk& of, free_block& block) noexcept {
  block.next = of.free;
  of.free = &block;
  if (!of.listed)
    link(of);
  if (--of.used != 0)
    return;
  of.empty_since = sweeps_.load(std::memory_order_relaxed);
  const auto spare = spare_.fetch_add(of.bytes) + of.bytes;
  if (!has_users())
    retire(of);
  else if (auto no = sweeping::no; spare > keep_ && sweeping_.load() == no)
    sweeping_.compare_exchange_strong(no, sweeping::owed);
}

void block_store::sort_strays_in(shard& home) noexcept {
  if (home.strays.load(std::memory_order_seq_cst) == nullptr)
    return;
  free_block* next = home.strays.exchange(nullptr, std::memory_order_seq_cst);
  home.stray_count.store(0, std::memory_order_relaxed);
  while (next != nullptr) {
    free_block& one = *std::exchange(next, next->next);
    sort_in(**std::launder(reinterpret_cast<chunk**>(reinterpret_cast<std::byte*>(&one) - word)), one);
  }
}

void block_store::forget(chunk& one) noexcept {
  unlink(one);
  --one.home->all[one.which].chunks;
  spare_.fetch_sub(one.bytes);
  held_.fetch_sub(one.bytes, std::memory_order_relaxed);
}

void block_store::retire(chunk& one) noexcept {
  forget(one);
  ::munmap(&one, one.bytes);
}

void block_store::link(chunk& one) noexcept {
  rank& r = one.home->all[one.which];
  one.before = nullptr;
  one.after = r.open;
  if (r.open != nullptr)
    r.open->before = &one;
  r.open = &one;
  one.listed = true;
}

void block_store::unlink(chunk& one) noexcept {
  (one.before != nullptr ? one.before->after : one.home->all[one.which].open) = one.after;
  if (one.after != nullptr)
    one.after->before = one.before;
  one.listed = false;
}

namespace {

constinit immortal<block_store> only{std::size_t{8} << 20U, std::chrono::seconds{1}};

/// A sanitizer sees a block's use after its end only if it went back to malloc, and the leak checker looks for pointers
/// in what malloc gave. They are in the program, whatever this library was compiled with.
bool is_sanitized() noexcept {
  return &__asan_init != nullptr || &__lsan_init != nullptr || &__tsan_init != nullptr || &__msan_init != nullptr;
}

} // namespace

block_store& task_memory() noexcept { return only.value; }

void* take_block(std::size_t size) noexcept {
  return is_sanitized() ? std::malloc(size) : task_memory().take(size);
}

void give_block(void* block) noexcept { is_sanitized() ? std::free(block) : task_memory().give(block); }

} // namespace muster::runtime
