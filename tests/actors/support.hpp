/// What the tests of scopes and tasks are written with: a manager on a clock that stands still, gates, a journal.
///
/// Nothing here sleeps or measures time. What must happen is waited for without a bound; that something does not happen
/// is read off how things ended. Catch2's assertions belong to the test's own thread: bodies record, the test asserts.
#pragma once

#include "../catch.hpp"

#include <muster/muster.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace support {

using namespace std::chrono_literals;
using muster::cancel_kind;
using muster::context;
using muster::errc;
using muster::outcome_kind;

/// A clock that moves only when the test says so.
[[nodiscard]] inline std::shared_ptr<muster::manual_clock> still_clock() {
  return std::make_shared<muster::manual_clock>();
}

/// Options of a manager called "site" on `clock`, with two workers unless `options` say otherwise.
[[nodiscard]] inline muster::manager_options on(std::shared_ptr<muster::manual_clock> clock,
                                                muster::manager_options options = {.name = "site"}) {
  options.clock = std::move(clock);
  if (options.name == "muster")
    options.name = "site";
  if (options.workers == 0)
    options.workers = 2;
  return options;
}
[[nodiscard]] inline muster::manager_options standing_still() { return on(still_clock()); }

/// Closed until it is opened, once and for all. Waiting for it is foreign code to Muster.
class gate {
public:
  void open() noexcept {
    open_.store(true);
    open_.notify_all();
  }
  void wait() const noexcept { open_.wait(false); }
  [[nodiscard]] bool is_open() const noexcept { return open_.load(); }

private:
  std::atomic<bool> open_{false};
};

/// Opens its gate at the end of the block, so that a test that fails half-way does not hang. Declare it after the
/// scopes and managers that are held up by the gate.
class let_go {
public:
  explicit let_go(gate& held) noexcept : held_{held} {}
  ~let_go() { held_.open(); }
  let_go(const let_go&) = delete;
  let_go& operator=(const let_go&) = delete;

private:
  gate& held_;
};

/// What happened, in order, from any thread.
class journal {
public:
  void write(std::string line) {
    const std::scoped_lock lock{mutex_};
    lines_.push_back(std::move(line));
  }
  [[nodiscard]] std::vector<std::string> lines() const {
    const std::scoped_lock lock{mutex_};
    return lines_;
  }
  [[nodiscard]] std::size_t size() const { return lines().size(); }

private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};
using lines = std::vector<std::string>;

/// Returns once `happened()` is true; for what must happen and cannot be blocked on.
template <class Predicate>
void await(Predicate happened) {
  while (!happened())
    std::this_thread::yield();
}

/// A body that stays until it is asked to stop and then says that it did not finish.
inline constexpr auto stays = [](context& ctx) -> muster::result<void> {
  return std::unexpected{ctx.wait_until_cancelled().to_error()};
};
/// A body that succeeds with nothing.
inline constexpr auto succeeds = [] {};
/// A body that fails with `message`.
[[nodiscard]] inline auto fails(std::string message) {
  return [message = std::move(message)]() -> muster::result<void> {
    return std::unexpected{muster::error{std::errc::io_error, message}};
  };
}

/// The error of something that failed; a harmless other one if it did not, so that a test can go on to say so.
template <class T>
[[nodiscard]] muster::error error_of(const muster::result<T>& r) {
  return r ? muster::error{errc::bad_argument, "there was no error"} : r.error();
}
/// The messages of an error and of those after it, in order.
[[nodiscard]] inline lines messages(const muster::error& e) {
  lines all{e.message()};
  for (const auto& more : e.later())
    all.push_back(more.message());
  return all;
}
[[nodiscard]] inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// True if the error or one of those after it (or a cause of either) has this code.
[[nodiscard]] inline bool any_is(const muster::error& e, const std::error_code& code) {
  if (e.is(code))
    return true;
  for (const auto& more : e.later())
    if (more.is(code))
      return true;
  return false;
}
/// True if it failed with just this code.
[[nodiscard]] inline bool is(const muster::result<void>& r, errc code) { return !r && r.error().code() == code; }
/// True if the tree shows a node of this name that waits for something: a body is inside one of Muster's waits.
[[nodiscard]] inline bool waits(const muster::supervision_tree& tree, const std::string& name) {
  for (const auto& node : tree.nodes)
    if (node.name == name && !node.waits_for.empty())
      return true;
  return false;
}

/// Returns once the body of `task` has begun.
inline void await_start(const muster::task_handle& task) {
  await([&] { return task.state() >= muster::task_state::running; });
}

/// Every task that was made has ended in one of the five ways.
[[nodiscard]] inline std::uint64_t ended(const muster::statistics& s) {
  return s.tasks_completed + s.tasks_failed + s.tasks_timed_out + s.tasks_cancelled + s.tasks_skipped;
}

} // namespace support
