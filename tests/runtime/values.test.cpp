// What muster::context_values promises: nearest first, never changing under anybody, any depth.
#include "catch.hpp"

#include <muster/values.hpp>

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using muster::context_values;

struct request_id {
  std::string text;
};
struct user {
  std::string name;
};
struct depth {
  int level;
};

} // namespace

TEST_CASE("a value is found by exactly its type") {
  struct admin : user {};
  context_values values;
  CHECK(values.empty());
  values.set(request_id{"42"}).set(admin{{"eve"}});
  CHECK_FALSE(values.empty());
  REQUIRE(values.find<request_id>() != nullptr);
  CHECK(values.find<request_id>()->text == "42");
  CHECK(values.find<admin>()->name == "eve");
  CHECK(values.find<user>() == nullptr);
}

TEST_CASE("setting a type again replaces it here and in no copy") {
  context_values values;
  values.set(request_id{"1"});
  const context_values copy = values;
  const request_id* const before = copy.find<request_id>();
  values.set(request_id{"2"});
  CHECK(values.find<request_id>()->text == "2");
  CHECK(copy.find<request_id>() == before);
  CHECK(before->text == "1");
}

TEST_CASE("a value may be one that only moves") {
  context_values values;
  values.set(std::make_unique<int>(7));
  CHECK(**values.find<std::unique_ptr<int>>() == 7);
}

TEST_CASE("the own layer is asked first, then the parents") {
  context_values parent;
  parent.set(request_id{"outer"}).set(user{"ann"});
  context_values own;
  own.set(request_id{"inner"});
  const auto both = context_values::layered(parent, own);
  CHECK(both.find<request_id>()->text == "inner");
  CHECK(both.find<user>() == parent.find<user>());
  CHECK(both.find<depth>() == nullptr);
  CHECK(parent.find<request_id>()->text == "outer");
}

TEST_CASE("setting in a layered one hides the parent's value and leaves it there") {
  context_values parent;
  parent.set(request_id{"outer"});
  auto child = context_values::layered(parent, context_values{}.set(user{"ann"}));
  child.set(request_id{"inner"});
  CHECK(child.find<request_id>()->text == "inner");
  CHECK(child.find<user>()->name == "ann");
  CHECK(parent.find<request_id>()->text == "outer");
}

TEST_CASE("layering an empty one costs nothing") {
  context_values some;
  some.set(user{"ann"});
  CHECK(context_values::layered(some, {}).find<user>() == some.find<user>());
  CHECK(context_values::layered({}, some).find<user>() == some.find<user>());
  CHECK(context_values::layered({}, {}).empty());
}

TEST_CASE("an own one that has layers itself keeps their order on top of the parent") {
  const auto two =
      context_values::layered(context_values{}.set(request_id{"a"}).set(depth{1}), context_values{}.set(depth{2}));
  const auto three = context_values::layered(context_values{}.set(request_id{"z"}).set(user{"ann"}), two);
  CHECK(three.find<depth>()->level == 2);
  CHECK(three.find<request_id>()->text == "a");
  CHECK(three.find<user>()->name == "ann");
}

TEST_CASE("values live as long as anybody holds them and no longer") {
  const auto watched = std::make_shared<int>(1);
  context_values child;
  {
    context_values parent;
    parent.set(watched);
    child = context_values::layered(parent, context_values{}.set(user{"ann"}));
  }
  CHECK(watched.use_count() == 2);
  CHECK(*child.find<std::shared_ptr<int>>() == watched);
  const context_values taken = std::move(child);
  CHECK(child.empty()); // NOLINT: that is the point
  child = taken;
  const context_values& itself = child;
  child = itself;
  CHECK(watched.use_count() == 2);
  child = {};
  CHECK(child.empty());
  CHECK(watched.use_count() == 2);
}

TEST_CASE("nothing is left of a value when the last holder has gone") {
  const auto watched = std::make_shared<int>(1);
  context_values{}.set(watched);
  CHECK(watched.use_count() == 1);
}

TEST_CASE("a million layers are searched and destroyed without recursion") {
  context_values values;
  values.set(user{"ann"});
  for (int i = 0; i < 1'000'000; ++i)
    values = context_values::layered(values, context_values{}.set(depth{i}));
  CHECK(values.find<depth>()->level == 999'999);
  CHECK(values.find<user>()->name == "ann");
}

TEST_CASE("values that hold values are destroyed without recursion") {
  struct holder {
    context_values inner;
  };
  context_values values;
  for (int i = 0; i < 100'000; ++i) {
    context_values outer;
    outer.set(holder{std::move(values)});
    values = std::move(outer);
  }
  CHECK(values.find<holder>() != nullptr);
}

TEST_CASE("eight threads can build on one parent") {
  context_values parent;
  parent.set(user{"ann"});
  std::vector<std::jthread> crowd;
  std::vector<int> seen(8);
  for (int t = 0; t < 8; ++t)
    crowd.emplace_back([mine = parent, t, &result = seen[static_cast<std::size_t>(t)]]() mutable {
      for (int i = 0; i < 1000; ++i)
        mine = context_values::layered(mine, context_values{}.set(depth{t * 1000 + i}));
      result = mine.find<user>() != nullptr ? mine.find<depth>()->level : -1;
    });
  crowd.clear();
  for (int t = 0; t < 8; ++t)
    CHECK(seen[static_cast<std::size_t>(t)] == t * 1000 + 999);
}
