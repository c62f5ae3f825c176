/// The directory of the living: who finds a place in it, and what a reader sees.
#include "catch.hpp"

#include "living_table.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <thread>
#include <vector>

using muster::runtime::living_table;
using namespace muster::trace_format;

namespace {

/// A directory in memory of its own.
struct book {
  std::unique_ptr<living_entry[]> entries = std::make_unique<living_entry[]>(living_table::places);
  word dropped = 0;
  living_table table{{entries.get(), living_table::places}, dropped};

  [[nodiscard]] std::map<std::uint64_t, living_facts> read() const {
    std::map<std::uint64_t, living_facts> out;
    living_facts one;
    for (const auto& entry : table.entries())
      if (entry.read(one) == living_entry::answer::whole)
        out.emplace(one.id, one);
    return out;
  }
};

living_facts thing(std::uint64_t id, node kind = node::scope) {
  return {.id = id,
          .parent = id + 1,
          .since_ns = -static_cast<std::int64_t>(id),
          .text = static_cast<std::uint32_t>(id * 3),
          .kind = kind,
          .created = id * 5};
}

} // namespace

TEST_CASE("living: an entry comes back with everything that was said of it") {
  book b;
  const auto n = b.table.enter(thing(7));
  REQUIRE(n != 0);
  b.table.at(n)->set_state(3);
  b.table.at(n)->set_restarts(513);
  const auto one = b.read().at(7);
  CHECK(one.parent == 8);
  CHECK(one.since_ns == -7);
  CHECK(one.text == 21);
  CHECK(one.kind == node::scope);
  CHECK(one.created == 35);
  CHECK(one.ended == 0);
  CHECK(one.state == 3);
  CHECK(one.restarts == 513);
}

TEST_CASE("living: what has ended stays until its place is needed, and those who live keep theirs") {
  book b;
  const auto old = b.table.enter(thing(1));
  const auto lives = b.table.enter(thing(2));
  b.table.leave(old, 99);
  CHECK(b.read().at(1).ended == 99);
  for (std::uint64_t id = 10; id < 10 + 3 * living_table::steady_places; ++id)
    b.table.leave(b.table.enter(thing(id)), id);
  const auto now = b.read();
  CHECK_FALSE(now.contains(1));
  CHECK(now.at(2).ended == 0);
  CHECK(now.size() == living_table::steady_places);
  CHECK(b.dropped == 0);
  CHECK(b.table.at(lives) != nullptr);
}

TEST_CASE("living: a million tasks push no scope out, and one that runs finds a place") {
  book b;
  living_table::kept_place kept = 0;
  std::size_t entered = 0;
  for (std::uint64_t id = 1; id <= 1'000'000; ++id)
    entered += b.table.enter(thing(id, node::task)) != 0 ? 1 : 0;
  CHECK(entered == living_table::task_places);
  CHECK(b.table.enter(thing(2'000'000)) != 0);
  CHECK(b.table.enter_running(thing(2'000'001, node::task), kept) != 0);
  CHECK(b.dropped == 0); // tasks are counted by their scopes
}

TEST_CASE("living: a thread has one place for what it runs, one after the other, unless another thread needed it") {
  book b;
  living_table::kept_place mine = 0;
  living_table::kept_place others = 0;
  const auto first = b.table.enter_running(thing(1, node::task), mine);
  CHECK(first > living_table::steady_places + living_table::task_places);
  CHECK(mine == 0);
  b.table.leave(first, 10, mine);
  CHECK(mine == first);
  CHECK(b.read().at(1).ended == 10); // until it is needed
  CHECK(b.table.enter_running(thing(2, node::task), mine) == first);
  CHECK(b.table.enter_running(thing(3, node::task), mine) != first); // the task before runs still
  b.table.leave(first, 20, mine);
  for (std::uint64_t id = 100; id < 100 + 2 * living_table::running_places; ++id)
    static_cast<void>(b.table.enter_running(thing(id, node::task), others = 0));
  REQUIRE_FALSE(b.read().contains(2)); // somebody has got its place
  const auto now = b.table.enter_running(thing(4, node::task), mine);
  CHECK(now != first);
  CHECK(b.read().size() == living_table::running_places);
}

TEST_CASE("living: when a full house empties, newcomers find places again") {
  book b;
  std::vector<std::uint32_t> crowd;
  for (std::uint64_t id = 1; id <= 100'000; ++id)
    if (const auto n = b.table.enter(thing(id, node::task)); n != 0)
      crowd.push_back(n);
  CHECK(crowd.size() == living_table::task_places);
  for (const auto n : crowd)
    b.table.leave(n, 7);
  std::size_t entered = 0;
  for (std::uint64_t id = 200'001; id <= 201'000; ++id)
    entered += b.table.enter(thing(id, node::task)) != 0 ? 1U : 0U;
  CHECK(entered >= 1'000 - 64); // the first few did not look
}

TEST_CASE("living: what finds no place is counted") {
  book b;
  for (std::uint64_t id = 1; id <= living_table::steady_places; ++id)
    REQUIRE(b.table.enter(thing(id)) != 0);
  CHECK(b.table.enter(thing(100'000)) == 0);
  CHECK(b.dropped == 1);
}

TEST_CASE("living: a scope counts its tasks by state, whoever moves them") {
  book b;
  const auto n = b.table.enter(thing(1));
  constexpr unsigned nowhere = 4;
  auto& scope = *b.table.at(n);
  {
    std::vector<std::jthread> crew;
    for (int t = 0; t < 4; ++t)
      crew.emplace_back([&] {
        for (int i = 0; i < 1000; ++i) {
          scope.count(nowhere, 0);
          scope.count(0, 1);
          scope.count(1, 2);
          scope.count(2, 3);
          scope.count(3, nowhere);
          scope.count(nowhere, 0);
          scope.count(0, 2);
        }
      });
  }
  CHECK(b.read().at(1).tasks == std::array<std::uint32_t, 4>{0, 0, 4000, 0});
}

TEST_CASE("living: a reader never sees a mixture of two things, however fast places change hands") {
  book b;
  std::atomic<bool> enough{false};
  std::atomic<int> begun{0};
  const auto writer = [&](std::uint64_t id) {
    while (!enough) {
      b.table.leave(b.table.enter(thing(id)), 1);
      id += 2;
      begun.fetch_or(id % 2 == 0 ? 1 : 2);
    }
  };
  std::jthread one{writer, 1};
  std::jthread two{writer, 2};
  while (begun != 3)
    std::this_thread::yield();
  std::size_t wrong = 0;
  std::size_t seen = 0;
  for (int round = 0; round < 50; ++round) {
    living_facts f;
    for (const auto& entry : b.table.entries())
      if (const auto what = entry.read(f); what == living_entry::answer::whole) {
        ++seen;
        wrong += f.parent == f.id + 1 && f.created == f.id * 5 ? 0 : 1;
      } else {
        wrong += what == living_entry::answer::damaged ? 1 : 0;
      }
  }
  enough = true;
  CHECK(wrong == 0);
  CHECK(seen > 0);
}
