// Plans: named steps, refused as a whole before anything starts if they make no sense.
#include "support.hpp"

using namespace support;

namespace {

/// A step that counts that it ran.
[[nodiscard]] auto counts(std::atomic<int>& ran) {
  return [&ran] { ran.fetch_add(1); };
}

/// Both ways of asking refuse `p`, and nothing of it has started.
[[nodiscard]] muster::error refusal(muster::plan p, std::atomic<int>& ran) {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  const auto checked = error_of(p.check());
  CHECK(checked.code() == errc::invalid_plan);
  CHECK(checked.is(std::errc::invalid_argument));
  const auto why = error_of(crew.execute(std::move(p)));
  CHECK(why.code() == errc::invalid_plan);
  CHECK(why.message() == checked.message());
  CHECK_FALSE(crew.cancelled());
  CHECK(crew.execute("worker", succeeds).get().ok());
  CHECK(crew.wait());
  CHECK(site.stats().tasks_started == 1);
  CHECK(ran == 0);
  return why;
}

} // namespace

TEST_CASE("a plan runs its steps in the order of their dependencies whatever the order of writing") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  journal written;
  const auto writes = [&](context& ctx) { written.write(ctx.name()); };
  muster::plan p;
  p.step({.name = "third", .after = {"second"}}, writes)
      .step({.name = "first"}, writes)
      .step({.name = "second", .after = {"first"}}, writes);
  CHECK(p.size() == 3);
  CHECK(p.check());
  auto run = crew.execute(std::move(p));
  REQUIRE(run);
  CHECK(crew.wait());
  CHECK(written.lines() == lines{"first", "second", "third"});
  CHECK(run->names() == lines{"third", "first", "second"});
  CHECK(run->at<void>("third").get().ok());
  CHECK(run->at<void>("third").path() == "site/crew/third");
}

TEST_CASE("a step reads the values of those that it comes after") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  muster::plan p;
  p.step({.name = "price"}, [] { return 20; });
  p.step({.name = "count"}, []() -> muster::result<int> { return 3; });
  p.step({.name = "paper"}, [] { return std::make_unique<std::string>("invoice"); });
  p.step({.name = "signed"}, [] {});
  p.step({.name = "total", .after = {"price", "count", "paper", "signed"}}, [](context& ctx) {
    static_cast<void>(ctx.value_of<void>("signed"));
    return *ctx.value_of<std::unique_ptr<std::string>>("paper") + " " +
           std::to_string(ctx.value_of<int>("price") * ctx.value_of<int>("count"));
  });
  auto run = crew.execute(std::move(p));
  REQUIRE(run);
  CHECK(crew.wait());
  CHECK(run->at<std::string>("total").get().value() == "invoice 60");
  CHECK(run->at<int>("price").get().value() == 20);
}

TEST_CASE("a plan with a cycle is refused with the path of the cycle and nothing starts") {
  std::atomic<int> ran = 0;
  muster::plan p;
  p.step({.name = "prologue"}, counts(ran));
  p.step({.name = "alpha", .after = {"prologue", "gamma"}}, counts(ran));
  p.step({.name = "beta", .after = {"alpha"}}, counts(ran));
  p.step({.name = "gamma", .after = {"beta"}}, counts(ran));
  p.step({.name = "epilogue", .after = {"gamma"}}, counts(ran));
  const auto why = refusal(std::move(p), ran);
  for (const char* name : {"alpha", "beta", "gamma"})
    CHECK(contains(why.message(), name));
  CHECK_FALSE(contains(why.message(), "prologue"));
  CHECK_FALSE(contains(why.message(), "epilogue"));
}

TEST_CASE("a plan with a step after itself is refused") {
  std::atomic<int> ran = 0;
  muster::plan p;
  p.step({.name = "fine"}, counts(ran)).step({.name = "ouroboros", .after = {"ouroboros"}}, counts(ran));
  CHECK(contains(refusal(std::move(p), ran).message(), "ouroboros"));
}

TEST_CASE("a plan with an unknown name is refused and the message says which") {
  std::atomic<int> ran = 0;
  muster::plan p;
  p.step({.name = "fine"}, counts(ran)).step({.name = "lost", .after = {"fine", "nowhere"}}, counts(ran));
  const auto why = refusal(std::move(p), ran);
  CHECK(contains(why.message(), "nowhere"));
  CHECK(contains(why.message(), "lost"));
}

TEST_CASE("a plan with a double name is refused and the message says which") {
  std::atomic<int> ran = 0;
  muster::plan p;
  p.step({.name = "twin"}, counts(ran)).step({.name = "twin"}, counts(ran));
  CHECK(contains(refusal(std::move(p), ran).message(), "twin"));
}

TEST_CASE("a plan with a step without a name is refused") {
  std::atomic<int> ran = 0;
  muster::plan p;
  p.step({}, counts(ran));
  static_cast<void>(refusal(std::move(p), ran));
}

