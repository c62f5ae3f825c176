/// What the trace recorder promises. Threads here meet at atomics and joins; nothing sleeps and nothing is timed.
#include "catch.hpp"

#include "json_text.hpp"
#include "string_table.hpp"

#include <muster/trace.hpp>

#include <algorithm>
#include <atomic>
#include <functional>
#include <latch>
#include <optional>
#include <set>
#include <thread>

using muster::event;
using muster::event_kind;
using muster::recorder;
using muster::trace_mode;

namespace {

constexpr std::size_t segment = 4096;
constexpr std::size_t events_per_segment = 84;

/// An event whose every field follows from `n`, so that a mixture of two shows.
std::uint64_t record_pattern(recorder& r, std::uint64_t n) {
  return r.record(event_kind::note, n, static_cast<std::int64_t>(n * 3), n * 5, static_cast<std::int64_t>(n * 7),
                  static_cast<std::uint32_t>(n));
}
bool is_pattern(const event& e) {
  const auto n = e.subject;
  return e.time_ns == static_cast<std::int64_t>(n * 3) && e.cause == n * 5 &&
         e.value == static_cast<std::int64_t>(n * 7) && e.text == static_cast<std::uint32_t>(n) &&
         e.kind == event_kind::note;
}

std::string json(std::string_view text) {
  fmt::memory_buffer out;
  muster::runtime::append_json(out, text);
  return fmt::to_string(out);
}

} // namespace

TEST_CASE("a recorder that is off keeps nothing and gives no numbers") {
  recorder r{{.mode = trace_mode::off}};
  CHECK_FALSE(r.enabled());
  CHECK(r.mode() == trace_mode::off);
  CHECK(r.record(event_kind::note, 1, 2) == 0);
  CHECK(r.intern("name") == 0);
  CHECK(r.text(1).empty());
  CHECK(r.snapshot().empty());
  CHECK(r.dropped() == 0);
  CHECK(r.strings_dropped() == 0);
}

TEST_CASE("a recorder that cannot have its memory is off and says so") {
  recorder r{{.bytes = SIZE_MAX}};
  CHECK(r.mode() == trace_mode::off);
  CHECK(r.record(event_kind::note, 1, 2) == 0);
}

TEST_CASE("an event comes back with every field it was recorded with") {
  recorder r;
  const auto name = r.intern("charge");
  const auto first = r.record(event_kind::task_created, 7, -5, 0, INT64_MIN, name);
  const auto second = r.record(event_kind::task_ended, UINT64_MAX, INT64_MAX, first, INT64_MAX, UINT32_MAX);
  const auto all = r.snapshot();
  REQUIRE(all.size() == 2);
  CHECK(all[0].sequence == first);
  CHECK(all[0].subject == 7);
  CHECK(all[0].time_ns == -5);
  CHECK(all[0].value == INT64_MIN);
  CHECK(all[0].kind == event_kind::task_created);
  CHECK(r.text(all[0].text) == "charge");
  CHECK(all[1].sequence == second);
  CHECK(all[1].subject == UINT64_MAX);
  CHECK(all[1].time_ns == INT64_MAX);
  CHECK(all[1].cause == first);
  CHECK(all[1].text == UINT32_MAX);
  CHECK(all[1].thread == all[0].thread);
  CHECK(all[1].thread != 0);
}

TEST_CASE("the newest events survive and the overwritten ones are counted") {
  recorder r{{.bytes = 2 * segment}};
  static constexpr std::uint64_t kept = 2 * events_per_segment;
  const auto recorded = GENERATE(std::uint64_t{1}, kept - 1, kept, kept + 1, std::uint64_t{1000});
  for (std::uint64_t n = 1; n <= recorded; ++n)
    CHECK(record_pattern(r, n) == n);
  const auto all = r.snapshot();
  REQUIRE(all.size() == std::min(recorded, kept));
  CHECK(all.back().sequence == recorded);
  CHECK(all.front().sequence == recorded - all.size() + 1);
  CHECK(std::ranges::all_of(all, is_pattern));
  CHECK(r.dropped() == recorded - all.size());
}

