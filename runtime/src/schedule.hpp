/// What runs next in a simulation: a pure decision, drawn from a seed.
///
/// Owner: one conductor. Threads: whoever has its baton; nothing here locks or reads a clock. Invariant: the same seed,
/// asked the same questions, gives the same answers on every machine.
///
/// Two ways to draw. A random walk takes any of those that are ready with the same chance. With priority changes it is
/// probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte: "A Randomized Scheduler with
/// Probabilistic Guarantees of Finding Bugs", ASPLOS 2010): everything that becomes able to run gets a random priority,
/// the highest always runs, and at d - 1 steps drawn beforehand among k the one that runs drops below all others. A bug
/// that needs d ordering decisions is then found by one run with a probability of at least 1 / (n k^(d-1)), n being the
/// number of things that ran.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

namespace muster::runtime {

/// splitmix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014).
class random_source {
public:
  explicit random_source(std::uint64_t seed) noexcept : state_{seed} {}
  std::uint64_t next() noexcept {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31U);
  }
  /// Evenly below `bound`, which is not 0 and far below 2^64.
  std::uint64_t below(std::uint64_t bound) noexcept { return next() % bound; }

private:
  std::uint64_t state_;
};

struct schedule_options {
  std::uint64_t seed = 1;
  unsigned priority_changes = 0;    ///< d - 1; only with `by_priority`
  bool by_priority = false;         ///< false: a random walk
  std::uint64_t expected_steps = 1; ///< k: the changes are drawn among so many
};

/// Why somebody who runs might be made to pause.
enum class pause : std::uint8_t {
  inside, ///< between two steps of Muster's own
  call,   ///< a call that does something
  look,   ///< a call that only looks: a loop of such calls must not keep out those whom it waits for
};

class schedule {
public:
  /// Somebody who can run. `priority` belongs to it for as long as it runs on.
  struct entry {
    void* who = nullptr;
    bool paused = false; ///< it goes on where it was; else it begins
    std::uint64_t priority = 0;
  };

  explicit schedule(const schedule_options& options);

  /// For something that has just become able to run.
  [[nodiscard]] std::uint64_t new_priority() noexcept;
  void add(entry e);
  /// Takes out the one that is next, and counts its step. There is one.
  [[nodiscard]] entry next();
  [[nodiscard]] std::size_t ready() const noexcept { return walk_.size() + order_.size(); }
  /// Whether one that runs must let the others have a chance here; it is then to be added again. May change `priority`.
  [[nodiscard]] bool interrupts(pause why, std::uint64_t& priority) noexcept;
  /// Any number, for those who have a choice of their own to draw.
  std::uint64_t draw() noexcept { return random_.next(); }
  /// How many decisions there were: who is next, and whether somebody must pause.
  [[nodiscard]] std::uint64_t steps() const noexcept { return steps_; }

private:
  [[nodiscard]] entry take();
  /// Counts a step of the one with this priority; true if it drops there (never in a walk).
  bool step(std::uint64_t& priority) noexcept;

  struct ranked {
    entry who;
    std::uint64_t number; ///< among equals: first come, first served
    bool operator<(const ranked& other) const noexcept {
      return who.priority != other.who.priority ? who.priority > other.who.priority : number < other.number;
    }
  };

  random_source random_;
  const bool by_priority_;
  std::vector<entry> walk_;
  std::set<ranked> order_;
  std::vector<std::uint64_t> changes_; ///< steps, the next one last
  std::uint64_t lowest_;               ///< below all that were given so far
  std::uint64_t added_ = 0;
  std::uint64_t steps_ = 0;
};

} // namespace muster::runtime