TEST_CASE("an empty plan runs nothing and is fine") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  auto run = crew.execute(muster::plan{});
  REQUIRE(run);
  CHECK(run->names().empty());
  CHECK(crew.wait());
}

TEST_CASE("a step that names a dependency twice comes after it once") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  muster::plan p;
  p.step({.name = "first"}, [] { return 1; });
  p.step({.name = "second", .after = {"first", "first"}}, [](context& ctx) { return ctx.value_of<int>("first"); });
  auto run = crew.execute(std::move(p));
  REQUIRE(run);
  CHECK(crew.wait());
  CHECK(run->at<int>("second").get().value() == 1);
}

TEST_CASE("a step that fails makes those behind it skipped and leaves the others under isolate") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
  std::atomic<int> ran = 0;
  muster::plan p;
  p.step({.name = "broken"}, fails("broken"));
  p.step({.name = "behind", .after = {"broken"}}, counts(ran));
  p.step({.name = "far behind", .after = {"behind"}}, counts(ran));
  p.step({.name = "beside"}, [] { return 1; });
  auto run = crew.execute(std::move(p));
  REQUIRE(run);
  CHECK(messages(error_of(crew.wait())) == lines{"broken"});
  CHECK(run->at<void>("broken").get().failed());
  CHECK(run->at<void>("behind").get().skipped());
  CHECK(run->at<void>("far behind").get().skipped());
  CHECK(run->at<int>("beside").get().ok());
  CHECK(ran == 0);
}

TEST_CASE("a diamond joins again") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  muster::plan p;
  p.step({.name = "top"}, [] { return 1; });
  p.step({.name = "left", .after = {"top"}}, [](context& ctx) { return ctx.value_of<int>("top") + 1; });
  p.step({.name = "right", .after = {"top"}}, [](context& ctx) { return ctx.value_of<int>("top") + 2; });
  p.step({.name = "bottom", .after = {"left", "right"}},
         [](context& ctx) { return ctx.value_of<int>("left") * ctx.value_of<int>("right"); });
  auto run = crew.execute(std::move(p));
  REQUIRE(run);
  CHECK(crew.wait());
  CHECK(run->at<int>("bottom").get().value() == 6);
}

TEST_CASE("a step has options: a timeout of its own") {
  const auto clock = still_clock();
  muster::manager site{on(clock)};
  auto crew = site.create_scope("crew");
  muster::plan p;
  p.step({.name = "slow", .timeout = 2s}, stays);
  auto run = crew.execute(std::move(p));
  REQUIRE(run);
  clock->await_timer_within(2s);
  clock->advance(2s);
  CHECK(error_of(crew.wait()).code() == errc::timed_out);
  CHECK(run->at<void>("slow").get().timed_out());
}

TEST_CASE("a plan that is executed on a cancelled scope runs nothing") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  crew.cancel();
  std::atomic<int> ran = 0;
  muster::plan p;
  p.step({.name = "first"}, counts(ran)).step({.name = "second", .after = {"first"}}, counts(ran));
  auto run = crew.execute(std::move(p));
  REQUIRE(run);
  CHECK(run->at<void>("first").get().cancelled());
  CHECK(run->at<void>("second").get().cancelled());
  CHECK_FALSE(crew.wait());
  CHECK(ran == 0);
}

TEST_CASE("several plans may run in one scope and their names do not mix") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  std::vector<muster::plan_run> runs;
  for (int i = 0; i < 3; ++i) {
    muster::plan p;
    p.step({.name = "first"}, [i] { return i; });
    p.step({.name = "second", .after = {"first"}}, [](context& ctx) { return ctx.value_of<int>("first") * 10; });
    auto run = crew.execute(std::move(p));
    REQUIRE(run);
    runs.push_back(*run);
  }
  CHECK(crew.wait());
  for (std::size_t i = 0; i < runs.size(); ++i)
    CHECK(runs[i].at<int>("second").get().value() == static_cast<int>(i) * 10);
}

TEST_CASE("a plan of ten thousand steps in a row is checked and run without recursion") {
  muster::manager site{standing_still()};
  auto crew = site.create_scope("crew");
  muster::plan p;
  std::atomic<int> ran = 0;
  for (int i = 9'999; i > 0; --i)
    p.step({.name = std::to_string(i), .after = {std::to_string(i - 1)}}, counts(ran));
  p.step({.name = "0"}, counts(ran));
  CHECK(p.check());
  auto run = crew.execute(std::move(p));
  REQUIRE(run);
  CHECK(crew.wait());
  CHECK(ran == 10'000);
}

TEST_CASE("a cycle of ten thousand steps is found without recursion") {
  std::atomic<int> ran = 0;
  muster::plan p;
  for (int i = 0; i < 10'000; ++i)
    p.step({.name = std::to_string(i), .after = {std::to_string((i + 1) % 10'000)}}, counts(ran));
  CHECK(error_of(p.check()).code() == errc::invalid_plan);
}