TEST_CASE("a busy thread does not push out the events of a quiet one that still runs") {
  recorder r{{.bytes = 3 * segment}};
  const auto quiet = r.record(event_kind::manager_created, 1, 0);
  std::jthread{[&] {
    for (std::uint64_t n = 0; n < 2000; ++n)
      r.record(event_kind::note, 2, 0);
  }}.join();
  CHECK(r.snapshot().front().sequence == quiet);
}

TEST_CASE("an effect has a greater sequence than its cause, whichever thread recorded either") {
  recorder r;
  constexpr std::uint64_t rounds = 2000;
  std::atomic<std::uint64_t> baton{r.record(event_kind::note, 0, 0)};
  std::atomic<int> turn{0};
  const auto player = [&](int me) {
    for (std::uint64_t n = 0; n < rounds; ++n) {
      for (int now = turn.load(); now != me; now = turn.load())
        turn.wait(now);
      baton = r.record(event_kind::note, 1, 0, baton.load());
      turn = 1 - me;
      turn.notify_all();
    }
  };
  {
    std::jthread a{player, 0};
    std::jthread b{player, 1};
  }
  const auto all = r.snapshot();
  REQUIRE(all.size() == 2 * rounds + 1);
  for (std::size_t i = 1; i < all.size(); ++i) {
    REQUIRE(all[i].sequence > all[i].cause);
    REQUIRE(all[i].cause == all[i - 1].sequence);
  }
}

TEST_CASE("a snapshot that shows an effect shows its cause") {
  recorder r;
  constexpr std::uint64_t events_each = 20'000; // all of them fit
  std::atomic<std::uint64_t> latest{r.record(event_kind::note, 0, 0)};
  std::atomic<int> writing{2};
  const auto writer = [&] {
    for (std::uint64_t n = 0; n < events_each; ++n)
      latest = r.record(event_kind::note, 1, 0, latest.load());
    --writing;
  };
  std::jthread a{writer};
  std::jthread b{writer};
  std::size_t orphans = 0;
  std::size_t disorders = 0;
  do {
    std::set<std::uint64_t> seen{0};
    for (const auto& e : r.snapshot()) {
      orphans += seen.contains(e.cause) ? 0 : 1;
      disorders += e.sequence > *seen.rbegin() ? 0 : 1;
      seen.insert(e.sequence);
    }
  } while (writing != 0);
  CHECK(orphans == 0);
  CHECK(disorders == 0);
  CHECK(r.dropped() == 0);
}

TEST_CASE("a reader never sees a torn record, however often the ring wraps") {
  recorder r{{.bytes = 4 * segment}};
  std::latch begun{3};
  std::atomic<bool> enough{false};
  const auto writer = [&](std::uint64_t n) {
    record_pattern(r, n);
    begun.count_down();
    while (!enough)
      record_pattern(r, n += 2);
  };
  std::jthread a{writer, 1};
  std::jthread b{writer, 2};
  begun.arrive_and_wait();
  std::size_t torn = 0;
  std::size_t repeated = 0;
  std::size_t seen = 0;
  for (int n = 0; n < 2000; ++n) {
    const auto all = r.snapshot();
    seen += all.size();
    torn += static_cast<std::size_t>(std::ranges::count_if(all, std::not_fn(is_pattern)));
    repeated += std::ranges::adjacent_find(all, {}, &event::sequence) == all.end() ? 0 : 1;
  }
  enough = true;
  CHECK(torn == 0);
  CHECK(repeated == 0);
  CHECK(seen > 0);
}

TEST_CASE("many threads lose no event while there is room, and no two share a number or a slot") {
  recorder r;
  constexpr std::uint64_t threads = 40;
  constexpr std::uint64_t each = 200;
  {
    std::latch all_here{threads};
    std::vector<std::jthread> crew;
    for (std::uint64_t t = 1; t <= threads; ++t)
      crew.emplace_back([&, t] {
        r.record(event_kind::note, t, 0);
        all_here.arrive_and_wait();
        for (std::uint64_t n = 1; n < each; ++n)
          r.record(event_kind::note, t, 0);
      });
  }
  const auto all = r.snapshot();
  REQUIRE(all.size() == threads * each);
  CHECK(r.dropped() == 0);
  std::set<std::uint64_t> numbers;
  std::set<std::pair<std::uint64_t, std::uint16_t>> slots;
  for (const auto& e : all) {
    numbers.insert(e.sequence);
    slots.emplace(e.subject, e.thread);
  }
  CHECK(numbers.size() == all.size());
  CHECK(slots.size() == threads);
}

