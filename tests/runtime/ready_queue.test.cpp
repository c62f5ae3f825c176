// The order of ready items, without threads.
#include "catch.hpp"

#include "ready_queue.hpp"

#include <deque>
#include <vector>

using namespace muster;
using namespace muster::runtime;
using namespace std::chrono_literals;

namespace {

class numbered final : public lane_item {
public:
  numbered(int n, priority p) : number{n} { urgency = p; }
  const int number;

private:
  void run_on_lane() noexcept override {}
};

int number_of(const lane_item* item) { return item != nullptr ? static_cast<const numbered*>(item)->number : -1; }

} // namespace

TEST_CASE("items come by priority, first in first out within one", "[ready_queue]") {
  ready_queue queue;
  std::deque<numbered> items;
  const auto add = [&](int n, priority p) { queue.push(items.emplace_back(n, p), time_point{}); };
  add(1, priority::low);
  add(2, priority::normal);
  add(3, priority::high);
  add(4, priority::normal);
  add(5, priority::high);
  add(6, priority::low);
  std::vector<int> order;
  while (const lane_item* item = queue.pop())
    order.push_back(number_of(item));
  CHECK(order == std::vector{3, 5, 2, 4, 1, 6});
  CHECK(queue.empty());
}

TEST_CASE("a low item is not starved for ever", "[ready_queue]") {
  const auto urgent = GENERATE(priority::normal, priority::high);
  ready_queue queue;
  std::deque<numbered> items;
  queue.push(items.emplace_back(-7, priority::low), time_point{});
  std::uint32_t overtaken = 0;
  for (int i = 0;; ++i) {
    queue.push(items.emplace_back(i, urgent), time_point{});
    if (number_of(queue.pop()) == -7)
      break;
    ++overtaken;
  }
  CHECK(overtaken == ready_queue::patience);
  CHECK(number_of(queue.pop()) == static_cast<int>(overtaken));
}

TEST_CASE("a flood of high items lets both lower levels through", "[ready_queue]") {
  ready_queue queue;
  std::deque<numbered> items;
  for (int i = 0; i != 10; ++i) {
    queue.push(items.emplace_back(1000 + i, priority::low), time_point{});
    queue.push(items.emplace_back(2000 + i, priority::normal), time_point{});
  }
  int lows = 0;
  int normals = 0;
  for (std::uint32_t i = 0; i != 10 * (ready_queue::patience + 2); ++i) {
    queue.push(items.emplace_back(0, priority::high), time_point{});
    const int got = number_of(queue.pop());
    lows += got / 1000 == 1 ? 1 : 0;
    normals += got / 1000 == 2 ? 1 : 0;
  }
  CHECK(lows == 10);
  CHECK(normals == 10);
}

TEST_CASE("patience is counted from the moment somebody waits", "[ready_queue]") {
  ready_queue queue;
  std::deque<numbered> items;
  for (int i = 0; i != 1000; ++i) {
    queue.push(items.emplace_back(i, priority::high), time_point{});
    queue.pop();
  }
  queue.push(items.emplace_back(1, priority::low), time_point{});
  queue.push(items.emplace_back(2, priority::high), time_point{});
  CHECK(number_of(queue.pop()) == 2);
}

TEST_CASE("an item can be taken out of any place, once", "[ready_queue]") {
  ready_queue queue;
  std::deque<numbered> items;
  for (int i = 0; i != 5; ++i)
    queue.push(items.emplace_back(i, priority::normal), time_point{});
  CHECK(queue.remove(items[2]));
  CHECK(queue.remove(items[0]));
  CHECK(queue.remove(items[4]));
  CHECK_FALSE(queue.remove(items[4]));
  CHECK(number_of(queue.pop()) == 1);
  CHECK(number_of(queue.pop()) == 3);
  CHECK_FALSE(queue.remove(items[3]));
  CHECK(queue.pop() == nullptr);
  queue.push(items[2], time_point{});
  CHECK(number_of(queue.pop()) == 2);
}

TEST_CASE("looking through the queue sees the very order in which items will come", "[ready_queue]") {
  ready_queue queue;
  std::deque<numbered> items;
  for (int i = 0; i != 300; ++i)
    queue.push(items.emplace_back(i, static_cast<priority>(i * 7 % 3)), time_point{});
  std::vector<int> seen;
  CHECK(queue.find([&](const lane_item& item) {
    seen.push_back(number_of(&item));
    return false;
  }) == nullptr);
  std::vector<int> order;
  CHECK(number_of(queue.find([&](const lane_item& item) { return number_of(&item) == 42; })) == 42);
  while (const lane_item* item = queue.pop())
    order.push_back(number_of(item));
  CHECK(seen == order);
}

TEST_CASE("the age of the oldest item is known", "[ready_queue]") {
  ready_queue queue;
  std::deque<numbered> items;
  CHECK(queue.oldest() == never);
  queue.push(items.emplace_back(1, priority::low), time_point{2s});
  queue.push(items.emplace_back(2, priority::high), time_point{3s});
  CHECK(queue.oldest() == time_point{2s});
  queue.remove(items[0]);
  CHECK(queue.oldest() == time_point{3s});
}
