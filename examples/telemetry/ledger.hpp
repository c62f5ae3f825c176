/// The books of the readings: each is emitted once, and then either stored or lost, with where and through whose death.
///
/// Owner: the program; it outlives the system. Threads: any, behind one mutex. Always holds: emitted = stored + lost +
/// under way; a reading is settled exactly once, when the last copy of its ticket is destroyed, by whomever: an actor
/// that has stored it, a mailbox that dies with its actor, a handle that refuses it.
///
/// The actors report their births and deaths too (they, not their supervisor, so that the one can be held against the
/// other): a loss is explained only by the violent death of the incarnation that it was with or on its way to.
#pragma once

#include "reading.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

namespace telemetry {

/// How far a reading has come.
enum class stage : std::uint8_t { to_aggregator, in_aggregator, to_writer, in_writer, stored };

/// Why a reading was lost.
enum class cause : std::uint8_t {
  not_taken, ///< sent while its receiver was down: to a dead mailbox, or beyond child_options::held_messages
  mailbox,   ///< in the mailbox of an actor that died
  hand,      ///< in the hands of an actor that died
  cut_off,   ///< it was held for an actor whose restart was called off, because the run ended
};
[[nodiscard]] std::string_view to_string(cause why) noexcept;

struct death {
  std::uint32_t incarnation = 0;
  bool violent = false; ///< it did not end because it was asked to
  muster::time_point at{};
  std::string why;
};

struct loss {
  reading what;
  stage where{};
  bool not_taken = false;        ///< by whom it was sent to
  std::uint32_t holder = 0;      ///< in whose hands, for `in_…`
  std::size_t deaths_before = 0; ///< of its receiver, when it was lost
  bool receiver_alive = false;
  muster::time_point receiver_born{}; ///< its last incarnation
  muster::time_point at{};
};

class ledger;

/// The one original of a reading; what actors hand to each other are shares of it.
class ticket {
public:
  ticket(ledger& books, reading what);
  ticket(const ticket&) = delete;
  ticket& operator=(const ticket&) = delete;
  ~ticket();

  [[nodiscard]] const reading& what() const noexcept { return what_; }
  void move_to(stage where, std::uint32_t holder = 0) noexcept {
    where_ = where;
    holder_ = holder;
  }
  /// The message that it was in was not taken.
  void sent_back() noexcept { not_taken_ = true; }

private:
  friend class ledger;
  ledger& books_;
  const reading what_;
  stage where_ = stage::to_aggregator;
  std::uint32_t holder_ = 0;
  bool not_taken_ = false;
};
using parcel = std::shared_ptr<ticket>;

/// What a message with readings carries: while it is there, the message is under way. It has one receiver, and only who
/// handles the message calls anything of it.
class letter {
public:
  letter(ledger& books, bool to_writer, std::vector<parcel> contents);
  letter(const letter&) = delete;
  letter& operator=(const letter&) = delete;
  /// By whoever drops the message. If that is the very call that sends it, it was not taken.
  ~letter();

  [[nodiscard]] const std::vector<parcel>& contents() const noexcept { return contents_; }
  /// Takes them out: what is sent on is not to be held by the message that it came with, which may outlive its next
  /// receiver.
  [[nodiscard]] std::vector<parcel> take() noexcept { return std::exchange(contents_, {}); }

private:
  ledger& books_;
  const bool to_writer_;
  std::vector<parcel> contents_;
};

/// Around the sending of a message: letters that are destroyed meanwhile, on this thread, were not taken.
class sending {
public:
  sending() noexcept;
  sending(const sending&) = delete;
  sending& operator=(const sending&) = delete;
  ~sending();
  [[nodiscard]] static bool now() noexcept;
};

class ledger {
public:
  /// `held_messages`: what a handle of this system holds while its actor is down.
  ledger(std::shared_ptr<muster::clock> time, std::size_t held_messages);

  /// A new incarnation of the actor called `name`: which.
  std::uint32_t born(const std::string& name);
  void died(const std::string& name, std::uint32_t incarnation, bool violent, std::string why);
  /// A line about the order of things: "-name" for an actor that has ended as it was asked to, "-store" …
  void note(std::string line);

  struct totals {
    std::uint64_t emitted = 0;
    std::uint64_t stored = 0;
    std::uint64_t lost = 0;
  };
  struct not_taken {
    std::uint64_t messages = 0;
    std::uint64_t when_full = 0; ///< of those: with as many under way as are held
  };
  [[nodiscard]] totals all() const;
  /// By source.
  [[nodiscard]] std::map<std::string, totals> by_source() const;
  [[nodiscard]] std::vector<loss> losses() const;
  [[nodiscard]] std::map<std::string, std::vector<death>> deaths() const;
  [[nodiscard]] not_taken refused_or_late() const;
  [[nodiscard]] std::vector<std::string> notes() const;
  [[nodiscard]] muster::time_point now() const noexcept { return time_->now(); }

private:
  friend class ticket;
  friend class letter;
  struct life {
    std::uint32_t births = 0;
    muster::time_point born_at{}; ///< the last of them
    std::vector<death> deaths;
  };
  void settle(const ticket& t);
  void letter_gone(bool to_writer);

  const std::shared_ptr<muster::clock> time_;
  const std::size_t held_messages_;
  mutable std::mutex mutex_;
  std::map<std::string, totals> sources_;
  std::map<std::string, life> lives_;
  std::vector<loss> losses_;
  std::vector<std::string> notes_;
  std::uint64_t under_way_[2] = {0, 0}; ///< letters to the aggregator, to the writer
  not_taken not_taken_;
};

/// Who receives what is at, or on its way to, this stage.
[[nodiscard]] const std::string& receiver_of(stage where);

/// Each loss with the death that explains it.
struct explained_loss {
  cause why{};
  std::string who; ///< the actor whose death it was
  std::uint32_t incarnation = 0;
};
/// Nothing, if nothing explains it. `exact`: a mailbox's losses are at the very moment of the death (simulated time).
[[nodiscard]] std::optional<explained_loss> explain(const loss& one,
                                                    const std::map<std::string, std::vector<death>>& deaths,
                                                    bool exact);

} // namespace telemetry