TEST_CASE("a thread that ends leaves its slot and the rest of its segment to the next") {
  recorder r{{.bytes = segment}};
  for (std::uint64_t t = 0; t < 20; ++t)
    std::jthread{[&] {
      for (std::uint64_t n = 0; n < 4; ++n)
        record_pattern(r, 4 * t + n);
    }}.join();
  const auto all = r.snapshot();
  REQUIRE(all.size() == 80);
  CHECK(r.dropped() == 0);
  CHECK(std::ranges::all_of(all, is_pattern));
  CHECK(std::ranges::all_of(all, [](const event& e) { return e.thread == 1; }));
}

TEST_CASE("an event without a place has its number and is counted as dropped") {
  recorder r{{.bytes = segment}};
  CHECK(r.record(event_kind::note, 1, 0) == 1);
  std::uint64_t last = 0;
  std::jthread{[&] {
    for (int n = 0; n < 5; ++n)
      last = r.record(event_kind::note, 2, 0);
  }}.join();
  CHECK(last == 6);
  CHECK(r.snapshot().size() == 1);
  CHECK(r.dropped() == 5);
}

TEST_CASE("a thread may use several recorders by turns") {
  recorder a;
  recorder b;
  for (std::uint64_t n = 1; n <= 300; ++n) {
    CHECK(record_pattern(a, n) == n);
    CHECK(record_pattern(b, n + 1000) == n);
  }
  const auto of_a = a.snapshot();
  const auto of_b = b.snapshot();
  CHECK(of_a.size() == 300);
  CHECK(of_b.size() == 300);
  CHECK(std::ranges::all_of(of_a, [](const event& e) { return e.subject <= 1000; }));
  CHECK(std::ranges::all_of(of_b, [](const event& e) { return e.subject > 1000; }));
}

TEST_CASE("a thread outlives a recorder, and the next one at the same address starts empty") {
  std::optional<recorder> r;
  for (int n = 0; n < 5; ++n) {
    r.emplace();
    CHECK(r->record(event_kind::note, 1, 0) == 1);
    CHECK(r->snapshot().size() == 1);
  }
  std::latch recorded{1};
  std::latch gone{1};
  std::jthread survivor{[&] {
    r->record(event_kind::note, 1, 0);
    recorded.count_down();
    gone.wait();
  }};
  recorded.wait();
  r.reset();
  gone.count_down();
}

TEST_CASE("a thread that is ending may still record") {
  static std::atomic<std::uint64_t> last;
  static recorder* used;
  struct late {
    ~late() { last = used->record(event_kind::note, 1, 0); }
  };
  recorder r;
  used = &r;
  std::jthread{[&] {
    thread_local late goes_last; // made before the thread's place, so destroyed after it
    (void)&goes_last;
    r.record(event_kind::note, 1, 0);
  }}.join();
  CHECK(last == 2);
  CHECK(r.snapshot().size() + r.dropped() == 2);
}

TEST_CASE("equal texts have one id and it is never 0") {
  recorder r;
  const std::string name = "validate";
  const auto id = r.intern(name);
  CHECK(id != 0);
  CHECK(r.intern(std::string{"val"} + "idate") == id);
  CHECK(r.intern("charge") != id);
  CHECK(r.text(id) == name);
  CHECK(r.text(id + 100).empty());
  CHECK(r.intern("") == 0);
  CHECK(r.strings_dropped() == 0);
  const std::string with_zero{"a\0b", 3};
  CHECK(r.text(r.intern(with_zero)) == with_zero);
}

TEST_CASE("texts interned by many threads at once are stored once each") {
  recorder r;
  std::vector<std::vector<std::uint32_t>> ids(4);
  {
    std::vector<std::jthread> crew;
    for (auto& mine : ids)
      crew.emplace_back([&] {
        for (int n = 0; n < 200; ++n)
          mine.push_back(r.intern("step " + std::to_string(n)));
      });
  }
  for (const auto& mine : ids)
    CHECK(mine == ids[0]);
  CHECK(r.text(ids[0][42]) == "step 42");
  CHECK(std::set<std::uint32_t>(ids[0].begin(), ids[0].end()).size() == 200);
}

