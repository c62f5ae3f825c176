// Memory for crowds: whole, aligned, given back to the system, whoever gives it back.
#include "catch.hpp"

#include "block_store.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstring>
#include <random>
#include <thread>
#include <utility>
#include <vector>

using namespace muster::runtime;

namespace {

constexpr std::size_t keep = 2 * block_store::huge_chunk;
constexpr std::chrono::hours for_ever{1}; // no sweep comes but those that a test makes

/// Blocks with a pattern of their own in every byte.
struct patterned {
  unsigned char* at;
  std::size_t size;
  unsigned char pattern;

  [[nodiscard]] bool whole() const {
    return std::all_of(at, at + size, [this](unsigned char c) { return c == pattern; });
  }
};

patterned take(block_store& from, std::size_t size, unsigned pattern) {
  auto* at = static_cast<unsigned char*>(from.take(size));
  REQUIRE(at != nullptr);
  std::memset(at, static_cast<int>(pattern % 251), size);
  return {at, size, static_cast<unsigned char>(pattern % 251)};
}

} // namespace

TEST_CASE("blocks of all sizes are aligned and do not overlap", "[block_store]") {
  block_store store{keep, for_ever};
  std::vector<patterned> all;
  constexpr std::array<std::size_t, 16> sizes{0,   1,   8,    15,   16,   17,   63,   64,
                                              576, 700, 1024, 2040, 2041, 2048, 5000, 100'000};
  for (const std::size_t size : sizes)
    for (unsigned i = 0; i != 50; ++i)
      all.push_back(take(store, size, static_cast<unsigned>(size + i)));
  for (const auto& each : all) {
    CHECK(reinterpret_cast<std::uintptr_t>(each.at) % block_store::alignment == 0);
    CHECK(each.whole());
  }
  for (const auto& each : all)
    store.give(each.at);
  store.give(nullptr);
}

TEST_CASE("what was given back is taken again before the system is asked for more", "[block_store]") {
  block_store store{keep, for_ever};
  store.user_came();
  std::vector<void*> crowd(100);
  for (int round = 0; round != 1'000; ++round) {
    std::ranges::generate(crowd, [&] { return store.take(600); });
    if (round % 2 == 0)
      std::ranges::reverse(crowd);
    for (void* each : crowd)
      store.give(each);
  }
  CHECK(store.held() <= 2 * block_store::small_chunk);
  store.user_left();
}

TEST_CASE("a crowd has huge chunks, and of those that it leaves only some are kept, and none without users",
          "[block_store]") {
  block_store store{keep, for_ever};
  store.user_came();
  std::vector<void*> crowd(100'000);
  std::ranges::generate(crowd, [&] { return store.take(600); });
  CHECK(store.held() >= crowd.size() * 600);
  CHECK(store.held() <= crowd.size() * 616 + keep); // hardly more
  std::ranges::shuffle(crowd, std::minstd_rand{1});
  void* const last = crowd.back();
  crowd.pop_back();
  const auto full = store.held();
  for (void* each : crowd)
    store.give(each);
  CHECK(store.held() == full); // for the next crowd
  CHECK(store.sweep());
  CHECK(store.held() == full); // it may have become empty just now
  CHECK_FALSE(store.sweep());
  CHECK(store.held() <= keep + block_store::huge_chunk);
  CHECK(store.held() > 0);
  store.user_left();
  CHECK(store.held() <= block_store::huge_chunk); // the one that is in use
  CHECK(store.held() > 0);
  store.give(last);
  CHECK(store.held() == 0);
}

TEST_CASE("what other threads give back is had again, without anybody taking there", "[block_store]") {
  block_store store{keep, for_ever};
  store.user_came();
  std::vector<void*> crowd(50'000);
  std::ranges::generate(crowd, [&] { return store.take(600); });
  // More threads than there are places to take from: some share that of this thread, others do not. In no order.
  std::ranges::shuffle(crowd, std::minstd_rand{1});
  for (std::size_t t = 0; t != 8; ++t)
    std::thread{[&, t] {
      for (std::size_t i = t; i < crowd.size(); i += 8)
        store.give(crowd[i]);
    }}.join();
  static_cast<void>(store.sweep());
  CHECK_FALSE(store.sweep());
  CHECK(store.held() <= keep);
  store.user_left();
  CHECK(store.held() == 0);
}

TEST_CASE("crowd after crowd has the same memory, however many sweeps there are while one of them is there",
          "[block_store]") {
  block_store store{keep, for_ever};
  store.user_came();
  std::vector<void*> crowd(100'000);
  std::size_t first = 0;
  for (int round = 0; round != 5; ++round) {
    std::ranges::generate(crowd, [&] { return store.take(600); });
    first = first == 0 ? store.held() : first;
    CHECK(store.held() == first);
    for (int sweeps = 0; sweeps != 3; ++sweeps)
      static_cast<void>(store.sweep());
    for (void* each : crowd)
      store.give(each);
    static_cast<void>(store.sweep());
  }
  store.user_left();
  CHECK(store.held() == 0);
}

TEST_CASE("what nobody uses goes back to the system by itself", "[block_store]") {
  block_store store{keep, std::chrono::milliseconds{1}};
  store.user_came();
  std::vector<void*> crowd(50'000);
  for (int round = 0; round != 3; ++round) { // its thread sleeps in between, and is woken
    std::ranges::generate(crowd, [&] { return store.take(600); });
    for (void* each : crowd)
      store.give(each);
    while (store.held() > keep)
      std::this_thread::yield();
  }
  store.user_left();
  CHECK(store.held() == 0);
}

TEST_CASE("users come and go while a crowd leaves, and nothing stays", "[block_store]") {
  for (int round = 0; round != 100; ++round) {
    block_store store{0, std::chrono::microseconds{50}};
    std::barrier both{2};
    std::thread crowd{[&] {
      both.arrive_and_wait();
      std::vector<void*> all(2'000);
      for (int again = 0; again != 3; ++again) {
        std::ranges::generate(all, [&] { return store.take(600); });
        for (void* each : all)
          store.give(each);
      }
    }};
    both.arrive_and_wait();
    for (int again = 0; again != 5; ++again) {
      store.user_came();
      store.user_left();
    }
    crowd.join();
    REQUIRE(store.held() == 0);
  }
}

TEST_CASE("one user comes while the last one leaves, and what is empty is given back all the same", "[block_store]") {
  for (int round = 0; round != 100; ++round) {
    block_store store{0, std::chrono::microseconds{50}};
    store.user_came();
    const auto crowd = [&] {
      std::vector<void*> all(2'000);
      std::ranges::generate(all, [&] { return store.take(600); });
      for (void* each : all)
        store.give(each);
    };
    crowd();
    std::barrier both{2};
    std::thread newcomer{[&] {
      both.arrive_and_wait();
      store.user_came();
      crowd();
    }};
    both.arrive_and_wait();
    store.user_left();
    newcomer.join();
    while (store.held() != 0)
      std::this_thread::yield();
    store.user_left();
  }
}

TEST_CASE("threads take, pass on and give back at the same time, and every block stays whole", "[block_store]") {
  block_store store{keep, for_ever};
  store.user_came();
  constexpr std::size_t threads = 6;
  constexpr std::size_t rounds = 40;
  std::array<std::vector<patterned>, threads> tables;
  std::atomic<int> broken{0};
  std::barrier turn{threads};
  std::vector<std::thread> all;
  for (std::size_t t = 0; t != threads; ++t)
    all.emplace_back([&, t] {
      std::minstd_rand random{static_cast<unsigned>(t + 1)};
      for (std::size_t round = 0; round != rounds; ++round) {
        auto& mine = tables[t];
        for (unsigned i = 0; i != 300; ++i) {
          const std::size_t size = random() % 900 + 1;
          const auto pattern = static_cast<unsigned char>(random() % 251);
          auto* at = static_cast<unsigned char*>(store.take(size));
          std::memset(at, pattern, size);
          mine.push_back({at, size, pattern});
        }
        turn.arrive_and_wait();
        auto& others = tables[(t + 1) % threads];
        while (!others.empty()) {
          broken += others.back().whole() ? 0 : 1;
          store.give(others.back().at);
          others.pop_back();
        }
        turn.arrive_and_wait();
      }
    });
  for (auto& each : all)
    each.join();
  CHECK(broken == 0);
  store.user_left();
  CHECK(store.held() == 0);
}

TEST_CASE("the last user may leave while others still give back", "[block_store]") {
  for (int round = 0; round != 200; ++round) {
    block_store store{keep, for_ever};
    store.user_came();
    std::vector<void*> crowd(64);
    std::ranges::generate(crowd, [&] { return store.take(600); });
    std::barrier both{2};
    std::thread giver{[&] {
      both.arrive_and_wait();
      for (void* each : crowd)
        store.give(each);
    }};
    both.arrive_and_wait();
    store.user_left();
    giver.join();
    REQUIRE(store.held() == 0);
  }
}
