/// Memory for objects that come and go in crowds: a scope may have a million tasks, and then have none.
///
/// Why not malloc: a million tasks are some 700 megabytes, which malloc gets from the system page by page, each at the
/// price of a fault, and gives back as soon as the scope has ended. This store gets it in chunks that the kernel can
/// back by one huge page, and hands out slots of the same size without searching. Where there was a crowd there is soon
/// another, and the kernel clears what it hands out: so an empty chunk stays for a moment before the system gets it
/// back (as dirty pages do in jemalloc, see `opt.dirty_decay_ms` in its manual), and a few stay while there are
/// engines. What is given back while somebody else is busy with its chunks waits on a list without a lock for whoever
/// comes there next (as in mimalloc: Leijen, Zorn, de Moura, "Free List Sharding in Action", 2019).
///
/// Owner: one for the process, `task_memory()`; a test makes its own. Threads: any, and one of its own from the first
/// sweep on until the last user leaves (block_sweeper.hpp). Invariants: a chunk is in the list of its rank exactly
/// while it has a free slot; a chunk that has been without a used slot for two sweeps is given back to the system, but
/// for `keep` bytes of them; without users there is no such chunk, but for a few that strays are in.
#pragma once

#include "spin.hpp"

#include <muster/clock.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace muster::runtime {

class block_sweeper;

class block_store {
public:
  static constexpr std::size_t largest = 2040;    ///< bytes; what is larger comes from malloc
  static constexpr std::size_t alignment = 16;    ///< of every block
  static constexpr std::size_t small_chunk = std::size_t{64} << 10U; ///< bytes; while few blocks of a size are in use
  static constexpr std::size_t huge_chunk = std::size_t{2} << 20U;   ///< bytes, and aligned to as many

  /// `keep`: how many bytes of empty chunks stay with it while it has users; the others for one to two times `linger`
  /// of real time.
  constexpr block_store(std::size_t keep, duration linger) noexcept : keep_{keep}, linger_{linger} {}
  /// Every block must have been given back.
  ~block_store();
  block_store(const block_store&) = delete;
  block_store& operator=(const block_store&) = delete;

  /// Memory for `size` bytes, or null if there is none.
  [[nodiscard]] void* take(std::size_t size) noexcept;
  /// Takes it back, on whatever thread. It came from this store; null is nothing.
  void give(void* block) noexcept;

  /// Somebody takes from it from now on, so that it is worth keeping chunks.
  void user_came() noexcept { users_.fetch_add(1, std::memory_order_seq_cst); }
  /// And no more; after the last one only chunks stay that have a block in use. Ends the thread, if it is the last.
  void user_left() noexcept;

  /// Gives back to the system, as far as it is more than `keep`, what was empty at the last sweep and has been since.
  /// False if nothing is left to be swept, and then it will be swept no more until there is.
  bool sweep() noexcept;

  /// How much it has from the system, blocks from malloc aside.
  [[nodiscard]] std::size_t held() const noexcept { return held_.load(std::memory_order_relaxed); }

private:
  static constexpr std::size_t step = 16; ///< bytes from one rank to the next
  static constexpr std::size_t ranks = (largest + sizeof(void*)) / step;
  static constexpr std::size_t shards = 4;
  static constexpr std::size_t few_chunks = 16;   ///< of a rank: until then they are small ones
  static constexpr std::size_t most_strays = 16;  ///< given back while somebody was busy there, and not yet sorted in

  struct chunk;
  struct free_block {
    free_block* next;
  };
  /// The chunks of which slots are of one size.
  struct rank {
    chunk* open = nullptr; ///< those with a free slot; the first one is taken from
    std::size_t chunks = 0;
  };
  /// What a thread takes from. Threads share one if there are more of them than shards.
  struct alignas(64) shard {
    std::mutex mutex; ///< guards the ranks and everything in their chunks
    std::array<rank, ranks> all{};
    alignas(64) std::atomic<free_block*> strays{nullptr};
    std::atomic<std::size_t> stray_count{0};
  };

  [[nodiscard]] shard& shard_here() noexcept;
  [[nodiscard]] bool has_users() const noexcept { return users_.load(std::memory_order_seq_cst) != 0; }
  /// To be called without locks, by whoever may have emptied a chunk.
  void call_sweeper_if_owed() noexcept {
    if (sweeping_.load(std::memory_order_relaxed) == sweeping::owed) [[unlikely]]
      call_sweeper();
  }
  void call_sweeper() noexcept;
  /// Gives those empty chunks back that are to go: all, or what sweeps have found twice.
  enum class going : std::uint8_t { all, old };
  void drop_empty_chunks(going which) noexcept;
  // With the shard's lock held.
  [[nodiscard]] chunk* open_chunk(shard& home, std::size_t which) noexcept;
  void sort_in(chunk& of, free_block& block) noexcept;
  void sort_strays_in(shard& home) noexcept;
  void retire(chunk& one) noexcept;
  /// All of that but for the memory itself.
  void forget(chunk& one) noexcept;
  static void link(chunk& one) noexcept;
  static void unlink(chunk& one) noexcept;

  const std::size_t keep_;
  const duration linger_;
  std::atomic<std::size_t> users_{0};
  /// Whether somebody sees to what is empty: nobody has to, the next one that can has to call for it, it is seen to.
  enum class sweeping : std::uint8_t { no, owed, yes };
  std::atomic<sweeping> sweeping_{sweeping::no};
  std::atomic<std::uint32_t> sweeps_{0}; ///< how many there were
  std::mutex sweeper_mutex_;             ///< never taken with a shard's lock held
  block_sweeper* sweeper_ = nullptr;     ///< owned; made when it is first needed, gone with the last user
  std::atomic<std::size_t> spare_{0}; ///< bytes of chunks without a used slot
  std::atomic<std::size_t> held_{0};
  std::array<shard, shards> shards_{};
};

/// The one that actors live in.
[[nodiscard]] block_store& task_memory() noexcept;

/// Memory for an actor; null if there is none. From malloc in a program that a sanitizer watches.
[[nodiscard]] void* take_block(std::size_t size) noexcept;
void give_block(void* block) noexcept;

} // namespace muster::runtime