TEST_CASE("a full string table keeps what it has, refuses the rest and counts it") {
  recorder r;
  const auto kept = r.intern("first");
  std::uint64_t refused = 0;
  for (std::uint64_t n = 0; n < 2000; ++n)
    refused += r.intern(std::to_string(n) + std::string(1000, 'x')) == 0 ? 1 : 0;
  CHECK(refused > 900);
  CHECK(refused < 1100);
  CHECK(r.strings_dropped() == refused);
  CHECK(r.intern("first") == kept);
}

TEST_CASE("a text too long is cut between characters and shows it") {
  recorder r;
  const std::string fits(recorder::max_text, 'a');
  CHECK(r.text(r.intern(fits)) == fits);
  const auto cut = r.text(r.intern(fits + "b"));
  CHECK(cut.size() == recorder::max_text);
  CHECK(cut.ends_with("a…"));
  CHECK(r.intern(fits + "b") == r.intern(fits + "c"));

  using muster::runtime::shortened;
  CHECK(shortened("12345678", 8) == "12345678");
  CHECK(shortened("123456789", 8) == "12345…");
  CHECK(shortened("1234ä6789", 8) == "1234…");
  CHECK(shortened("123€6789", 8) == "123…");
  CHECK(shortened("12🙂6789", 8) == "12…");
  CHECK(shortened("1🙂6789", 8) == "1🙂…");
}

TEST_CASE("any text becomes a valid JSON string") {
  CHECK(json("") == R"("")");
  CHECK(json("plain/path-1") == R"("plain/path-1")");
  CHECK(json("say \"no\" to C:\\") == R"("say \"no\" to C:\\")");
  CHECK(json("a\nb\tc\r") == R"("a\nb\tc\u000d")");
  CHECK(json(std::string_view{"\0\x1f\x7f", 3}) == R"("\u0000\u001f\u007f")");
  CHECK(json("ä € 🙂") == R"("ä € 🙂")");
  CHECK(json("\xED\x9F\xBF\xEE\x80\x80\xF4\x8F\xBF\xBF") == "\"\xED\x9F\xBF\xEE\x80\x80\xF4\x8F\xBF\xBF\"");
}

TEST_CASE("bytes that are not UTF-8 are replaced one by one") {
  CHECK(json("a\xFF"
             "b") == R"("a\ufffdb")");
  CHECK(json("\x80") == R"("\ufffd")");
  CHECK(json("\xC3") == R"("\ufffd")");
  CHECK(json("\xE2\x82"
             "x") == R"("\ufffd\ufffdx")");
  CHECK(json("\xC0\xAF") == R"("\ufffd\ufffd")");
  CHECK(json("\xE0\x80\xAF") == R"("\ufffd\ufffd\ufffd")");
  CHECK(json("\xED\xA0\x80") == R"("\ufffd\ufffd\ufffd")");
  CHECK(json("\xF4\x90\x80\x80") == R"("\ufffd\ufffd\ufffd\ufffd")");
  CHECK(json("\xC3\"") == R"("\ufffd\"")");
}

TEST_CASE("every kind of event has a name of its own") {
  std::set<std::string_view> names;
  std::size_t known = 0;
  for (std::uint32_t n = 0; n <= 0xFFFF; ++n) {
    const auto name = to_string(static_cast<event_kind>(n));
    if (name == "unknown")
      continue;
    ++known;
    names.insert(name);
  }
  CHECK(known == names.size());
  CHECK(known > 60);
  CHECK(to_string(event_kind::intensity_exceeded) == "intensity_exceeded");
  CHECK(to_string(event_kind{0xFFFF}) == "unknown");
}

TEST_CASE("progress keeps its proportion when its numbers are large") {
  using muster::progress_value;
  CHECK(progress_value(3, 10) == (std::int64_t{10} << 32U | 3));
  CHECK(progress_value(0, 0) == 0);
  const auto large = static_cast<std::uint64_t>(progress_value(std::uint64_t{1} << 40U, std::uint64_t{1} << 41U));
  CHECK((large >> 32U) == 2 * (large & 0xFFFF'FFFFU));
}
